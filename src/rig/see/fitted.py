"""Fit a representation to images alone, and measure what that costs."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from jaxtyping import UInt8

from rig.config import Config
from rig.representation.registry import REPRESENTATIONS
from rig.representation.representation import Images, Representation
from rig.training.progress import Progress
from rig.types import Collected


NUM_AT_ONCE = 16
"""Images of one call when the time of encoding is measured: those of 16 environments."""
NUM_CALLS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """A representation fitted to images, and the time that took."""

    representation: Representation
    fit_s: float
    encode_ms: float
    """Time to encode one image, in calls of 16, ms."""


class ShowFit:
    """Displays a fit; what follows it has its own measures."""

    def __init__(self, progress: Progress, num_fit_steps: int) -> None:
        """Keep the display, and how many steps a fit has."""
        self._progress = progress
        self._num_fit_steps = num_fit_steps

    def begin_fit(self) -> Callable[[int, dict[str, float]], None]:
        """Start the display; return what the fit calls with its progress."""
        self._progress.begin("fit", self._num_fit_steps)
        return self._progress.advance

    def after_fit(self, representation: Representation, images: Images) -> None:
        """Do nothing."""


def fit_images(
    config: Config, collected: Collected, progress: Progress, *, rng: np.random.Generator
) -> Fitted:
    """Fit the representation that the settings ask for, as training does.

    Args:
        config: The settings.
        collected: Images, in their order, and the actions between them where a robot took
            some; the only thing that the fit sees.
        progress: Displays it.
        rng: Decides what is random.
    """
    kind = REPRESENTATIONS[config.representation_kind]
    monitor = ShowFit(progress, config.vae.num_fit_steps)
    start_s = perf_counter()
    representation = kind.fit(config, collected, monitor, rng=rng)
    fit_s = perf_counter() - start_s
    return Fitted(
        representation=representation,
        fit_s=fit_s,
        encode_ms=encode_ms(representation, collected.images),
    )


def encode_ms(representation: Representation, images: UInt8[np.ndarray, "N H W 3"]) -> float:
    """Return the median time to encode an image, in calls of 16, ms."""
    some = np.resize(images, (NUM_AT_ONCE, *images.shape[1:]))
    representation.encode(some)  # compiles
    seconds = []
    for _ in range(NUM_CALLS):
        start_s = perf_counter()
        representation.encode(some)
        seconds.append(perf_counter() - start_s)
    return 1000 * float(np.median(seconds)) / NUM_AT_ONCE
