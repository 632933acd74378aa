"""A finished run, opened to be used."""

from pathlib import Path

from rig.errors import RunError
from rig.lab.policy import Policy, load_policy
from rig.lab.run import Run
from rig.latent.space import LatentSpace


def open_trained(directory: Path) -> tuple[Run, Policy]:
    """A run and its policy.

    Raises:
        RunError: It is no run, not finished, or damaged.
    """
    run = Run.open(directory)
    return run, load_policy(run.policy, run.config)


def latent_space(policy: Policy) -> LatentSpace:
    """The latent space of a policy that sees pictures.

    Raises:
        RunError: It is an oracle's.
    """
    if not isinstance(policy.space, LatentSpace):
        raise RunError(
            "this run was trained with --oracle and sees no pictures: train without it"
        )
    return policy.space


def num_env_steps(run: Run) -> int:
    """Environment steps that a run has trained for."""
    return int(max((row.get("num_env_steps", 0) for row in run.metrics()), default=0))
