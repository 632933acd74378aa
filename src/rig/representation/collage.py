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

from rig.errors import RunError
from rig.representation.prior import Latents
from rig.runs.array_files import ArraySpec, array_bytes, load_arrays
from rig.types import Parts


FILE = "collage.safetensors"
"""Next to the arrays of a policy."""
NUM_NEAR, MAX_FARTHER, MIN_SHOWN = 8, 2.0, 0.9
"""Of this many nearest images, up to this many times as far as the nearest, the first one is
taken that shows at least this share of what any of them shows of the thing: in another one
something may hide it."""

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
        shown = np.where(apart <= MAX_FARTHER * apart[:, :1], size[near], -1)
        # The first one, which is the nearest, of those that nothing hides.
        best = np.argmax(shown >= MIN_SHOWN * shown.max(axis=1, keepdims=True), axis=1)
        return near[np.arange(len(near)), best]

    def file(self) -> bytes:
        """Return it as the content of a file."""
        return array_bytes({field.name: getattr(self, field.name) for field in fields(self)})


def load_collage(directory: Path, *, image_size: int, latent_dim: int) -> Collage | None:
    """Return the collage in the directory of a policy; older ones have none.

    Args:
        directory: Where the policy is.
        image_size: Width and height of its images in pixels.
        latent_dim: The number of its latents.

    Raises:
        RunError: The file is damaged, or of a policy with other settings.
    """
    path = directory / FILE
    if not path.is_file():
        return None
    side, size = image_size, latent_dim
    pixel, number = np.dtype(np.uint8), np.dtype(np.float32)
    expected = {
        "background": ArraySpec((side, side, 3), pixel),
        "images": ArraySpec((None, side, side, 3), pixel),
        "latents": ArraySpec((None, size), number),
        "parts": ArraySpec((None, size, size), number),
        "opacity": ArraySpec((None, None, side, side), pixel),
    }
    arrays = load_arrays(path, expected)
    num_images = {len(arrays["images"]), len(arrays["latents"]), arrays["opacity"].shape[1]}
    is_one_number = len(num_images) == 1 and 0 not in num_images
    if not is_one_number or len(arrays["parts"]) != len(arrays["opacity"]):
        raise RunError(f"{path} has arrays that do not fit each other; the run is damaged")
    return Collage(**arrays)
