"""What a moving arm shows: its delay, and by how much an image is shifted."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rig.robots.robot import Image


Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wiggle:
    """One small move there along an axis: how far the target, the tool and the image were."""

    time_s: Curve
    target_m: Curve
    tool_m: Curve
    images: list[Image]

    @property
    def moved_m(self) -> float:
        """How far the tool came, in the direction of the target."""
        return float(self.tool_m[-1] - self.tool_m[0])

    @property
    def arm_delay_s(self) -> float:
        """Time from the target's half way to the tool's."""
        return half_time(self.time_s, self.tool_m) - half_time(self.time_s, self.target_m)

    @property
    def image_delay_s(self) -> float:
        """Time from the target's half way to the half way of what the camera shows."""
        seen = half_time(self.time_s, image_progress(self.images))
        return seen - half_time(self.time_s, self.target_m)


def half_time(time_s: Curve, values: Curve) -> float:
    """Return when a curve has come half way from its first to its last value; NaN if it hasn't.

    Between two samples it is taken as a straight line.
    """
    change = values[-1] - values[0]
    if change == 0:
        return float("nan")
    share = (values - values[0]) / change
    later = int(np.argmax(share >= 0.5))
    if later == 0:
        return float("nan")
    before, after = share[later - 1], share[later]
    part = (0.5 - before) / (after - before)
    return float(time_s[later - 1] + part * (time_s[later] - time_s[later - 1]))


def middle(numbers: list[float]) -> float:
    """Return the median of the numbers that are known; NaN if none is."""
    known = [number for number in numbers if np.isfinite(number)]
    return float(np.median(known)) if known else float("nan")


def image_progress(images: list[Image]) -> Curve:
    """Return how far each image is from the first one towards the last one."""
    stack = np.stack(images).astype(np.float64)
    change = stack[-1] - stack[0]
    size = float((change**2).sum())
    return np.array([((image - stack[0]) * change).sum() / max(size, 1e-9) for image in stack])


def shift_px(first: Image, second: Image, is_arm: NDArray[np.bool_]) -> float:
    """Return by how many pixels the arm is shifted in the second image.

    A small shift changes an image by its gradient times the shift: least squares over the
    pixels where the arm is (Lucas and Kanade 1981).
    """
    one, two = (image.mean(axis=2) for image in (first.astype(float), second.astype(float)))
    rows, columns = np.gradient((one + two) / 2)
    gradients = np.stack([rows[is_arm], columns[is_arm]], axis=1)
    if len(gradients) < 2:
        return float("nan")
    shift, *_ = np.linalg.lstsq(gradients, -(two - one)[is_arm], rcond=None)
    return float(np.linalg.norm(shift))


def changed(first: Image, second: Image, levels: float = 12.0) -> NDArray[np.bool_]:
    """Return the pixels that differ by more than noise does."""
    return np.abs(first.astype(float) - second).max(axis=2) > levels
