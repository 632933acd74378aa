"""A new arm in one file: a gantry (plotter, CNC, 3D printer) that takes G-code over USB.

``gantry.toml`` is its page. The tool hangs where the pen or the spindle was. The firmware
(GRBL) moves by itself, answers each line with ``ok``, and ``?`` with its position in mm::

    <Idle|MPos:12.000,3.000,0.000|FS:0,0>

    pip install pyserial opencv-python-headless
    rig robot serve examples/robots/gantry.toml       # from the repository's root
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np


AXES = ("x", "y", "z")
POSITION = re.compile(rb"MPos:(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)")
BAUD = 115_200
TIMEOUT_S = 0.01
"""A read may not keep the guard waiting."""


class GantryCamera:
    """A webcam, whose frames are RGB and never older than one that was returned."""

    def __init__(self, index: int) -> None:
        """Store which webcam of the system it is."""
        self._index = index
        self._capture: Any = None

    def open(self) -> None:
        """Open the webcam, without a queue of old frames."""
        import cv2

        self._capture = cv2.VideoCapture(self._index)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def async_read(self, timeout_ms: float = 200) -> np.ndarray:
        """Wait for the next frame."""
        is_there, frame = self._capture.read()
        if not is_there:
            raise TimeoutError("the webcam gave no frame")
        return np.ascontiguousarray(frame[:, :, ::-1])


class Gantry:
    """Three axes in metres, for ``kinematics = "cartesian"``."""

    name = "gantry"
    is_calibrated = True

    def __init__(
        self, port: str = "/dev/ttyUSB0", camera: int = 0, feed_mm_s: int = 100
    ) -> None:
        """Store where the gantry and its camera are; nothing is opened yet.

        Args:
            port: Of the USB serial line, or a URL that pyserial knows.
            camera: Number of the webcam.
            feed_mm_s: The firmware's own speed: above the guard's, so that it follows.
        """
        self._port, self._feed_mm_min = port, 60 * feed_mm_s
        self.cameras = {"front": GantryCamera(camera)}
        self._line: Any = None

    @property
    def observation_features(self) -> Mapping[str, Any]:
        """Return each observation's type."""
        return {**self.action_features, "front": (480, 640, 3)}

    @property
    def action_features(self) -> Mapping[str, Any]:
        """Return each action's type."""
        return {f"{axis}.pos": float for axis in AXES}

    @property
    def is_connected(self) -> bool:
        """Return whether the line is open."""
        return self._line is not None

    def connect(self) -> None:
        """Open the line and the camera. The gantry stays where it is."""
        import serial

        self._line = serial.serial_for_url(self._port, baudrate=BAUD, timeout=TIMEOUT_S)
        self.cameras["front"].open()
        self.configure()

    def configure(self) -> None:
        """Use millimetres and absolute positions, at the given feed."""
        self._line.write(f"G21 G90 F{self._feed_mm_min}\n".encode())

    def get_observation(self) -> Mapping[str, Any]:
        """Ask where the axes are.

        Raises:
            ConnectionError: The gantry did not answer in time; the guard counts it.
        """
        self._line.reset_input_buffer()
        self._line.write(b"?")
        found = POSITION.search(self._line.read_until(b">"))
        if found is None:
            raise ConnectionError("the gantry did not say where it is")
        metres = [float(number) / 1000 for number in found.groups()]
        return dict(zip(self.action_features, metres, strict=True))

    def send_action(self, action: dict[str, Any]) -> Mapping[str, Any]:
        """Set the target of each axis."""
        words = [f"{axis.upper()}{1000 * float(action[f'{axis}.pos']):.3f}" for axis in AXES]
        self._line.write(f"G1 {' '.join(words)}\n".encode())
        return action

    def disconnect(self) -> None:
        """Close the line; the motors hold."""
        self._line.close()
        self._line = None
