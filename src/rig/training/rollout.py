"""Rollouts: the robot tries, and what happened is kept.

A world may end an episode early, and then goes on with another one. How it is reset is one of
Gymnasium's three ways, and in none of them does a transition lead from one episode to the next:

    DISABLED     nothing happens: :func:`drive` resets the worlds that ended
    SAME_STEP    the step that ends an episode shows the next one's first frame; the last one of
                 the episode that ended is in ``info["final_obs"]``
    NEXT_STEP    the step after the last one ignores its action, and shows the first frame
"""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from rig.agent.explore import Noise, RandomPolicy
from rig.training.episode_builder import EnvMask, EpisodeBuilder
from rig.types import Aims, Encoding, Episodes, Rollouts


Envs = VectorEnv[Any, Any, Any]
"""Worlds as Gymnasium has them."""
Act = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Encoding]]
"""Frames and goals in; actions, and what the frames encode to, out."""


def seen(observation: dict[str, np.ndarray]) -> np.ndarray:
    """The one part of an observation that learning may look at."""
    return observation["observation"]


def collect_rollouts(
    envs: Envs,
    act: Act,
    goals: Sequence[Aims],
    noise: Noise,
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> Episodes:
    """So many steps in every world, aimed at its goals in turn, with noise on the actions.

    What is remembered as the goal of an episode is the last one.

    Args:
        envs: Where it happens.
        act: Decides for frames and goals.
        goals: One for each world, so often: each lasts as long as the others.
        noise: Is added to the actions.
        num_steps: Of every world.
        rng: Decides the noise, and what the worlds draw.
    """
    noise.reset()
    encodings, steps = [], count()

    def decide(frames: np.ndarray) -> np.ndarray:
        action, encoding = act(frames, goals[next(steps) * len(goals) // num_steps])
        encodings.append(encoding)
        return noise.add_to(action, rng=rng)

    def on_last_frame(frames: np.ndarray) -> None:
        encodings.append(act(frames, goals[-1])[1])

    track = drive(envs, decide, on_last_frame, num_steps, rng=rng)
    rollouts = track.rollouts()
    return Episodes(
        num_steps=rollouts.num_steps,
        actions=rollouts.actions,
        frames=rollouts.frames,
        encoding=track.rows_of(encodings),
        goals=goals[-1][rollouts.env_indices],
    )


def collect_random(
    envs: Envs, policy: RandomPolicy, num_steps: int, *, rng: np.random.Generator
) -> Rollouts:
    """So many random actions in every world."""
    policy.reset(rng=rng)
    track = drive(envs, lambda _: policy.act(rng=rng), lambda _: None, num_steps, rng=rng)
    return track.rollouts()


def start(envs: Envs, *, rng: np.random.Generator) -> np.ndarray:
    """The first frames of episodes that begin now in every world.

    The run's generator gives the worlds their seed each time, so that what they draw depends
    on nothing else. A world that is never put back is not seeded: a seed would put it back.
    """
    seed = int(rng.integers(2**31))
    is_reset_free = getattr(envs.unwrapped, "is_reset_free", False)
    return seen(envs.reset(seed=None if is_reset_free else seed)[0])


def drive(
    envs: Envs,
    decide: Callable[[np.ndarray], np.ndarray],
    on_last_frame: Callable[[np.ndarray], None],
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> EpisodeBuilder:
    """So many steps in every world, from a reset; an episode that ends is followed by another.

    Args:
        envs: May end episodes, and reset itself in any way.
        decide: The actions for what every world shows now.
        on_last_frame: Is shown frames that no action is asked for: the last ones of episodes.
        num_steps: Of every world, resets not counted (but in NEXT_STEP they take one).
        rng: Gives the worlds their seed.
    """
    mode = envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    track, frames = EpisodeBuilder(), start(envs, rng=rng)
    is_over = np.zeros(envs.num_envs, bool)
    for step in range(1, num_steps + 1):
        actions = decide(frames)
        track.add(frames, actions, leads_on=~is_over)
        observation, _, terminated, truncated, info = envs.step(actions)
        frames, ended = seen(observation), np.logical_or(terminated, truncated)
        is_over = ended & (mode == AutoresetMode.NEXT_STEP)
        if mode == AutoresetMode.SAME_STEP and ended.any():
            first, frames = frames, last_frames(frames, ended, info)
        if step < num_steps and (ended & ~is_over).any():
            on_last_frame(frames)
            track.add_last(frames, ended)
            is_done_already = mode == AutoresetMode.SAME_STEP
            frames = first if is_done_already else after_reset(envs, ended)
    on_last_frame(frames)
    track.add_last(frames, np.ones(envs.num_envs, bool))
    return track


def last_frames(frames: np.ndarray, ended: EnvMask, info: dict[str, Any]) -> np.ndarray:
    """The frames, where an episode ended its last one: the worlds have reset themselves."""
    frames = frames.copy()
    for index in np.flatnonzero(ended):
        frames[index] = seen(info["final_obs"][index])
    return frames


def after_reset(envs: Envs, ended: EnvMask) -> np.ndarray:
    """What all worlds show after those that ended were reset."""
    return seen(envs.reset(options={"reset_mask": ended})[0])
