"""Rollouts: drive the environments and store what happens.

An environment may end an episode early and then begins another one. It resets in one of
Gymnasium's three ways, and in none of them may a transition cross from one episode to the next:

    DISABLED     nothing happens: :class:`Rollout` resets the environments that ended
    SAME_STEP    the step that ends an episode shows the next one's first frame; the last frame
                 of the episode that ended is in ``info["final_obs"]``
    NEXT_STEP    the step after the last one ignores its action and shows the first frame

A rollout may be driven in several parts: an episode continues from one part to the next.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from rig.agent.explore import Noise, RandomPolicy
from rig.training.episode_builder import EnvMask, EpisodeBuilder
from rig.types import Encoding, Episodes, Goals, Rollouts


Envs = VectorEnv[Any, Any, Any]
"""Gymnasium's vector environment: the seam that the loop drives."""
Act = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Encoding]]
"""Takes frames and goals; returns actions, and what the frames encode to."""


SPOILED = "spoiled"
"""The key in ``info`` of episodes that are over and must not be learned from: a real robot's
that was held."""


def seen(observation: dict[str, np.ndarray]) -> np.ndarray:
    """Return a copy of the one part of an observation that learning may use.

    Rollouts keep it, and environments may fill the same array again.
    """
    return np.array(observation["observation"])


class Rollout:
    """Steps in all environments, from a reset until the last part."""

    def __init__(self, envs: Envs, num_steps: int, *, rng: np.random.Generator) -> None:
        """Reset the environments.

        Args:
            envs: May end episodes early, and reset themselves in any way.
            num_steps: The length of the whole rollout, per environment. Resets are not counted,
                but in NEXT_STEP they take a step.
            rng: Draws the environments' seed.
        """
        self.num_steps, self.num_done = num_steps, 0
        self._envs = envs
        self._mode = envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        self._builder = EpisodeBuilder()
        self._frames = reset_envs(envs, rng=rng)
        self._is_over = np.zeros(envs.num_envs, bool)

    @property
    def is_complete(self) -> bool:
        """Whether all steps are done, so that nothing is open."""
        return self.num_done == self.num_steps

    def step_envs(
        self,
        decide: Callable[[np.ndarray], np.ndarray],
        on_last_frame: Callable[[np.ndarray], object],
        num: int,
        *,
        is_last: bool = False,
    ) -> None:
        """Take up to ``num`` steps in every environment.

        Args:
            decide: Returns the actions for the current frames.
            on_last_frame: Called with each episode's final frame, for which no action is asked.
            num: The number of steps; fewer where the rollout ends before.
            is_last: End the rollout after them in any case.
        """
        num = min(num, self.num_steps - self.num_done)
        if is_last:
            self.num_steps = self.num_done + num
        for _ in range(num):
            self.num_done += 1
            self._step(decide, on_last_frame)
        if self.is_complete:
            on_last_frame(self._frames)
            self._builder.add_last(self._frames, np.ones(self._envs.num_envs, bool))

    def _step(
        self,
        decide: Callable[[np.ndarray], np.ndarray],
        on_last_frame: Callable[[np.ndarray], object],
    ) -> None:
        """Take one step in every environment, and reset those whose episode ended."""
        frames = self._frames
        actions = decide(frames)
        self._builder.add(frames, actions, has_next=~self._is_over)
        observation, _, terminated, truncated, info = self._envs.step(actions)
        frames, ended = seen(observation), np.logical_or(terminated, truncated)
        if SPOILED in info:
            self._builder.spoil(info[SPOILED])
        self._is_over = ended & (self._mode == AutoresetMode.NEXT_STEP)
        resets_itself = self._mode == AutoresetMode.SAME_STEP
        if resets_itself and ended.any():
            first, frames = frames, last_frames(frames, ended, info)
        if not self.is_complete and (ended & ~self._is_over).any():
            on_last_frame(frames)
            self._builder.add_last(frames, ended)
            frames = first if resets_itself else after_reset(self._envs, ended)
        self._frames = frames

    def rollouts(self) -> Rollouts:
        """Return all episodes of a complete rollout."""
        return self._builder.rollouts()

    def rows_of(self, encodings: list[Encoding]) -> Encoding:
        """Return the episodes' rows of the encodings, one for each call of a callback."""
        return self._builder.rows_of(encodings)


