"""From clean images to those of a real camera: all images of a batch at once, in float32.

In the order of the light's way: grain and shadows on the scene, motion and vibration while the
shutter is open, light and lens, the sensor's noise, and JPEG.
"""

from collections.abc import Set
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from jaxtyping import Float32, Float64, Int, UInt8

from rig.envs.camera_effects.jpeg import Jpeg, product
from rig.envs.camera_effects.light import (
    BALANCE_MOST,
    PASSING_EVERY_S,
    PASSING_S,
    Light,
)


BLUR = np.float32(0.15)
"""Share of the last image in a new one: the shutter is open for three tenths of a step, during
which an edge passes over the pixels on its way."""
SHAKE_PX = 0.5
"""Largest vibration."""
CORNER_LOSS = 0.2
"""Light that the lens loses in the corners."""
NOISE_DARK, NOISE_BRIGHT, NOISE_NIGHT = 0.5, 1.5, 6.0
"""Noise of a pixel, grey levels: in the dark, in full light, and everywhere at night."""
NOISE_BANK = 2**20
"""Normal numbers that noise is cut from."""
JPEG_QUALITY = 90
ARM_SHADOW = 0.25
"""Light that the shadow of what moves takes away where it is deepest."""
ARM_SHIFT, ARM_SOFTNESS = (0.10, 0.12), 0.08
"""Where that shadow falls, down and right, and its softness: shares of the image's side."""
PASSING_SIZE = 0.25
"""Softness of the passing shadow, as a share of the image's side."""
COARSE = 3
"""The shadow of what moves is made from every third pixel."""
METERED = 4
"""Exposure is measured on every fourth pixel."""
DIFFERENT = 8
"""A pixel shows something that moves if its colours are off by more than this together."""

Images = UInt8[np.ndarray, "N H W 3"]
Planes = Float32[np.ndarray, "N 3 H W"]


@dataclass(frozen=True, kw_only=True)
class Shots:
    """What is random in single images."""

    shake: Float64[np.ndarray, "N 2"]
    """Vibration, down and right, in pixels."""
    noise_start: Int[np.ndarray, " N"]
    """Where each image's noise begins in the bank."""

    @classmethod
    def draw(cls, num: int, *, rng: np.random.Generator) -> "Shots":
        """Draw the chance of ``num`` images."""
        drawn = rng.random((num, 3))
        starts = (NOISE_BANK * drawn[:, 2]).astype(np.int64)
        return cls(shake=SHAKE_PX * (2 * drawn[:, :2] - 1), noise_start=starts)


