"""A collage: the image of a latent, pasted together from images that were seen.

A decoder that is fitted to a few thousand images paints ghosts: of places that were rare, and
of things together that were never together. A collage takes each thing from the image in which
what it adds to the latent (``things.py``) is nearest, cuts it out along what moved there, and
puts it on the background. So a person can read a goal that was never seen.

NumPy only; ``make_collage.py`` makes one.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int, UInt8

from rig.representation.prior import Latents, Parts
from rig.runs.array_files import ArraySpec, array_bytes, load_arrays


FILE = "collage.safetensors"
"""Next to the arrays of a policy."""
NUM_NEAR, MAX_FARTHER = 8, 2.0
"""Of this many nearest images, up to this many times as far as the nearest, the one that shows
most of the thing is taken: in another one something may hide it."""
Images = UInt8[np.ndarray, "N H W 3"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Collage:
    """What images are pasted together from."""

    background: UInt8[np.ndarray, "H W 3"]
    images: Images
    latents: Float32[np.ndarray, "N latent"]
    parts: Parts
    """What each thing adds to a latent; the things from back to front."""
    opacity: UInt8[np.ndarray, "things N H W"]
    """How much of each pixel belongs to a thing, of 255."""

    def paint(self, latents: Latents) -> Images:
        """Return the image of each latent."""
        painted = np.repeat(self.background[None].astype(np.float32), len(latents), axis=0)
        for part, opacity in zip(self.parts, self.opacity, strict=True):
            row = self._rows(latents @ part, self.latents @ part, opacity)
            share = opacity[row].astype(np.float32)[..., None] / 255
            painted += share * (self.images[row] - painted)
        return np.rint(painted).astype(np.uint8)

    def _rows(
        self,
        wanted: Float32[np.ndarray, "M latent"],
        known: Float32[np.ndarray, "N latent"],
        opacity: UInt8[np.ndarray, "N H W"],
    ) -> Int[np.ndarray, " M"]:
        """Return the image to take a thing from, for each place of it that is wanted."""
        size = opacity.sum(axis=(1, 2), dtype=np.int64)
        squared = ((wanted[:, None] - known[None]) ** 2).sum(axis=2)
        near = np.argsort(squared, axis=1, kind="stable")[:, :NUM_NEAR]
        apart = np.sqrt(np.take_along_axis(squared, near, axis=1))
        is_near = apart <= MAX_FARTHER * apart[:, :1]
        best = np.argmax(np.where(is_near, size[near], -1), axis=1)
        return near[np.arange(len(near)), best]

    def file(self) -> bytes:
        """Return it as the content of a file."""
        return array_bytes({field.name: getattr(self, field.name) for field in fields(self)})


def load_collage(directory: Path) -> Collage | None:
    """Return the collage in the directory of a policy; older ones have none.

    Raises:
        RunError: The file is damaged.
    """
    path = directory / FILE
    return Collage(**load_arrays(path, ARRAYS)) if path.is_file() else None


ARRAYS = {
    "background": ArraySpec((None, None, 3), np.dtype(np.uint8)),
    "images": ArraySpec((None, None, None, 3), np.dtype(np.uint8)),
    "latents": ArraySpec((None, None), np.dtype(np.float32)),
    "parts": ArraySpec((None, None, None), np.dtype(np.float32)),
    "opacity": ArraySpec((None, None, None, None), np.dtype(np.uint8)),
}
