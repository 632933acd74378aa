"""A task: what is on the table, where it starts, which goals are asked for.

A task is a scene file and a record; lengths are in metres, angles in radians. Its *state* is
the positions of its things, in the order in which ``objects`` names their joints. The state is
for setting the scene and for evaluation: nothing that learns sees it. A thing that is not in
view has no position: its numbers are NaN.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from rig.envs.camera import Camera
from rig.envs.scene import Scene


HAND = "hand"
"""What every task calls the hand, which its objects begin with."""

HAND_TRIES = 100
"""Places tried for the hand of a goal before all of the goal is drawn again."""

States = Float64[np.ndarray, "N state"]
Rows = Float64[np.ndarray, "N numbers"]
Distances = Float64[np.ndarray, " N"]


@dataclass(frozen=True, kw_only=True)
class Region:
    """A box with sides along the axes; corners included."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    def sample(self, num: int, *, rng: np.random.Generator) -> Float64[np.ndarray, "num axes"]:
        """Points drawn uniformly."""
        return rng.uniform(self.low, self.high, (num, len(self.low)))

    def clip(self, points: Float64[np.ndarray, "num axes"]) -> Float64[np.ndarray, "num axes"]:
        """The nearest points of the region."""
        return np.clip(points, self.low, self.high)


def straight(rows: Rows, goals: Rows) -> Distances:
    """The length of the straight line from each row to its goal."""
    return np.linalg.norm(rows - goals, axis=1)


@dataclass(frozen=True, kw_only=True)
class Score:
    """How far a thing is from its goal: a unit, and the distance in it."""

    unit: str = "m"
    """``m`` or ``rad``."""
    distance: Callable[[Rows, Rows], Distances] = straight
    """From the thing's numbers to those of its goal, row by row."""


METRES = Score()
RADIANS = Score(unit="rad")


@dataclass(frozen=True, kw_only=True)
class Task:
    """What one task asks for, and how its scene is seen."""

    name: str
    """As in ``rig/Push-v0``."""
    about: str = ""
    """What is to be done, in a sentence."""
    namespace: str = "rig"
    """Whose task it is: the part of its id before the stroke."""
    scene: str | Path
    """One of our scene files, without its ``.xml``, or the path of one's own."""
    camera: Camera
    """What the robot sees through."""
    objects: Mapping[str, tuple[str, ...]]
    """Each object's joints in the scene; the hand first."""
    hand_box: Region
    """Where the hand may go."""
    motors: tuple[str, ...] = ()
    """Motors of the scene that have an action of their own, after the hand's: the grip."""
    start: tuple[float, ...]
    """The state after a reset."""
    goals: Mapping[str, Region]
    """Where each object's goals are drawn from."""
    arrange: Callable[[States, np.random.Generator], States] | None = None
    """Makes goal states of the uniform draws, where those are not all there is to it."""
    is_within_reach: Callable[[States], Bool[np.ndarray, " N"]] | None = None
    """Which goal states a hand can bring about, where not all are that have nothing inside
    each other."""
    presence: Mapping[str, float] = field(default_factory=dict)
    """How often an object is there in evaluation; what is not named always is."""
    scores: Mapping[str, Score] = field(default_factory=lambda: {HAND: METRES})
    """The distances that count, and how each is measured."""
    has_total: bool = False
    """Whether the sum of these distances counts too, the hand's among them."""
    is_put_back: bool = True
    """Whether practice begins each episode at the start, or goes on where the last ended."""
    num_steps: int
    """An episode's length."""
    tuned_for: str = ""
    """The task of ours whose settings :mod:`rig.presets` gives this one; empty: by its name."""

    @property
    def id(self) -> str:
        """The name under which Gymnasium knows this task."""
        return f"{self.namespace}/{self.name}-v0"

    @property
    def joints(self) -> tuple[str, ...]:
        """The joints whose positions are the state, in its order."""
        return tuple(joint for joints in self.objects.values() for joint in joints)

    @property
    def action_size(self) -> int:
        """Numbers of an action: the hand's, then the motors'."""
        return len(self.hand_box.low) + len(self.motors)

    @property
    def columns(self) -> dict[str, slice]:
        """Where in the state each object's numbers are."""
        ends = np.cumsum([len(joints) for joints in self.objects.values()]).tolist()
        starts = [0, *ends[:-1]]
        return {
            name: slice(*ends) for name, *ends in zip(self.objects, starts, ends, strict=True)
        }

    def sample_goals(self, num: int, *, rng: np.random.Generator) -> States:
        """Goal states as evaluation asks for them: some things may not be there at all."""
        states = self.sample_states(num, rng=rng)
        for name, share in self.presence.items():
            states[rng.random(num) >= share, self.columns[name]] = np.nan
        return states

    def sample_states(self, num: int, *, rng: np.random.Generator) -> States:
        """Goal states that the scene can be in, with everything in view.

        Each object is drawn uniformly; where objects would be inside each other, all is drawn
        again. Where it is the hand that would be inside something, or out of reach, the hand
        alone is drawn again, so that the objects' goals stay uniform; unless no place is found
        for it.
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
        """How far each object is from its goal, with the unit: ``puck_m``, ``door_rad``.

        NaN where an object is not there; ``total_m`` sums up those that are.
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
        """Which numbers are those of an object that may be missing, and is."""
        absent = np.zeros(states.shape, bool)
        for name in self.presence:
            column = self.columns[name]
            absent[:, column] = np.isnan(states[:, column]).all(axis=1, keepdims=True)
        return absent

    def _impossible(self, states: States, scene: Scene) -> Bool[np.ndarray, " N"]:
        """Where the hand is inside something, or out of reach."""
        impossible = scene.overlapping(states)
        if self.is_within_reach is not None:
            impossible |= ~self.is_within_reach(states)
        return impossible

    def _draw(self, num: int, rng: np.random.Generator) -> States:
        drawn = [self.goals[name].sample(num, rng=rng) for name in self.objects]
        states = np.concatenate(drawn, axis=1)
        return self.arrange(states, rng) if self.arrange else states
