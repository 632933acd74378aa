"""The seam between a world and the loop: a Gymnasium vector environment that can be evaluated.

Learning reads ``observation["observation"]``, pictures, and nothing else. What is measured is
named ``THING_distance_UNIT`` in ``info``, as ``puck_distance_m``; it is for evaluation only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from jaxtyping import Float64, Int, UInt8

from rig.errors import TaskError


OPTIONS = {"goal_images", "goal_states", "start_seeds"}
"""What a reset takes to try goals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Goals:
    """G goals of evaluation: what the robot is shown, and where it starts from."""

    images: UInt8[np.ndarray, "G H W 3"]
    """The goal pictures."""
    states: Float64[np.ndarray, "G state"]
    """What is true in each picture, as far as the world can tell: for measuring only."""
    seeds: Int[np.ndarray, " G"]
    """What decides the start of the episode in which each is tried, where starts differ."""

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, rows: Any) -> "Goals":
        """Some of the goals, as an index or a slice names them."""
        return Goals(images=self.images[rows], states=self.states[rows], seeds=self.seeds[rows])

    @classmethod
    def of_options(cls, options: Mapping[str, Any]) -> "Goals":
        """The goals that ``options`` of a reset hold.

        Raises:
            TaskError: One is missing, or unknown.
        """
        if set(options) != OPTIONS:
            raise TaskError(
                f"reset options are {sorted(options)}: give {', '.join(sorted(OPTIONS))} "
                "together, as Goals.options() does"
            )
        return cls(
            images=np.asarray(options["goal_images"]),
            states=np.asarray(options["goal_states"], np.float64),
            seeds=np.asarray(options["start_seeds"]),
        )

    def options(self) -> dict[str, np.ndarray]:
        """What ``reset`` takes so that every world gets one of these goals."""
        return {
            "goal_images": self.images,
            "goal_states": self.states,
            "start_seeds": self.seeds,
        }


class ImageGoalVectorEnv(VectorEnv[Any, Any, Any]):
    """N worlds side by side, and what the loop asks of them besides ``reset`` and ``step``."""

    id: str
    """The name under which Gymnasium knows the environment."""
    num_steps: int
    """An episode's length; it may end sooner."""
    max_probes: int = 10_000
    """Goals that can be made in seconds, to see what latents hold."""
    seen_by: str = "mj_multiRay"
    """What takes the pictures; by default MuJoCo's ray caster, shaded in NumPy."""
    state_names: tuple[str, ...] = ()
    """What the numbers of a goal's state are called; none where nothing can be measured."""
    state_units: tuple[str, ...] = ()
    """The unit of each of these numbers: ``m`` or ``rad``."""
    is_put_back: bool = True
    """Whether a reset puts every world at a start of its own."""

    def get_state(self) -> Float64[np.ndarray, "N memory"]:
        """All that decides how every world goes on: to be saved, and never for learning.

        Nothing, where a reset puts the worlds back; nothing either, where they can't be put
        anywhere, as a robot.
        """
        return np.empty((self.num_envs, 0))

    def set_state(self, state: Float64[np.ndarray, "N memory"]) -> None:
        """Puts every world where its memory says."""

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Goals of evaluation; from one seed, the first ones are the same whatever ``num``."""
        raise NotImplementedError

    @property
    def columns(self) -> dict[str, slice]:
        """Where in a goal's state each object's numbers are."""
        raise NotImplementedError

    @property
    def action_size(self) -> int:
        """Numbers of an action, each in [-1, 1]."""
        return int(np.prod(self.single_action_space.shape or (1,)))

    @property
    def step_s(self) -> float:
        """Seconds between two pictures of a video."""
        return 1 / float(self.metadata["render_fps"])