class Exposure:
    """Exposes images of one size, with some of the effects."""

    def __init__(self, effects: Set[str], still_image: UInt8[np.ndarray, "H W 3"]) -> None:
        """Prepare what is the same in all images.

        Args:
            effects: Names of effects.
            still_image: What the camera shows where nothing moves.
        """
        self._effects = effects
        size = len(still_image)
        self._still = still_image[1::COARSE, 1::COARSE].astype(np.int16)
        self._still_level = float(still_image.mean())
        self._down = softening(size, len(self._still), ARM_SHIFT[0])
        self._right = softening(size, len(self._still), ARM_SHIFT[1])
        self._along = (np.arange(size) + 0.5) / size - 0.5
        squared = 2 * (self._along[:, None] ** 2 + self._along**2)
        has_lens = "vignette" in effects
        self._lens = (1 - has_lens * CORNER_LOSS * squared).astype(np.float32)
        self._jpeg = Jpeg(JPEG_QUALITY)
        needed = NOISE_BANK + still_image.size
        has_noise = bool(effects & {"noise", "night"})
        bank = np.random.default_rng(0).standard_normal(has_noise * needed, np.float32)
        self._bank = bank

    def shadows(self, images: Images, light: Light) -> Float32[np.ndarray, "N H W"]:
        """Return the share of light that reaches each pixel through shadows and the lens."""
        reached = np.broadcast_to(self._lens, images.shape[:3])
        if "shadows" not in self._effects:
            return reached
        seen = images[:, 1::COARSE, 1::COARSE].astype(np.int16)
        moves = (np.abs(seen - self._still).sum(axis=3) > DIFFERENT).astype(np.float32)
        across = product(moves.reshape(-1, moves.shape[2]), self._right.T)
        arm = self._down @ across.reshape(*moves.shape[:2], -1)
        return reached * (1 - ARM_SHADOW * arm) * (1 - self._passing(light))

    def _passing(self, light: Light) -> Float32[np.ndarray, "N H W"]:
        """Return the passing shadow: a soft spot on its way through the image."""
        way = light.passing * PASSING_EVERY_S / PASSING_S
        middle = (2 * way - 1) * (0.5 + 2 * PASSING_SIZE)
        offsets = [np.sin(light.angle_rad) * middle, np.cos(light.angle_rad) * middle]
        down, right = (
            np.exp(-(((self._along - offset[:, None]) / PASSING_SIZE) ** 2) / 2)
            for offset in offsets
        )
        depth = np.where(way < 1, light.depth, 0)
        return ((depth[:, None] * down)[:, :, None] * right[:, None]).astype(np.float32)

    def measure(self, planes: Planes, reached: Float32[np.ndarray, "N H W"]) -> np.ndarray:
        """Return the logarithm of each image's brightness against the still image's [N]."""
        part = (slice(None), ..., slice(None, None, METERED), slice(None, None, METERED))
        level = (planes[part] * reached[:, None][part]).mean(axis=(1, 2, 3), dtype=np.float64)
        return np.log(np.maximum(level, 1) / max(self._still_level, 1))

    def gains(self, light: Light) -> Float32[np.ndarray, "N 3"]:
        """Return the gain of red, green and blue."""
        gain = np.zeros((len(light.room), 3))
        if "exposure" in self._effects:
            gain += (light.room + light.jump + light.exposure)[:, None]
        if "white_balance" in self._effects:
            gain[:, 0] += light.red.clip(-BALANCE_MOST, BALANCE_MOST)
            gain[:, 2] += light.blue.clip(-BALANCE_MOST, BALANCE_MOST)
        return np.exp(gain).astype(np.float32)

    def expose(
        self,
        planes: Planes,
        before: Planes,
        reached: Float32[np.ndarray, "N H W"],
        light: Light,
        shots: Shots,
    ) -> Images:
        """Return the images that the camera gives.

        Args:
            planes: The clean images. Not modified.
            before: The clean images of the step before, or the same ones.
            reached: From :meth:`shadows`.
            light: The light.
            shots: The chance of each image.
        """
        if "motion_blur" in self._effects and before is not planes:
            planes = planes + BLUR * (before - planes)
        if "vibration" in self._effects:
            planes = shaken(planes, shots.shake)
        # Not one factor for both: it would be as large as the images.
        planes = planes * self.gains(light)[:, :, None, None]
        planes *= reached[:, None]
        if self._bank.size:
            self._add_noise(planes, shots)
        if "jpeg" in self._effects:
            planes = self._jpeg.lose(planes)
        np.clip(np.rint(planes, out=planes), 0, 255, out=planes)
        images = np.empty((len(planes), *planes.shape[2:], 3), np.uint8)
        images[...] = planes.transpose(0, 2, 3, 1)
        return images

    def _add_noise(self, planes: Planes, shots: Shots) -> None:
        """Add each pixel's noise, in place."""
        scale = NOISE_NIGHT if "night" in self._effects else None
        for image, start in zip(planes, shots.noise_start, strict=True):
            noise = self._bank[start : start + image.size].reshape(image.shape)
            if scale is None:
                image += noise * (NOISE_DARK + (NOISE_BRIGHT - NOISE_DARK) / 255 * image)
            else:
                image += scale * noise


def softening(size: int, num: int, shift: float) -> Float32[np.ndarray, "size num"]:
    """Return the weights of coarse pixels in fine ones: shifted, and soft."""
    fine = (np.arange(size) + 0.5) / size
    coarse = (np.arange(num) * COARSE + 1.5) / size + shift
    weights = np.exp(-(((fine[:, None] - coarse) / ARM_SOFTNESS) ** 2) / 2)
    return (weights / weights.sum(axis=1).max()).astype(np.float32)


def shaken(planes: Planes, shake: Float64[np.ndarray, "N 2"]) -> Planes:
    """Return images moved by parts of a pixel, between their pixels."""
    for axis, offsets in ((2, shake[:, 0]), (3, shake[:, 1])):
        neighbour = np.empty_like(planes)
        first, last = (
            (slice(None),) * (axis - 1) + (part,) for part in (slice(-1), slice(1, None))
        )
        for image, moved, offset in zip(planes, neighbour, offsets, strict=True):
            moved[...] = image
            to, from_ = (last, first) if offset > 0 else (first, last)
            moved[to] = image[from_]
        neighbour -= planes
        neighbour *= np.abs(offsets).astype(np.float32)[:, None, None, None]
        planes = np.add(neighbour, planes, out=neighbour)
    return planes


def planes_of(images: Images) -> Planes:
    """Return images with their colours one after another, in float32."""
    planes = np.empty((len(images), 3, *images.shape[1:3]), np.float32)
    planes[...] = images.transpose(0, 3, 1, 2)
    return planes


def moments(images: Images) -> tuple[Light, Shots]:
    """Return light and chance of images at moments of their own, which the images decide."""
    rngs = [np.random.default_rng(checksum(image)) for image in images]
    light = [Light.draw(1, rng=rng).columns() for rng in rngs]
    shots = [Shots.draw(1, rng=rng) for rng in rngs]
    return Light.of_columns(np.concatenate(light)), Shots(
        shake=np.concatenate([one.shake for one in shots]),
        noise_start=np.concatenate([one.noise_start for one in shots]),
    )


def checksum(images: np.ndarray) -> int:
    """Return a number that depends on all bytes of images."""
    return crc32(np.ascontiguousarray(images).data)
