"""Notice that nothing but the arm moves any more, and ask a person.

At the start of each episode the arm is at home. What differs between two images from there are
the objects, or the light. Small blocks are compared, so that noise averages out; the mean of
both images is taken off first, so that a change of light does not count as motion.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from rig.robot_env.vector_env import RobotVectorEnv


BLOCK_PX = 6
MOVED_LEVELS = 12.0
"""A block that changes by more has something else in it."""
Image = UInt8[np.ndarray, "H W 3"]


def has_moved(before: Image, after: Image) -> bool:
    """Return whether something is somewhere else."""
    change = blocks(after) - blocks(before)
    return bool(np.abs(change - np.median(change)).max() > MOVED_LEVELS)


def blocks(image: Image) -> np.ndarray:
    """Return the mean of each block of an image."""
    side = image.shape[0] // BLOCK_PX * BLOCK_PX
    cut = image[:side, :side].astype(np.float64)
    num = side // BLOCK_PX
    return cut.reshape(num, BLOCK_PX, num, BLOCK_PX, 3).mean(axis=(1, 3))


def nothing_moved(images: list[Image], num: int) -> bool:
    """Return whether the last ``num`` episodes began and ended with the same picture."""
    if len(images) <= num:
        return False
    first, *others = images[-num - 1 :]
    return not any(has_moved(first, image) for image in others)


def wait_for_motion(
    robot: RobotVectorEnv, num: int, say: Callable[[str], object], most_looks: int = 7200
) -> None:
    """Ask for help if nothing moved for ``num`` episodes; go on when the picture changes.

    Args:
        robot: Is at home, or on the way there.
        num: Episodes.
        say: Shows a line to the person.
        most_looks: Go on in any case after this many looks, half a second apart.
    """
    if not nothing_moved(robot.home_images, num):
        return
    say(
        f"nothing has moved for {num} episodes: put the object where the arm reaches it; "
        "practice continues when the picture has changed"
    )
    before = robot.home_images[-1]
    for _ in range(most_looks):
        image = robot.look_at_home()
        if image is not None and has_moved(before, image):
            break
    robot.home_images.clear()
