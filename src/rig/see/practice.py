"""Images of practice, collected as training collects them; judged on random states."""

from contextlib import closing

import numpy as np
from jaxtyping import Float64

from rig.config import Config
from rig.envs.image_goal_env import ImageGoalVectorEnv
from rig.see.data_set import Truth
from rig.see.source import Source, Test
from rig.training.collect import collect_images
from rig.training.make_envs import make_envs, unwrapped_envs, with_task_name
from rig.training.progress import Progress


TEST_SEED = 20_000
"""Draws the random states; no training draws from it."""


def practice_images(config: Config, progress: Progress, *, rng: np.random.Generator) -> Source:
    """Collect the images that a run of these settings is fitted to.

    Args:
        config: Every setting of the run.
        progress: Displays it.
        rng: Of the run: from its seed. The fit draws from it next, as in training.

    Raises:
        ConfigError: The settings do not fit the environment.
        ExternalEnvError: An external environment can't be found, made or seen.
    """
    config = with_task_name(config)
    num_images = config.collect.num_images
    progress.begin("collect", num_images)
    with closing(make_envs(config, config.num_envs)) as envs:
        collected = collect_images(None, config, envs, rng=rng)
        while len(collected) < num_images:
            progress.advance(len(collected), {})
            collected = collect_images(collected, config, envs, rng=rng)
        progress.advance(num_images, {})
        test = random_states(unwrapped_envs(envs), config.evaluate.num_probes)
    return Source(title=config.task, collected=collected, test=test)


def random_states(envs: ImageGoalVectorEnv, num: int) -> Test | None:
    """Return images of random states with every object in view; None if none are reported."""
    if not envs.state_names:
        return None
    goals = envs.goals(min(num, envs.max_probes), rng=np.random.default_rng(TEST_SEED))
    goals = goals.rows(np.isfinite(goals.states).all(axis=1))
    return Test(images=goals.images, truth=truth_of(envs, goals.states))


def truth_of(envs: ImageGoalVectorEnv, states: Float64[np.ndarray, "N state"]) -> Truth:
    """Return states as places: a rope's angles become its points."""
    scores = {} if envs.task is None else envs.task.scores
    parts, objects, num = list[np.ndarray](), dict[str, list[int]](), 0
    for name, column in envs.columns.items():
        part = states[:, column]
        if name in scores and (points_m := scores[name].points_m) is not None:
            part = points_m(part).reshape(len(part), -1)
        objects[name] = list(range(num, num := num + part.shape[1]))
        parts.append(part)
    units = {name: envs.state_units[column][0] for name, column in envs.columns.items()}
    return Truth(states=np.concatenate(parts, axis=1), objects=objects, units=units)
