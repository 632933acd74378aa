"""The first images: from a random policy, from random states that are set, or recorded."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from rig.agent.explore import RandomPolicy
from rig.config import Config
from rig.datasets.recorded_images import read_recording
from rig.errors import NotEnoughDataError, RecordingError
from rig.training.make_envs import Envs, unwrapped_envs
from rig.training.rollout import collect_random
from rig.types import Collected
from rig.validation import require


NOISE_LEVELS = 2
"""Of 255: a pixel that changes by no more shows no motion."""
MAX_ROUND_STEPS = 100
"""Steps per environment between two rounds of learning, at most: our own tasks' episodes are as
long or shorter."""


def collect_images(
    before: Collected | None, config: Config, envs: Envs, *, rng: np.random.Generator
) -> Collected:
    """Return what was collected before, and one more rollout of every environment.

    A rollout is an episode; where episodes are long, it is cut to the steps that are still
    needed. Teleporting and recordings give all images at once.
    """
    if config.collect.from_:
        return recorded(config, envs)
    if config.collect.source == "teleport":
        return teleport(config, envs, rng=rng)
    base_envs = unwrapped_envs(envs)
    policy = RandomPolicy(
        config.num_envs, base_envs.action_size, config.collect.action_correlation
    )
    left = config.collect.num_images - (0 if before is None else len(before))
    rounds = -(-left // (config.num_envs * MAX_ROUND_STEPS))
    num_steps = min(base_envs.num_steps, rounds * MAX_ROUND_STEPS)
    seen = collect_random(envs, policy, num_steps, rng=rng)
    new = Collected(images=seen.frames, actions=seen.actions, num_steps=seen.num_steps)
    return new if before is None else joined(before, new)


def joined(before: Collected, new: Collected) -> Collected:
    """Return both, one after the other."""
    first, second = before.arrays(), new.arrays()
    return Collected(**{name: np.concatenate([first[name], second[name]]) for name in first})


def check_motion(collected: Collected) -> None:
    """Raise unless something moves in the images: else there is nothing to learn from.

    Raises:
        NotEnoughDataError: No pixel changes by more than noise.
    """
    images = collected.images
    change = images.max(axis=0).astype(int) - images.min(axis=0)
    if change.max() <= NOISE_LEVELS:
        raise NotEnoughDataError(
            f"nothing moves in these {len(images):,} pictures: no pixel changes by more than "
            f"{change.max()} of 255. See with `rig look` what the camera shows, and that "
            "actions move the robot there: another --camera may have it in view"
        )


def is_enough(collected: Collected | None, config: Config) -> bool:
    """Return whether the images are all that a run begins with. A recording may have fewer."""
    if collected is None:
        return False
    return bool(config.collect.from_) or len(collected) >= config.collect.num_images


def recorded(config: Config, envs: Envs) -> Collected:
    """Return the images of a recording, and its actions if they are of these environments.

    Raises:
        RecordingError: It can't be read, or has actions of another size.
        ConfigError: The settings need actions, and it has none.
    """
    base_envs, settings = unwrapped_envs(envs), config.collect
    path = Path(settings.from_)
    found = read_recording(
        path, settings.num_images, config.image_size, base_envs.id, settings.camera
    )
    num = found.actions.shape[1]
    if len(found.num_steps) and num != base_envs.action_size:
        raise RecordingError(
            f"{path} has actions of {num} numbers, and {base_envs.id} takes "
            f"{base_envs.action_size}: record it again"
        )
    require(
        config.reward.metric == "spread" or len(found.num_steps) > 0,
        f"--reward.metric steps needs actions, and {path} has none of {base_envs.id}",
    )
    # Without episodes, an empty array still has the columns of an action.
    empty = np.empty((0, base_envs.action_size), np.float32)
    return found if len(found.num_steps) else replace(found, actions=empty)


def teleport(config: Config, envs: Envs, *, rng: np.random.Generator) -> Collected:
    """Return images of random goal states; the states themselves are dropped.

    Source: the released code of Nair et al. 2018 collected its images so. A real robot can't.
    """
    env = unwrapped_envs(envs)
    assert env.task is not None
    states = env.task.sample_states(config.collect.num_images, rng=rng)
    return Collected(
        images=env.images_of(states),
        actions=np.empty((0, env.action_size), np.float32),
        num_steps=np.empty(0, np.int64),
    )
