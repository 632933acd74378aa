"""A finished run, opened to be used."""

from pathlib import Path

from rig.agent.agent import Policy, load_policy
from rig.errors import RunError
from rig.representation.hybrid import SwapSpace
from rig.representation.latent import LatentSpace
from rig.representation.pixels import PictureSpace
from rig.representation.true_state import TrueStateSpace
from rig.runs.run import Run
from rig.training.provenance import refuse_another_sight


def open_trained(directory: Path, *, force: bool = False) -> tuple[Run, Policy]:
    """A run and its policy.

    Args:
        directory: Of the run, or of an export.
        force: Use it even where it would see other pictures than it learned from.

    Raises:
        RunError: It is no run, not finished, damaged, or learned from other pictures.
    """
    run = Run.open(directory)
    refuse_another_sight(run, run.config, force=force)
    return run, load_policy(run.policy, run.config)


def latent_space(policy: Policy) -> LatentSpace | PictureSpace:
    """The latent space of a policy that sees pictures.

    Raises:
        RunError: It was given the true state.
    """
    if isinstance(policy.space, TrueStateSpace):
        raise RunError(
            "this run was trained with --oracle and sees no pictures: train without it"
        )
    if isinstance(policy.space, SwapSpace):
        raise RunError(
            "this run was given the true state, by --input true or --reward.distance true, "
            "to see what is at fault: train without it"
        )
    return policy.space


def num_env_steps(run: Run) -> int:
    """Environment steps that a run has trained for."""
    told = run.evaluation().get("num_env_steps", 0)
    return int(max((row.get("num_env_steps", 0) for row in run.metrics()), default=told))
