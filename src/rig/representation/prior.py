"""Goal priors: the distributions that imagined goals are sampled from.

==========  ==========================================================================
normal      N(0, I), the prior of the VAE's KL term
fitted      a Gaussian fitted to the latents of observed images, one per dimension
correlated  the same with the full covariance, so correlated latents stay correlated
seen        the latents of observed images themselves
skewed      the same, drawn in proportion to their density to a negative power
==========  ==========================================================================

Sources: Nair et al. 2018, section 4.2; skewed: Pong et al. 2020 (Skew-Fit), section 3.
Differs: the density is a kernel estimate in latent space, not the VAE's bound on the density
of the image, because there are few latents and they already hold what matters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int


Latents = Float32[np.ndarray, "num latent"]


@runtime_checkable
class Prior(Protocol):
    """A distribution to draw goals from: a dataclass whose fields are arrays."""

    @property
    def num_goals(self) -> int:
        """The number of stored latents to draw from; 0 for a density."""

    def sample(self, num: int, *, rng: np.random.Generator) -> Latents:
        """Return ``num`` samples."""

    @classmethod
    def template(cls, latent_dim: int, num_goals: int) -> dict[str, Any]:
        """Return the shapes of its fields by name: for loading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GaussianPrior:
    """A Gaussian over latents."""

    mean: Float32[np.ndarray, " latent"]
    factor: Float32[np.ndarray, "latent latent"]
    """Cholesky factor of the covariance: a sample is ``mean + factor @ noise``."""

    @property
    def num_goals(self) -> int:
        """None are stored."""
        return 0

    def sample(self, num: int, *, rng: np.random.Generator) -> Latents:
        """Return ``num`` samples."""
        noise = rng.standard_normal((num, len(self.mean)), dtype=np.float32)
        return self.mean + noise @ self.factor.T

    @classmethod
    def template(cls, latent_dim: int, num_goals: int) -> dict[str, Any]:
        """Return the shapes of its fields by name."""
        factor = np.zeros((latent_dim, latent_dim), np.float32)
        return {"mean": np.zeros(latent_dim, np.float32), "factor": factor}


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenPrior:
    """The latents of observed images, all equally likely."""

    latents: Float32[np.ndarray, "seen latent"]

    @property
    def num_goals(self) -> int:
        """The number of these latents."""
        return len(self.latents)

    def sample(self, num: int, *, rng: np.random.Generator) -> Latents:
        """Return ``num`` latents, drawn with replacement."""
        return self.latents[rng.integers(len(self.latents), size=num)]

    @classmethod
    def template(cls, latent_dim: int, num_goals: int) -> dict[str, Any]:
        """Return the shapes of its fields by name."""
        return {"latents": np.zeros((num_goals, latent_dim), np.float32)}


def make_prior(
    source: str,
    seen: Float32[np.ndarray, "seen latent"],
    skew: float,
    *,
    rng: np.random.Generator,
) -> Prior:
    """Return the prior called ``source``, fitted to the latents of observed images."""
    return PRIORS[source].make(seen, skew, rng)


def normal(seen: Latents, _skew: float, _rng: np.random.Generator) -> Prior:
    """Return N(0, I)."""
    size = seen.shape[1]
    return GaussianPrior(mean=np.zeros(size, np.float32), factor=np.eye(size, dtype=np.float32))


def correlated(seen: Latents, _skew: float, _rng: np.random.Generator) -> Prior:
    """Return a Gaussian fitted to latents, with their covariances."""
    return gaussian(seen, covariance_of(seen))


def fitted(seen: Latents, _skew: float, _rng: np.random.Generator) -> Prior:
    """Return a Gaussian fitted to each latent by itself."""
    return gaussian(seen, np.diag(np.diag(covariance_of(seen))))


def gaussian(seen: Latents, covariance: Float64[np.ndarray, "latent latent"]) -> Prior:
    """Return a Gaussian with the mean of latents and a given covariance."""
    factor = np.linalg.cholesky(covariance).astype(np.float32)
    return GaussianPrior(mean=seen.mean(axis=0), factor=factor)


def covariance_of(seen: Latents) -> Float64[np.ndarray, "latent latent"]:
    """Return the covariance of latents, kept positive."""
    return np.atleast_2d(np.cov(seen, rowvar=False)) + MIN_VARIANCE * np.eye(seen.shape[1])


def observed(seen: Latents, _skew: float, _rng: np.random.Generator) -> Prior:
    """Return the latents themselves."""
    return SeenPrior(latents=seen)


def skewed(seen: Latents, skew: float, rng: np.random.Generator) -> Prior:
    """Return latents resampled in proportion to a power of their density."""
    return SeenPrior(latents=seen[goals_among(seen, "skewed", skew, rng=rng)])


MIN_VARIANCE = 1e-6
"""Added to each variance, so that the covariance stays positive definite where a latent never
moves. It also bounds the kernel width in :func:`density` from below; relative to the squared
latents there, so that it exceeds the rounding of single precision."""


def goals_among(
    seen: Float32[np.ndarray, "seen latent"],
    source: str,
    skew: float,
    *,
    rng: np.random.Generator,
) -> Int[np.ndarray, " seen"]:
    """Return the rows of ``seen`` that become goals, as many as ``seen`` has.

    ``skewed`` draws each row in proportion to its density to the power ``skew``.
    """
    if source == "seen":
        return np.arange(len(seen))
    weight = density(seen, rng=rng) ** skew
    return rng.choice(len(seen), size=len(seen), p=weight / weight.sum())


def density(
    seen: Float32[np.ndarray, "seen latent"], *, rng: np.random.Generator
) -> Float32[np.ndarray, " seen"]:
    """Estimate the density at each latent, up to a constant, with Gaussian kernels.

    The kernels sit on a random subset of the latents. Their width is a fraction of the root
    mean square distance between latents, the same in every direction, because the reward
    measures distance in latent space.
    """
    centres = seen[rng.integers(len(seen), size=NUM_KERNELS)]
    squared = (
        (seen**2).sum(axis=1)[:, None] - 2 * seen @ centres.T + (centres**2).sum(axis=1)[None]
    )
    # Without a lower bound, latents that never move (a covered camera) would give 0 / 0.
    least_variance = MIN_VARIANCE * (1 + (seen**2).sum(axis=1).max())
    width_squared = KERNEL_SHARE**2 * 2 * max(seen.var(axis=0).sum(), least_variance)
    return np.exp(-0.5 * squared / width_squared).mean(axis=1) + MIN_DENSITY


NUM_KERNELS = 512
KERNEL_SHARE = 0.15
"""Width of a kernel, as a fraction of the typical distance between two latents."""
MIN_DENSITY = 1e-4
"""Added to the density, so that a single outlier can not take all the weight."""


class PriorKind(NamedTuple):
    """How a prior is made from latents, skew and a generator, and the class it has."""

    make: Callable[[Latents, float, np.random.Generator], Prior]
    kind: type[Prior]


PRIORS: dict[str, PriorKind] = {
    "normal": PriorKind(normal, GaussianPrior),
    "fitted": PriorKind(fitted, GaussianPrior),
    "correlated": PriorKind(correlated, GaussianPrior),
    "seen": PriorKind(observed, SeenPrior),
    "skewed": PriorKind(skewed, SeenPrior),
}
"""By the name in ``goals.source``. To add a prior, add its line here."""