class PracticeRollout:
    """A rollout towards imagined goals, with noise on the actions."""

    def __init__(
        self,
        envs: Envs,
        goals: Sequence[Goals],
        noise: Noise,
        num_steps: int,
        *,
        rng: np.random.Generator,
    ) -> None:
        """Reset the environments and the noise.

        Args:
            envs: The environments.
            goals: Pursued in turn, each for an equal share of the steps; one row per
                environment. All episodes are stored with the last of them, whichever they
                pursued: relabelling replaces most stored goals anyway.
            noise: Is added to the actions.
            num_steps: The length of the whole rollout, per environment.
            rng: Draws the environments' seed, and in :meth:`advance` the noise.
        """
        noise.reset()
        self._goals, self._noise, self._rng = goals, noise, rng
        self._num_steps, self._num_decided = num_steps, 0
        self._encodings: list[Encoding] = []
        self._rollout = Rollout(envs, num_steps, rng=rng)

    @property
    def is_complete(self) -> bool:
        """Whether every episode is over."""
        return self._rollout.is_complete

    def advance(self, act: Act, num: int, *, is_last: bool = False) -> int:
        """Take up to ``num`` steps in every environment; return how many were taken.

        Args:
            act: Chooses actions for frames and goals.
            num: The number of steps at most.
            is_last: End the rollout after them in any case.
        """
        before = self._rollout.num_done

        def decide(frames: np.ndarray) -> np.ndarray:
            turn = self._num_decided * len(self._goals) // self._num_steps
            self._num_decided += 1
            action, encoding = act(frames, self._goals[turn])
            self._encodings.append(encoding)
            return self._noise.add_to(action, rng=self._rng)

        def on_last_frame(frames: np.ndarray) -> None:
            self._encodings.append(act(frames, self._goals[-1])[1])

        self._rollout.step_envs(decide, on_last_frame, num, is_last=is_last)
        return self._rollout.num_done - before

    def episodes(self) -> Episodes:
        """Return all episodes of a complete rollout."""
        rollouts = self._rollout.rollouts()
        return Episodes(
            num_steps=rollouts.num_steps,
            actions=rollouts.actions,
            frames=rollouts.frames,
            encoding=self._rollout.rows_of(self._encodings),
            goals=self._goals[-1][rollouts.env_indices],
        )


def collect_rollouts(
    envs: Envs,
    act: Act,
    goals: Sequence[Goals],
    noise: Noise,
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> Episodes:
    """Collect the episodes of a whole :class:`PracticeRollout`."""
    rollout = PracticeRollout(envs, goals, noise, num_steps, rng=rng)
    rollout.advance(act, num_steps)
    return rollout.episodes()


def collect_random(
    envs: Envs, policy: RandomPolicy, num_steps: int, *, rng: np.random.Generator
) -> Rollouts:
    """Collect ``num_steps`` random actions in every environment."""
    policy.reset(rng=rng)
    rollout = Rollout(envs, num_steps, rng=rng)
    rollout.step_envs(lambda _: policy.act(rng=rng), lambda _: None, num_steps)
    return rollout.rollouts()


def reset_envs(envs: Envs, *, rng: np.random.Generator) -> np.ndarray:
    """Begin an episode in every environment; return the first frames.

    The run's generator draws the environments' seed each time, so that what they draw depends
    on nothing else. A reset-free environment is not seeded: a seed would put it at a start.
    """
    seed = int(rng.integers(2**31))
    is_reset_free = getattr(envs.unwrapped, "is_reset_free", False)
    return seen(envs.reset(seed=None if is_reset_free else seed)[0])


def last_frames(frames: np.ndarray, ended: EnvMask, info: dict[str, Any]) -> np.ndarray:
    """Return the frames, with the last one of the episode where it ended and was reset."""
    frames = frames.copy()
    for index in np.flatnonzero(ended):
        frames[index] = seen(info["final_obs"][index])
    return frames


def after_reset(envs: Envs, ended: EnvMask) -> np.ndarray:
    """Reset the environments that ended; return what all show then."""
    return seen(envs.reset(options={"reset_mask": ended})[0])
