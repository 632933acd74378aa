"""The loop of RIG: algorithm 1 of Nair et al. 2018.

    collect images                                    collect_images
    fit the representation                            fit
    repeat
        imagine goals                                 representation.imagine
        repeat until all episodes are over
            practise towards them                     PracticeRollout.advance
            learn from relabelled transitions         learn
        store the episodes                            replay.add
        fine-tune the representation (optional)       finetune, refresh_prior

An episode is stored when it is over, before the learning that follows it. Learning does not
wait for that: practice and learning alternate in rounds of at most ``MAX_ROUND_STEPS`` steps
per environment, whatever the length of an episode.

The state is saved now and then, always between episodes. A run that was stopped resumes from
the last saved state and ends with the same bytes.
"""

from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rig.agent.agent import Agent
from rig.agent.explore import Noise
from rig.agent.td3 import update_many
from rig.config import Config, seconds_of
from rig.errors import DivergedError
from rig.replay.buffer import ReplayBuffer
from rig.runs.interrupt import Interrupt, uninterrupted
from rig.runs.run import Run
from rig.training.buffer import make_replay_buffer
from rig.training.check_envs import check_envs
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.choose_reward import choose_reward
from rig.training.collect import MAX_ROUND_STEPS, collect_images, is_enough
from rig.training.coverage import RecordCoverage
from rig.training.divergence import check_divergence
from rig.training.fit_representation import first_fit, first_learner, with_imagined_goals
from rig.training.kept_episodes import KeptEpisodes
from rig.training.learn import Update
from rig.training.learn_round import (
    learn_from_kept,
    learn_round,
    refit,
    settings_of,
    with_episodes,
    with_pictures,
    with_readable_goals,
)
from rig.training.make_envs import unwrapped_envs
from rig.training.practice_pictures import PracticePictures
from rig.training.progress import Progress
from rig.training.recorder import Recorder
from rig.training.robot_practice import (
    begin_practice,
    compile_act,
    pause_if_nothing_moves,
    with_collected,
)
from rig.training.rollout import PracticeRollout
from rig.training.state import CollectState, TrainState
from rig.training.stoppable import stoppable_envs, stoppable_update


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """What a run works with. None of it is part of its state."""

    config: Config
    envs: RecordCoverage
    recorder: Recorder
    checkpoints: CheckpointManager
    kept: KeptEpisodes
    progress: Progress
    interrupt: Interrupt
    update: Update


def train(
    config: Config,
    run: Run,
    progress: Progress,
    interrupt: Interrupt | None = None,
    update: Update = update_many,
) -> Agent:
    """Train an agent from camera images alone, and evaluate it on the way.

    Args:
        config: Every setting.
        run: Stores metrics, images, checkpoints and the agent. If it has a checkpoint, training
            resumes from there.
        progress: Displays every phase.
        interrupt: May ask for a stop; the state is saved first.
        update: Updates the networks.

    Raises:
        DivergedError: Weights, critic or latents have diverged.
        StoppedError: A stop was asked for.
        RunError: There is no room for the run, or all its checkpoints are damaged.
    """
    interrupt = interrupt or uninterrupted()
    with closing(RecordCoverage(stoppable_envs(config, interrupt))) as envs:
        begin_practice(config, envs, interrupt, progress)
        check_envs(run, envs, progress)
        new_replay = partial(make_replay_buffer, config, envs, run.directory)
        checkpoints = CheckpointManager(run, interrupt, new_replay, progress.note)
        kept = KeptEpisodes(run)
        state = with_collected(checkpoints.restore() or first_state(config, envs), kept)
        unwrapped_envs(envs).set_state(state.env_states)
        setup = Setup(
            config=config,
            envs=envs,
            recorder=Recorder(config, run, progress, envs, interrupt.check),
            checkpoints=checkpoints,
            kept=kept,
            progress=progress,
            interrupt=interrupt,
            update=stoppable_update(update, interrupt),
        )
        if isinstance(state, CollectState):
            state = collect(state, setup)
            state = fit(state, new_replay(), setup)
        state = with_readable_goals(practise(state, setup))
        setup.recorder.finish(state.agent, state.pictures.practised(config.seed))
    checkpoints.finish(state)
    return state.agent


def first_state(config: Config, envs: RecordCoverage) -> CollectState:
    """Return the state of a run that has done nothing yet."""
    rng = np.random.default_rng(config.seed)
    return CollectState(rng=rng, collected=None, env_states=unwrapped_envs(envs).get_state())


