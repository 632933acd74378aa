"""The ray camera: casts one ray per pixel with MuJoCo and shades what it hits.

No OpenGL, no display and no system library: ``mj_multiRay`` finds the geom that each ray hits
and the surface normal there, and a table gives its colour under a lamp at the camera. A geom
may have a pattern, which is a function of the point that is hit. The same state gives the same
bytes on every run and on any number of threads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import mujoco
import numpy as np
from jaxtyping import Float64, Int, Int32, UInt8

from rig.envs.camera import View
from rig.envs.thread_pool import ThreadPool


BACKGROUND_RGB = (0.80, 0.86, 0.91)
AMBIENT_LIGHT = 0.35
NEAR_M = 0.01
FAR_M = 5.0
NUM_SHADES = 256

MOVING_GROUP = 0
STATIC_GROUP = 1
"""The geom groups that the camera sees."""

Corners = Float64[np.ndarray, "geoms 3 8"]
Colours = UInt8[np.ndarray, "rays 3"]
Distances = Float64[np.ndarray, " rays"]
Pattern = Callable[[Float64[np.ndarray, "N 3"]], Float64[np.ndarray, "N 3"]]
"""Factors of a geom's red, green and blue at points of its own frame, in metres."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hits:
    """Rays, flattened, and what each of them hits."""

    rays: Float64[np.ndarray, " numbers"]
    geom_ids: Int32[np.ndarray, " rays"]
    distances_m: Float64[np.ndarray, " rays"]
    normals: Float64[np.ndarray, " numbers"]
    """Normals of the surfaces that are hit."""


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
        static_data: mujoco.MjData | None = None,
        patterns: Mapping[int, Pattern] | None = None,
    ) -> None:
        """Compute the rays and the colours, and cast the static geoms.

        Args:
            model: The scene; its geom groups say which geoms move and which are static.
            camera: The camera's position and rays.
            image_size: Width and height of an image in pixels.
            far_m: Geoms farther away are not seen.
            static_data: Data with the static geoms in place; by default, new data.
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
        self._corners_m = box_corners(model)[self._moving]
        self._static_data = static_data or mujoco.MjData(model)
        self._patterns = dict(patterns or {})
        self._static_colours, self._static_distances_m = self._cast_static()

    @property
    def still_image(self) -> UInt8[np.ndarray, "H W 3"]:
        """What the camera shows where no moving geom is."""
        return self._static_colours.reshape(self._size, self._size, 3)

    def paint(self, patterns: Mapping[int, Pattern]) -> None:
        """Give geoms a pattern, by the geom's id, where they have none."""
        self._patterns = {**patterns, **self._patterns}
        self._static_colours, self._static_distances_m = self._cast_static()

    def images(
        self,
        datas: Sequence[mujoco.MjData],
        out: UInt8[np.ndarray, "N H W 3"],
        thread_pool: ThreadPool,
    ) -> None:
        """Write the image of each data to ``out``; call ``mj_kinematics`` on them first."""
        in_boxes = self._pixels_in_boxes(datas)
        pixels = in_boxes % self._size**2
        ends = np.searchsorted(in_boxes, np.arange(len(datas) + 1) * self._size**2)
        colours, distances_m = self._cast(datas, pixels, ends, MOVING_GROUP, thread_pool)
        nearest = np.flatnonzero(distances_m < self._static_distances_m[pixels])
        out.reshape(len(datas), -1, 3)[:] = self._static_colours
        out.reshape(-1, 3)[in_boxes[nearest]] = colours[nearest]

    def _cast_static(self) -> tuple[Colours, Distances]:
        mujoco.mj_kinematics(self._model, self._static_data)
        pixels = np.arange(self._size**2)
        ends = np.array([0, len(pixels)])
        return self._cast([self._static_data], pixels, ends, STATIC_GROUP, ThreadPool(1))

    def _cast(
        self,
        datas: Sequence[mujoco.MjData],
        pixels: Int[np.ndarray, " rays"],
        ends: Int[np.ndarray, " ends"],
        group: int,
        thread_pool: ThreadPool,
    ) -> tuple[Colours, Distances]:
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
    ) -> Colours:
        """Look up each geom's colour under the light on its surface."""
        shade = (facing * (NUM_SHADES - 1)).astype(np.int32)
        shade = np.minimum(np.maximum(shade, 0), NUM_SHADES - 1)  # faster than clip
        return self._shades.take((geom_ids + 1) * NUM_SHADES + shade, axis=0)

    def _pixels_in_boxes(self, datas: Sequence[mujoco.MjData]) -> Int[np.ndarray, " pixels"]:
        """Return the pixels in the box of any moving geom, counted through all images."""
        in_boxes = np.zeros((len(datas), self._size, self._size), bool)
        for image, boxes in zip(in_boxes, self._boxes(datas).tolist(), strict=True):
            for left, top, right, bottom in boxes:
                image[top:bottom, left:right] = True
        return np.flatnonzero(in_boxes)

    def _boxes(self, datas: Sequence[mujoco.MjData]) -> Int[np.ndarray, "N geoms 4"]:
        """Return the first column and row, and the end column and row, of each moving geom."""
        turns = np.array([data.geom_xmat for data in datas])[:, self._moving]
        positions_m = np.array([data.geom_xpos for data in datas])[:, self._moving]
        turns = self._projection @ turns.reshape(*turns.shape[:2], 3, 3)
        offsets_m = (positions_m - self._position_m) @ self._projection.T
        corners = turns @ self._corners_m + offsets_m[..., None]
        depths_m = corners[..., 2:, :]
        on_plane = corners[..., :2, :] / np.maximum(depths_m, NEAR_M)
        pixels = (on_plane + 1) * (self._size / 2) - 0.5
        ends = [np.ceil(pixels.min(axis=-1)), np.floor(pixels.max(axis=-1)) + 1]
        boxes = np.concatenate(ends, axis=-1)
        boxes = np.minimum(np.maximum(boxes, 0), self._size).astype(np.int32)
        # A geom that reaches beside or behind the camera may appear at any pixel.
        boxes[depths_m.min(axis=(-2, -1)) < NEAR_M] = (0, 0, self._size, self._size)
        return boxes


def in_frame(
    datas: Sequence[mujoco.MjData],
    geom: int,
    points_m: Float64[np.ndarray, "N 3"],
    own: Int[np.ndarray, " N"],
) -> Float64[np.ndarray, "N 3"]:
    """Return points in the frame of a geom, each of the data whose index is in ``own``."""
    positions_m = np.array([data.geom_xpos[geom] for data in datas])[own]
    axes = np.array([data.geom_xmat[geom] for data in datas]).reshape(-1, 3, 3)[own]
    return np.einsum("nij,ni->nj", axes, points_m - positions_m)


def box_corners(model: mujoco.MjModel) -> Corners:
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
