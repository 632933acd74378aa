"""The loop of RIG, as the paper's algorithm 1 tells it.

    collect images        look_around
    fit the VAE           first_space
    repeat
        imagine goals     space.imagine
        practise them     practise
        remember          replay.add
        pretend           relabel
        learn             update_many
        look again        look_again          (optional)

Every step takes the run's state and gives the next one. A state is saved now and then, and a
run that was stopped goes on from the last one to the same end.

Source: Nair et al. 2018, algorithm 1.
"""

from contextlib import closing
from dataclasses import replace

import jax
import numpy as np

from rig.agent.explore import Noise
from rig.agent.td3 import new_learner
from rig.config import Config
from rig.lab.collect import Collected, look_around
from rig.lab.interrupt import Interrupt, uninterrupted
from rig.lab.keeper import Keeper
from rig.lab.learn import learn
from rig.lab.measure import Recorder
from rig.lab.oracle import TrueStateSpace
from rig.lab.policy import Policy
from rig.lab.progress import Progress
from rig.lab.rollout import practise
from rig.lab.run import Run
from rig.lab.schedule import is_due
from rig.lab.see import first_space, look_again, refresh_prior
from rig.lab.state import Looking, Practising
from rig.lab.worlds import World, make_world, worlds_of
from rig.latent.space import LatentSpace
from rig.memory.replay import Replay
from rig.types import Episodes


def train(
    config: Config, run: Run, progress: Progress, interrupt: Interrupt | None = None
) -> Policy:
    """Trains a policy from camera images alone, and measures it on the way.

    Args:
        config: Every setting.
        run: Where metrics, pictures, checkpoints and the policy go. If it holds a checkpoint,
            training goes on from there.
        progress: Told of every phase.
        interrupt: May ask for a stop; the state is saved first.

    Raises:
        DivergedError: A loss is not finite.
        StoppedError: A stop was asked for.
    """
    interrupt = interrupt or uninterrupted()
    keeper = Keeper(config, run, interrupt)
    with closing(make_world(config, config.num_worlds)) as world:
        num_new = config.num_worlds * worlds_of(world).num_steps
        state = keeper.restore(lambda: new_replay(config, world), progress.note)
        state = state or first_state(config, world)
        worlds_of(world).recall(state.worlds)
        recorder = Recorder(config, run, progress, world)
        if isinstance(state, Looking):
            progress.begin("collect", config.collect.num_images)
            while state.num_images < config.collect.num_images:
                with interrupt.deferred():
                    seen = look_around(state.collected, config, world, rng=state.rng)
                    state = replace(state, collected=seen, worlds=worlds_of(world).memory())
                    keeper.after_look(state)
                progress.advance(state.num_images, {})
            state = first_fit(state, config, world, recorder)
            keeper.save(state)
        recorder.begin_practice(state.num_env_steps)
        while state.num_env_steps < config.num_env_steps:
            with interrupt.deferred():
                state = practise_once(state, config, world, recorder)
                keeper.after_round(state, num_new)
        recorder.finish(state.policy)
    keeper.finish(state)
    return state.policy


def first_state(config: Config, world: World) -> Looking:
    """A run that has done nothing yet."""
    rng = np.random.default_rng(config.seed)
    return Looking(rng=rng, collected=None, worlds=worlds_of(world).memory())


def first_fit(state: Looking, config: Config, world: World, recorder: Recorder) -> Practising:
    """Fits the VAE to what was seen: a policy that sees but can't act yet, and its memory."""
    rng, collected = state.rng, state.collected
    assert collected is not None
    space = first_space(config, collected.images, recorder, rng=rng)
    key = jax.random.key(rng.integers(2**32))
    learner = new_learner(space.latent_size, worlds_of(world).action_size, config.td3, key=key)
    replay = new_replay(config, world)
    if len(collected.num_steps):
        replay.add(aimed(collected, space, rng=rng))
    return Practising(
        rng=rng,
        policy=Policy(space, learner),
        replay=replay,
        num_env_steps=replay.num_transitions,
        worlds=state.worlds,
    )


def practise_once(
    state: Practising, config: Config, world: World, recorder: Recorder
) -> Practising:
    """One round: an episode in every world, and as much learning as goes with it."""
    rng, policy, replay = state.rng, state.policy, state.replay
    worlds = worlds_of(world)
    num_new = config.num_worlds * worlds.num_steps
    num_env_steps = state.num_env_steps + num_new
    goals = policy.space.imagine(config.num_worlds, rng=rng)
    noise = Noise(config.num_worlds, worlds.action_size, config.explore)
    episodes = practise(world, policy.act, goals, noise, worlds.num_steps, rng=rng)
    replay.add(episodes)
    metrics: dict[str, float] = {}
    if num_env_steps > config.td3.warmup_steps:
        num_updates = round(num_new * config.td3.updates_per_step)
        share_done = num_env_steps / config.num_env_steps
        policy, metrics = learn(policy, replay, config, num_updates, share_done, rng=rng)
    if is_due(config.online.every_steps, num_env_steps, num_new):
        policy = look_again(policy, replay, config, recorder, rng=rng)
    if is_due(config.goals.refresh_every_steps, num_env_steps, num_new):
        policy = refresh_prior(policy, replay, config, rng=rng)
    recorder.after_round(policy, episodes, num_env_steps, metrics)
    return replace(
        state, policy=policy, num_env_steps=num_env_steps, worlds=worlds_of(world).memory()
    )


def aimed(
    collected: Collected,
    space: LatentSpace | TrueStateSpace,
    *,
    rng: np.random.Generator,
) -> Episodes:
    """The episodes of looking around, each given an imagined goal."""
    return Episodes(
        num_steps=collected.num_steps,
        actions=collected.actions,
        frames=collected.images,
        encoding=space.encode(collected.images),
        goals=space.imagine(len(collected.num_steps), rng=rng),
    )


def new_replay(config: Config, world: World) -> Replay:
    """A memory with nothing in it."""
    return Replay(config.replay_size, worlds_of(world).num_steps)
