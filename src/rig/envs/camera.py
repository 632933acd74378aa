"""The camera: casts one ray per pixel with MuJoCo and shades what it hits.

No OpenGL, no display and no system library: ``mj_multiRay`` finds the geom that each ray hits
and the surface normal there, and a table gives its colour under a lamp at the camera. A geom
may have a pattern, a function of the point that is hit. The same state gives the same bytes on
every run and on any number of threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import mujoco
import numpy as np
from jaxtyping import Float64, Int, Int32, UInt8

from rig.envs.patterns import Pattern, in_frame
from rig.envs.thread_pool import ThreadPool
from rig.envs.viewpoint import View


BACKGROUND_RGB = (0.80, 0.86, 0.91)
AMBIENT_LIGHT = 0.35
NEAR_M = 0.01
FAR_M = 5.0
NUM_SHADES = 256

MOVING_GROUP = 0
STATIC_GROUP = 1
"""The geom groups that the camera sees."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hits:
    """Rays, flattened, and what each of them hits."""

    rays: Float64[np.ndarray, " numbers"]
    geom_ids: Int32[np.ndarray, " rays"]
    distances_m: Float64[np.ndarray, " rays"]
    normals: Float64[np.ndarray, " numbers"]
    """Normals of the surfaces that are hit."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What rays through some pixels of some images hit."""

    pixels: Int[np.ndarray, " rays"]
    """Counted through all images."""
    colours: UInt8[np.ndarray, "rays 3"]
    distances_m: Float64[np.ndarray, " rays"]
    """Infinity where the ray hits nothing."""

    def rows(self, rows: Int[np.ndarray, " some"]) -> "Layer":
        """Return some of the rays."""
        return Layer(self.pixels[rows], self.colours[rows], self.distances_m[rows])


