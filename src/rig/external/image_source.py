"""How guests are seen: by our ray camera, in their own observations, or as they render."""

import copy
from collections.abc import Sequence
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from jaxtyping import Bool, Float32, UInt8

from rig.envs.camera import MOVING_GROUP, STILL_GROUP, RayCamera
from rig.envs.square_crop import squared
from rig.envs.thread_pool import ThreadPool
from rig.errors import ExternalEnvError
from rig.external.camera_pose import aim
from rig.external.env import ExternalEnv, physics_of


UNSEEN_GROUP = 5
NUM_SHOWN_GROUPS = 3
"""MuJoCo's own viewers show the geom groups 0 to 2; collision shapes are in the others."""
LEAST_MOTION = 1e-5
"""What is off by less, in metres or in the numbers of its turn, stands still.

No pixel shows it. Nothing at all would be too little: Fetch's base, which nobody drives, creeps
by half a micrometre in an episode, and with its rays a picture takes more than twice as long.
"""
LEAST_ALPHA = 0.5
"""What is more transparent than this is not seen: markers of goals, ghosts."""
UNSET_RGBA = np.array([0.5, 0.5, 0.5, 1.0], np.float32)
"""A geom of this colour, MuJoCo's default, has the colour of its material."""

Env = gymnasium.Env[Any, Any]
Image = UInt8[np.ndarray, "H W 3"]
Images = UInt8[np.ndarray, "N H W 3"]


class ImageSource:
    """Sees all guests side by side."""

    about: str
    """What takes the pictures."""

    def look(self, external_envs: Sequence[ExternalEnv]) -> Images:
        """The picture of every guest, as it is now."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends what was begun, if anything was."""


