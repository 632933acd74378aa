"""The oracle: the true state in place of images.

It checks the reinforcement learning alone, with everything else unchanged: a frame is the true
state, encoding scales it, and goals are drawn as evaluation draws them. Together with
:mod:`rig.representation.hybrid`, this is the only place where true states reach learning.
"""

from contextlib import closing
from functools import cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from jaxtyping import Float32, Float64

from rig.config import Config
from rig.envs.tasks import Task, find_task, is_external
from rig.errors import RunError
from rig.external.make import EnvSpec, make_external_envs
from rig.representation.representation import Envs, FitMonitor, Images, Representation, Tree
from rig.types import Collected, Encoding


class TrueStateObservation(VectorWrapper):
    """Environments that show their true state in place of an image."""

    def __init__(self, envs: VectorEnv[Any, Any, Any]) -> None:
        super().__init__(envs)
        self._task: Task | None = envs.unwrapped.task  # type: ignore[attr-defined]
        self._state_size = len(envs.unwrapped.state_names)  # type: ignore[attr-defined]
        names = ("observation", "achieved_goal", "desired_goal")
        self.single_observation_space = spaces.Dict(dict.fromkeys(names, self._frame_space()))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(self, **kwargs: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Begin an episode in every environment."""
        observation, info = self.env.reset(**kwargs)
        return self._with_state(observation, info), info

    def step(self, actions: np.ndarray) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step every environment."""
        observation, reward, terminated, truncated, info = self.env.step(actions)
        return self._with_state(observation, info), reward, terminated, truncated, info

    def _frame_space(self) -> spaces.Box:
        return spaces.Box(-np.inf, np.inf, (self._state_size,), np.float64)

    def _with_state(
        self, _observation: dict[str, np.ndarray], info: dict[str, Any]
    ) -> dict[str, np.ndarray]:
        return true_observation(self._task, info)


def true_observation(task: Task | None, info: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return an observation of true states; absent objects appear at their start."""
    if task is None:
        state, goal_state = info["state"], info["goal_state"]
        return {"observation": state, "achieved_goal": state, "desired_goal": goal_state}
    state, goal_state = (
        np.where(task.absent(info[name]), task.start, info[name])
        for name in ("state", "goal_state")
    )
    return {"observation": state, "achieved_goal": state.copy(), "desired_goal": goal_state}


def state_size_of(config: Config) -> int:
    """Return the length of the true state of the settings' task, or of what --score names."""
    if not is_external(config.task):
        return len(find_task(config.task).start)
    return external_state_size(config.task, config.camera, config.episode_steps, config.score)


@cache
def external_state_size(task: str, camera: str, num_steps: int, score: str) -> int:
    """Return how many numbers an external environment reports; it has to be made for that."""
    spec = EnvSpec(id=task, camera=camera, num_steps=num_steps, score=score)
    with closing(make_external_envs(spec, 1, MIN_PX, seed=0)) as envs:
        return len(envs.state_names)


class TrueStateRepresentation(Representation):
    """The true state as a latent: centred and scaled by the spread of the task's goals."""

    needs_true_state = True

    def __init__(
        self,
        centre: Float32[np.ndarray, " state"],
        scale: Float32[np.ndarray, " state"],
        goals: Float32[np.ndarray, "G state"],
        *,
        in_metres: bool = True,
    ) -> None:
        """Keep the scale and the goals.

        Args:
            centre: Is subtracted from states.
            scale: Divides them.
            goals: Goals to practise, scaled.
            in_metres: Weigh states by their own unit. Those of external environments may have
                any: they are weighed by their spread.
        """
        self._centre, self._scale, self._goals = centre, scale, goals
        self._in_metres = in_metres
        own = REWARD_PER_M * scale if in_metres else np.ones_like(scale)
        self.weight: Float32[np.ndarray, " state"] = own

    @classmethod
    def of_task(cls, task: Task, *, rng: np.random.Generator) -> "TrueStateRepresentation":
        """Return the representation whose goals, centre and scale are the task's."""
        return cls.of_states(task.sample_states(NUM_GOALS, rng=rng), in_metres=True)

    @classmethod
    def of_states(
        cls, states: Float64[np.ndarray, "G state"], *, in_metres: bool
    ) -> "TrueStateRepresentation":
        """Return the representation whose goals, centre and scale are those of states."""
        goals = states.astype(np.float32)
        centre, spread = goals.mean(axis=0), goals.std(axis=0)
        scale = np.where(spread > 0, spread, 1).astype(np.float32)
        return cls(centre, scale, (goals - centre) / scale, in_metres=in_metres)

    @classmethod
    def observe(cls, envs: Envs, config: Config) -> Envs:
        """Return environments that show their true state."""
        return TrueStateObservation(envs)

    @classmethod
    def fit(
        cls,
        config: Config,
        collected: Collected,
        monitor: FitMonitor,
        *,
        rng: np.random.Generator,
    ) -> "TrueStateRepresentation":
        """Draw the task's goals, or take the states of practice; nothing is fitted."""
        if is_external(config.task):
            return cls.of_states(collected.images, in_metres=False)
        return cls.of_task(find_task(config.task), rng=rng)

    @classmethod
    def input_size(cls, config: Config) -> int:
        """Return the length of the true state."""
        return state_size_of(config)

    @classmethod
    def template(cls, config: Config, num_goals: int) -> Tree:
        """Return the shapes of :meth:`arrays`."""
        size = state_size_of(config)
        row = jnp.zeros(size)
        return {"centre": row, "scale": row, "goals": jnp.zeros((num_goals, size))}

    @classmethod
    def from_arrays(cls, arrays: Tree, config: Config) -> "TrueStateRepresentation":
        """Return the representation that :meth:`arrays` saved."""
        known = {name: np.asarray(value) for name, value in arrays.items()}
        return cls(**known, in_metres=not is_external(config.task))

    def arrays(self) -> Tree:
        """Return all arrays that must be saved."""
        return {"centre": self._centre, "scale": self._scale, "goals": self._goals}

    @property
    def goals(self) -> Float32[np.ndarray, "G latent"]:
        """The goals that practice draws from."""
        return self._goals

    @property
    def num_goals(self) -> int:
        """The number of these goals."""
        return len(self._goals)

    def with_goals(self, goals: Float32[np.ndarray, "G latent"]) -> "TrueStateRepresentation":
        """Return the same representation with other goals."""
        return TrueStateRepresentation(
            self._centre, self._scale, goals, in_metres=self._in_metres
        )

    @property
    def latent_dim(self) -> int:
        """The length of the true state."""
        return len(self.weight)

    def encode(self, frames: Float64[np.ndarray, "N state"]) -> Encoding:
        """Return the states, centred and scaled."""
        latent = ((frames - self._centre) / self._scale).astype(np.float32)
        return Encoding(latent=latent, log_std=np.full_like(latent, DETERMINISTIC_LOG_STD))

    def decode(self, latents: np.ndarray) -> Images:
        """Raise RunError: a true state has no image."""
        raise RunError("a run with --oracle has no images: train without it to see its goals")

    def imagine(self, num: int, *, rng: np.random.Generator) -> Float32[np.ndarray, "N latent"]:
        """Return goals, drawn as the task draws them."""
        return self._goals[rng.integers(len(self._goals), size=num)]


MIN_PX = 16
"""Size of images that nobody looks at."""
NUM_GOALS = 5000
"""Goals drawn once: the scale is computed from them, and practice draws from them."""
DETERMINISTIC_LOG_STD = np.float32(-5)
"""The log standard deviation of a true state: below the floor that rewards apply."""
REWARD_PER_M = 10.0
"""Reward lost per metre: makes values of order 1, which suits Adam's step size."""
