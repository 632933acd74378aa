"""One environment of a task, as ``gymnasium.make`` makes it."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float32

from rig.envs.tabletop import STEP_S
from rig.envs.tabletop_env import Image, Info, Observation, TabletopVectorEnv
from rig.envs.task import Task


class TabletopEnv(gymnasium.Env):
    """One environment of a task: a batch of one, without its batch axis."""

    metadata: dict[str, Any] = {  # noqa: RUF012 (Gymnasium declares it so)
        "render_modes": ["rgb_array"],
        "render_fps": round(1 / STEP_S),
    }

    def __init__(
        self, task: str | Task, image_size: int = 48, render_mode: str | None = None
    ) -> None:
        """Make an environment of a task, or of the task of this name."""
        self._batch = TabletopVectorEnv(task, 1, image_size, 1, render_mode)
        self.task = self._batch.task
        self.tabletop = self._batch.tabletop
        self.render_mode = render_mode
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode, with a drawn goal or with ``options["goal_states"]``.

        Args:
            seed: Seed of the goals. With it, the environment is put at its start.
            options: ``goal_states``, [1, state] or [state].
        """
        super().reset(seed=seed)
        options = dict(options or {})
        if "goal_states" in options:
            options["goal_states"] = np.atleast_2d(options["goal_states"])
        return _first(*self._batch.reset(seed=seed, options=options))

    def step(
        self, action: Float32[np.ndarray, " action"]
    ) -> tuple[Observation, float, bool, bool, Info]:
        """Move the hand; truncate after the task's ``num_steps``."""
        observation, _, _, truncated, info = self._batch.step(np.asarray(action)[None])
        observation, info = _first(observation, info)
        return observation, 0.0, False, bool(truncated[0]), info

    def render(self) -> Image | None:
        """Return the last image."""
        images = self._batch.render()
        return None if images is None else images[0]

    def close(self) -> None:
        """Stop the environment's thread."""
        self._batch.close()


def _first(observation: Observation, info: Info) -> tuple[Observation, Info]:
    """Return the first row of a batch; a distance becomes a plain number."""
    one_observation = {name: images[0] for name, images in observation.items()}
    return one_observation, {
        name: rows[0] if rows.ndim > 1 else float(rows[0]) for name, rows in info.items()
    }
