"""The statistics of a LeRobot dataset: of images per channel, of other rows per column."""

from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8


QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
NUM_LEVELS = 256


class RunningStats:
    """Counts how often each channel of the images has each level."""

    def __init__(self) -> None:
        self._counts = np.zeros((3, NUM_LEVELS), np.int64)
        self._num_images = 0

    def add(self, image: UInt8[np.ndarray, "H W 3"]) -> None:
        """Add an image."""
        self._num_images += 1
        for channel in range(3):
            self._counts[channel] += np.bincount(image[..., channel].ravel(), minlength=256)

    def image(self) -> dict[str, Any]:
        """Return the statistics of the images, in [0, 1], of shape [3, 1, 1]."""
        levels = np.arange(NUM_LEVELS) / (NUM_LEVELS - 1)
        shares = self._counts / self._counts.sum(axis=1, keepdims=True)
        mean = shares @ levels
        is_there, below = self._counts > 0, np.cumsum(shares, axis=1)
        stats = {
            "min": levels[is_there.argmax(axis=1)],
            "max": levels[NUM_LEVELS - 1 - is_there[:, ::-1].argmax(axis=1)],
            "mean": mean,
            "std": np.sqrt(np.maximum(shares @ levels**2 - mean**2, 0)),
            **{
                name: levels[(below >= share - 1e-12).argmax(axis=1)]
                for name, share in QUANTILES.items()
            },
        }
        shaped = {name: values.reshape(3, 1, 1).tolist() for name, values in stats.items()}
        return shaped | {"count": [self._num_images]}

    @staticmethod
    def rows(values: Float32[np.ndarray, "rows columns"]) -> dict[str, Any]:
        """Return the statistics of each column."""
        stats = {
            "min": values.min(axis=0),
            "max": values.max(axis=0),
            "mean": values.mean(axis=0),
            "std": values.std(axis=0),
            **{name: np.quantile(values, share, axis=0) for name, share in QUANTILES.items()},
        }
        listed: dict[str, Any] = {name: array.tolist() for name, array in stats.items()}
        return listed | {"count": [len(values)]}
