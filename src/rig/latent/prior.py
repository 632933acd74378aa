"""Where imagined goals come from.

=======  ==================================================================
normal   N(0, I), what the VAE's KL term pulls every posterior to
fitted   a Gaussian fitted to the latents of images seen, one per dimension
seen     the latents of images seen themselves
=======  ==================================================================

Source: Nair et al. 2018, section 4.2.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


Latents = Float32[np.ndarray, "num latent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GaussianPrior:
    """A diagonal Gaussian over latents."""

    mean: Float32[np.ndarray, " latent"]
    std: Float32[np.ndarray, " latent"]

    def sample(self, num: int, *, rng: np.random.Generator) -> Latents:
        """That many draws."""
        noise = rng.standard_normal((num, len(self.mean)), dtype=np.float32)
        return self.mean + self.std * noise


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenPrior:
    """The latents of images seen, each as likely as the next."""

    latents: Float32[np.ndarray, "seen latent"]

    def sample(self, num: int, *, rng: np.random.Generator) -> Latents:
        """That many draws, with replacement."""
        return self.latents[rng.integers(len(self.latents), size=num)]


Prior = GaussianPrior | SeenPrior


def make_prior(source: str, seen: Float32[np.ndarray, "seen latent"]) -> Prior:
    """The prior of that name, given the latents of images seen."""
    if source == "normal":
        size = seen.shape[1]
        return GaussianPrior(mean=np.zeros(size, np.float32), std=np.ones(size, np.float32))
    if source == "fitted":
        return GaussianPrior(mean=seen.mean(axis=0), std=seen.std(axis=0))
    return SeenPrior(latents=seen)
