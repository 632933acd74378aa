"""Where imagined goals come from.

==========  ==================================================================
normal      N(0, I), what the VAE's KL term pulls every posterior to
fitted      a Gaussian fitted to the latents of images seen, one per dimension
correlated  the same with its covariances: latents that go together stay so
seen        the latents of images seen themselves
==========  ==================================================================

Source: Nair et al. 2018, section 4.2.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32


Latents = Float32[np.ndarray, "num latent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GaussianPrior:
    """A Gaussian over latents."""

    mean: Float32[np.ndarray, " latent"]
    factor: Float32[np.ndarray, "latent latent"]
    """A square root of the covariance, as Cholesky's: draws are ``mean + factor @ noise``."""

    def sample(self, num: int, *, rng: np.random.Generator) -> Latents:
        """That many draws."""
        noise = rng.standard_normal((num, len(self.mean)), dtype=np.float32)
        return self.mean + noise @ self.factor.T


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
    if source == "seen":
        return SeenPrior(latents=seen)
    size = seen.shape[1]
    if source == "normal":
        return GaussianPrior(
            mean=np.zeros(size, np.float32), factor=np.eye(size, dtype=np.float32)
        )
    covariance = np.atleast_2d(np.cov(seen, rowvar=False)) + MIN_VARIANCE * np.eye(size)
    if source == "fitted":
        covariance = np.diag(np.diag(covariance))
    factor = np.linalg.cholesky(covariance).astype(np.float32)
    return GaussianPrior(mean=seen.mean(axis=0), factor=factor)


MIN_VARIANCE = 1e-6
"""Keeps the covariance positive where a latent never moves."""
