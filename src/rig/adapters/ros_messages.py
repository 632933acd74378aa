"""Joints and images as ROS 1 and ROS 2 send them: the same messages in both."""

from collections.abc import Mapping, Sequence
from math import degrees
from typing import Any

import numpy as np

from rig.robots.robot import POSITION, Image, ReadError


CHANNELS = {"rgb8": (0, 1, 2), "bgr8": (2, 1, 0), "rgba8": (0, 1, 2), "bgra8": (2, 1, 0)}
"""Where red, green and blue are, by encoding."""
NUM_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4}


def image_of(message: Any) -> Image:
    """Return the image of a ``sensor_msgs/Image``.

    Raises:
        ReadError: Its encoding or its size is not one that we know.
    """
    encoding, height, width = str(message.encoding), int(message.height), int(message.width)
    if encoding not in CHANNELS:
        raise ReadError(f"image encoding {encoding!r}: use one of {', '.join(CHANNELS)}")
    rows = np.frombuffer(bytes(message.data), np.uint8)
    num = NUM_CHANNELS[encoding]
    if rows.size != height * int(message.step) or int(message.step) < width * num:
        raise ReadError(f"{rows.size} bytes are no image of {width} x {height} pixels")
    pixels = rows.reshape(height, -1)[:, : width * num].reshape(height, width, num)
    return np.ascontiguousarray(pixels[:, :, CHANNELS[encoding]])


def joints_of(message: Any, joints: Sequence[str], scale: float) -> Mapping[str, float]:
    """Return the positions of the joints in a ``sensor_msgs/JointState``.

    Args:
        message: May have other joints too, in any order.
        joints: Which are asked for.
        scale: Degrees per unit of the message.

    Raises:
        ReadError: One is missing.
    """
    known = dict(zip(message.name, message.position, strict=False))
    missing = [name for name in joints if name not in known]
    if missing:
        raise ReadError(f"the joint state has no {missing[0]!r}: it has {', '.join(known)}")
    return {name + POSITION: scale * float(known[name]) for name in joints}


def targets_of(action: Mapping[str, Any], joints: Sequence[str], scale: float) -> list[float]:
    """Return the targets of the joints in units of the message, in order."""
    return [float(action[name + POSITION]) / scale for name in joints]


def scale_of(unit: str) -> float:
    """Return the degrees (or metres) in a unit of the robot's messages."""
    return {"rad": degrees(1.0), "deg": 1.0, "m": 1.0}[unit]
