"""The newest image of the camera, cut and turned as the policy sees it.

The server decides by itself how fresh an image is. Three ways to get one: a thread that waits
in ``async_read`` (LeRobot's cameras), ``poll`` (simulated time), or images among the arm's
observations.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from zlib import crc32

import numpy as np
from PIL import Image as PillowImage

from rig.errors import ConfigError, RobotError
from rig.robots.clock import Clock
from rig.robots.config import CameraConfig
from rig.robots.guard_inputs import FrameFacts
from rig.robots.robot import Image


WAIT_MS = 200
FAILED_WAIT_S = 0.05


@runtime_checkable
class PolledCamera(Protocol):
    """A camera that never waits."""

    def poll(self) -> Image | None:
        """Return an image if there is one that was not returned before."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image as it is sent, and what the guard needs to know of it."""

    image: Image
    facts: FrameFacts


def check_crop(config: CameraConfig, height: int, width: int) -> None:
    """Check that the part to use lies in the camera's image.

    Raises:
        ConfigError: It does not.
    """
    left, top, wide, high = config.crop_px or (0, 0, 0, 0)
    if left + wide > width or top + high > height:
        raise ConfigError(
            f"camera.crop_px {list(config.crop_px)} (left, top, width, height) leaves the "
            f"camera's image, which is {width} pixels wide and {height} high: make it smaller"
        )


def fitted(image: Image, config: CameraConfig) -> Image:
    """Return the part of an image that is used, turned, in the size that is sent.

    Raises:
        ConfigError: That part leaves the image.
    """
    height, width = image.shape[:2]
    check_crop(config, height, width)
    side = min(height, width)
    left, top, wide, high = config.crop_px or (
        (width - side) // 2, (height - side) // 2, side, side,
    )  # fmt: skip
    cut = image[top : top + high, left : left + wide]
    if cut.shape[:2] != (config.image_size, config.image_size):
        pillow = PillowImage.fromarray(np.ascontiguousarray(cut))
        size = (config.image_size, config.image_size)
        cut = np.asarray(pillow.resize(size, PillowImage.Resampling.BOX))
    return np.ascontiguousarray(np.rot90(cut, config.rotate_deg // 90))


class CameraFeed:
    """Keeps the newest frame."""

    def __init__(self, config: CameraConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._seq = -1
        self._raw: Image | None = None
        self.newest: Frame | None = None

    def offer(self, image: Any) -> None:
        """Take an image that the camera just gave; one of a wrong kind or size is no image."""
        is_image = isinstance(image, np.ndarray) and image.ndim == 3 and image.shape[2] == 3
        if not is_image or image.dtype != np.uint8:
            return
        try:
            seen = fitted(image, self._config)
        except ConfigError:
            return
        self._seq += 1
        facts = FrameFacts(
            self._seq, self._clock.now_s(), float(seen.mean()), crc32(image.tobytes())
        )
        self.newest = Frame(seen, facts)

    def update(self, images: Mapping[str, Image] | None) -> None:
        """Take what came with the arm's observation, if it is another array."""
        image = (images or {}).get(self._config.name)
        if image is not None and image is not self._raw:
            self._raw = image
            self.offer(image)

    def close(self) -> None:
        """Stop."""


class PolledFeed(CameraFeed):
    """Asks the camera each tick."""

    def __init__(self, config: CameraConfig, clock: Clock, camera: PolledCamera) -> None:
        super().__init__(config, clock)
        self._camera = camera

    def update(self, images: Mapping[str, Image] | None) -> None:
        """Take a new image if there is one."""
        if (image := self._camera.poll()) is not None:
            self.offer(image)


class ThreadedFeed(CameraFeed):
    """Waits for images in a thread of its own, so that a slow camera never delays the guard."""

    def __init__(self, config: CameraConfig, clock: Clock, camera: Any) -> None:
        super().__init__(config, clock)
        self._camera = camera
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rig-camera", daemon=True)
        self._thread.start()

    def update(self, images: Mapping[str, Image] | None) -> None:
        """Leave it to the thread."""

    def close(self) -> None:
        """Stop the thread."""
        self._is_closed.set()
        self._thread.join(2.0)

    def _run(self) -> None:
        while not self._is_closed.is_set():
            try:
                self.offer(self._camera.async_read(timeout_ms=WAIT_MS))
            except Exception:  # noqa: BLE001  a camera raises what it likes: no frame, so a hold
                self._is_closed.wait(FAILED_WAIT_S)


def make_feed(
    robot: Any, config: CameraConfig, clock: Clock, *, is_simulated: bool
) -> CameraFeed:
    """Return the feed that fits a robot.

    Raises:
        RobotError: The robot has no camera of that name.
        ConfigError: The part to use leaves an image of the size that the robot names.
    """
    camera = getattr(robot, "cameras", {}).get(config.name)
    match robot.observation_features.get(config.name):
        case (int(height), int(width), _) if height and width:
            check_crop(config, height, width)
    if camera is None:
        if config.name not in robot.observation_features:
            known = ", ".join(getattr(robot, "cameras", {})) or "none"
            raise RobotError(f"the robot has no camera {config.name!r}: it has {known}")
        return CameraFeed(config, clock)
    if is_simulated or not hasattr(camera, "async_read"):
        return PolledFeed(config, clock, camera)
    return ThreadedFeed(config, clock, camera)
