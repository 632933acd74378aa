"""Where the images of external environments come from: ray camera, observation or render."""

import copy
from collections.abc import Sequence
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from jaxtyping import Bool, Float32, UInt8

from rig.envs.ray_camera import MOVING_GROUP, STATIC_GROUP, Pattern, RayCamera
from rig.envs.square_crop import crop_square
from rig.envs.thread_pool import ThreadPool
from rig.errors import ExternalEnvError
from rig.external.camera_pose import find_camera
from rig.external.env import ExternalEnv, physics_of


HIDDEN_GROUP = 5
NUM_SHOWN_GROUPS = 3
"""MuJoCo's own viewers show the geom groups 0 to 2; collision shapes are in the others."""
MIN_MOTION = 1e-5
"""A geom that is off by less, in metres or in the numbers of its rotation, counts as static.

No pixel shows such a motion. Zero would be too little: Fetch's base creeps by half a micrometre
in an episode, and an image with rays for the base takes more than twice as long.
"""
MIN_ALPHA = 0.5
"""Geoms that are more transparent, such as markers of goals, are not seen."""
UNSET_RGBA = np.array([0.5, 0.5, 0.5, 1.0], np.float32)
"""A geom of this colour, MuJoCo's default, has the colour of its material."""

Env = gymnasium.Env[Any, Any]
Image = UInt8[np.ndarray, "H W 3"]
Images = UInt8[np.ndarray, "N H W 3"]


class ImageSource:
    """Takes the images of all environments of a batch."""

    description: str
    """What takes the images. Runs record it and compare it on resume: keep its words."""

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Return the present image of each environment."""
        raise NotImplementedError

    def still_image(self, envs: Sequence[ExternalEnv]) -> Image:
        """Return an image of the commonest colour in the present images."""
        images = self.images(envs)
        colours, counts = np.unique(images.reshape(-1, 3), axis=0, return_counts=True)
        return np.broadcast_to(colours[counts.argmax()], images.shape[1:]).copy()

    def paint_table(self, pattern: Pattern) -> bool:
        """Give what is fixed to the world a pattern; return whether that is possible."""
        return False

    def close(self) -> None:
        """Release what the source holds."""


class RayCasterSource(ImageSource):
    """Renders environments built on MuJoCo with the ray camera, without OpenGL.

    All environments must have the same scene. Geoms that have not moved in any of them so far
    are cast once, until they move. The images do not depend on which geoms those are.
    """

    def __init__(self, image_size: int, camera: str) -> None:
        """Store the camera's words; the scene is only there at the first image."""
        self._size, self._camera_text = image_size, camera
        self._model: mujoco.MjModel | None = None
        self._pattern: Pattern | None = None
        self._thread_pool = ThreadPool()
        self.description = f"mj_multiRay, camera {camera or 'as usual'}"

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Render each environment."""
        scenes = [scene for env in envs if (scene := physics_of(env.env))]
        for model, data in scenes:
            mujoco.mj_kinematics(model, data)
        if scenes[0][0] is not self._model:
            self._open(envs[0].env, *scenes[0])
        datas = [data for _, data in scenes]
        self._update_moving(datas)
        images = np.empty((len(datas), self._size, self._size, 3), np.uint8)
        self._camera.images(datas, images, self._thread_pool)
        return images

    def still_image(self, envs: Sequence[ExternalEnv]) -> Image:
        """Return what the camera shows of what is fixed to the world."""
        self.images(envs)
        fixed = copy.copy(self._seen)
        fixed.geom_group[fixed.body_weldid[fixed.geom_bodyid] != 0] = HIDDEN_GROUP
        return self._camera_of(fixed).still_image

    def paint_table(self, pattern: Pattern) -> bool:
        """Give what is fixed to the world a pattern."""
        self._pattern = pattern
        self._make_camera()
        return True

    def close(self) -> None:
        """Stop the threads."""
        self._thread_pool.close()

    def _open(self, env: Env, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Make the camera for the scene; some environments compile a new one at a reset."""
        mujoco.mj_forward(model, data)
        renderer = getattr(env.unwrapped, "mujoco_renderer", None)
        config = getattr(renderer, "default_cam_config", None)
        self._view = find_camera(model, data, self._camera_text, config)
        self._model, self._seen = model, as_seen(model)
        self._first, self._moves = copy.copy(data), np.zeros(model.ngeom, bool)
        self._make_camera()

    def _update_moving(self, datas: Sequence[mujoco.MjData]) -> None:
        """Add geoms that have begun to move to the moving ones."""
        moves = self._moves | np.any([self._snap_static(data) for data in datas], axis=0)
        if (moves != self._moves).any():
            self._moves = moves
            self._make_camera()

    def _snap_static(self, data: mujoco.MjData) -> Bool[np.ndarray, " geoms"]:
        """Mark geoms that are off their first pose, and put the others there to the last bit.

        Otherwise a geom that is hardly off would be rendered at its first pose until it had
        moved once, and at its own pose after that; a resumed run, in which nothing has moved
        yet, would then get other bytes. MuJoCo computes the poses again at its next step, so
        the physics are not changed.
        """
        first = self._first
        is_off = (abs(data.geom_xpos - first.geom_xpos) > MIN_MOTION).any(axis=1)
        is_off |= (abs(data.geom_xmat - first.geom_xmat) > MIN_MOTION).any(axis=1)
        data.geom_xpos[~is_off] = first.geom_xpos[~is_off]
        data.geom_xmat[~is_off] = first.geom_xmat[~is_off]
        return is_off

    def _make_camera(self) -> None:
        """Make the camera that casts the static geoms now, and the moving ones per image."""
        is_seen = self._seen.geom_group != HIDDEN_GROUP
        self._seen.geom_group[is_seen] = np.where(
            self._moves[is_seen], MOVING_GROUP, STATIC_GROUP
        )
        self._camera = self._camera_of(self._seen)

    def _camera_of(self, model: mujoco.MjModel) -> RayCamera:
        """Return the camera in a scene."""
        far_m = model.vis.map.zfar * model.stat.extent
        fixed = np.flatnonzero(model.body_weldid[model.geom_bodyid] == 0).tolist()
        patterns = dict.fromkeys(fixed, self._pattern) if self._pattern else {}
        return RayCamera(model, self._view, self._size, far_m, self._first, patterns)


