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
from rig.lab.learn import learn
from rig.lab.measure import Recorder
from rig.lab.policy import Policy
from rig.lab.progress import Progress
from rig.lab.rollout import practise
from rig.lab.run import Run
from rig.lab.see import first_space, look_again, refresh_prior
from rig.lab.worlds import World, make_world, worlds_of
from rig.memory.replay import Replay
from rig.types import Episodes


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
    world = make_world(config, config.num_worlds)
    recorder = Recorder(config, run, progress, world)
    policy, replay = begin(config, world, recorder, progress, rng=rng)
    num_steps = worlds_of(world).num_steps
    num_new = config.num_worlds * num_steps
    num_updates = round(num_new * config.td3.updates_per_step)
    noise = Noise(config.num_worlds, worlds_of(world).action_size, config.explore)
    num_env_steps = replay.num_transitions

    recorder.begin_practice(num_env_steps)
    while num_env_steps < config.num_env_steps:
        goals = policy.space.imagine(config.num_worlds, rng=rng)
        episodes = practise(world, policy.act, goals, noise, num_steps, rng=rng)
        replay.add(episodes)
        num_env_steps += num_new
        metrics: dict[str, float] = {}
        if num_env_steps > config.td3.warmup_steps:
            done = num_env_steps / config.num_env_steps
            policy, metrics = learn(policy, replay, config, num_updates, done, rng=rng)
        if is_due(config.online.every_steps, num_env_steps, num_new):
            policy = look_again(policy, replay, config, recorder, rng=rng)
        if is_due(config.goals.refresh_every_steps, num_env_steps, num_new):
            policy = refresh_prior(policy, replay, config, rng=rng)
        recorder.after_round(policy, episodes, num_env_steps, metrics)
    recorder.finish(policy)
    world.close()
    return policy


def is_due(every_steps: int, num_env_steps: int, num_new: int) -> bool:
    """Whether the last steps went over a multiple of so many; never for 0."""
    before = num_env_steps - num_new
    return every_steps > 0 and num_env_steps // every_steps > before // every_steps


def begin(
    config: Config,
    world: World,
    recorder: Recorder,
    progress: Progress,
    *,
    rng: np.random.Generator,
) -> tuple[Policy, Replay]:
    """Looks around: a policy that sees but can't act yet, and a memory of looking around."""
    collected = collect(config, world, progress, rng=rng)
    space = first_space(config, collected.images, recorder, rng=rng)
    key = jax.random.key(rng.integers(2**32))
    worlds = worlds_of(world)
    learner = new_learner(space.latent_size, worlds.action_size, config.td3, key=key)
    policy = Policy(space, learner)
    replay = remember_collected(config, policy, collected, worlds.num_steps, rng=rng)
    return policy, replay


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
    for rollouts in collected.rollouts:
        goals = policy.space.imagine(len(rollouts), rng=rng)
        replay.add(
            Episodes(
                num_steps=rollouts.num_steps,
                actions=rollouts.actions,
                frames=rollouts.frames,
                encoding=policy.space.encode(rollouts.frames),
                goals=goals,
            )
        )
    return replay
