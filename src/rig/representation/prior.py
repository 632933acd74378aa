"""Goal priors: the distributions that imagined goals are sampled from.

==========  ==========================================================================
normal      N(0, I), the prior of the VAE's KL term
fitted      a Gaussian fitted to the latents of observed images, one per dimension
correlated  the same with the full covariance, so correlated latents stay correlated
seen        the latents of observed images themselves
skewed      the same, drawn in proportion to their density to a negative power
composed    sums of what each thing adds to them, each thing drawn by itself in that way
==========  ==========================================================================

Sources: Nair et al. 2018, section 4.2; skewed: Pong et al. 2020 (Skew-Fit), section 3.
Differs: the density is a kernel estimate (``goal_density.py``); composed is ours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64, Int32

from rig.replay.relabel import MIN_COMPOSED
from rig.representation.goal_density import MIN_VARIANCE, goals_among
from rig.representation.quantile_keypoints import NUM_COLORS
from rig.types import Parts


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


@dataclass(frozen=True, kw_only=True, slots=True)
class ComposedPrior:
    """Latents never seen together: each thing as in one observed image or another."""

    latents: Float32[np.ndarray, "seen latent"]
    parts: Parts
    """What each thing adds to a latent; they sum to one (``things.py``)."""
    rows: Int32[np.ndarray, "things seen"]
    """The latents that each thing is drawn from."""

    @property
    def num_goals(self) -> int:
        """The number of latents that things are drawn from."""
        return len(self.latents)

    def sample(self, num: int, *, rng: np.random.Generator) -> Latents:
        """Return ``num`` latents; each thing is drawn by itself."""
        total = np.zeros((num, self.latents.shape[1]), np.float32)
        for part, rows in zip(composable(self.parts), self.rows, strict=True):
            drawn = rng.integers(self.num_goals, size=num)
            if part.any():
                total += self.latents[rows[drawn]] @ part
        return total

    @classmethod
    def template(cls, latent_dim: int, num_goals: int) -> dict[str, Any]:
        """Return the shapes of its fields by name."""
        return {
            "latents": np.zeros((num_goals, latent_dim), np.float32),
            "parts": one_thing(latent_dim),
            "rows": np.zeros((NUM_COLORS, num_goals), np.int32),
        }


def make_prior(
    source: str,
    seen: Float32[np.ndarray, "seen latent"],
    skew: float,
    parts: Parts | None = None,
    *,
    rng: np.random.Generator,
) -> Prior:
    """Return the prior called ``source``, fitted to the latents of observed images.

    Args:
        source: Its name.
        seen: The latents.
        skew: For ``skewed`` and ``composed``: the power of the density.
        parts: For ``composed``: what each thing adds to a latent; one thing by default.
        rng: Draws what is drawn.
    """
    if parts is None:
        parts = one_thing(seen.shape[1])
    return PRIORS[source].make(seen, skew, parts, rng)


def normal(seen: Latents, *_: Any) -> Prior:
    """Return N(0, I)."""
    size = seen.shape[1]
    return GaussianPrior(mean=np.zeros(size, np.float32), factor=np.eye(size, dtype=np.float32))


def correlated(seen: Latents, *_: Any) -> Prior:
    """Return a Gaussian fitted to latents, with their covariances."""
    return gaussian(seen, covariance_of(seen))


def fitted(seen: Latents, *_: Any) -> Prior:
    """Return a Gaussian fitted to each latent by itself."""
    return gaussian(seen, np.diag(np.diag(covariance_of(seen))))


def gaussian(seen: Latents, covariance: Float64[np.ndarray, "latent latent"]) -> Prior:
    """Return a Gaussian with the mean of latents and a given covariance."""
    factor = np.linalg.cholesky(covariance).astype(np.float32)
    return GaussianPrior(mean=seen.mean(axis=0), factor=factor)


def covariance_of(seen: Latents) -> Float64[np.ndarray, "latent latent"]:
    """Return the covariance of latents, kept positive."""
    return np.atleast_2d(np.cov(seen, rowvar=False)) + MIN_VARIANCE * np.eye(seen.shape[1])


def observed(seen: Latents, *_: Any) -> Prior:
    """Return the latents themselves."""
    return SeenPrior(latents=seen)


def skewed(seen: Latents, skew: float, _parts: Parts, rng: np.random.Generator) -> Prior:
    """Return latents resampled in proportion to a power of their density."""
    return SeenPrior(latents=seen[goals_among(seen, "skewed", skew, rng=rng)])


def composed(seen: Latents, skew: float, parts: Parts, rng: np.random.Generator) -> Prior:
    """Return sums of what each thing adds, by the density of what it adds."""
    apart = composable(parts)
    rows = [
        goals_among(seen @ part, "skewed", skew, rng=rng)
        if part.any()
        else np.arange(len(seen))
        for part in apart
    ]
    return ComposedPrior(latents=seen, parts=parts, rows=np.stack(rows).astype(np.int32))


def composable(parts: Parts) -> Parts:
    """Return the parts that goals are composed of: a hand and one object stay together."""
    is_few = np.count_nonzero(parts.any(axis=(1, 2))) < MIN_COMPOSED
    return one_thing(parts.shape[1]) if is_few else parts


def one_thing(latent_dim: int) -> Parts:
    """Return the parts of latents that are not taken apart."""
    parts = np.zeros((NUM_COLORS, latent_dim, latent_dim), np.float32)
    parts[0] = np.eye(latent_dim)
    return parts


class PriorKind(NamedTuple):
    """How a prior is made from latents, skew, parts and a generator, and the class it has."""

    make: Callable[[Latents, float, Parts, np.random.Generator], Prior]
    kind: type[Prior]


PRIORS: dict[str, PriorKind] = {
    "normal": PriorKind(normal, GaussianPrior),
    "fitted": PriorKind(fitted, GaussianPrior),
    "correlated": PriorKind(correlated, GaussianPrior),
    "seen": PriorKind(observed, SeenPrior),
    "skewed": PriorKind(skewed, SeenPrior),
    "composed": PriorKind(composed, ComposedPrior),
}
"""By the name in ``goals.source``. To add a prior, add its line here."""
