"""A policy is what reaches goals: an actor, and the latent space that it acts in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float32

from rig.agent.td3 import Learner, new_learner
from rig.config import Config
from rig.errors import RunError
from rig.nn.patches import IMAGE_CHANNELS
from rig.representation.hybrid import HybridRepresentation, Space, state_size_of
from rig.representation.latent import LatentRepresentation
from rig.representation.output_basis import OutputBasis, PatchBasis, PrincipalBasis
from rig.representation.pixels import PixelRepresentation
from rig.representation.true_state import TrueStateRepresentation
from rig.representation.vae import vae_template
from rig.representation.whiten import no_whitening
from rig.runs.array_files import load_tree, tree_bytes
from rig.runs.atomic_files import atomic_write, json_bytes, read_json
from rig.types import Aims, Encoding


MAX_COUNT = 10_000_000
"""No saved count is larger; a larger one is damage."""
NUMBERS = ("policy.safetensors", "model.safetensors")
"""The file of a policy's numbers, in a run and in an export."""
SCHEMA_VERSION = 1
"""Raised when the layout of a saved policy changes."""


class Agent:
    """An actor and the latent space that it acts in."""

    def __init__(self, space: Space, learner: Learner) -> None:
        self.space = space
        self.learner = learner

    def act(
        self, frames: np.ndarray, goals: Aims
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """What to do now to bring each frame to its goal, without noise."""
        return self.space.encode_and_act(self.learner.actor, frames, goals)

    def act_steadily(
        self, frames: np.ndarray, goals: Aims
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """The same by the slow average of the actor, which jitters less (Polyak averaging)."""
        return self.space.encode_and_act(self.learner.target_actor, frames, goals)


def agent_files(policy: Agent) -> dict[str, bytes]:
    """The policy as files, by name: numbers as safetensors, the rest as JSON."""
    about = {
        "schema": SCHEMA_VERSION,
        "action_size": policy.learner.actor.mlp.layers[-1].bias.size,
        "num_goals": policy.space.num_goals,
    }
    tree = {"space": policy.space.arrays(), "learner": policy.learner}
    return {NUMBERS[0]: tree_bytes(tree), "policy.json": json_bytes(about)}


def save_agent(directory: Path, policy: Agent) -> None:
    """Writes the policy's files."""
    directory.mkdir(exist_ok=True)
    for name, data in agent_files(policy).items():
        atomic_write(directory / name, data)


def load_agent(directory: Path, config: Config) -> Agent:
    """The policy that :func:`save_agent` wrote, for the settings of its run.

    Raises:
        RunError: It is missing or damaged, or the settings ask for another shape.
    """
    numbers = next((path for name in NUMBERS if (path := directory / name).is_file()), None)
    if numbers is None or not (directory / "policy.json").is_file():
        raise RunError(f"{directory.parent} holds no policy yet: its training did not finish")
    about = read_json(directory / "policy.json")
    if about.get("schema") != SCHEMA_VERSION:
        raise RunError(
            f"{directory} has schema {about.get('schema')}, this rig reads {SCHEMA_VERSION}"
        )
    kind = space_kind(config)
    like = eqx.filter_eval_shape(
        BLANKS[kind], config, whole(about, "action_size"), whole(about, "num_goals")
    )
    tree = load_tree(numbers, like)
    return Agent(space_of(config, tree["space"]), tree["learner"])


def space_of(config: Config, arrays: dict[str, Any]) -> Space:
    """The space that a run of these settings saved."""
    kind = space_kind(config)
    if issubclass(kind, HybridRepresentation):
        return kind.from_arrays(arrays, config)
    return kind.from_arrays(arrays)


def space_kind(config: Config) -> type[Space]:
    """The kind of space that the settings ask for."""
    if config.is_hybrid:
        return HybridRepresentation
    if config.oracle:
        return TrueStateRepresentation
    return PixelRepresentation if config.is_end_to_end else LatentRepresentation


def whole(about: dict[str, Any], name: str) -> int:
    """A count from the JSON beside the numbers.

    Raises:
        RunError: It is missing, or no whole number that could be one.
    """
    value = about.get(name)
    if not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise RunError(f"policy.json says {name} = {value!r}; the run is damaged")
    return value


def blank_latent(config: Config, action_size: int, num_goals: int) -> dict[str, Any]:
    """The shapes of a saved policy that sees images."""
    side, key = config.image_size, jax.random.key(0)
    output_basis: OutputBasis = PatchBasis()
    if config.vae.architecture != "patches":
        num = min(config.vae.num_components, MAX_COUNT)
        output_basis = PrincipalBasis(
            jnp.zeros((side * side * 3, num)), jnp.zeros((side, side, 3)), side
        )
    vae = vae_template(config.vae, output_basis, jnp.zeros((side, side, 3)), key=key)
    size = config.vae.latent_dim
    row = jnp.zeros(size)
    prior = (
        {"latents": jnp.zeros((num_goals, size))}
        if num_goals
        else {"mean": row, "factor": jnp.zeros((size, size))}
    )
    return {
        "space": {"vae": vae, "whitening": no_whitening(size), "prior": prior},
        "learner": new_learner(size, action_size, config.td3, key=key),
    }


def blank_oracle(config: Config, action_size: int, num_goals: int) -> dict[str, Any]:
    """The shapes of a saved policy that sees the true state."""
    size = state_size_of(config)
    row = jnp.zeros(size)
    space = {"centre": row, "scale": row, "goals": jnp.zeros((num_goals, size))}
    learner = new_learner(size, action_size, config.td3, key=jax.random.key(0))
    return {"space": space, "learner": learner}


def blank_swap(config: Config, action_size: int, num_goals: int) -> dict[str, Any]:
    """The shapes of a saved policy of swapped halves: its networks see one of two spaces."""
    latents, states = (
        blank(config, action_size, num_goals) for blank in (blank_latent, blank_oracle)
    )
    seen = states if config.input == "true" else latents
    space = {"latents": latents["space"], "states": states["space"]}
    return {"space": space, "learner": seen["learner"]}


def blank_pictures(config: Config, action_size: int, num_goals: int) -> dict[str, Any]:
    """The shapes of a saved policy that sees pictures itself."""
    size = IMAGE_CHANNELS * config.image_size**2
    space = {"goals": jnp.zeros((num_goals, size), jnp.uint8)}
    learner = new_learner(size, action_size, config.td3, key=jax.random.key(0))
    return {"space": space, "learner": learner}


BLANKS: dict[type[Space], Callable[[Config, int, int], dict[str, Any]]] = {
    LatentRepresentation: blank_latent,
    TrueStateRepresentation: blank_oracle,
    PixelRepresentation: blank_pictures,
    HybridRepresentation: blank_swap,
}
"""The shapes of a saved policy, by the kind of its space."""