class RayCamera:
    """Renders images of environments that share one model.

    Static geoms are cast once. After that, rays are cast only where a moving geom may be:
    through the pixels within the moving geoms' bounding boxes.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        camera: View,
        image_size: int,
        far_m: float = FAR_M,
        posed: mujoco.MjData | None = None,
        patterns: Mapping[int, Pattern] | None = None,
    ) -> None:
        """Compute the rays and the colours, and cast the static geoms.

        Args:
            model: The scene; its geom groups say which geoms move and which are static.
            camera: The camera's position and rays.
            image_size: Width and height of an image in pixels.
            far_m: Geoms farther away are not seen.
            posed: Data with the static geoms in place; by default, new data.
            patterns: The pattern of each geom that has one, by the geom's id.
        """
        self._model = model
        self._size = image_size
        self._far_m = far_m
        self._position_m = camera.position_m()
        self._projection = np.linalg.inv(camera.axes().T)
        self._rays = camera.rays(image_size)
        self._shades = shades(model)
        self._moving = np.flatnonzero(model.geom_group == MOVING_GROUP)
        self._corners_m = box_corners(model)
        if posed is None:
            posed = mujoco.MjData(model)
            mujoco.mj_kinematics(model, posed)
        self._posed, self._patterns = posed, dict(patterns or {})
        self._static_colours, self.static_distances_m = self._cast_static(posed)

    @property
    def still_image(self) -> UInt8[np.ndarray, "H W 3"]:
        """What the camera shows where no moving geom is."""
        return self._static_colours.reshape(self._size, self._size, 3)

    def paint(self, patterns: Mapping[int, Pattern]) -> None:
        """Give geoms a pattern, by the geom's id, where they have none."""
        self._patterns = {**patterns, **self._patterns}
        self._static_colours, self.static_distances_m = self._cast_static(self._posed)

    def images(
        self,
        datas: Sequence[mujoco.MjData],
        out: UInt8[np.ndarray, "N H W 3"],
        thread_pool: ThreadPool,
    ) -> Layer:
        """Write the image of each data to ``out``; call ``mj_kinematics`` on them first.

        Return the moving geoms in front of the static ones.
        """
        moving = self.layer(datas, self._moving, MOVING_GROUP, thread_pool)
        behind_m = self.static_distances_m[moving.pixels % self._size**2]
        seen = moving.rows(np.flatnonzero(moving.distances_m < behind_m))
        out.reshape(len(datas), -1, 3)[:] = self._static_colours
        out.reshape(-1, 3)[seen.pixels] = seen.colours
        return seen

    def layer(
        self,
        datas: Sequence[mujoco.MjData],
        geoms: Int[np.ndarray, " geoms"],
        group: int,
        thread_pool: ThreadPool,
    ) -> Layer:
        """Return what the rays through the boxes of these geoms hit, all of one group."""
        in_boxes = self._pixels_in_boxes(datas, geoms)
        pixels = in_boxes % self._size**2
        ends = np.searchsorted(in_boxes, np.arange(len(datas) + 1) * self._size**2)
        colours, distances_m = self._cast(datas, pixels, ends, group, thread_pool)
        return Layer(pixels=in_boxes, colours=colours, distances_m=distances_m)

    def _cast_static(self, data: mujoco.MjData) -> tuple[np.ndarray, np.ndarray]:
        pixels = np.arange(self._size**2)
        ends = np.array([0, len(pixels)])
        return self._cast([data], pixels, ends, STATIC_GROUP, ThreadPool(1))

    def _cast(
        self,
        datas: Sequence[mujoco.MjData],
        pixels: Int[np.ndarray, " rays"],
        ends: Int[np.ndarray, " ends"],
        group: int,
        thread_pool: ThreadPool,
    ) -> tuple[UInt8[np.ndarray, "rays 3"], Float64[np.ndarray, " rays"]]:
        """Return the colour and the distance that each pixel's ray hits; infinity for no hit.

        Args:
            datas: The data to cast rays into.
            pixels: The pixels of the first data, then of the second, and so on.
            ends: Where each data's pixels begin among them, and where the last one's end.
            group: The geom group to see.
            thread_pool: Casts the rays, one chunk of the data per thread.
        """
        num, rays = len(pixels), self._rays[pixels]
        hits = _Hits(rays.ravel(), np.empty(num, np.int32), np.empty(num), np.zeros(3 * num))
        groups = (np.arange(mujoco.mjNGROUP) == group).astype(np.uint8)
        cast = partial(self._cast_one, hits, groups)
        thread_pool.map(cast, datas, ends[:-1].tolist(), ends[1:].tolist())
        hits.distances_m[hits.geom_ids < 0] = np.inf
        facing = -np.einsum("ij,ij->i", hits.normals.reshape(-1, 3), rays)
        colours = self._shade(hits.geom_ids, facing)
        for geom, pattern in self._patterns.items():
            rows = np.flatnonzero(hits.geom_ids == geom)
            points_m = self._position_m + rays[rows] * hits.distances_m[rows, None]
            own = np.searchsorted(ends, rows, side="right") - 1
            factors = pattern(in_frame(datas, geom, points_m, own))
            colours[rows] = np.clip(np.rint(colours[rows] * factors), 0, 255)
        return colours, hits.distances_m

    def _cast_one(
        self,
        hits: _Hits,
        groups: UInt8[np.ndarray, " groups"],
        data: mujoco.MjData,
        first: int,
        end: int,
    ) -> None:
        """Cast the rays from ``first`` up to ``end`` into one data, and write their hits."""
        part, part3 = slice(first, end), slice(3 * first, 3 * end)
        mujoco.mj_multiRay(
            *(self._model, data, self._position_m, hits.rays[part3], groups, True, -1),
            *(hits.geom_ids[part], hits.distances_m[part], hits.normals[part3]),
            *(end - first, self._far_m),
        )

    def _shade(
        self, geom_ids: Int32[np.ndarray, " rays"], facing: Float64[np.ndarray, " rays"]
    ) -> UInt8[np.ndarray, "rays 3"]:
        """Look up each geom's colour under the light on its surface."""
        shade = (facing * (NUM_SHADES - 1)).astype(np.int32)
        shade = np.minimum(np.maximum(shade, 0), NUM_SHADES - 1)  # faster than clip
        return self._shades.take((geom_ids + 1) * NUM_SHADES + shade, axis=0)

    def _pixels_in_boxes(
        self, datas: Sequence[mujoco.MjData], geoms: Int[np.ndarray, " geoms"]
    ) -> Int[np.ndarray, " pixels"]:
        """Return the pixels in the box of any of the geoms, counted through all images."""
        in_boxes = np.zeros((len(datas), self._size, self._size), bool)
        for image, boxes in zip(in_boxes, self._boxes(datas, geoms).tolist(), strict=True):
            for left, top, right, bottom in boxes:
                image[top:bottom, left:right] = True
        return np.flatnonzero(in_boxes)

    def _boxes(
        self, datas: Sequence[mujoco.MjData], geoms: Int[np.ndarray, " geoms"]
    ) -> Int[np.ndarray, "N geoms 4"]:
        """Return the first column and row, and the end column and row, of each geom."""
        turns = np.array([data.geom_xmat for data in datas])[:, geoms]
        positions_m = np.array([data.geom_xpos for data in datas])[:, geoms]
        turns = self._projection @ turns.reshape(*turns.shape[:2], 3, 3)
        offsets_m = (positions_m - self._position_m) @ self._projection.T
        corners = turns @ self._corners_m[geoms] + offsets_m[..., None]
        depths_m = corners[..., 2:, :]
        on_plane = corners[..., :2, :] / np.maximum(depths_m, NEAR_M)
        pixels = (on_plane + 1) * (self._size / 2) - 0.5
        ends = [np.ceil(pixels.min(axis=-1)), np.floor(pixels.max(axis=-1)) + 1]
        boxes = np.concatenate(ends, axis=-1)
        boxes = np.minimum(np.maximum(boxes, 0), self._size).astype(np.int32)
        # A geom that reaches beside or behind the camera may appear at any pixel.
        boxes[depths_m.min(axis=(-2, -1)) < NEAR_M] = (0, 0, self._size, self._size)
        return boxes


def box_corners(model: mujoco.MjModel) -> Float64[np.ndarray, "geoms 3 8"]:
    """Return the corners of each geom's bounding box in the geom's own frame, in metres."""
    signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8)
    middles_m, halves_m = model.geom_aabb[:, :3, None], model.geom_aabb[:, 3:, None]
    return middles_m + halves_m * signs


def shades(model: mujoco.MjModel) -> UInt8[np.ndarray, "rows 3"]:
    """Tabulate each geom's colour in ``NUM_SHADES`` lights; the background comes first.

    Lambert's law with one lamp at the camera: brightness is the cosine between the surface's
    normal and the ray.
    """
    light = AMBIENT_LIGHT + (1 - AMBIENT_LIGHT) * np.linspace(0, 1, NUM_SHADES)
    lit = model.geom_rgba[:, None, :3] * light[:, None]
    background = np.broadcast_to(BACKGROUND_RGB, (1, NUM_SHADES, 3))
    return np.rint(255 * np.concatenate([background, lit])).astype(np.uint8).reshape(-1, 3)