class ObservationSource(ImageSource):
    """Takes the images from a part of the observations."""

    def __init__(self, image_size: int, part: str) -> None:
        """Store the name of the part; ``""`` is the whole observation."""
        self._size, self._part = image_size, part
        self.description = f"the observation {part}".strip()

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Return the image in each environment's last observation."""
        return np.stack([crop_square(self._image(env), self._size) for env in envs])

    def _image(self, env: ExternalEnv) -> Image:
        return np.asarray(env.observation[self._part] if self._part else env.observation)


class RenderSource(ImageSource):
    """Takes the images from the environments' own ``render``."""

    description = "render, rgb_array"

    def __init__(self, image_size: int) -> None:
        self._size = image_size

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Return what each environment renders now."""
        return np.stack([crop_square(render(env), self._size) for env in envs])


def render(env: ExternalEnv) -> Image:
    """Return the image that an environment renders.

    Raises:
        ExternalEnvError: A library is missing, or it is not an RGB image.
    """
    try:
        image = np.asarray(env.env.render())
    except gymnasium.error.DependencyNotInstalled as error:
        raise ExternalEnvError(str(error)) from error
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ExternalEnvError(
            f"it renders {image.dtype} of shape {image.shape}: render must return uint8 of "
            "shape [H, W, 3]"
        )
    return image


def image_parts(space: spaces.Space[Any]) -> list[str]:
    """Return the parts of an observation that are RGB images; ``""`` is the whole of it."""
    if is_image(space):
        return [""]
    parts = space.spaces.items() if isinstance(space, spaces.Dict) else ()
    return [name for name, part in parts if is_image(part)]


def is_image(space: spaces.Space[Any]) -> bool:
    """Check whether a space is of RGB images: uint8, ``[H, W, 3]``."""
    is_bytes = isinstance(space, spaces.Box) and space.dtype == np.uint8
    return is_bytes and len(space.shape or ()) == 3 and (space.shape or ())[2] == 3


def as_seen(model: mujoco.MjModel) -> mujoco.MjModel:
    """Return a copy of a scene with colours on its geoms, and hidden geoms in their group."""
    seen = copy.copy(model)
    seen.geom_rgba[:] = colours(model)
    is_shown = (model.geom_group < NUM_SHOWN_GROUPS) & (seen.geom_rgba[:, 3] >= MIN_ALPHA)
    seen.geom_group[:] = np.where(is_shown, STATIC_GROUP, HIDDEN_GROUP)
    return seen


def colours(model: mujoco.MjModel) -> Float32[np.ndarray, "geoms 4"]:
    """Return the colour of each geom: its own, or its material's. Textures are ignored."""
    has_own = (model.geom_rgba != UNSET_RGBA).any(axis=1)
    materials = np.vstack([model.mat_rgba, UNSET_RGBA])  # the last row, -1, is no material
    return np.where(has_own[:, None], model.geom_rgba, materials[model.geom_matid])
