"""Open a finished run to use it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from rig.agent.agent import Agent, load_agent
from rig.errors import RunError
from rig.goals.tried_goals import HowOften, how_often, load_tried_goals
from rig.representation.representation import Representation
from rig.robot_env.task_name import task_name
from rig.runs.run import Run
from rig.training.provenance import check_same_observations


def open_trained(
    directory: Path, robot: Path | None = None, *, force: bool = False
) -> tuple[Run, Agent]:
    """Return a run and its agent.

    Args:
        directory: Of the run, or of an export.
        robot: Use it on this robot, in place of what it learned on.
        force: Open it even if the images differ from those of training.

    Raises:
        RunError: It is not a run, not finished, damaged, or its images differ from those of
            training.
    """
    run = Run.open(directory)
    if robot is not None:
        path = str(robot.absolute())
        config = replace(run.config, robot=path, task=task_name(path), num_envs=1)
        run = Run(run.directory, replace(config, camera_effects=()))
    else:
        check_same_observations(run, run.config, force=force)
    return run, load_agent(run.policy, run.config)


def image_representation(agent: Agent) -> Representation:
    """Return the representation of an agent that needs nothing but camera images.

    Raises:
        RunError: It needs the true state.
    """
    if agent.representation.needs_true_state:
        raise RunError(
            "this run was given the true state, by --oracle, --input true or --reward.distance "
            "true, and can't act from images alone: train without it"
        )
    return agent.representation


def run_how_often(run: Run, agent: Agent, image: UInt8[np.ndarray, "H W 3"]) -> HowOften | None:
    """Return how many goals like an image the run's evaluation reached; None if unknown.

    Raises:
        RunError: What it kept is damaged.
    """
    representation = agent.representation
    tried = load_tried_goals(
        run.directory, representation.latent_dim, representation.latent_dtype
    )
    latent = representation.encode(image[None]).latent
    return how_often(tried, latent, representation.distance)


def num_env_steps(run: Run) -> int:
    """Return the number of environment steps that a run has trained for."""
    recorded = run.evaluation().get("num_env_steps", 0)
    return int(max((row.get("num_env_steps", 0) for row in run.metrics()), default=recorded))
