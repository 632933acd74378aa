"""Where images come from: what is fitted to, and what it is judged on."""

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Int, UInt8

from rig.see.data_set import DataSet, Truth
from rig.types import Collected


@dataclass(frozen=True, kw_only=True, slots=True)
class Test:
    """Images whose true states are known. Nothing is fitted to them."""

    images: UInt8[np.ndarray, "N H W 3"]
    truth: Truth
    num_steps: Int[np.ndarray, " E"] = field(default_factory=lambda: np.empty(0, np.int64))
    """Of each episode; none where the images have no order in time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Images to fit to, and others or the same ones to judge on."""

    title: str
    collected: Collected
    test: Test | None
    notes: tuple[str, ...] = ()
    """What was done to the images on the way, in words."""

    def judged_on(self, data_set: DataSet) -> "Source":
        """Return the same images to fit to, judged on a data set's."""
        return replace(self, test=test_of(data_set))


def source_of(title: str, data_set: DataSet) -> Source:
    """Return a data set as images to fit to, judged by its own true states."""
    return Source(
        title=title,
        collected=without_actions(data_set.images, data_set.num_steps),
        test=test_of(data_set),
        notes=data_set.notes,
    )


def test_of(data_set: DataSet) -> Test | None:
    """Return what a data set can judge; None if it has no true states."""
    if data_set.truth is None:
        return None
    return Test(images=data_set.images, truth=data_set.truth, num_steps=data_set.num_steps)


def without_actions(images: UInt8[np.ndarray, "N H W 3"], num_steps: np.ndarray) -> Collected:
    """Return images, and which of them follow one another, as a fit takes them."""
    return Collected(
        images=images,
        actions=np.empty((int(num_steps.sum()), 0), np.float32),
        num_steps=num_steps,
    )
