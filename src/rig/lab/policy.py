"""A policy is what reaches goals: an actor, and the latent space that it acts in."""

import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32

from rig.agent.td3 import Learner, new_learner
from rig.config import Config
from rig.errors import RunError
from rig.lab.checkpoint import load_tree, save_tree
from rig.lab.oracle import TrueStateSpace
from rig.lab.run import read_json, write_json
from rig.latent.prior import GaussianPrior, Prior, SeenPrior
from rig.latent.space import LatentSpace
from rig.latent.vae import VAE
from rig.types import Encoding


SCHEMA_VERSION = 1
"""Raised when the layout of a saved policy changes."""


class Policy:
    """An actor and the latent space that it acts in."""

    def __init__(self, space: LatentSpace | TrueStateSpace, learner: Learner) -> None:
        self.space = space
        self.learner = learner

    def act(
        self, frames: np.ndarray, goals: Float32[np.ndarray, "N latent"]
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """What to do now to bring each frame to its goal, without noise."""
        return self.space.see_and_act(self.learner.actor, frames, goals)


def save_policy(directory: Path, policy: Policy) -> None:
    """Writes the policy: numbers as safetensors, the rest as JSON."""
    directory.mkdir(exist_ok=True)
    prior = policy.space.prior
    save_tree(directory / "policy.safetensors", as_tree(policy))
    write_json(
        directory / "policy.json",
        {
            "schema": SCHEMA_VERSION,
            "action_size": policy.learner.actor.mlp.layers[-1].bias.size,
            "num_seen": len(prior.latents) if isinstance(prior, SeenPrior) else 0,
        },
    )


def load_policy(directory: Path, config: Config) -> Policy:
    """The policy that :func:`save_policy` wrote, for the settings of its run.

    Raises:
        RunError: It is missing or damaged, or the settings ask for another shape.
    """
    if not (directory / "policy.json").is_file():
        raise RunError(f"{directory.parent} holds no policy yet: its training did not finish")
    about = read_json(directory / "policy.json")
    if about.get("schema") != SCHEMA_VERSION:
        raise RunError(
            f"{directory} has schema {about.get('schema')}, this rig reads {SCHEMA_VERSION}"
        )
    like = eqx.filter_eval_shape(
        blank_tree, config, int(about["action_size"]), int(about["num_seen"])
    )
    tree = load_tree(directory / "policy.safetensors", like)
    space = LatentSpace(tree["vae"], prior_from(tree["prior"]), np.asarray(tree["weight"]))
    return Policy(space, tree["learner"])


def as_tree(policy: Policy) -> dict:
    """All arrays of a policy as one tree."""
    prior = policy.space.prior
    names = ("mean", "std") if isinstance(prior, GaussianPrior) else ("latents",)
    return {
        "vae": policy.space.vae,
        "prior": {name: getattr(prior, name) for name in names},
        "weight": policy.space.weight,
        "learner": policy.learner,
    }


def prior_from(arrays: dict[str, Array]) -> Prior:
    """The prior that :func:`as_tree` took apart."""
    parts = {name: np.asarray(value) for name, value in arrays.items()}
    return SeenPrior(**parts) if "latents" in parts else GaussianPrior(**parts)


def blank_tree(config: Config, action_size: int, num_seen: int) -> dict:
    """A tree of the shapes that :func:`as_tree` gives for these settings."""
    size = config.vae.latent_size
    side = config.image_size
    row = jnp.zeros(size)
    prior = {"latents": jnp.zeros((num_seen, size))} if num_seen else {"mean": row, "std": row}
    return {
        "vae": VAE(config.vae, jnp.zeros((side, side, 3)), key=jax.random.key(0)),
        "prior": prior,
        "weight": row,
        "learner": new_learner(size, action_size, config.td3, key=jax.random.key(0)),
    }
