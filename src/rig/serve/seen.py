"""What is known of a robot after a step."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8


Image = UInt8[np.ndarray, "H W 3"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What is known after a step."""

    image: Image
    """What the robot's camera shows."""
    frame: np.ndarray
    """What the policy gets: the image, or a row of it and of the last actions."""
    large: UInt8[np.ndarray, "large large 3"] | None
    """The same, drawn larger for people; None where only the camera's image is there."""
    distances: dict[str, float]
    """True distances of objects from the goal, as ``hand_m``, where they are known."""
