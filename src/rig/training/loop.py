"""The loop of RIG, as the paper's algorithm 1 tells it.

    collect images        collect_images
    fit the VAE           fit_representation
    repeat
        imagine goals     space.imagine
        practise them     practise
        remember          remember
        pretend           relabel
        learn             learn
        look again        finetune_vae          (optional)

Every step takes the run's state and gives the next one. A state is saved now and then, and a
run that was stopped goes on from the last one to the same end. What learns asks for its updates
as lessons: runs of several seeds may have theirs made together
(:mod:`rig.training.seeds_together`).

Source: Nair et al. 2018, algorithm 1.
"""

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import jax
import numpy as np

from rig.agent.agent import Agent
from rig.agent.explore import Noise
from rig.agent.td3 import new_learner
from rig.config import Config
from rig.errors import DivergedError
from rig.replay.buffer import ReplayBuffer
from rig.representation.hybrid import Space, input_size
from rig.runs.interrupt import Interrupt, uninterrupted
from rig.runs.run import Run
from rig.training.buffer import add_to_replay, make_replay_buffer
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.collect import Collected, collect_images
from rig.training.coverage import RecordCoverage
from rig.training.divergence import check_divergence
from rig.training.fit_representation import finetune_vae, fit_representation, refresh_prior
from rig.training.learn import learn
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.progress import Progress
from rig.training.recorder import Recorder
from rig.training.resources import check_resources
from rig.training.rollout import collect_rollouts
from rig.training.schedule import is_due
from rig.training.seeds_together import Lessons, alone
from rig.training.state import CollectState, TrainState
from rig.types import Episodes


@dataclass(frozen=True, kw_only=True, slots=True)
class Lab:
    """What a run works with. None of it is part of its state."""

    config: Config
    envs: RecordCoverage
    recorder: Recorder
    checkpoints: CheckpointManager
    progress: Progress
    interrupt: Interrupt


def train(
    config: Config, run: Run, progress: Progress, interrupt: Interrupt | None = None
) -> Agent:
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
) -> Lessons[Agent]:
    """The whole of :func:`train`, for whoever makes the lessons."""
    with closing(RecordCoverage(make_envs(config, config.num_envs))) as envs:
        check_resources(run, envs, progress.note)
        new_replay = partial(make_replay_buffer, config, envs, run.directory)
        checkpoints = CheckpointManager(run, interrupt, new_replay, progress.note)
        state = checkpoints.restore() or first_state(config, envs)
        unwrapped_envs(envs).set_state(state.env_states)
        lab = Lab(
            config=config,
            envs=envs,
            recorder=Recorder(config, run, progress, envs),
            checkpoints=checkpoints,
            progress=progress,
            interrupt=interrupt,
        )
        if isinstance(state, CollectState):
            state = look(state, lab)
            state = first_fit(state, new_replay(), lab)
        state = yield from train_rounds(state, lab)
        lab.recorder.finish(state.policy)
    checkpoints.finish(state)
    return state.policy


def first_state(config: Config, envs: RecordCoverage) -> CollectState:
    """A run that has done nothing yet."""
    rng = np.random.default_rng(config.seed)
    return CollectState(rng=rng, collected=None, env_states=unwrapped_envs(envs).get_state())


def look(state: CollectState, lab: Lab) -> CollectState:
    """Collects images, until there are enough to fit the VAE to."""
    num_images = lab.config.collect.num_images
    lab.progress.begin("collect", num_images)
    while state.num_images < num_images:
        with lab.interrupt.deferred():
            seen = collect_images(state.collected, lab.config, lab.envs, rng=state.rng)
            env_states = unwrapped_envs(lab.envs).get_state()
            state = replace(state, collected=seen, env_states=env_states)
            lab.checkpoints.after_look(state)
        lab.progress.advance(state.num_images, {})
    return state