def collect(state: CollectState, setup: Setup) -> CollectState:
    """Collect images until there are enough to fit the representation to."""
    num_images = setup.config.collect.num_images
    setup.progress.begin("collect", num_images)
    while not is_enough(state.collected, setup.config):
        with setup.interrupt.deferred():
            before = state.collected
            collected = collect_images(before, setup.config, setup.envs, rng=state.rng)
            setup.kept.keep_collected(before, collected)
            env_states = unwrapped_envs(setup.envs).get_state()
            state = replace(state, collected=collected, env_states=env_states)
            setup.checkpoints.after_collect(state)
        setup.progress.advance(state.num_images, {})
    return state


def fit(state: CollectState, replay: ReplayBuffer, setup: Setup) -> TrainState:
    """Fit the representation to the collected images; store their episodes."""
    rng, collected, config = state.rng, state.collected, setup.config
    assert collected is not None
    representation = first_fit(config, collected, setup.recorder, rng=rng)
    learner = first_learner(config, unwrapped_envs(setup.envs).action_size, rng=rng)
    episodes = with_imagined_goals(collected, representation, rng=rng)
    if len(episodes):
        replay.add(episodes)
    reward_kind = choose_reward(config, episodes, representation, setup.recorder)
    first = TrainState(
        rng=rng,
        agent=Agent(representation, learner),
        replay=replay,
        # Not what replay holds: a small one has forgotten some.
        num_env_steps=int(collected.num_steps.sum()),
        num_rollbacks=0,
        reward_kind=reward_kind,
        env_states=state.env_states,
        coverage=setup.envs.empty_coverage(),
        pictures=PracticePictures(),
    )
    first = with_pictures(first, config, collected.images)
    setup.checkpoints.save(first)
    return first


def practise(state: TrainState, setup: Setup) -> TrainState:
    """Practise and learn to the end; a run that diverges may roll back to its checkpoint."""
    state = learn_from_kept(state, setup.config, setup.kept, setup.update)
    compile_act(state, setup.envs)
    setup.recorder.begin_training(state.num_env_steps)
    budget_s = seconds_of(setup.config.time_budget)
    while (
        state.num_env_steps < setup.config.total_timesteps
        and setup.recorder.elapsed_s < budget_s
    ):
        with setup.interrupt.deferred():
            try:
                state = practise_episodes(state, setup)
            except DivergedError as error:
                state = setup.checkpoints.roll_back(state, error)
                setup.recorder.begin_training(state.num_env_steps)
    return state


def practise_episodes(state: TrainState, setup: Setup) -> TrainState:
    """Practise until the episodes of all environments are over, learning after each round."""
    rng, recorder, base_envs = state.rng, setup.recorder, unwrapped_envs(setup.envs)
    config = settings_of(state, setup.config)
    goals = [
        state.agent.representation.imagine(config.num_envs, rng=rng)
        for _ in range(config.goals.per_rollout)
    ]
    noise = Noise(config.num_envs, base_envs.action_size, config.explore)
    rollout = PracticeRollout(setup.envs, goals, noise, base_envs.num_steps, rng=rng)
    num_before = state.num_env_steps
    state, num_new = practise_round(state, rollout, config)
    while not rollout.is_complete:
        state, metrics = learn_round(state, config, num_new, setup.update)
        check_divergence(state, config, metrics)
        recorder.after_round(state.num_env_steps, metrics)
        recorder.show_progress()
        state, num_new = practise_round(state, rollout, config)
    episodes = rollout.episodes()
    if len(episodes):  # a robot's may all be spoiled
        state = with_episodes(state, config, episodes)
        setup.kept.keep(episodes, state.num_env_steps)
    coverage, coverage_metrics = setup.envs.metrics(state.coverage)
    state, metrics = learn_round(state, config, num_new, setup.update)
    num_new = state.num_env_steps - num_before
    state = refit(state, config, num_new, recorder)
    state = replace(state, env_states=base_envs.get_state(), coverage=coverage)
    check_divergence(state, config, metrics)
    recorder.after_round(state.num_env_steps, metrics | coverage_metrics)
    if len(episodes):
        recorder.after_episodes(state.agent, episodes, num_new)
    recorder.show_progress()
    setup.checkpoints.after_episodes(state, num_new)
    pause_if_nothing_moves(config, setup.envs, setup.progress.note)
    return state


def practise_round(
    state: TrainState, rollout: PracticeRollout, config: Config
) -> tuple[TrainState, int]:
    """Take the steps of one round; return how many they were, all environments together.

    The run's last round ends the rollout, even in the middle of an episode.
    """
    left = config.total_timesteps - state.num_env_steps
    is_last = left <= MAX_ROUND_STEPS * config.num_envs
    num_steps = rollout.advance(state.agent.act, MAX_ROUND_STEPS, is_last=is_last)
    num_new = num_steps * config.num_envs
    return replace(state, num_env_steps=state.num_env_steps + num_new), num_new
