"""The interface between environments and the training loop: a vector env with image goals.

Training reads ``observation["observation"]``, images, and nothing else. Distances in ``info``
are called ``OBJECT_distance_UNIT``, as ``puck_distance_m``; they are for evaluation only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import VectorEnv
from jaxtyping import Float64, Int, UInt8

from rig.errors import TaskError


if TYPE_CHECKING:
    from rig.envs.patterns import Pattern


OPTIONS = {"goal_images", "goal_states", "start_seeds"}
"""The options of a reset that set its goals."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Goals:
    """G evaluation goals, and the starts from which to try them."""

    images: UInt8[np.ndarray, "G H W 3"]
    """The goal images."""
    states: Float64[np.ndarray, "G state"]
    """The true state in each image, as far as the environment reports it; only to measure."""
    seeds: Int[np.ndarray, " G"]
    """The seed of the episode in which each goal is tried, where starts differ."""

    def __len__(self) -> int:
        return len(self.images)

    def rows(self, rows: Any) -> "Goals":
        """Return the goals at an index, a list of indices or a slice."""
        return Goals(images=self.images[rows], states=self.states[rows], seeds=self.seeds[rows])

    @classmethod
    def of_options(cls, options: Mapping[str, Any]) -> "Goals":
        """Read goals from the ``options`` of a reset.

        Raises:
            TaskError: An option is missing or unknown.
        """
        if set(options) != OPTIONS:
            raise TaskError(
                f"reset options are {sorted(options)}: give {', '.join(sorted(OPTIONS))} "
                "together, as Goals.options() does"
            )
        return cls(
            images=np.array(options["goal_images"]),
            states=np.array(options["goal_states"], np.float64),
            seeds=np.array(options["start_seeds"]),
        )

    def options(self) -> dict[str, np.ndarray]:
        """Return the options with which ``reset`` gives each environment one of these goals."""
        return {
            "goal_images": self.images,
            "goal_states": self.states,
            "start_seeds": self.seeds,
        }


class ImageGoalVectorEnv(VectorEnv[Any, Any, Any]):
    """N environments with image goals: ``reset``, ``step`` and what else the loop needs."""

    id: str
    """The environment's id in Gymnasium."""
    num_steps: int
    """The time limit of an episode; it may end sooner."""
    max_probes: int = 10_000
    """Number of goals that can be made in seconds, to probe what the latents encode."""
    renderer: str = "mj_multiRay"
    """What renders the images; by default MuJoCo's ray caster, shaded in NumPy."""
    notes: tuple[str, ...] = ()
    """What a person should know before training, such as which other cameras there are."""
    state_names: tuple[str, ...] = ()
    """Names of the numbers of a goal's state; empty if nothing can be measured."""
    state_units: tuple[str, ...] = ()
    """The unit of each of these numbers: ``m`` or ``rad``."""
    task: Any = None
    """The :class:`rig.envs.task.Task`, if it is one of ours."""
    is_reset_free: bool = False
    """Whether training continues from where the last episode ended."""

    def images_of(self, states: Float64[np.ndarray, "G state"]) -> UInt8[np.ndarray, "G H W 3"]:
        """Return images of states that are set; only tasks of ours can set them."""
        raise NotImplementedError

    def still_image(self) -> UInt8[np.ndarray, "H W 3"]:
        """Return what the camera shows of what never moves, or the images' commonest colour."""
        raise NotImplementedError

    def paint_table(self, pattern: "Pattern") -> bool:
        """Give all that never moves a pattern; return whether that is possible."""
        return False

    def get_state(self) -> Float64[np.ndarray, "N state"]:
        """Return the full state of each environment; save it, never learn from it.

        Empty if a reset puts the environments at their starts anyway, or if they can't be put
        into a state, as a real robot.
        """
        return np.empty((self.num_envs, 0))

    def set_state(self, state: Float64[np.ndarray, "N state"]) -> None:
        """Restore what ``get_state`` returned; the next steps give the same bytes."""

    def goals(self, num: int, *, rng: np.random.Generator) -> Goals:
        """Make evaluation goals; from one seed, the first ones do not depend on ``num``."""
        raise NotImplementedError

    @property
    def columns(self) -> dict[str, slice]:
        """The slice of a goal's state that belongs to each object."""
        raise NotImplementedError

    @property
    def action_size(self) -> int:
        """Number of dimensions of an action, each in [-1, 1]."""
        return int(np.prod(self.single_action_space.shape or (1,)))

    @property
    def step_s(self) -> float:
        """Seconds between two frames of a video."""
        return 1 / float(self.metadata["render_fps"])


def rms(
    one: UInt8[np.ndarray, "N H W 3"], other: UInt8[np.ndarray, "N H W 3"]
) -> Float64[np.ndarray, " N"]:
    """Compute the root mean square difference of images, in grey levels of 255."""
    difference = one.astype(np.float64) - other
    return np.sqrt((difference**2).mean(axis=(1, 2, 3)))
