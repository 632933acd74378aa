"""The loop of RIG, as the paper's algorithm 1 tells it.

    collect images        look_around
    fit the VAE           first_space
    repeat
        imagine goals     space.imagine
        practise them     practise
        remember          remember
        pretend           relabel
        learn             learn
        look again        look_again          (optional)

Every step takes the run's state and gives the next one. A state is saved now and then, and a
run that was stopped goes on from the last one to the same end. What learns asks for its updates
as lessons: runs of several seeds may have theirs made together (:mod:`rig.training.seeds_together`).

Source: Nair et al. 2018, algorithm 1.
"""

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import jax
import numpy as np

from rig.agent.agent import Policy
from rig.agent.explore import Noise
from rig.agent.td3 import new_learner
from rig.config import Config
from rig.errors import DivergedError
from rig.replay.buffer import Replay
from rig.representation.hybrid import Space, input_size
from rig.runs.interrupt import Interrupt, uninterrupted
from rig.runs.run import Run
from rig.training.buffer import empty_replay, remember
from rig.training.checkpoint_manager import Keeper
from rig.training.collect import Collected, look_around
from rig.training.coverage import Witness
from rig.training.divergence import refuse_divergence
from rig.training.fit_representation import first_space, look_again, refresh_prior
from rig.training.learn import learn
from rig.training.make_envs import make_world, worlds_of
from rig.training.progress import Progress
from rig.training.recorder import Recorder
from rig.training.resources import refuse_too_little_room
from rig.training.rollout import practise
from rig.training.schedule import is_due
from rig.training.seeds_together import Lessons, alone
from rig.training.state import Looking, Practising
from rig.types import Episodes


@dataclass(frozen=True, kw_only=True, slots=True)
class Lab:
    """What a run works with. None of it is part of its state."""

    config: Config
    world: Witness
    recorder: Recorder
    keeper: Keeper
    progress: Progress
    interrupt: Interrupt


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
        DivergedError: Learning has led to where it can't come right again.
        StoppedError: A stop was asked for.
        RunError: There is no room for the run, or all its checkpoints are damaged.
    """
    return alone(training(config, run, progress, interrupt or uninterrupted()))


def training(
    config: Config, run: Run, progress: Progress, interrupt: Interrupt
) -> Lessons[Policy]:
    """The whole of :func:`train`, for whoever makes the lessons."""
    with closing(Witness(make_world(config, config.num_worlds))) as world:
        refuse_too_little_room(run, world, progress.note)
        new_replay = partial(empty_replay, config, world, run.directory)
        keeper = Keeper(run, interrupt, new_replay, progress.note)
        state = keeper.restore() or first_state(config, world)
        worlds_of(world).recall(state.worlds)
        lab = Lab(
            config=config,
            world=world,
            recorder=Recorder(config, run, progress, world),
            keeper=keeper,
            progress=progress,
            interrupt=interrupt,
        )
        if isinstance(state, Looking):
            state = look(state, lab)
            state = first_fit(state, new_replay(), lab)
        state = yield from practise_to_the_end(state, lab)
        lab.recorder.finish(state.policy)
    keeper.finish(state)
    return state.policy


def first_state(config: Config, world: Witness) -> Looking:
    """A run that has done nothing yet."""
    rng = np.random.default_rng(config.seed)
    return Looking(rng=rng, collected=None, worlds=worlds_of(world).memory())


def look(state: Looking, lab: Lab) -> Looking:
    """Collects images, until there are enough to fit the VAE to."""
    num_images = lab.config.collect.num_images
    lab.progress.begin("collect", num_images)
    while state.num_images < num_images:
        with lab.interrupt.deferred():
            seen = look_around(state.collected, lab.config, lab.world, rng=state.rng)
            worlds = worlds_of(lab.world).memory()
            state = replace(state, collected=seen, worlds=worlds)
            lab.keeper.after_look(state)
        lab.progress.advance(state.num_images, {})
    return state


def first_fit(state: Looking, replay: Replay, lab: Lab) -> Practising:
    """Fits the VAE to what was seen: a policy that sees but can't act yet, and its memory."""
    rng, collected, config = state.rng, state.collected, lab.config
    assert collected is not None
    space = first_space(config, collected, lab.recorder, rng=rng)
    key = jax.random.key(rng.integers(2**32))
    action_size = worlds_of(lab.world).action_size
    learner = new_learner(input_size(space), action_size, config.td3, key=key)
    if len(collected.num_steps):
        remember(replay, aimed(collected, space, rng=rng), config)
    first = Practising(
        rng=rng,
        policy=Policy(space, learner),
        replay=replay,
        num_env_steps=int(collected.num_steps.sum()),  # a small replay has forgotten some
        num_rollbacks=0,
        worlds=state.worlds,
        visited=lab.world.nowhere(),
    )
    lab.keeper.save(first)
    return first


