"""The density of goals in latent space, and goals drawn by a power of it.

Source: Pong et al. 2020 (Skew-Fit), section 3. Differs: the density is a kernel estimate in
latent space, not the VAE's bound on the density of the image, because there are few latents and
they already hold what matters.
"""

import numpy as np
from jaxtyping import Float32, Int


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
