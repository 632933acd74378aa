"""The camera: a picture is one ray per pixel, cast by MuJoCo and shaded here.

No OpenGL, no display and no system library: ``mj_multiRay`` says what each ray meets and how
the surface there is turned, and a table says what colour that is under a lamp at the camera.
The same world gives the same bytes on every run and on any number of threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import mujoco
import numpy as np
from jaxtyping import Float64, Int, Int32, UInt8

from rig.envs.thread_pool import ThreadPool


BACKGROUND_RGB = (0.80, 0.86, 0.91)
AMBIENT_LIGHT = 0.35
NEAR_M = 0.01
FAR_M = 5.0
NUM_SHADES = 256

MOVING_GROUP = 0
STILL_GROUP = 1
"""The geom groups that the camera sees."""

Corners = Float64[np.ndarray, "geoms 3 8"]


class View:
    """Where a picture is taken from, and along which rays."""

    def position_m(self) -> Float64[np.ndarray, "3"]:
        """Where the camera is."""
        raise NotImplementedError

    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Half a picture to the right, half a picture down, and forward: one metre ahead."""
        raise NotImplementedError

    def rays(self, image_size: int) -> Float64[np.ndarray, "rays 3"]:
        """Unit vectors through the middle of every pixel, row by row from the top left."""
        right, down, forward = self.axes()
        offsets = (np.arange(image_size) + 0.5) * 2 / image_size - 1
        rays = forward + offsets[None, :, None] * right + offsets[:, None, None] * down
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        return rays.reshape(-1, 3)