def practise_to_the_end(state: Practising, lab: Lab) -> Lessons[Practising]:
    """Practises round after round; a run that diverges may go back to its last checkpoint."""
    lab.recorder.begin_practice(state.num_env_steps)
    while state.num_env_steps < lab.config.num_env_steps:
        with lab.interrupt.deferred():
            try:
                state = yield from practise_once(state, lab)
            except DivergedError as error:
                state = lab.keeper.roll_back(state, error)
                lab.recorder.begin_practice(state.num_env_steps)
    return state


def practise_once(state: Practising, lab: Lab) -> Lessons[Practising]:
    """One round: an episode in every world, and as much learning as goes with it."""
    rng, policy, replay = state.rng, state.policy, state.replay
    config, worlds = gentler(lab.config, state), worlds_of(lab.world)
    num_new = config.num_worlds * worlds.num_steps
    num_env_steps = state.num_env_steps + num_new
    goals = [
        policy.space.imagine(config.num_worlds, rng=rng)
        for _ in range(config.goals.per_rollout)
    ]
    noise = Noise(config.num_worlds, worlds.action_size, config.explore)
    episodes = practise(lab.world, policy.act, goals, noise, worlds.num_steps, rng=rng)
    remember(replay, episodes, config)
    visited, witnessed = lab.world.report(state.visited)
    metrics: dict[str, float] = {}
    if num_env_steps > config.td3.warmup_steps:
        num_updates = round(num_new * config.td3.updates_per_step)
        share_done = num_env_steps / config.num_env_steps
        policy, metrics = yield from learn(
            policy, replay, config, num_updates, share_done, rng=rng
        )
    if is_due(config.online.every_steps, num_env_steps, num_new):
        policy = look_again(policy, replay, config, lab.recorder, rng=rng)
    if is_due(config.goals.refresh_every_steps, num_env_steps, num_new):
        policy = refresh_prior(policy, replay, config, rng=rng)
    state = replace(
        state,
        policy=policy,
        num_env_steps=num_env_steps,
        worlds=worlds.memory(),
        visited=visited,
    )
    refuse_divergence(state, config, metrics)
    lab.recorder.after_round(policy, episodes, num_env_steps, metrics | witnessed)
    lab.keeper.after_round(state, num_new)
    return state


def gentler(config: Config, state: Practising) -> Config:
    """The settings with half the step size for each time that the run was rolled back."""
    rate = config.td3.learning_rate * 0.5**state.num_rollbacks
    return replace(config, td3=replace(config.td3, learning_rate=rate))


def aimed(collected: Collected, space: Space, *, rng: np.random.Generator) -> Episodes:
    """The episodes of looking around, each given an imagined goal."""
    return Episodes(
        num_steps=collected.num_steps,
        actions=collected.actions,
        frames=collected.images,
        encoding=space.encode(collected.images),
        goals=space.imagine(len(collected.num_steps), rng=rng),
    )
