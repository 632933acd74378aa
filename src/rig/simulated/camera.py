"""The camera of a simulated robot: old frames, lost frames, noise, JPEG and changing light."""

import io
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import fields, replace

import mujoco
import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image

from rig.envs.camera import RayCamera
from rig.envs.thread_pool import ThreadPool
from rig.envs.viewpoint import Camera
from rig.errors import ConfigError, suggest
from rig.robots.read_config import value
from rig.simulated.behaviour import Behaviour, Faults


VIEW = Camera(
    lookat_m=(0.225, 0.0, 0.02), distance_m=0.56, elevation_deg=-52.0, azimuth_deg=180.0,
    fovy_deg=36.0,
)  # fmt: skip
"""Where the camera stands unless ``view`` says otherwise."""
SIZE_PX = 84
JUMP_LEVELS = 60.0
WALK_S = 20.0
SWING_S = 3.0
POLL_S = 0.004
Pixels = UInt8[np.ndarray, "H W 3"]


class Light:
    """Slow changes of the brightness: a bounded walk, and now and then a swing."""

    def __init__(self, behaviour: Behaviour, *, rng: np.random.Generator) -> None:
        self._behaviour = behaviour
        self._rng = rng
        self._walk = 0.0
        self._swing_left_s = 0.0
        self._sign = 1.0

    def next_levels(self) -> float:
        """Return how much brighter the next frame is."""
        behaviour, dt_s = self._behaviour, 1 / self._behaviour.frame_rate_hz
        most = behaviour.walk_levels
        spread = most / 2 * np.sqrt(2 * dt_s / WALK_S)
        step = -self._walk * dt_s / WALK_S + spread * self._rng.normal()
        self._walk = float(np.clip(self._walk + step, -most, most))
        if self._swing_left_s <= 0 and self._rng.random() < behaviour.swings_per_frame:
            self._swing_left_s = SWING_S
            self._sign = float(self._rng.choice([-1.0, 1.0]))
        self._swing_left_s -= dt_s
        phase = np.clip(self._swing_left_s / SWING_S, 0, 1)
        return self._walk + self._sign * behaviour.swing_levels * float(np.sin(np.pi * phase))


class SimulatedCamera:
    """Frames of a simulated scene, each with its age."""

    def __init__(
        self, model: mujoco.MjModel, behaviour: Behaviour, faults: Faults, view: Camera, *,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self._behaviour = behaviour
        self._faults = faults
        self._rng = rng
        self._light = Light(behaviour, rng=rng)
        self._data = mujoco.MjData(model)
        self._model = model
        self._camera = RayCamera(model, view, SIZE_PX)
        self._pool = ThreadPool(1)
        self._arriving: deque[tuple[float, Float64[np.ndarray, " qpos"]]] = deque()
        self._lock = threading.Lock()
        self._next_exposure_s = 0.0
        self._time_s = 0.0
        self._last: Pixels | None = None

    def expose(self, qpos: Float64[np.ndarray, " qpos"], time_s: float) -> None:
        """Note the scene when the shutter opens; called at every substep."""
        with self._lock:
            self._time_s = time_s
            if time_s + 1e-9 < self._next_exposure_s:
                return
            self._next_exposure_s += 1 / self._behaviour.frame_rate_hz
            is_lost = self._rng.random() < self._behaviour.lost_frames
            arrival_s = time_s + self._rng.uniform(*self._behaviour.frame_age_s)
            if self._arriving:
                arrival_s = max(arrival_s, self._arriving[-1][0])
            if not is_lost and not self._faults.has("freeze", time_s):
                self._arriving.append((arrival_s, qpos.copy()))

    def poll(self) -> Pixels | None:
        """Return the newest frame that arrived, if it was not returned before."""
        with self._lock:
            newest = None
            while self._arriving and self._arriving[0][0] <= self._time_s + 1e-9:
                newest = self._arriving.popleft()[1]
        return None if newest is None else self._image(newest)

    def async_read(self, timeout_ms: float = 200) -> Pixels:
        """Wait for a frame that was not returned before.

        Raises:
            TimeoutError: There was none in time.
        """
        end_s = time.monotonic() + timeout_ms / 1000
        while (image := self.poll()) is None:
            if time.monotonic() >= end_s:
                raise TimeoutError(f"no frame within {timeout_ms:g} ms")
            time.sleep(POLL_S)
        return image

    def _image(self, qpos: Float64[np.ndarray, " qpos"]) -> Pixels:
        if self._faults.has("repeat", self._time_s) and self._last is not None:
            return self._last.copy()
        self._last = self._as_seen(self.render(qpos))
        return self._last

    def render(self, qpos: Float64[np.ndarray, " qpos"]) -> Pixels:
        """Render a perfect image of the scene."""
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._model, self._data)
        out = np.empty((1, SIZE_PX, SIZE_PX, 3), np.uint8)
        self._camera.images([self._data], out, self._pool)
        return out[0]

    def _as_seen(self, image: Pixels) -> Pixels:
        """Return an image as the camera gives it."""
        levels = image + self._light.next_levels()
        for fault, gain, offset in (
            ("black", 0.0, 2.0), ("white", 0.0, 253.0), ("jump", 1.0, JUMP_LEVELS),
        ):  # fmt: skip
            if self._faults.has(fault, self._time_s):
                levels = gain * levels + offset
        noise = self._rng.standard_normal(image.shape, dtype=np.float32)
        seen = np.clip(levels + self._behaviour.noise_levels * noise, 0, 255).astype(np.uint8)
        return compressed(seen, self._behaviour.jpeg_quality)


def view_of(changes: Mapping[str, object]) -> Camera:
    """Return the default view with changes.

    Raises:
        ConfigError: A view has no such number, or it is wrong.
    """
    place = "the view of sim:so101"
    if not isinstance(changes, Mapping):
        raise ConfigError(f"{place} must be a table, got {changes!r}")
    known = {entry.name: entry.type for entry in fields(Camera)}
    for key in changes:
        if key not in known:
            raise ConfigError(f"{place} has no {key!r}: {suggest(key, known)}")
    values = {
        key: value(known[key], given, f"{place}: {key}") for key, given in changes.items()
    }
    if len(values.get("lookat_m", VIEW.lookat_m)) != len(VIEW.lookat_m):
        raise ConfigError(f"{place}: lookat_m needs x, y and z, got {changes['lookat_m']}")
    return replace(VIEW, **values)


def compressed(image: Pixels, quality: int) -> Pixels:
    """Return an image after JPEG; a quality of 0 leaves it as it is."""
    if quality == 0:
        return image
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