@dataclass(frozen=True, kw_only=True)
class Camera(View):
    """A free camera: it looks at a point, from a distance and two angles as in MuJoCo."""

    lookat_m: tuple[float, float, float]
    """The point in the middle of the picture."""
    distance_m: float
    """From the camera to that point."""
    elevation_deg: float
    """Of the viewing direction: negative looks down."""
    azimuth_deg: float
    """Of the viewing direction, from x towards y."""
    fovy_deg: float = 45.0
    """The picture's whole height, as an angle."""

    def forward(self) -> Float64[np.ndarray, "3"]:
        """The unit vector along which the camera looks."""
        elevation, azimuth = np.deg2rad([self.elevation_deg, self.azimuth_deg])
        flat = np.cos(elevation)
        return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])

    def position_m(self) -> Float64[np.ndarray, "3"]:
        """Where the camera is."""
        return np.array(self.lookat_m) - self.distance_m * self.forward()

    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Half a picture to the right, half a picture down, and forward: one metre ahead."""
        forward = self.forward()
        half_m = np.tan(np.deg2rad(self.fovy_deg) / 2)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([half_m * right, half_m * np.cross(forward, right), forward])


@dataclass(frozen=True, slots=True, eq=False)
class _Met:
    """Rays, one after another, and what each meets."""

    rays: Float64[np.ndarray, " numbers"]
    geom_ids: Int32[np.ndarray, " rays"]
    distances_m: Float64[np.ndarray, " rays"]
    normals: Float64[np.ndarray, " numbers"]
    """Of the surfaces met."""


class RayCamera:
    """Takes pictures of worlds of one model.

    What stands still is cast once. After that, rays go only where something that moves may be:
    through the pixels within the moving geoms' bounding boxes.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        camera: View,
        image_size: int,
        far_m: float = FAR_M,
        still: mujoco.MjData | None = None,
    ) -> None:
        """Aims the rays, mixes the colours and casts what stands still.

        Args:
            model: The scene; what moves and what stands still are geom groups.
            camera: Where the pictures are taken from.
            image_size: Pictures are square, of this many pixels.
            far_m: What is farther off is not seen.
            still: A world in which what stands still is in place; by default a fresh one.
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
        self._still_colours, self._still_distances_m = self._cast_what_stands_still(still)

    def images(
        self,
        datas: Sequence[mujoco.MjData],
        out: UInt8[np.ndarray, "N H W 3"],
        thread_pool: ThreadPool,
    ) -> None:
        """Writes the picture of every world, whose geoms are in place (``mj_kinematics``)."""
        outlined = self._outlined(datas)
        pixels = outlined % self._size**2
        ends = np.searchsorted(outlined, np.arange(len(datas) + 1) * self._size**2)
        colours, distances_m = self._cast(datas, pixels, ends, MOVING_GROUP, thread_pool)
        nearest = np.flatnonzero(distances_m < self._still_distances_m[pixels])
        out.reshape(len(datas), -1, 3)[:] = self._still_colours
        out.reshape(-1, 3)[outlined[nearest]] = colours[nearest]

    def _cast_what_stands_still(
        self, still: mujoco.MjData | None
    ) -> tuple[np.ndarray, np.ndarray]:
        data = still or mujoco.MjData(self._model)
        mujoco.mj_kinematics(self._model, data)
        pixels = np.arange(self._size**2)
        return self._cast(
            [data], pixels, np.array([0, len(pixels)]), STILL_GROUP, ThreadPool(1)
        )

    def _cast(
        self,
        datas: Sequence[mujoco.MjData],
        pixels: Int[np.ndarray, " rays"],
        ends: Int[np.ndarray, " ends"],
        group: int,
        thread_pool: ThreadPool,
    ) -> tuple[UInt8[np.ndarray, "rays 3"], Float64[np.ndarray, " rays"]]:
        """The colour that each pixel's ray meets, and how far off; infinitely far for nothing.

        Args:
            datas: What the rays are cast into.
            pixels: The pixels of the first world, then of the second, and so on.
            ends: Where among them each world's begin, and the last one's end.
            group: The geoms to see.
            thread_pool: Casts, a run of worlds per thread.
        """
        num, rays = len(pixels), self._rays[pixels]
        met = _Met(rays.ravel(), np.empty(num, np.int32), np.empty(num), np.zeros(3 * num))
        groups = (np.arange(mujoco.mjNGROUP) == group).astype(np.uint8)
        cast = partial(self._cast_into_one, met, groups)
        thread_pool.each(cast, datas, ends[:-1].tolist(), ends[1:].tolist())
        met.distances_m[met.geom_ids < 0] = np.inf
        facing = -np.einsum("ij,ij->i", met.normals.reshape(-1, 3), rays)
        return self._shade(met.geom_ids, facing), met.distances_m

    def _cast_into_one(
        self,
        met: _Met,
        groups: UInt8[np.ndarray, " groups"],
        data: mujoco.MjData,
        first: int,
        end: int,
    ) -> None:
        """Casts the rays from ``first`` up to ``end`` into one world; writes what they meet."""
        part, part3 = slice(first, end), slice(3 * first, 3 * end)
        mujoco.mj_multiRay(
            *(self._model, data, self._position_m, met.rays[part3], groups, True, -1),
            *(met.geom_ids[part], met.distances_m[part], met.normals[part3]),
            *(end - first, self._far_m),
        )

    def _shade(
        self, geom_ids: Int32[np.ndarray, " rays"], facing: Float64[np.ndarray, " rays"]
    ) -> UInt8[np.ndarray, "rays 3"]:
        """Looks up each geom's colour in the light that its surface gets."""
        shade = (facing * (NUM_SHADES - 1)).astype(np.int32)
        shade = np.minimum(np.maximum(shade, 0), NUM_SHADES - 1)  # quicker than clip
        return self._shades.take((geom_ids + 1) * NUM_SHADES + shade, axis=0)

    def _outlined(self, datas: Sequence[mujoco.MjData]) -> Int[np.ndarray, " pixels"]:
        """The pixels within the bounding box of any moving geom, counted through all worlds."""
        outlined = np.zeros((len(datas), self._size, self._size), bool)
        for image, boxes in zip(outlined, self._boxes(datas).tolist(), strict=True):
            for left, top, right, bottom in boxes:
                image[top:bottom, left:right] = True
        return np.flatnonzero(outlined)

    def _boxes(self, datas: Sequence[mujoco.MjData]) -> Int[np.ndarray, "N geoms 4"]:
        """First column, first row, end column and end row of every moving geom's box."""
        turns = np.array([data.geom_xmat for data in datas])[:, self._moving]
        places_m = np.array([data.geom_xpos for data in datas])[:, self._moving]
        turns = self._projection @ turns.reshape(*turns.shape[:2], 3, 3)
        offsets_m = (places_m - self._position_m) @ self._projection.T
        corners = turns @ self._corners_m + offsets_m[..., None]
        depths_m = corners[..., 2:, :]
        seen = corners[..., :2, :] / np.maximum(depths_m, NEAR_M)
        spots = (seen + 1) * (self._size / 2) - 0.5
        ends = [np.ceil(spots.min(axis=-1)), np.floor(spots.max(axis=-1)) + 1]
        boxes = np.concatenate(ends, axis=-1)
        boxes = np.minimum(np.maximum(boxes, 0), self._size).astype(np.int32)
        # What reaches beside or behind the camera may show anywhere.
        boxes[depths_m.min(axis=(-2, -1)) < NEAR_M] = (0, 0, self._size, self._size)
        return boxes


def box_corners(model: mujoco.MjModel) -> Corners:
    """The corners of every geom's bounding box, in its own frame, in metres."""
    signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8)
    middles_m, halves_m = model.geom_aabb[:, :3, None], model.geom_aabb[:, 3:, None]
    return middles_m + halves_m * signs


def shades(model: mujoco.MjModel) -> UInt8[np.ndarray, "rows 3"]:
    """The colour of every geom in every light; ``NUM_SHADES`` rows each, the background first.

    Lambert's law with one lamp at the camera: a surface is as bright as it faces the camera.
    """
    light = AMBIENT_LIGHT + (1 - AMBIENT_LIGHT) * np.linspace(0, 1, NUM_SHADES)
    lit = model.geom_rgba[:, None, :3] * light[:, None]
    background = np.broadcast_to(BACKGROUND_RGB, (1, NUM_SHADES, 3))
    return np.rint(255 * np.concatenate([background, lit])).astype(np.uint8).reshape(-1, 3)
