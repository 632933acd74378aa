"""Viewpoints: the position of a camera, and the rays through its pixels."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


class View:
    """The position of a camera, and the directions of its rays."""

    def position_m(self) -> Float64[np.ndarray, "3"]:
        """Return the position of the camera."""
        raise NotImplementedError

    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Return half an image right, half an image down, and forward, one metre ahead."""
        raise NotImplementedError

    def rays(self, image_size: int) -> Float64[np.ndarray, "rays 3"]:
        """Compute unit vectors through the centres of all pixels, in rows from the top left."""
        right, down, forward = self.axes()
        offsets = (np.arange(image_size) + 0.5) * 2 / image_size - 1
        rays = forward + offsets[None, :, None] * right + offsets[:, None, None] * down
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        return rays.reshape(-1, 3)


@dataclass(frozen=True, kw_only=True)
class Camera(View):
    """A free camera, given as in MuJoCo: a point to look at, a distance and two angles."""

    lookat_m: tuple[float, float, float]
    """The point in the middle of the image."""
    distance_m: float
    """Distance from the camera to that point."""
    elevation_deg: float
    """Elevation of the viewing direction; negative looks down."""
    azimuth_deg: float
    """Azimuth of the viewing direction, from x towards y."""
    fovy_deg: float = 45.0
    """Vertical field of view."""

    def forward(self) -> Float64[np.ndarray, "3"]:
        """Compute the unit vector of the viewing direction."""
        elevation, azimuth = np.deg2rad([self.elevation_deg, self.azimuth_deg])
        flat = np.cos(elevation)
        return np.array([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)])

    def position_m(self) -> Float64[np.ndarray, "3"]:
        """Return the position of the camera."""
        return np.array(self.lookat_m) - self.distance_m * self.forward()

    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """Return half an image right, half an image down, and forward, one metre ahead."""
        forward = self.forward()
        half_m = np.tan(np.deg2rad(self.fovy_deg) / 2)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([half_m * right, half_m * np.cross(forward, right), forward])
