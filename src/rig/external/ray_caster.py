"""Images of external environments built on MuJoCo, by the ray camera."""

from collections.abc import Sequence
from itertools import compress

import mujoco
import numpy as np

from rig.envs.patterns import Pattern
from rig.envs.thread_pool import ThreadPool
from rig.envs.viewpoint import View
from rig.errors import ExternalEnvError
from rig.external.appearance import (
    USE_RENDER,
    check_drawable,
    check_same_meshes,
    check_same_textures,
)
from rig.external.camera_pose import FORM, SceneCamera, camera_at, find_camera, fixed_cameras
from rig.external.env import ExternalEnv, Physics, own_attribute, physics_of
from rig.external.image_source import Image, Images, ImageSource
from rig.external.scene_renderer import MIN_MOTION, Motion, SceneRenderer


GOAL_MARKS = ("goal", "target")
"""Sites with these in their names mark the goal of a multi-goal environment."""


class RayCasterSource(ImageSource):
    """Renders environments built on MuJoCo with the ray camera, without OpenGL.

    Each environment is drawn as its own model is now. Those that look alike share a renderer.
    """

    def __init__(self, image_size: int, camera: str, *, is_multi_goal: bool = False) -> None:
        """Store the camera's words; the scene is only there at the first image.

        Args:
            image_size: Width and height of an image in pixels.
            camera: A camera in words, or the name of one; empty for the default.
            is_multi_goal: Whether the environments mark goals of their own. Practice has other
                ones, so that the marks would only mislead.
        """
        self._size, self._camera_text, self._is_multi_goal = image_size, camera, is_multi_goal
        self._renderers: list[SceneRenderer] = []
        """The renderer of each environment."""
        self._models: list[mujoco.MjModel] = []
        """The model that each environment had at its last image."""
        self._motions: dict[int, Motion] = {}
        """By the number of geoms of the scene."""
        self._pattern: Pattern | None = None
        self._thread_pool = ThreadPool()
        self.description = f"mj_multiRay, camera {camera or 'as usual'}"

    def images(self, envs: Sequence[ExternalEnv]) -> Images:
        """Render each environment.

        Raises:
            ExternalEnvError: A scene shows what the ray camera can't draw, or a camera moved.
        """
        scenes = [scene_of(env) for env in envs]
        for model, data in scenes:
            mujoco.mj_kinematics(model, data)
        if not self._renderers:
            self._open(envs[0], scenes)
        for row, (env, scene) in enumerate(zip(envs, scenes, strict=True)):
            self._update(row, scene, is_first=env.is_at_start)
        for (_, data), renderer in zip(scenes, self._renderers, strict=True):
            renderer.motion.update(data)
        images = np.empty((len(envs), self._size, self._size, 3), np.uint8)
        for renderer in {id(each): each for each in self._renderers}.values():
            rows = [each is renderer for each in self._renderers]
            datas = [data for _, data in compress(scenes, rows)]
            images[rows] = renderer.images(datas, self._thread_pool)
        return images

    def still_image(self, envs: Sequence[ExternalEnv]) -> Image:
        """Return what the camera shows of what is fixed to the world in the first scene."""
        self.images(envs)
        return self._renderers[0].still_image(scene_of(envs[0])[1])

    def paint_table(self, pattern: Pattern) -> bool:
        """Give what is fixed to the world a pattern."""
        self._pattern = pattern
        for renderer in self._renderers:
            renderer.paint(pattern)
        return True

    def close(self) -> None:
        """Stop the threads."""
        self._thread_pool.close()

    def _open(self, env: ExternalEnv, scenes: Sequence[Physics]) -> None:
        """Choose the camera, and make the first renderer."""
        model, data = scenes[0]
        check_drawable(model)
        mujoco.mj_forward(model, data)
        own_renderer = own_attribute(env.env, "mujoco_renderer")
        config = getattr(own_renderer, "default_cam_config", None)
        self._view = find_camera(model, data, self._camera_text, config)
        self.notes = tuple(self._notes(model))
        self._renderers = [self._new_renderer(model, data)] * len(scenes)
        self._first_model = self._renderers[0].model
        self._models = [self._first_model] * len(scenes)

    def _update(self, row: int, scene: Physics, *, is_first: bool) -> None:
        """Give an environment another renderer if it looks different from its last image.

        Args:
            row: Of the environment.
            scene: Its model and data now.
            is_first: Whether an episode has just begun.
        """
        model, data = scene
        is_new, before = model is not self._models[row], self._renderers[row]
        in_full = is_first or is_new
        self._models[row] = model
        check_not_moved(self._view, model, data)
        if in_full:
            check_drawable(model)
            check_same_textures(self._first_model, model)
        if before.fits(model, in_full=in_full):
            return
        if in_full and not is_new:
            check_same_meshes(before.model, model)
        for other in self._renderers:
            if other.fits(model, in_full=True):
                self._renderers[row] = other
                return
        self._renderers[row] = self._new_renderer(model, data)

    def _new_renderer(self, model: mujoco.MjModel, data: mujoco.MjData) -> SceneRenderer:
        motion = self._motions.setdefault(model.ngeom, Motion(data))
        is_shown = np.ones(model.nsite, bool)
        if self._is_multi_goal:
            is_shown[goal_sites(model)] = False
        renderer = SceneRenderer(model, self._view, self._size, motion, is_shown)
        if self._pattern:
            renderer.paint(self._pattern)
        return renderer

    def _notes(self, model: mujoco.MjModel) -> list[str]:
        """Return what else could be seen: other cameras, and sites that are left out."""
        notes, names = [], fixed_cameras(model)
        chosen = self._view.name if isinstance(self._view, SceneCamera) else ""
        if not self._camera_text and set(names) - {chosen}:
            seen_by = f"the camera {chosen}" if chosen else "the camera of its own renderer"
            notes.append(
                f"images are from {seen_by}; its scene has {', '.join(names)}: "
                "--camera NAME chooses one"
            )
        hidden = [model.site(index).name for index in goal_sites(model)]
        if self._is_multi_goal and hidden:
            notes.append(
                f"not drawn: {', '.join(hidden)}, which mark the environment's own goal"
            )
        return notes


def scene_of(env: ExternalEnv) -> Physics:
    """Return an environment's present model and data.

    Raises:
        ExternalEnvError: It has none any more.
    """
    if (scene := physics_of(env.env)) is None:
        raise ExternalEnvError(f"its MuJoCo model or data has gone: {USE_RENDER}")
    return scene


def goal_sites(model: mujoco.MjModel) -> list[int]:
    """Return the sites whose names say that they mark a goal."""
    names = [model.site(index).name.lower() for index in range(model.nsite)]
    return [row for row, name in enumerate(names) if any(mark in name for mark in GOAL_MARKS)]


def check_not_moved(view: View, model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Raise ExternalEnvError if a camera of the scene is not where it was at first."""
    if not isinstance(view, SceneCamera):
        return
    now = None if view.index >= model.ncam else camera_at(model, data, view.index)
    if now is None or abs(now.pose() - view.pose()).max() > MIN_MOTION:
        raise ExternalEnvError(
            f"its camera {view.name!r} moves, and goal images must be taken from the same "
            f"place as observations: give --camera {FORM}"
        )
