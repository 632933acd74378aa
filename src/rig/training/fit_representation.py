"""Learning to see: the first fit of the VAE, and fitting it again to what practice sees."""

import jax
import numpy as np

from rig.agent.agent import Agent
from rig.config import Config
from rig.envs.tasks import find_task
from rig.replay.buffer import ReplayBuffer
from rig.representation.fit import fine_tune, fit
from rig.representation.hybrid import (
    HybridRepresentation,
    Space,
    images_of,
    latent_half,
    make_hybrid,
)
from rig.representation.latent import (
    LatentRepresentation,
    make_latent_representation,
    weigh_by_steps,
    whiten,
)
from rig.representation.pixels import PixelRepresentation
from rig.representation.prior import make_prior
from rig.representation.true_state import TrueStateRepresentation
from rig.representation.vae import VAE, make_vae
from rig.representation.whiten import Whitening
from rig.training.collect import Collected
from rig.training.recorder import Recorder


MAX_PRIOR_IMAGES = 10_000
"""Images whose latents make the prior; more would change it little."""


def fit_representation(
    config: Config, collected: Collected, recorder: Recorder, *, rng: np.random.Generator
) -> Space:
    """The latent space after the first fit; the oracle and end to end, nothing is fitted."""
    if config.oracle:
        return TrueStateRepresentation.of_task(find_task(config.task), rng=rng)
    if config.is_end_to_end:
        return PixelRepresentation.of_images(collected.images, rng=rng)
    on_progress, images = recorder.begin_fit(), images_of(config, collected.images)
    vae = make_vae(config.vae, images, key=jax.random.key(rng.integers(2**32)), rng=rng)
    vae = fit(vae, images, config.vae, rng=rng, on_progress=on_progress)
    some = some_of(collected.images, rng=rng)
    whitening = whiten(vae, images_of(config, some), config.vae.whiten_floor)
    if config.reward.metric == "steps":
        whitening = weigh_by_steps(vae, whitening, images, collected.rows_that_lead_on)
    space = space_from(config, vae, whitening, some, rng=rng)
    recorder.after_fit(latent_half(space), images)
    return space


def finetune_vae(
    policy: Agent,
    replay: ReplayBuffer,
    config: Config,
    recorder: Recorder,
    *,
    rng: np.random.Generator,
) -> Agent:
    """The policy with its VAE fitted to what replay holds, and every latent made anew.

    A goal kept from before stands for a picture: it is decoded by the VAE that imagined it and
    encoded by the new one, unless both see the same in it. Who sees without a VAE sees as well
    as ever.
    """
    old = policy.space
    if isinstance(old, TrueStateRepresentation | PixelRepresentation):
        return policy
    images, half = images_of(config, replay.frames), latent_half(old)
    vae = fine_tune(half.vae, images, config.vae, config.online.num_fit_steps, rng=rng)
    some = some_of(replay.frames, rng=rng)
    space = space_from(config, vae, half.whitening, some, rng=rng)
    replay.reencode(space.encode, lambda goals: old.reencode_goals(goals, latent_half(space)))
    recorder.after_fit(latent_half(space), images)
    return Agent(space, policy.learner)


def space_from(
    config: Config,
    vae: VAE,
    whitening: Whitening,
    frames: np.ndarray,
    *,
    rng: np.random.Generator,
) -> LatentRepresentation | HybridRepresentation:
    """The latent space of a VAE, its goals imagined as the settings say."""
    if config.is_hybrid:
        return make_hybrid(config, vae, whitening, frames, rng=rng)
    source, skew = config.goals.source, config.goals.skew
    return make_latent_representation(vae, frames, source, skew, rng=rng, whitening=whitening)


def some_of(rows: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """As many rows as a prior is made of, drawn without replacement."""
    return rows[rng.permutation(len(rows))[:MAX_PRIOR_IMAGES]]


def refresh_prior(
    policy: Agent, replay: ReplayBuffer, config: Config, *, rng: np.random.Generator
) -> Agent:
    """The policy with its prior made anew from what replay holds."""
    space = policy.space
    if isinstance(space, PixelRepresentation):
        return Agent(PixelRepresentation.of_images(replay.frames, rng=rng), policy.learner)
    if isinstance(space, TrueStateRepresentation):
        return policy
    some = some_of(replay.latents, rng=rng)
    if isinstance(space, HybridRepresentation):
        return Agent(space.with_goals_among(some, config.goals, rng=rng), policy.learner)
    prior = make_prior(config.goals.source, some, config.goals.skew, rng=rng)
    return Agent(LatentRepresentation(space.vae, space.whitening, prior), policy.learner)
