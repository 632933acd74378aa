"""A task: a scene, the start, and the goals that evaluation asks for.

Lengths are in metres, angles in radians. The *state* of a task is the positions of the joints
that ``objects`` names, in that order. It sets the scene and is measured in evaluation; training
never sees it. The numbers of an absent object are NaN.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from rig.envs.patterns import Pattern
from rig.envs.scene import Rgb, Scene
from rig.envs.viewpoint import Camera


HAND = "hand"
"""The name of the hand, which is the first object of every task."""

HAND_TRIES = 100
"""Hand positions tried for a goal before the whole goal is drawn again."""

States = Float64[np.ndarray, "N state"]
Rows = Float64[np.ndarray, "N numbers"]
Distances = Float64[np.ndarray, " N"]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A box with sides along the axes, corners included."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def sample(self, num: int, *, rng: np.random.Generator) -> Float64[np.ndarray, "num axes"]:
        """Draw points uniformly."""
        return rng.uniform(self.low, self.high, (num, len(self.low)))

    def clip(self, points: Float64[np.ndarray, "num axes"]) -> Float64[np.ndarray, "num axes"]:
        """Return the nearest points of the region."""
        return np.clip(points, self.low, self.high)


def euclidean_distance(rows: Rows, goals: Rows) -> Distances:
    """Compute the Euclidean distance of each row from its goal."""
    return np.linalg.norm(rows - goals, axis=1)


@dataclass(frozen=True, kw_only=True)
class Score:
    """A distance of an object from its goal, and its unit."""

    unit: str = "m"
    """``m`` or ``rad``."""
    distance: Callable[[Rows, Rows], Distances] = euclidean_distance
    """Distance of each row of the object's numbers from that of its goal."""
    points_m: Callable[[Rows], Float64[np.ndarray, "N points 2"]] | None = None
    """The points on the table that an object's numbers stand for, where these are angles."""


METRES = Score()
RADIANS = Score(unit="rad")


@dataclass(frozen=True, kw_only=True)
class Task:
    """A scene, the goals in it, and how they are seen and measured."""

    name: str
    """The name in the id: ``Push`` in ``rig/Push-v0``."""
    description: str = ""
    """The task in one sentence."""
    namespace: str = "rig"
    """The part of the id before the slash."""
    scene: str | Path
    """The name of a built-in scene, without ``.xml``, or the path of a scene file."""
    camera: Camera
    """The camera whose images the policy sees."""
    colours: Mapping[str, Rgb] = field(default_factory=dict)
    """The colours of geoms in place of the scene's, by the geom's name."""
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    """The pattern on geoms of the scene, by the geom's name."""
    objects: Mapping[str, tuple[str, ...]]
    """The joints of each object in the scene; the hand comes first."""
    hand_box: Region
    """The box that the hand stays in."""
    motors: tuple[str, ...] = ()
    """Actuators with an action of their own, after the hand's actions: a gripper."""
    start: tuple[float, ...]
    """The state after a reset."""
    goals: Mapping[str, Region]
    """The box that each object's goals are drawn from."""
    arrange: Callable[[States, np.random.Generator], States] | None = None
    """Turns uniform draws into goal states, where a box is not enough."""
    is_within_reach: Callable[[States], Bool[np.ndarray, " N"]] | None = None
    """Which goal states the hand can reach, where no overlap is not enough."""
    presence: Mapping[str, float] = field(default_factory=dict)
    """Probability that an object is present in a goal; 1 for objects not named here."""
    scores: Mapping[str, Score] = field(default_factory=lambda: {HAND: METRES})
    """The distances to report, and how each is measured."""
    has_total: bool = False
    """Whether to report the sum of these distances too, the hand's included."""
    is_reset_free: bool = False
    """Whether training continues each episode where the last one ended."""
    num_steps: int
    """The time limit of an episode."""

    @property
    def id(self) -> str:
        """The id of this task in Gymnasium."""
        return f"{self.namespace}/{self.name}-v0"

    @property
    def joints(self) -> tuple[str, ...]:
        """The joints whose positions are the state, in order."""
        return tuple(joint for joints in self.objects.values() for joint in joints)

    @property
    def action_size(self) -> int:
        """Number of dimensions of an action: the hand's, then the motors'."""
        return len(self.hand_box.low) + len(self.motors)

    @property
    def columns(self) -> dict[str, slice]:
        """The slice of the state that belongs to each object."""
        ends = np.cumsum([len(joints) for joints in self.objects.values()]).tolist()
        starts = [0, *ends[:-1]]
        return {
            name: slice(*ends) for name, *ends in zip(self.objects, starts, ends, strict=True)
        }

    def sample_goals(self, num: int, *, rng: np.random.Generator) -> States:
        """Draw goal states as evaluation does: some objects may be absent."""
        states = self.sample_states(num, rng=rng)
        for name, share in self.presence.items():
            states[rng.random(num) >= share, self.columns[name]] = np.nan
        return states

    def sample_states(self, num: int, *, rng: np.random.Generator) -> States:
        """Draw possible goal states with every object present.

        Each object is drawn uniformly. A state in which objects overlap is drawn again. If only
        the hand overlaps something or is out of reach, the hand alone is drawn again, so that
        the objects' goals stay uniform; after ``HAND_TRIES`` tries, the whole state is.
        """
        states = self._draw(num, rng)
        scene = Scene(self.scene, self.joints)
        impossible = scene.overlapping(states, has_hand=False)
        while impossible.any():
            states[impossible] = self._draw(int(impossible.sum()), rng)
            impossible[impossible] = scene.overlapping(states[impossible], has_hand=False)
        impossible = self._impossible(states, scene)
        for _ in range(HAND_TRIES):
            if not impossible.any():
                return states
            hands = self.goals[HAND].sample(int(impossible.sum()), rng=rng)
            states[impossible, self.columns[HAND]] = hands
            impossible[impossible] = self._impossible(states[impossible], scene)
        states[impossible] = self.sample_states(int(impossible.sum()), rng=rng)
        return states

    def distances(self, states: States, goals: States) -> dict[str, Distances]:
        """Compute each object's distance from its goal, by names such as ``puck_m``.

        The distance of an absent object is NaN; ``total_m`` is the sum over present objects.
        """
        columns = self.columns
        measured = {
            f"{name}_{score.unit}": score.distance(
                states[:, columns[name]], goals[:, columns[name]]
            )
            for name, score in self.scores.items()
        }
        if self.has_total:
            measured["total_m"] = np.nansum(list(measured.values()), axis=0)
        return measured

    def absent(self, states: States) -> Bool[np.ndarray, "N state"]:
        """Mark the numbers of absent objects, among those that may be absent."""
        absent = np.zeros(states.shape, bool)
        for name in self.presence:
            column = self.columns[name]
            absent[:, column] = np.isnan(states[:, column]).all(axis=1, keepdims=True)
        return absent

    def _impossible(self, states: States, scene: Scene) -> Bool[np.ndarray, " N"]:
        """Mark states in which the hand overlaps an object, or is out of reach."""
        impossible = scene.overlapping(states)
        if self.is_within_reach is not None:
            impossible |= ~self.is_within_reach(states)
        return impossible

    def _draw(self, num: int, rng: np.random.Generator) -> States:
        drawn = [self.goals[name].sample(num, rng=rng) for name in self.objects]
        states = np.concatenate(drawn, axis=1)
        return self.arrange(states, rng) if self.arrange else states