class RayCasterSource(ImageSource):
    """Sees guests built on MuJoCo by the ray camera, with no OpenGL.

    All guests are taken to be of one scene. What has not moved in any of them so far is cast
    once and for all, until it moves: of a robot that stands, only the arm costs rays. Whether
    it was cast before or is cast now, the picture is the same.
    """

    def __init__(self, image_size: int, told: str) -> None:
        """Remembers the camera that is told; the scene is there when guests are looked at."""
        self._size, self._told = image_size, told
        self._model: mujoco.MjModel | None = None
        self._thread_pool = ThreadPool()
        self.about = f"mj_multiRay, camera {told or 'as usual'}"

    def look(self, external_envs: Sequence[ExternalEnv]) -> Images:
        """The picture of every guest."""
        scenes = [
            scene for external_env in external_envs if (scene := physics_of(external_env.env))
        ]
        for model, data in scenes:
            mujoco.mj_kinematics(model, data)
        if scenes[0][0] is not self._model:
            self._open(external_envs[0].env, *scenes[0])
        self._keep_up([data for _, data in scenes])
        images = np.empty((len(scenes), self._size, self._size, 3), np.uint8)
        self._camera.images([data for _, data in scenes], images, self._thread_pool)
        return images

    def close(self) -> None:
        """Ends the threads."""
        self._thread_pool.close()

    def _open(self, env: Env, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Makes the camera for the scene; some guests compile theirs anew at a reset."""
        mujoco.mj_forward(model, data)
        renderer = getattr(env.unwrapped, "mujoco_renderer", None)
        usual = getattr(renderer, "default_cam_config", None)
        self._view = aim(model, data, self._told, usual)
        self._model, self._seen = model, as_seen(model)
        self._first, self._moves = copy.copy(data), np.zeros(model.ngeom, bool)
        self._aim_anew()

    def _keep_up(self, datas: Sequence[mujoco.MjData]) -> None:
        """Takes note of what has begun to move."""
        moves = self._moves | np.any([self._settle(data) for data in datas], axis=0)
        if (moves != self._moves).any():
            self._moves = moves
            self._aim_anew()

    def _settle(self, data: mujoco.MjData) -> Bool[np.ndarray, " geoms"]:
        """Which geoms are off their first places; the others are put there to the last bit.

        Without that a geom that is hardly off would be seen at its first place until it had
        moved once, and then where it is: a run that was stopped and went on, whose eyes have
        seen nothing move yet, would see other bytes. MuJoCo works the places out anew at its
        next step, so the guest's motion is not touched.
        """
        first = self._first
        is_off = (abs(data.geom_xpos - first.geom_xpos) > LEAST_MOTION).any(axis=1)
        is_off |= (abs(data.geom_xmat - first.geom_xmat) > LEAST_MOTION).any(axis=1)
        data.geom_xpos[~is_off] = first.geom_xpos[~is_off]
        data.geom_xmat[~is_off] = first.geom_xmat[~is_off]
        return is_off

    def _aim_anew(self) -> None:
        """Casts what stands still, and makes the camera that casts the rest."""
        is_seen = self._seen.geom_group != UNSEEN_GROUP
        self._seen.geom_group[is_seen] = np.where(
            self._moves[is_seen], MOVING_GROUP, STILL_GROUP
        )
        far_m = self._seen.vis.map.zfar * self._seen.stat.extent
        self._camera = RayCamera(self._seen, self._view, self._size, far_m, self._first)


class ObservationSource(ImageSource):
    """Sees guests in a picture that is part of their observation."""

    def __init__(self, image_size: int, part: str) -> None:
        """Remembers which part; ``""`` is the whole observation."""
        self._size, self._part = image_size, part
        self.about = f"the observation {part}".strip()

    def look(self, external_envs: Sequence[ExternalEnv]) -> Images:
        """The picture in every guest's last observation."""
        return np.stack(
            [squared(self._picture(external_env), self._size) for external_env in external_envs]
        )

    def _picture(self, external_env: ExternalEnv) -> Image:
        seen = external_env.observation
        return np.asarray(seen[self._part] if self._part else seen)


class RenderSource(ImageSource):
    """Sees guests as they draw themselves."""

    about = "render, rgb_array"

    def __init__(self, image_size: int) -> None:
        self._size = image_size

    def look(self, external_envs: Sequence[ExternalEnv]) -> Images:
        """What every guest draws now."""
        return np.stack(
            [squared(drawn(external_env), self._size) for external_env in external_envs]
        )


def drawn(external_env: ExternalEnv) -> Image:
    """The picture that a guest draws of itself."""
    try:
        image = np.asarray(external_env.env.render())
    except gymnasium.error.DependencyNotInstalled as error:
        raise ExternalEnvError(str(error)) from error
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ExternalEnvError(
            f"it renders {image.dtype} of shape {image.shape}: a picture is uint8, [H, W, 3]"
        )
    return image


def image_parts(space: spaces.Space[Any]) -> list[str]:
    """The parts of an observation that are RGB pictures; ``""`` is the whole of it."""
    if is_image(space):
        return [""]
    parts = space.spaces.items() if isinstance(space, spaces.Dict) else ()
    return [name for name, part in parts if is_image(part)]


def is_image(space: spaces.Space[Any]) -> bool:
    """Whether a space is of RGB pictures ``[H, W, 3]``, uint8."""
    is_bytes = isinstance(space, spaces.Box) and space.dtype == np.uint8
    return is_bytes and len(space.shape or ()) == 3 and (space.shape or ())[2] == 3


def as_seen(model: mujoco.MjModel) -> mujoco.MjModel:
    """A copy of a scene as the ray camera wants it: colours on geoms, and the unseen marked."""
    seen = copy.copy(model)
    seen.geom_rgba[:] = colours(model)
    is_shown = (model.geom_group < NUM_SHOWN_GROUPS) & (seen.geom_rgba[:, 3] >= LEAST_ALPHA)
    seen.geom_group[:] = np.where(is_shown, STILL_GROUP, UNSEEN_GROUP)
    return seen


def colours(model: mujoco.MjModel) -> Float32[np.ndarray, "geoms 4"]:
    """The colour of each geom: its own, or its material's. Textures are not seen."""
    has_own = (model.geom_rgba != UNSET_RGBA).any(axis=1)
    materials = np.vstack([model.mat_rgba, UNSET_RGBA])  # the last, -1, is of no material
    return np.where(has_own[:, None], model.geom_rgba, materials[model.geom_matid])
