"""Goals that people made, however they made them: an image, its latent, what it decodes to."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8

from rig.goals.goal_image import GoalImage
from rig.goals.likeness import Likeness, likeness
from rig.goals.tried_goals import HowOften
from rig.serve.errors import RequestError, not_found
from rig.serve.trained import Trained


MAX_GOALS = 64
"""Goals kept in memory; the oldest is forgotten."""
Source = Literal["upload", "paste", "drop", "webcam", "moved", "imagined"]
IMAGE_SOURCES = ("upload", "paste", "drop", "webcam")


def likeness_of(trained: Trained, image: UInt8[np.ndarray, "H W 3"]) -> Likeness | None:
    """Return how like anything practised an image is; None where that was not measured."""
    if trained.practised is None:
        return None
    return likeness(trained.practised, image)


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """A goal that the robot can be sent to."""

    id: str
    run: str
    """The id of the run that it was made for: its latent means nothing to others."""
    source: Source
    image: GoalImage
    latent: np.ndarray
    decoded: UInt8[np.ndarray, "H W 3"]
    likeness: Likeness | None
    how_often: HowOften | None
    """How often such goals were reached, where that is known."""
    notes: tuple[str, ...] = ()
    """Sentences about the goal that a person should know."""
    large: bytes | None = None
    """The goal drawn larger for people, as JPEG; None where only its image is there."""

    def as_json(self) -> dict[str, Any]:
        """Return what the page shows; images have their own addresses."""
        return {
            "id": self.id,
            "run": self.run,
            "source": self.source,
            "changes": self.image.changes,
            "notes": self.notes,
            "task": self.image.task,
            "is_state_known": self.image.state is not None,
            "has_large": self.large is not None,
            "likeness": self.likeness and self.likeness.as_json(),
            "reach": self.how_often and self.how_often.as_json(),
        }


class GoalStore:
    """The goals of this server, in memory."""

    def __init__(self) -> None:
        self._goals: OrderedDict[str, Goal] = OrderedDict()
        self._lock = Lock()

    def get(self, goal_id: str) -> Goal:
        """Return a goal.

        Raises:
            RequestError: There is none of this id, or it was forgotten.
        """
        with self._lock:
            if goal_id not in self._goals:
                raise not_found("no_goal", "this goal is gone")
            self._goals.move_to_end(goal_id)
            return self._goals[goal_id]

    def add(
        self,
        trained: Trained,
        image: GoalImage,
        source: Source,
        notes: tuple[str, ...] = (),
        large: bytes | None = None,
    ) -> Goal:
        """Make a goal of an image in the camera's shape."""
        goal = new_goal(trained, image, trained.encode(image.image), source)
        return self._keep(replace(goal, notes=notes, large=large))

    def add_imagined(self, trained: Trained, num: int, seed: int) -> list[Goal]:
        """Draw goals from the prior, as practice does."""
        representation = trained.agent.representation
        latents = representation.imagine(num, rng=np.random.default_rng(seed))
        images = representation.decode(latents)
        goals = [GoalImage(image=image, changes=(), task=None, state=None) for image in images]
        return [
            self._keep(new_goal(trained, goal, row[None], "imagined"))
            for goal, row in zip(goals, latents, strict=True)
        ]

    def _keep(self, goal: Goal) -> Goal:
        with self._lock:
            self._goals[goal.id] = goal
            while len(self._goals) > MAX_GOALS:
                self._goals.popitem(last=False)
        return goal


def new_goal(trained: Trained, image: GoalImage, latent: np.ndarray, source: Source) -> Goal:
    """Return a goal with a new id."""
    return Goal(
        id=secrets.token_hex(6),
        run=trained.id,
        source=source,
        image=image,
        latent=latent,
        decoded=trained.decode(latent),
        likeness=None if source == "imagined" else likeness_of(trained, image.image),
        how_often=trained.how_often(latent),
    )


def check_source(text: str) -> Source:
    """Return where an image came from; raise RequestError if that is unknown."""
    if text not in IMAGE_SOURCES:
        known = ", ".join(IMAGE_SOURCES)
        raise RequestError(400, "bad_field", f"source must be one of {known}", "")
    return text  # type: ignore[return-value]
