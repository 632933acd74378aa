"""Where imagined goals come from.

==========  ==================================================================
normal      N(0, I), what the VAE's KL term pulls every posterior to
fitted      a Gaussian fitted to the latents of images seen, one per dimension
correlated  the same with its covariances: latents that go together stay so
seen        the latents of images seen themselves
skewed      those, drawn in proportion to their density to a power below 0
==========  ==================================================================

Sources: Nair et al. 2018, section 4.2; skewed: Pong et al. 2020 (Skew-Fit), section 3.
Differs: the density is a kernel estimate in latent space, not the VAE's bound on the image's,
because the latents are few and already hold what matters.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int


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


def make_prior(
    source: str,
    seen: Float32[np.ndarray, "seen latent"],
    skew: float,
    *,
    rng: np.random.Generator,
) -> Prior:
    """The prior of that name, given the latents of images seen."""
    if source in ("seen", "skewed"):
        return SeenPrior(latents=seen[goals_among(seen, source, skew, rng=rng)])
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
"""Keeps the covariance positive where a latent never moves. Of all latents together, it is the
least that gives kernels a width: for large ones a share of their square, which rounding of
single precision stays below."""


def goals_among(
    seen: Float32[np.ndarray, "seen latent"],
    source: str,
    skew: float,
    *,
    rng: np.random.Generator,
) -> Int[np.ndarray, " seen"]:
    """The rows of those seen that become goals, as many as there are.

    For ``skewed``, each is drawn in proportion to its density to the power ``skew``.
    """
    if source == "seen":
        return np.arange(len(seen))
    weight = density(seen, rng=rng) ** skew
    return rng.choice(len(seen), size=len(seen), p=weight / weight.sum())


def density(
    seen: Float32[np.ndarray, "seen latent"], *, rng: np.random.Generator
) -> Float32[np.ndarray, " seen"]:
    """The density at each latent, up to a constant: Gaussian kernels on some of them.

    The kernels' width is a share of the root mean square distance between latents, the same in
    every direction: distance in latent space is what the reward measures.
    """
    centres = seen[rng.integers(len(seen), size=NUM_KERNELS)]
    squared = (
        (seen**2).sum(axis=1)[:, None] - 2 * seen @ centres.T + (centres**2).sum(axis=1)[None]
    )
    # Or latents that never move, as under a camera that sees nothing, would divide 0 by 0.
    least_variance = MIN_VARIANCE * (1 + (seen**2).sum(axis=1).max())
    width_squared = KERNEL_SHARE**2 * 2 * max(seen.var(axis=0).sum(), least_variance)
    return np.exp(-0.5 * squared / width_squared).mean(axis=1) + MIN_DENSITY


NUM_KERNELS = 512
KERNEL_SHARE = 0.15
"""Width of a kernel, as a share of the typical distance between two latents."""
MIN_DENSITY = 1e-4
"""Keeps one lonely latent from taking all the weight."""
