"""One external environment, and what it observed last."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from jaxtyping import Float32, Float64

from rig.external.action_bounds import ActionBounds
from rig.external.failures import calling
from rig.external.score import ScoreKey


GOAL_KEYS = ("achieved_goal", "desired_goal")
"""The parts of an observation that make an environment a multi-goal one."""

Physics = tuple[mujoco.MjModel, mujoco.MjData]
Point = Float64[np.ndarray, " goal"]


class ExternalEnv:
    """One environment with actions in [-1, 1]. Reset it after its episode has ended."""

    def __init__(
        self, env: gymnasium.Env[Any, Any], num_steps: int, scores: Sequence[ScoreKey] = ()
    ) -> None:
        """Wrap an environment.

        Args:
            env: The environment.
            num_steps: Episodes are truncated after that many.
            scores: Arrays to measure in evaluation.
        """
        self.env, self.num_steps, self.scores = env, num_steps, scores
        self._scored: dict[str, Float64[np.ndarray, " values"]] = {}
        self._bounds = ActionBounds.of(env.action_space)
        self._is_multi_goal = is_multi_goal(env.observation_space)
        self.id = env.spec.id if env.spec else type(env.unwrapped).__name__
        """How errors name it."""
        self.observation: Any = None
        """A copy of what it observed last: many environments fill the same arrays again."""
        self.is_success = np.nan
        """Its own success at the last step; NaN without one."""
        self.terminated = self.truncated = False
        self.has_goal = True
        """Whether the environment's own goal is the one that the last reset asked for."""
        self._num_steps_done = 0

    @property
    def action_size(self) -> int:
        """Number of dimensions of an action."""
        return self._bounds.size

    @property
    def achieved(self) -> Point:
        """The achieved goal of a multi-goal environment; empty for others."""
        return self._goal_part("achieved_goal")

    @property
    def desired(self) -> Point:
        """The desired goal of a multi-goal environment; empty for others."""
        return self._goal_part("desired_goal")

    @property
    def state(self) -> Float64[np.ndarray, " state"]:
        """The achieved goal, and the arrays to measure."""
        return np.concatenate([self.achieved, *self._scored.values()])

    @property
    def score_sizes(self) -> dict[str, int]:
        """The number of values of each array to measure."""
        return {name: len(values) for name, values in self._scored.items()}

    @property
    def has_ended(self) -> bool:
        """Whether the episode has terminated or is truncated."""
        return self.terminated or self.truncated

    @property
    def is_at_start(self) -> bool:
        """Whether no step has been taken since the last reset."""
        return self._num_steps_done == 0

    def reset(self, seed: int, goal: Point | None = None) -> None:
        """Begin an episode, and set the goal of a multi-goal environment if it can be set."""
        with calling(self.id, "reset"), global_seed(seed):
            observation, info = self.env.reset(seed=seed)
            self._observe(observation, info)
            inner: Any = self.env.unwrapped
            self.has_goal = goal is None or np.shape(getattr(inner, "goal", ())) == goal.shape
            if goal is not None and self.has_goal:
                inner.goal = goal.copy()
        self.terminated = self.truncated = False
        self._num_steps_done = 0

    def step(self, action: Float32[np.ndarray, " action"]) -> None:
        """Step with an action in [-1, 1], scaled to the bounds of the action space."""
        scaled = self._bounds.to_units(action)
        with calling(self.id, "step"):
            observation, _, terminated, truncated, info = self.env.step(scaled)
            self._observe(observation, info)
            self.terminated, self.truncated = bool(terminated), bool(truncated)
        self._num_steps_done += 1
        self.truncated |= self._num_steps_done >= self.num_steps

    def step_no_op(self) -> None:
        """Step with the action in the middle of its range, which is mostly no motion."""
        self.step(np.zeros(self.action_size, np.float32))

    def _goal_part(self, name: str) -> Point:
        if not self._is_multi_goal:
            return np.empty(0)
        return np.array(self.observation[name], np.float64).reshape(-1)

    def _observe(self, observation: Any, info: dict[str, Any]) -> None:
        self.observation = copy.deepcopy(observation)
        self.is_success = np.asarray(info.get("is_success", np.nan), np.float64).item()
        self._scored = {score.name: score.read(info, observation) for score in self.scores}


def physics_of(env: gymnasium.Env[Any, Any]) -> Physics | None:
    """Return the model and the data of an environment built on MuJoCo, if it has them.

    Some environments have them only after a reset.
    """
    model, data = own_attribute(env, "model"), own_attribute(env, "data")
    is_mujoco = isinstance(model, mujoco.MjModel) and isinstance(data, mujoco.MjData)
    return (model, data) if is_mujoco else None


def own_attribute(env: gymnasium.Env[Any, Any], name: str) -> Any:
    """Return an attribute of the innermost environment; None if there is none to be had."""
    try:
        return getattr(env.unwrapped, name, None)
    except Exception:  # noqa: BLE001 (a property of theirs, as before a reset)
        return None


@contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Seed NumPy's global random state for a while.

    Some environments, as OGBench's cube, draw their start from it and not from their own
    generator: the same seed would give another start.
    """
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def is_multi_goal(space: spaces.Space[Any]) -> bool:
    """Check whether observations have an achieved and a desired goal."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    return all(isinstance(parts.get(key), spaces.Box) for key in GOAL_KEYS)
