"""The ray camera's pose in an external scene: as given, or as the scene's own camera.

A camera is given in words, in any order: ``lookat X Y Z distance D elevation E azimuth A``, in
metres and degrees as in MuJoCo, with ``fovy F`` if it is not 45. A single word is the name of
one of the scene's own cameras.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Bool, Float64

from rig.envs.viewpoint import Camera, View
from rig.errors import ExternalEnvError, suggest


NUM_VALUES = {"lookat": 3, "distance": 1, "elevation": 1, "azimuth": 1, "fovy": 1}
"""The words that give a camera, and how many numbers follow each."""
FORM = "'lookat X Y Z distance D elevation E azimuth A [fovy F]'"
MAX_ELEVATION_DEG = 89.0


@dataclass(frozen=True, kw_only=True)
class SceneCamera(View):
    """A camera of the scene, with the pose that the scene gives it."""

    name: str
    index: int
    """Of the camera among those of the scene."""
    camera_m: Float64[np.ndarray, "3"]
    """The position of the camera."""
    rotation: Float64[np.ndarray, "3 3"]
    """The camera's axes in the world frame, as columns: right, up, backward."""
    fovy_deg: float
    """Vertical field of view."""

    def pose(self) -> Float64[np.ndarray, "13"]:
        """Return position, rotation and field of view in radians, to compare."""
        fovy_rad = np.deg2rad(self.fovy_deg)
        return np.concatenate([self.camera_m, self.rotation.ravel(), [fovy_rad]])

    def position_m(self) -> Float64[np.ndarray, "3"]:
        """Return the position of the camera."""
        return self.camera_m

    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Return half an image right, half an image down, and forward, one metre ahead."""
        half_m = np.tan(np.deg2rad(self.fovy_deg) / 2)
        right, up, backward = self.rotation.T
        return np.stack([half_m * right, -half_m * up, -backward])


def find_camera(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    camera: str,
    renderer_config: Mapping[str, Any] | None,
) -> View:
    """Return the camera that is given, or else the default camera of the environment.

    Args:
        model: The scene.
        data: The scene's data after ``mj_forward``.
        camera: A camera in words, or the name of one; empty for the default.
        renderer_config: How the environment's own renderer places its camera, if known.

    Raises:
        ExternalEnvError: There is no such camera, or its words are wrong.
    """
    if len(camera.split()) == 1:
        return named_camera(model, data, camera)
    if camera:
        return parse_camera(camera)
    fixed = fixed_cameras(model)
    if fixed and not renderer_config:
        return named_camera(model, data, fixed[0])
    return free_camera(model, renderer_config or {})


def parse_camera(text: str) -> Camera:
    """Read a camera that is given in words and numbers."""
    numbers: dict[str, list[float]] = {}
    for part in text.replace(",", " ").replace("=", " ").split():
        try:
            numbers[next(reversed(numbers))].append(float(part))
        except (StopIteration, ValueError):
            numbers[part] = []
    counts = {word: len(values) for word, values in numbers.items()}
    if {"fovy": 1} | counts != NUM_VALUES:
        raise ExternalEnvError(
            f"--camera {text!r} is not a camera: give {FORM}, or a camera's name"
        )
    camera = Camera(
        lookat_m=tuple(numbers["lookat"]),  # type: ignore[arg-type]
        distance_m=numbers["distance"][0],
        elevation_deg=numbers["elevation"][0],
        azimuth_deg=numbers["azimuth"][0],
        fovy_deg=numbers.get("fovy", [Camera.fovy_deg])[0],
    )
    if abs(camera.elevation_deg) > MAX_ELEVATION_DEG or camera.distance_m <= 0:
        raise ExternalEnvError(
            f"--camera has elevation {camera.elevation_deg:g} and distance "
            f"{camera.distance_m:g}: give {-MAX_ELEVATION_DEG:g} to {MAX_ELEVATION_DEG:g} "
            "degrees, and more than 0 metres"
        )
    return camera


def named_camera(model: mujoco.MjModel, data: mujoco.MjData, name: str) -> SceneCamera:
    """Return a camera of the scene.

    Raises:
        ExternalEnvError: The scene has no such camera, or it moves.
    """
    known = camera_names(model)
    if name not in known:
        hint = suggest(name, known) if known else "it has no camera"
        raise ExternalEnvError(f"the scene has no camera {name!r}: {hint}; or give {FORM}")
    if not is_fixed(model, model.camera(name)):
        raise ExternalEnvError(
            f"camera {name!r} moves, and goal images must be taken from the same place as "
            f"observations: choose a camera that does not move, or give {FORM}"
        )
    return camera_at(model, data, model.camera(name).id)


def camera_at(model: mujoco.MjModel, data: mujoco.MjData, index: int) -> SceneCamera:
    """Return a camera of the scene by its index."""
    return SceneCamera(
        name=model.camera(index).name,
        index=index,
        camera_m=data.cam_xpos[index].copy(),
        rotation=data.cam_xmat[index].reshape(3, 3).copy(),
        fovy_deg=float(model.cam_fovy[index]),
    )


def camera_names(model: mujoco.MjModel) -> list[str]:
    """Return the names of the scene's own cameras."""
    return [model.camera(index).name for index in range(model.ncam)]


def fixed_cameras(model: mujoco.MjModel) -> list[str]:
    """Return the names of the scene's own cameras that stay in place."""
    return [name for name in camera_names(model) if is_fixed(model, model.camera(name))]


def is_fixed(model: mujoco.MjModel, camera: Any) -> bool:
    """Check whether one of the scene's own cameras stays in place whatever the robot does."""
    is_fixed_mode = camera.mode[0] == mujoco.mjtCamLight.mjCAMLIGHT_FIXED.value
    return is_fixed_mode and bool(static_bodies(model)[camera.bodyid[0]])


def static_bodies(model: mujoco.MjModel) -> Bool[np.ndarray, " bodies"]:
    """Mark bodies that stay in place: they have no joint and are not mocap bodies."""
    is_mocap = model.body_mocapid[model.body_rootid] >= 0
    return (model.body_weldid == 0) & ~is_mocap


def free_camera(model: mujoco.MjModel, renderer_config: Mapping[str, Any]) -> Camera:
    """Return the camera of the environment's renderer, with MuJoCo's defaults for the rest."""
    default = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, default)
    placed = {
        word: renderer_config.get(word, getattr(default, word))
        for word in ("lookat", "distance", "elevation", "azimuth")
    }
    elevation_deg = np.clip(placed["elevation"], -MAX_ELEVATION_DEG, MAX_ELEVATION_DEG)
    return Camera(
        lookat_m=tuple(float(value) for value in placed["lookat"]),  # type: ignore[arg-type]
        distance_m=float(placed["distance"]),
        elevation_deg=float(elevation_deg),
        azimuth_deg=float(placed["azimuth"]),
        fovy_deg=float(model.vis.global_.fovy),
    )
