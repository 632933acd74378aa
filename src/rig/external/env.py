"""A guest: one copy of anyone's environment, with what it observed last."""

from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from jaxtyping import Float32, Float64

from rig.errors import ExternalEnvError


GOAL_KEYS = ("achieved_goal", "desired_goal")
"""The parts of an observation by which Gymnasium's multi-goal environments are known."""

Physics = tuple[mujoco.MjModel, mujoco.MjData]
Point = Float64[np.ndarray, " goal"]


class ExternalEnv:
    """One environment. Once its episode has ended, it stays as it is until it begins anew."""

    def __init__(self, env: gymnasium.Env[Any, Any], num_steps: int) -> None:
        """Takes in an environment whose episodes are cut off after ``num_steps``."""
        self.env, self.num_steps = env, num_steps
        self._low, self._high = action_bounds(env.action_space)
        self._is_multi_goal = is_multi_goal(env.observation_space)
        self.observation: Any = None
        self.info: dict[str, Any] = {}
        self.terminated = self.truncated = False
        self.knows_goal = True
        self._num_steps_done = 0

    @property
    def action_size(self) -> int:
        """Numbers of an action."""
        return self._low.size

    @property
    def achieved(self) -> Point:
        """Where it is, as a multi-goal environment tells it; nothing if it is none."""
        return self._goal_part("achieved_goal")

    @property
    def desired(self) -> Point:
        """Where a multi-goal environment asks to be; nothing if it is none."""
        return self._goal_part("desired_goal")

    @property
    def has_ended(self) -> bool:
        """Whether its episode is over."""
        return self.terminated or self.truncated

    def begin(self, seed: int, goal: Point | None = None) -> None:
        """Starts an episode; a multi-goal environment is told its goal, where it can be."""
        self.observation, self.info = self.env.reset(seed=seed)
        self.terminated = self.truncated = False
        self._num_steps_done = 0
        inside: Any = self.env.unwrapped
        self.knows_goal = goal is None or np.shape(getattr(inside, "goal", ())) == goal.shape
        if goal is not None and self.knows_goal:
            inside.goal = goal.copy()

    def move(self, action: Float32[np.ndarray, " action"]) -> None:
        """One step, with each number of the action in [-1, 1]."""
        share = (np.clip(action.astype(np.float64), -1, 1) + 1) / 2
        own = self._low + share.reshape(self._low.shape) * (self._high - self._low)
        told = own.astype(self.env.action_space.dtype)
        self.observation, _, ended, cut_off, self.info = self.env.step(told)
        self._num_steps_done += 1
        self.terminated = bool(ended)
        self.truncated = bool(cut_off) or self._num_steps_done >= self.num_steps

    def rest(self) -> None:
        """One step with the action in the middle of its range, which mostly is no motion."""
        self.move(np.zeros(self.action_size, np.float32))

    def _goal_part(self, name: str) -> Point:
        if not self._is_multi_goal:
            return np.empty(0)
        return np.asarray(self.observation[name], np.float64).reshape(-1)


def physics_of(env: gymnasium.Env[Any, Any]) -> Physics | None:
    """The model and the state of an environment built on MuJoCo that shows them.

    Some show them only after a reset.
    """
    inside = env.unwrapped
    try:
        model, data = getattr(inside, "model", None), getattr(inside, "data", None)
    except ValueError:
        return None
    is_right = isinstance(model, mujoco.MjModel) and isinstance(data, mujoco.MjData)
    return (model, data) if is_right else None


def is_multi_goal(space: spaces.Space[Any]) -> bool:
    """Whether observations tell a goal that is asked for and one that is achieved."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    return all(isinstance(parts.get(key), spaces.Box) for key in GOAL_KEYS)


def action_bounds(space: spaces.Space[Any]) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the range of each number of an action.

    Raises:
        ExternalEnvError: Actions are not numbers within bounds.
    """
    if not isinstance(space, spaces.Box):
        raise ExternalEnvError(
            f"its actions are {type(space).__name__}, and rig learns continuous ones: it takes "
            "environments whose action space is a Box"
        )
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    if not (np.isfinite(low).all() and np.isfinite(high).all() and low.size):
        raise ExternalEnvError(
            f"its action space {space} has no bounds: wrap it in gymnasium.wrappers.ClipAction "
            "or RescaleAction, and register that"
        )
    return low, high
