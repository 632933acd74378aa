"""An agent: actor and critics with their optimisers, and the representation they act in."""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float32

from rig.agent.td3 import Learner, new_learner
from rig.agent.tree_files import load_tree, tree_bytes
from rig.config import Config
from rig.errors import RunError
from rig.representation.collage import FILE as COLLAGE_FILE
from rig.representation.collage import load_collage
from rig.representation.registry import REPRESENTATIONS
from rig.representation.representation import Representation
from rig.runs.atomic_files import atomic_write, json_bytes, read_json
from rig.types import Encoding, Goals


MAX_COUNT = 10_000_000
"""No saved count is larger; a larger one is damage."""
ARRAY_FILES = ("policy.safetensors", "model.safetensors")
"""The file of an agent's arrays, in a run and in an export."""
SCHEMA_VERSION = 1
"""Raised when the layout of a saved agent changes."""


class Agent:
    """Networks with their optimisers, and a representation."""

    def __init__(self, representation: Representation, learner: Learner) -> None:
        self.representation = representation
        self.learner = learner

    def act(
        self, frames: np.ndarray, goals: Goals, *, use_target_actor: bool = False
    ) -> tuple[Float32[np.ndarray, "N action"], Encoding]:
        """Return actions towards the goals, without noise, and the frames' encodings.

        Args:
            frames: What the environments show.
            goals: A latent for each frame.
            use_target_actor: Act by the slow average of the actor, which jitters less (Polyak
                averaging): for evaluation and use.
        """
        representation, learner = self.representation, self.learner
        if not use_target_actor:
            return representation.encode_and_act(learner.actor, frames, goals)
        # In two calls: the first encodes the goals, too, and is compiled once for both.
        encoding = representation.encode(frames)
        return representation.act(learner.target_actor, encoding.latent, goals), encoding


def agent_files(agent: Agent) -> dict[str, bytes]:
    """Return the agent as files by name: arrays as safetensors, the rest as JSON."""
    about = {
        "schema": SCHEMA_VERSION,
        "action_size": agent.learner.actor.mlp.layers[-1].bias.size,
        "num_goals": agent.representation.num_goals,
    }
    tree = {"representation": agent.representation.arrays(), "learner": agent.learner}
    files = {ARRAY_FILES[0]: tree_bytes(tree), "policy.json": json_bytes(about)}
    collage = agent.representation.collage
    return files if collage is None else {**files, COLLAGE_FILE: collage.file()}


def save_agent(directory: Path, agent: Agent) -> None:
    """Write the agent's files."""
    directory.mkdir(exist_ok=True)
    for name, data in agent_files(agent).items():
        atomic_write(directory / name, data)


def load_agent(directory: Path, config: Config) -> Agent:
    """Load the agent that :func:`save_agent` wrote, given the settings of its run.

    Raises:
        RunError: It is missing or damaged, or the settings ask for another shape.
    """
    path = next((path for name in ARRAY_FILES if (path := directory / name).is_file()), None)
    if path is None or not (directory / "policy.json").is_file():
        raise RunError(no_policy_yet(directory.parent))
    about = read_json(directory / "policy.json")
    if about.get("schema") != SCHEMA_VERSION:
        raise RunError(
            f"{directory} has schema {about.get('schema')}, this rig reads {SCHEMA_VERSION}"
        )
    action_size, num_goals = (read_count(about, name) for name in ("action_size", "num_goals"))
    tree = load_tree(path, eqx.filter_eval_shape(template, config, action_size, num_goals))
    kind = REPRESENTATIONS[config.representation_kind]
    representation = kind.from_arrays(tree["representation"], config)
    return Agent(representation.with_collage(load_collage(directory)), tree["learner"])


def no_policy_yet(run: Path) -> str:
    """Say what to do about a run whose training did not finish."""
    best = run / "best"
    use = f", or use {best}, its best policy so far" if best.is_dir() else ""
    return (
        f"{run} holds no policy yet: its training did not finish. Continue with "
        f"`rig train --resume {run}`{use}"
    )


def template(config: Config, action_size: int, num_goals: int) -> dict[str, Any]:
    """Return a tree like that of :func:`agent_files` whose shapes and types are right."""
    kind = REPRESENTATIONS[config.representation_kind]
    size, key = kind.input_size(config), jax.random.key(0)
    return {
        "representation": kind.template(config, num_goals),
        "learner": new_learner(size, action_size, config.td3, key=key),
    }


def read_count(about: dict[str, Any], name: str) -> int:
    """Return a count from the JSON next to the arrays.

    Raises:
        RunError: It is missing, or not an integer that it could be.
    """
    value = about.get(name)
    if not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise RunError(f"policy.json says {name} = {value!r}; the run is damaged")
    return value