def first_fit(state: CollectState, replay: ReplayBuffer, lab: Lab) -> TrainState:
    """Fits the VAE to what was seen: a policy that sees but can't act yet, and its memory."""
    rng, collected, config = state.rng, state.collected, lab.config
    assert collected is not None
    space = fit_representation(config, collected, lab.recorder, rng=rng)
    key = jax.random.key(rng.integers(2**32))
    action_size = unwrapped_envs(lab.envs).action_size
    learner = new_learner(input_size(space), action_size, config.td3, key=key)
    if len(collected.num_steps):
        add_to_replay(replay, with_imagined_goals(collected, space, rng=rng), config)
    first = TrainState(
        rng=rng,
        policy=Agent(space, learner),
        replay=replay,
        num_env_steps=int(collected.num_steps.sum()),  # a small replay has forgotten some
        num_rollbacks=0,
        env_states=state.env_states,
        coverage=lab.envs.empty_coverage(),
    )
    lab.checkpoints.save(first)
    return first


def train_rounds(state: TrainState, lab: Lab) -> Lessons[TrainState]:
    """Practises round after round; a run that diverges may go back to its last checkpoint."""
    lab.recorder.begin_training(state.num_env_steps)
    while state.num_env_steps < lab.config.total_timesteps:
        with lab.interrupt.deferred():
            try:
                state = yield from train_round(state, lab)
            except DivergedError as error:
                state = lab.checkpoints.roll_back(state, error)
                lab.recorder.begin_training(state.num_env_steps)
    return state


def train_round(state: TrainState, lab: Lab) -> Lessons[TrainState]:
    """One round: an episode in every world, and as much learning as goes with it."""
    rng, policy, replay = state.rng, state.policy, state.replay
    config, base_envs = with_reduced_learning_rate(lab.config, state), unwrapped_envs(lab.envs)
    num_new = config.num_envs * base_envs.num_steps
    num_env_steps = state.num_env_steps + num_new
    goals = [
        policy.space.imagine(config.num_envs, rng=rng) for _ in range(config.goals.per_rollout)
    ]
    noise = Noise(config.num_envs, base_envs.action_size, config.explore)
    episodes = collect_rollouts(
        lab.envs, policy.act, goals, noise, base_envs.num_steps, rng=rng
    )
    add_to_replay(replay, episodes, config)
    coverage, coverage_metrics = lab.envs.report(state.coverage)
    metrics: dict[str, float] = {}
    if num_env_steps > config.td3.learning_starts:
        num_updates = round(num_new * config.td3.utd_ratio)
        share_done = num_env_steps / config.total_timesteps
        policy, metrics = yield from learn(
            policy, replay, config, num_updates, share_done, rng=rng
        )
    if is_due(config.online.every_steps, num_env_steps, num_new):
        policy = finetune_vae(policy, replay, config, lab.recorder, rng=rng)
    if is_due(config.goals.refresh_every_steps, num_env_steps, num_new):
        policy = refresh_prior(policy, replay, config, rng=rng)
    state = replace(
        state,
        policy=policy,
        num_env_steps=num_env_steps,
        env_states=base_envs.get_state(),
        coverage=coverage,
    )
    check_divergence(state, config, metrics)
    lab.recorder.after_round(policy, episodes, num_env_steps, metrics | coverage_metrics)
    lab.checkpoints.after_round(state, num_new)
    return state


def with_reduced_learning_rate(config: Config, state: TrainState) -> Config:
    """The settings with half the step size for each time that the run was rolled back."""
    rate = config.td3.learning_rate * 0.5**state.num_rollbacks
    return replace(config, td3=replace(config.td3, learning_rate=rate))


def with_imagined_goals(
    collected: Collected, space: Space, *, rng: np.random.Generator
) -> Episodes:
    """The episodes of looking around, each given an imagined goal."""
    return Episodes(
        num_steps=collected.num_steps,
        actions=collected.actions,
        frames=collected.images,
        encoding=space.encode(collected.images),
        goals=space.imagine(len(collected.num_steps), rng=rng),
    )
