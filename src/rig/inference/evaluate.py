"""A trained run on the fixed goal images: its distances, and attempts for a video."""

from contextlib import closing
from dataclasses import replace
from typing import Any

from rig.agent.agent import Agent
from rig.envs.tasks import is_external, short_name
from rig.goals.goal_image import GoalImage
from rig.inference.open_run import num_env_steps
from rig.inference.reach import Attempt, reach
from rig.runs.run import Run
from rig.training.evaluate import GOALS_AT_ONCE, evaluation_goals, table, try_goals
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.provenance import check_same_observations


NUM_SHOWN = 4
"""Goal images in a video."""


def evaluate_run(
    run: Run, agent: Agent, num_episodes: int, task: str = "", *, force: bool = False
) -> dict[str, Any]:
    """Return the distances that are left on the first goal images of the fixed set.

    Args:
        run: The run that the agent comes from.
        agent: Acts.
        num_episodes: Goal images to try.
        task: Another task to try the goals of, if its start looks the same.
        force: Try them even if it looks different.

    Raises:
        RunError: The task looks different.
        TaskError: There is no such task.
    """
    config = run.config
    if task:
        config = replace(config, task=short_name(task))
        check_same_observations(run, config, force=force)
    at_once = config.num_envs if is_external(config.task) else GOALS_AT_ONCE
    with closing(make_envs(config, min(at_once, num_episodes))) as envs:
        goals = evaluation_goals(envs, num_episodes, config.evaluate.goals)
        trial = try_goals(agent, envs, goals)
    return table(config, trial, num_env_steps(run))


def try_first_goals(run: Run, agent: Agent) -> list[Attempt]:
    """Return attempts at the first goal images of evaluation, each from its own start."""
    with closing(make_envs(run.config, num_envs=1)) as envs:
        goals, id_ = evaluation_goals(envs, NUM_SHOWN), unwrapped_envs(envs).id
        goal_images = [
            GoalImage(image=image, changes=(), task=id_, state=state, seed=int(seed))
            for image, state, seed in zip(goals.images, goals.states, goals.seeds, strict=True)
        ]
        return [reach(agent, envs, goal_image) for goal_image in goal_images]
