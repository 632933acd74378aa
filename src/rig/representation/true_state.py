"""The oracle: true state in place of images. With ``swap``, all of where truth meets learning.

It is a check of the reinforcement-learning half, with everything else unchanged: the state is
the frame, scaling it is the encoder, and goals are drawn as evaluation draws them.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from jaxtyping import Float32, Float64

from rig.agent.networks import Actor, act
from rig.envs.tasks import Task
from rig.types import Encoding


class TrueStateObservation(VectorWrapper):
    """Worlds that show their true state where the others show an image."""

    def __init__(self, envs: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(envs)
        self._task: Task = envs.unwrapped.task  # type: ignore[attr-defined]
        names = ("observation", "achieved_goal", "desired_goal")
        self.single_observation_space = spaces.Dict(dict.fromkeys(names, self._frame_space()))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(self, **kwargs: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Starts every world anew."""
        observation, info = self.env.reset(**kwargs)
        return self._show(observation, info), info

    def step(self, actions: np.ndarray) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Moves every world."""
        observation, reward, terminated, truncated, info = self.env.step(actions)
        return self._show(observation, info), reward, terminated, truncated, info

    def _frame_space(self) -> spaces.Box:
        return spaces.Box(-np.inf, np.inf, (len(self._task.start),), np.float64)

    def _show(
        self, _observation: dict[str, np.ndarray], info: dict[str, Any]
    ) -> dict[str, np.ndarray]:
        return true_observation(self._task, info)


def true_observation(task: Task, info: dict[str, Any]) -> dict[str, np.ndarray]:
    """An observation made of true states; what is missing seems to be at its start."""
    state, goal_state = (
        np.where(task.absent(info[name]), task.start, info[name])
        for name in ("state", "goal_state")
    )
    return {"observation": state, "achieved_goal": state, "desired_goal": goal_state}


class TrueStateRepresentation:
    """The true state as a latent: centred and scaled by the spread of the task's goals.

    It stands where :class:`rig.representation.latent.LatentRepresentation` does.
    """

    def __init__(
        self,
        centre: Float32[np.ndarray, " state"],
        scale: Float32[np.ndarray, " state"],
        goals: Float32[np.ndarray, "G state"],
    ) -> None:
        self._centre, self._scale, self._goals = centre, scale, goals
        self.weight = REWARD_PER_M * scale

    @classmethod
    def of_task(cls, task: Task, *, rng: np.random.Generator) -> "TrueStateRepresentation":
        """The space whose goals, centre and scale come from the task's own goals."""
        goals = task.sample_states(NUM_GOALS, rng=rng).astype(np.float32)
        centre, spread = goals.mean(axis=0), goals.std(axis=0)
        scale = np.where(spread > 0, spread, 1).astype(np.float32)
        return cls(centre, scale, (goals - centre) / scale)

    @classmethod
    def from_arrays(cls, arrays: dict[str, Any]) -> "TrueStateRepresentation":
        """The space that :meth:`arrays` took apart."""
        return cls(**{name: np.asarray(value) for name, value in arrays.items()})

    def arrays(self) -> dict[str, Any]:
        """Everything that makes this space, to be saved."""
        return {"centre": self._centre, "scale": self._scale, "goals": self._goals}

    @property
    def goals(self) -> Float32[np.ndarray, "G latent"]:
        """Goals that practice draws from."""
        return self._goals

    @property
    def num_goals(self) -> int:
        """How many these are."""
        return len(self._goals)

    def with_goals(self, goals: Float32[np.ndarray, "G latent"]) -> "TrueStateRepresentation":
        """The same space with other goals."""
        return TrueStateRepresentation(self._centre, self._scale, goals)

    @property
    def latent_dim(self) -> int:
        """Numbers of the true state."""
        return len(self.weight)

    def encode(self, frames: Float64[np.ndarray, "N state"]) -> Encoding:
        """The states, centred and scaled."""
        latent = ((frames - self._centre) / self._scale).astype(np.float32)
        return Encoding(latent=latent, log_std=np.full_like(latent, DETERMINISTIC_LOG_STD))

    def imagine(self, num: int, *, rng: np.random.Generator) -> Float32[np.ndarray, "N latent"]:
        """Goals, drawn as the task draws them."""
        return self._goals[rng.integers(len(self._goals), size=num)]

    def encode_and_act(
        self,
        actor: Actor,
        frames: Float64[np.ndarray, "N state"],
        goals: Float32[np.ndarray, "N latent"],
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """What the actor does about states, and the states scaled."""
        encoding = self.encode(frames)
        return np.asarray(
            act(actor, jnp.asarray(encoding.latent), jnp.asarray(goals))
        ), encoding


NUM_GOALS = 5000
"""Goals drawn once, that the scale is taken from and that practice aims at."""
DETERMINISTIC_LOG_STD = np.float32(-5)
"""The log standard deviation of what is true, under the floor that rewards put to it."""
REWARD_PER_M = 10.0
"""Reward lost per metre: brings values to the order of 1, where Adam's step fits."""
