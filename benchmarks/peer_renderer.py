"""The peer ``mujoco.Renderer``: images of Push by OpenGL; run by :mod:`benchmarks.envs`."""

import json
import os
import sys
from functools import cache

import mujoco
import numpy as np
from OpenGL import GL

from benchmarks.measure import spend
from benchmarks.peer import write
from rig.envs.scene import Scene
from rig.envs.tasks import PUSH
from rig.envs.viewpoint import Camera


class RenderedScene:
    """A renderer and the scene that it renders."""

    def __init__(self, pixels: int, is_tuned: bool) -> None:
        self._scene = Scene(PUSH.scene, PUSH.joints)
        quality = self._scene.model.vis.quality
        if is_tuned:
            quality.offsamples, quality.shadowsize = 0, 0
        self._data = self._scene.new_data()
        self._camera = free_camera(PUSH.camera)
        self._renderer = mujoco.Renderer(self._scene.model, pixels, pixels)

    def image(self, state: np.ndarray) -> np.ndarray:
        """Render a state in the same steps as our camera: set it, pose the arm, render."""
        self._scene.set_state(self._data, state)
        self._scene.pose([self._data])
        self._renderer.update_scene(self._data, self._camera)
        return self._renderer.render()

    def about(self) -> dict[str, object]:
        """Return the OpenGL renderer and the number of lights."""
        return {
            "renderer": GL.glGetString(GL.GL_RENDERER).decode(),
            "backend": os.environ["MUJOCO_GL"],
            "num_lights": self._scene.model.nlight,
        }


def free_camera(camera: Camera) -> mujoco.MjvCamera:
    """Convert the task's camera to the renderer's."""
    free = mujoco.MjvCamera()
    free.lookat[:], free.distance = camera.lookat_m, camera.distance_m
    free.elevation, free.azimuth = camera.elevation_deg, camera.azimuth_deg
    return free


rendered_scene = cache(RenderedScene)


def answer(question: dict) -> dict[str, object]:
    """Return this peer's description, or the time of some images."""
    if "about" in question:
        return rendered_scene(48, False).about()
    scene = rendered_scene(question["pixels"], question["is_tuned"])
    states = PUSH.sample_goals(question["num_images"], rng=np.random.default_rng(0))
    return vars(spend(lambda: [scene.image(state) for state in states]))


if __name__ == "__main__":
    for line in sys.stdin:
        write(sys.stdout, answer(json.loads(line)))
