"""Where the ray camera stands in a guest's scene: as it is told, or as the guest's own camera.

A camera is told in words, in any order: ``lookat X Y Z distance D elevation E azimuth A``, in
metres and degrees as in MuJoCo, with ``fovy F`` if it is not 45. One word alone is the name of
one of the scene's own cameras.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
from jaxtyping import Bool, Float64

from rig.envs.camera import Camera, View
from rig.errors import ExternalEnvError, suggest


WORDS = {"lookat": 3, "distance": 1, "elevation": 1, "azimuth": 1, "fovy": 1}
"""What a camera is told by, and how many numbers each word takes."""
FORM = "'lookat X Y Z distance D elevation E azimuth A [fovy F]'"
STEEPEST_DEG = 89.0


@dataclass(frozen=True, kw_only=True)
class OwnCamera(View):
    """A camera of the scene's own: it stands and is turned as the scene has it."""

    stands_m: Float64[np.ndarray, "3"]
    """Where it is."""
    turn: Float64[np.ndarray, "3 3"]
    """Its axes in the world, as columns: right, up, backward."""
    fovy_deg: float
    """The picture's whole height, as an angle."""

    def position_m(self) -> Float64[np.ndarray, "3"]:
        """Where the camera is."""
        return self.stands_m

    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Half a picture to the right, half a picture down, and forward: one metre ahead."""
        half_m = np.tan(np.deg2rad(self.fovy_deg) / 2)
        right, up, backward = self.turn.T
        return np.stack([half_m * right, -half_m * up, -backward])


def aim(
    model: mujoco.MjModel, data: mujoco.MjData, told: str, usual: Mapping[str, Any] | None
) -> View:
    """The camera that is told, or else the one that the guest is usually seen by.

    Args:
        model: The scene.
        data: The scene with everything in place.
        told: Words; nothing for the usual camera.
        usual: How the guest's own renderer places its camera, if it says so.

    Raises:
        ExternalEnvError: There is no such camera, or it is told wrongly.
    """
    if len(told.split()) == 1:
        return named_camera(model, data, told)
    if told:
        return told_camera(told)
    own = [name for name in camera_names(model) if stands_still(model, model.camera(name))]
    if own and not usual:
        return named_camera(model, data, own[0])
    return free_camera(model, usual or {})


def told_camera(told: str) -> Camera:
    """The camera that is told in words and numbers."""
    numbers: dict[str, list[float]] = {}
    for part in told.replace(",", " ").replace("=", " ").split():
        try:
            numbers[next(reversed(numbers))].append(float(part))
        except (StopIteration, ValueError):
            numbers[part] = []
    counts = {word: len(values) for word, values in numbers.items()}
    if {"fovy": 1} | counts != WORDS:
        raise ExternalEnvError(
            f"--camera {told!r} is no camera: give {FORM}, or a camera's name"
        )
    camera = Camera(
        lookat_m=tuple(numbers["lookat"]),  # type: ignore[arg-type]
        distance_m=numbers["distance"][0],
        elevation_deg=numbers["elevation"][0],
        azimuth_deg=numbers["azimuth"][0],
        fovy_deg=numbers.get("fovy", [Camera.fovy_deg])[0],
    )
    if abs(camera.elevation_deg) > STEEPEST_DEG or camera.distance_m <= 0:
        raise ExternalEnvError(
            f"--camera has elevation {camera.elevation_deg:g} and distance "
            f"{camera.distance_m:g}: give -{STEEPEST_DEG:g} to {STEEPEST_DEG:g} degrees, and "
            "more than 0 metres"
        )
    return camera


def named_camera(model: mujoco.MjModel, data: mujoco.MjData, name: str) -> OwnCamera:
    """One of the scene's own cameras."""
    known = camera_names(model)
    if name not in known:
        hint = suggest(name, known) if known else "it has none of its own"
        raise ExternalEnvError(f"the scene has no camera {name!r}: {hint}; or give {FORM}")
    if not stands_still(model, model.camera(name)):
        raise ExternalEnvError(
            f"camera {name!r} moves, and a goal picture must be taken from where the robot "
            f"looks: choose one that stands still, or give {FORM}"
        )
    index = model.camera(name).id
    return OwnCamera(
        stands_m=data.cam_xpos[index].copy(),
        turn=data.cam_xmat[index].reshape(3, 3).copy(),
        fovy_deg=float(model.cam_fovy[index]),
    )


def camera_names(model: mujoco.MjModel) -> list[str]:
    """The scene's own cameras."""
    return [model.camera(index).name for index in range(model.ncam)]


def stands_still(model: mujoco.MjModel, camera: Any) -> bool:
    """Whether one of the scene's own cameras stays where it is whatever the robot does."""
    is_fixed = camera.mode[0] == mujoco.mjtCamLight.mjCAMLIGHT_FIXED.value
    return is_fixed and bool(is_still(model)[camera.bodyid[0]])


def is_still(model: mujoco.MjModel) -> Bool[np.ndarray, " bodies"]:
    """Whether each body stays where it is: no joint moves it, and nobody sets it (mocap)."""
    is_set = model.body_mocapid[model.body_rootid] >= 0
    return (model.body_weldid == 0) & ~is_set


def free_camera(model: mujoco.MjModel, usual: Mapping[str, Any]) -> Camera:
    """As the guest's renderer places its camera; what it leaves open is MuJoCo's default."""
    default = mujoco.MjvCamera()
    mujoco.mjv_defaultFreeCamera(model, default)
    placed = {
        word: usual.get(word, getattr(default, word))
        for word in ("lookat", "distance", "elevation", "azimuth")
    }
    return Camera(
        lookat_m=tuple(float(value) for value in placed["lookat"]),  # type: ignore[arg-type]
        distance_m=float(placed["distance"]),
        elevation_deg=float(np.clip(placed["elevation"], -STEEPEST_DEG, STEEPEST_DEG)),
        azimuth_deg=float(placed["azimuth"]),
        fovy_deg=float(model.vis.global_.fovy),
    )
