"""A sample of the pictures that a run saw, of which it keeps statistics at its end.

Every picture of collection and practice is as likely in it as any other, however long the run
is. It is part of the run's state, so that a run that was stopped and resumed ends with the same
one. Nothing learns from it.

Source: reservoir sampling, algorithm R (Vitter 1985).
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from rig.goals.practised import Practised, practised_of
from rig.representation.representation import Representation
from rig.runs.array_files import ArraySpec, load_arrays


FILE = "pictures.safetensors"
"""In a checkpoint."""
NUM_PICTURES = 1000


def no_pictures() -> UInt8[np.ndarray, "0 0 0 3"]:
    """Return an empty sample."""
    return np.empty((0, 0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class PracticePictures:
    """A uniform sample of all pictures so far."""

    images: UInt8[np.ndarray, "N H W 3"] = field(default_factory=no_pictures)
    num_seen: int = 0
    """Pictures that it was drawn from."""

    def with_frames(
        self, representation: Representation, frames: np.ndarray, seed: tuple[int, int]
    ) -> "PracticePictures":
        """Return the sample after more frames.

        Args:
            representation: Knows the images in frames; one of true states has none.
            frames: In the order in which they were seen.
            seed: Of the run, and its steps so far. The run's own generator is left alone, so
                that nothing that learns draws other numbers.
        """
        if representation.needs_true_state:
            return self
        new = representation.images_of(frames)
        num_free = max(NUM_PICTURES - len(self.images), 0)
        parts = [self.images, new[:num_free]] if self.num_seen else [new[:num_free]]
        counts = self.num_seen + 1 + np.arange(num_free, len(new))
        places = np.random.default_rng(seed).integers(counts)
        is_taken = places < NUM_PICTURES
        images = np.concatenate(parts)
        # One by one: of two for the same place, the later one stays.
        for place, image in zip(places[is_taken], new[num_free:][is_taken], strict=True):
            images[place] = image
        return PracticePictures(images, self.num_seen + len(new))

    def practised(self, seed: int) -> Practised | None:
        """Return what a run keeps of them; None if they are too few."""
        return practised_of(self.images, rng=np.random.default_rng(seed))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return it as arrays to save."""
        return {"images": self.images, "num_seen": np.array([self.num_seen])}


def load_pictures(directory: Path) -> PracticePictures:
    """Return the sample that a checkpoint holds; an older one holds none.

    Raises:
        RunError: The file is damaged.
    """
    path = directory / FILE
    if not path.is_file():
        return PracticePictures()
    arrays = load_arrays(path, ARRAYS)
    return PracticePictures(arrays["images"], int(arrays["num_seen"][0]))


ARRAYS = {
    "images": ArraySpec((None, None, None, 3), np.dtype(np.uint8)),
    "num_seen": ArraySpec((1,), np.dtype(np.int64)),
}
