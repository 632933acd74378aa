"""The loop of RIG, as the paper's algorithm 1 tells it.

    collect images        wander
    fit the VAE           fit
    repeat
        imagine goals     space.imagine
        practise them     practise
        remember          replay.add
        pretend           relabel
        learn             update_many
        look again        fine_tune          (optional)

Source: Nair et al. 2018, algorithm 1.
"""

import jax
import numpy as np

from rig.agent.explore import Noise
from rig.agent.td3 import new_learner
from rig.config import Config
from rig.lab.collect import Collected, collect
from rig.lab.evaluate import make_world
from rig.lab.learn import learn
from rig.lab.measure import Recorder
from rig.lab.policy import Policy
from rig.lab.progress import Progress
from rig.lab.rollout import practise
from rig.lab.run import Run
from rig.lab.see import first_space, look_again
from rig.memory.replay import Replay
from rig.types import Episodes
from rig.world.tasks import find_task


def train(config: Config, run: Run, progress: Progress) -> Policy:
    """Trains a policy from camera images alone, and measures it on the way.

    Args:
        config: Every setting.
        run: Where metrics, pictures and the policy go.
        progress: Told of every phase.

    Raises:
        DivergedError: A loss is not finite.
    """
    rng = np.random.default_rng(config.seed)
    key = jax.random.key(config.seed)
    recorder = Recorder(config, run, progress)
    world = make_world(config, config.num_worlds)
    num_steps = find_task(config.task).num_steps

    collected = collect(config, world, progress, rng=rng)
    space = first_space(config, collected.images, recorder, rng=rng)
    action_size = world.single_action_space.shape[0]
    learner = new_learner(space.latent_size, action_size, config.td3, key=key)
    policy = Policy(space, learner)
    replay = remember_collected(config, policy, collected, num_steps, rng=rng)
    noise = Noise(config.num_worlds, action_size, config.explore)
    num_env_steps = replay.num_transitions

    progress.begin("practise", config.num_env_steps)
    next_look = config.online.every_steps
    while num_env_steps < config.num_env_steps:
        goals = policy.space.imagine(config.num_worlds, rng=rng)
        episodes = practise(world, policy.act, goals, noise, num_steps, rng=rng)
        replay.add(episodes)
        num_new = len(episodes) * num_steps
        num_env_steps += num_new
        metrics = {}
        if num_env_steps > config.td3.warmup_steps:
            num_updates = round(num_new * config.td3.updates_per_step)
            policy, metrics = learn(policy, replay, config, num_updates, rng=rng)
        if not config.oracle and 0 < next_look <= num_env_steps:
            policy = look_again(policy, replay, config, recorder, rng=rng)
            next_look += config.online.every_steps
        recorder.after_round(policy, episodes, num_env_steps, metrics)
    world.close()
    recorder.finish(policy)
    return policy


def remember_collected(
    config: Config,
    policy: Policy,
    collected: Collected,
    num_steps: int,
    *,
    rng: np.random.Generator,
) -> Replay:
    """Replay with the episodes of collection in it, each given an imagined goal."""
    replay = Replay(config.replay_size, num_steps)
    for actions, frames in collected.episodes:
        rows = frames.reshape(-1, *frames.shape[2:])
        goals = policy.space.imagine(len(actions), rng=rng)
        encoding = policy.space.encode(rows)
        replay.add(Episodes(actions=actions, frames=frames, encoding=encoding, goals=goals))
    return replay
