"""Renders environments built on MuJoCo that look alike: geoms, sites, see-through ones too."""

import copy
from collections.abc import Callable, Mapping, Sequence

import mujoco
import numpy as np
from jaxtyping import Bool, Float64, Int, UInt8

from rig.envs.camera import MOVING_GROUP, STATIC_GROUP, Layer, RayCamera
from rig.envs.patterns import Pattern
from rig.envs.thread_pool import ThreadPool
from rig.envs.viewpoint import View
from rig.external.appearance import (
    HIDDEN_GROUP,
    LARGE,
    are_same,
    as_seen,
    looks,
    sites_as_geoms,
)


LAYER_GROUP = 2
"""The geoms that are cast by themselves."""
MIN_MOTION = 1e-5
"""A geom that is off by less, in metres or in the numbers of its rotation, counts as static.

No pixel shows such a motion. Zero would be too little: Fetch's base creeps by half a micrometre
in an episode, and an image with rays for the base takes more than twice as long.
"""

Images = UInt8[np.ndarray, "N H W 3"]
Datas = Sequence[mujoco.MjData]
ClearLayer = tuple[float, Layer]
"""The opacity of a layer, from 0 to 1, and what its rays hit."""


class Motion:
    """Which geoms have moved so far in any environment, and the first poses of all."""

    def __init__(self, data: mujoco.MjData) -> None:
        """Begin with the poses of this data; nothing has moved yet."""
        self.first_m, self.first_turns = data.geom_xpos.copy(), data.geom_xmat.copy()
        self.moves = np.zeros(len(data.geom_xpos), bool)

    def update(self, data: mujoco.MjData) -> None:
        """Mark geoms that are off their first pose, and put the others there to the last bit.

        Otherwise a geom that is hardly off would be rendered at its first pose until it had
        moved once, and at its own pose after that; a resumed run, in which nothing has moved
        yet, would then get other bytes. MuJoCo computes the poses again at its next step, so
        the physics are not changed.
        """
        is_off = (abs(data.geom_xpos - self.first_m) > MIN_MOTION).any(axis=1)
        is_off |= (abs(data.geom_xmat - self.first_turns) > MIN_MOTION).any(axis=1)
        self.put_at_first(data, ~is_off)
        self.moves |= is_off

    def put_at_first(self, data: mujoco.MjData, rows: Bool[np.ndarray, " geoms"]) -> None:
        """Put some geoms at their first pose."""
        data.geom_xpos[rows] = self.first_m[rows]
        data.geom_xmat[rows] = self.first_turns[rows]


