"""A finished run, opened to be used."""

from pathlib import Path

from rig.agent.agent import Agent, load_agent
from rig.errors import RunError
from rig.representation.hybrid import HybridRepresentation
from rig.representation.latent import LatentRepresentation
from rig.representation.pixels import PixelRepresentation
from rig.representation.true_state import TrueStateRepresentation
from rig.runs.run import Run
from rig.training.provenance import check_same_observations


def open_trained(directory: Path, *, force: bool = False) -> tuple[Run, Agent]:
    """A run and its policy.

    Args:
        directory: Of the run, or of an export.
        force: Use it even where it would see other pictures than it learned from.

    Raises:
        RunError: It is no run, not finished, damaged, or learned from other pictures.
    """
    run = Run.open(directory)
    check_same_observations(run, run.config, force=force)
    return run, load_agent(run.policy, run.config)


def latent_space(policy: Agent) -> LatentRepresentation | PixelRepresentation:
    """The latent space of a policy that sees pictures.

    Raises:
        RunError: It was given the true state.
    """
    if isinstance(policy.space, TrueStateRepresentation):
        raise RunError(
            "this run was trained with --oracle and sees no pictures: train without it"
        )
    if isinstance(policy.space, HybridRepresentation):
        raise RunError(
            "this run was given the true state, by --input true or --reward.distance true, "
            "to see what is at fault: train without it"
        )
    return policy.space


def num_env_steps(run: Run) -> int:
    """Environment steps that a run has trained for."""
    told = run.evaluation().get("num_env_steps", 0)
    return int(max((row.get("num_env_steps", 0) for row in run.metrics()), default=told))