class SceneRenderer:
    """Renders all environments whose scene looks as one model does now.

    Geoms that have not moved in any of them so far are cast once, until they move. The images
    do not depend on which geoms those are.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        view: View,
        image_size: int,
        motion: Motion,
        site_is_shown: Bool[np.ndarray, " sites"],
    ) -> None:
        """Copy the model, so that later changes of it can be noticed.

        Args:
            model: The scene.
            view: The camera.
            image_size: Width and height of an image in pixels.
            motion: Which geoms have moved; other renderers may share it.
            site_is_shown: The sites to draw, if their group is shown.
        """
        self.model, self.looks = copy.copy(model), looks(model)
        self._view, self._size, self.motion = view, image_size, motion
        self._far_m = model.vis.map.zfar * model.stat.extent
        self._scene = as_seen(model)
        is_drawn = self._scene.geom_group != HIDDEN_GROUP
        is_solid = self._scene.geom_rgba[:, 3] >= 1
        self._solid, self._clear = is_drawn & is_solid, np.flatnonzero(is_drawn & ~is_solid)
        self._scene.geom_group[self._clear] = HIDDEN_GROUP
        self._is_fixed = model.body_weldid[model.geom_bodyid] == 0
        self._patterns: dict[int, Pattern] = {}
        self._moves: Bool[np.ndarray, " geoms"] | None = None
        self._sites = SiteRenderer(sites_as_geoms(model, site_is_shown), self._new_camera)

    def fits(self, model: mujoco.MjModel, *, in_full: bool) -> bool:
        """Check whether a scene looks as this renderer draws it.

        Args:
            model: The scene.
            in_full: Compare meshes and height fields, too, which are large.
        """
        return self.looks == looks(model) and (
            not in_full or are_same(self.model, model, LARGE)
        )

    def images(self, datas: Datas, thread_pool: ThreadPool) -> Images:
        """Return the image of each data; call ``Motion.update`` with all of them first."""
        if self._moves is None or (self._moves != self.motion.moves).any():
            self._make_camera(datas[0])
        images = np.empty((len(datas), self._size, self._size, 3), np.uint8)
        nearest = self._camera.images(datas, images, thread_pool)
        layers = self._sites.layers(datas, thread_pool)
        for geom in self._clear:
            rows = np.array([geom])
            layers.append(cast_alone(self._camera, self._scene, datas, rows, thread_pool))
        if layers:
            depths_m = np.tile(self._camera.static_distances_m, len(datas))
            depths_m[nearest.pixels] = nearest.distances_m
            blend(images.reshape(-1, 3), depths_m, layers)
        return images

    def paint(self, pattern: Pattern) -> None:
        """Give what is fixed to the world a pattern."""
        self._patterns = dict.fromkeys(np.flatnonzero(self._is_fixed).tolist(), pattern)
        self._moves = None

    def still_image(self, data: mujoco.MjData) -> UInt8[np.ndarray, "H W 3"]:
        """Return what the camera shows of what is fixed to the world."""
        fixed = copy.copy(self._scene)
        is_still = self._solid & self._is_fixed
        fixed.geom_group[:] = np.where(is_still, STATIC_GROUP, HIDDEN_GROUP)
        return self._new_camera(fixed, data, self._patterns).still_image

    def _make_camera(self, data: mujoco.MjData) -> None:
        """Make the camera that casts the static geoms now, and the moving ones per image."""
        self._moves = self.motion.moves.copy()
        groups = np.where(self._moves, MOVING_GROUP, STATIC_GROUP)
        self._scene.geom_group[self._solid] = groups[self._solid]
        posed = copy.copy(data)
        self.motion.put_at_first(posed, ~self._moves)
        self._camera = self._new_camera(self._scene, posed, self._patterns)

    def _new_camera(
        self,
        model: mujoco.MjModel,
        posed: mujoco.MjData,
        patterns: Mapping[int, Pattern] | None = None,
    ) -> RayCamera:
        return RayCamera(model, self._view, self._size, self._far_m, posed, patterns)


class SiteRenderer:
    """Casts sites, which have geoms in a scene of their own."""

    def __init__(
        self,
        scene: mujoco.MjModel,
        new_camera: Callable[[mujoco.MjModel, mujoco.MjData], RayCamera],
    ) -> None:
        """Keep the scene; the camera is made if it shows anything.

        Args:
            scene: From :func:`rig.external.appearance.sites_as_geoms`.
            new_camera: Makes a camera for a scene and its data.
        """
        self._scene, self._new_camera = scene, new_camera
        is_drawn = scene.geom_group != HIDDEN_GROUP
        is_solid = scene.geom_rgba[:, 3] >= 1
        self._casts = [np.flatnonzero(is_drawn & is_solid)]
        self._casts += [np.array([row]) for row in np.flatnonzero(is_drawn & ~is_solid)]
        self._casts = [rows for rows in self._casts if len(rows)]
        scene.geom_group[:] = HIDDEN_GROUP
        self._datas: list[mujoco.MjData] = []
        self._camera: RayCamera | None = None

    def layers(self, datas: Datas, thread_pool: ThreadPool) -> list[ClearLayer]:
        """Return the solid sites as one layer, and each of the others as one."""
        if not self._casts:
            return []
        while len(self._datas) < len(datas):
            self._datas.append(mujoco.MjData(self._scene))
        posed = self._datas[: len(datas)]
        for data, own in zip(datas, posed, strict=True):
            own.geom_xpos[:], own.geom_xmat[:] = data.site_xpos, data.site_xmat
        camera = self._camera = self._camera or self._new_camera(self._scene, posed[0])
        return [
            cast_alone(camera, self._scene, posed, rows, thread_pool) for rows in self._casts
        ]


def cast_alone(
    camera: RayCamera,
    scene: mujoco.MjModel,
    datas: Datas,
    geoms: Int[np.ndarray, " geoms"],
    thread_pool: ThreadPool,
) -> ClearLayer:
    """Return what rays hit if there are only these geoms, all equally see-through."""
    scene.geom_group[geoms] = LAYER_GROUP
    layer = camera.layer(datas, geoms, LAYER_GROUP, thread_pool)
    scene.geom_group[geoms] = HIDDEN_GROUP
    return float(scene.geom_rgba[geoms[0], 3]), layer


def blend(
    pixels: UInt8[np.ndarray, "pixels 3"],
    depths_m: Float64[np.ndarray, " pixels"],
    layers: Sequence[ClearLayer],
) -> None:
    """Paint layers over the pixels of all images, from the farthest to the nearest.

    Args:
        pixels: Changed in place.
        depths_m: The distance of what each pixel shows: what is behind it is not painted.
        layers: The layers, each with its opacity.
    """
    rows = np.concatenate([layer.pixels for _, layer in layers])
    distances_m = np.concatenate([layer.distances_m for _, layer in layers])
    colours = np.concatenate([layer.colours for _, layer in layers])
    opacity = np.concatenate([np.full(len(layer.pixels), alpha) for alpha, layer in layers])
    order = np.lexsort((-distances_m, rows))
    order = order[distances_m[order] < depths_m[rows[order]]]
    rows, colours, opacity = rows[order], colours[order], opacity[order, None]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    turn = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    for now in range(turn.max(initial=-1) + 1):
        at = rows[turn == now]
        share = opacity[turn == now]
        pixels[at] = np.rint(share * colours[turn == now] + (1 - share) * pixels[at])
