"""What is learned after each round of practice, and now and then besides."""

from dataclasses import replace

import numpy as np

from rig.agent.agent import Agent
from rig.config import Config
from rig.representation.make_collage import with_collage_of
from rig.representation.representation import FitMonitor
from rig.training.fit_representation import finetune, with_imagined_goals
from rig.training.horizon import with_horizon
from rig.training.kept_episodes import KeptEpisodes
from rig.training.learn import Update, learn
from rig.training.schedule import is_due
from rig.training.state import TrainState
from rig.types import Episodes


def learn_round(
    state: TrainState, config: Config, num_new: int, update: Update
) -> tuple[TrainState, dict[str, float]]:
    """Learn as much as belongs to the new steps; return the metrics."""
    if state.num_env_steps <= config.td3.learning_starts or not state.replay.num_episodes:
        return state, {}
    num_updates = round(num_new * config.td3.utd_ratio)
    progress = state.num_env_steps / config.total_timesteps
    agent, metrics = learn(
        state.agent, state.replay, config, num_updates, progress, update=update, rng=state.rng
    )
    return replace(state, agent=agent), metrics


def learn_from_kept(
    state: TrainState, config: Config, kept: KeptEpisodes, update: Update
) -> TrainState:
    """Learn from episodes that a robot did after the state was saved, as from any others."""
    config = settings_of(state, config)
    for steps, collected in kept.practised_after(state.num_env_steps):
        episodes = with_imagined_goals(collected, state.agent.representation, rng=state.rng)
        num_new = steps - state.num_env_steps
        state = with_episodes(replace(state, num_env_steps=steps), config, episodes)
        state, _ = learn_round(state, config, num_new, update)
    return state


def with_episodes(state: TrainState, config: Config, episodes: Episodes) -> TrainState:
    """Add episodes to replay, and return the state with some of their frames in its sample."""
    state.replay.add(episodes)
    return with_pictures(state, config, episodes.frames)


def with_pictures(state: TrainState, config: Config, frames: np.ndarray) -> TrainState:
    """Return the state with more frames in its sample of what the camera saw."""
    seed = (config.seed, state.num_env_steps)
    pictures = state.pictures.with_frames(state.agent.representation, frames, seed)
    return replace(state, pictures=pictures)


def refit(state: TrainState, config: Config, num_new: int, monitor: FitMonitor) -> TrainState:
    """Fine-tune the representation and refresh its prior, when that is due."""
    replay, rng = state.replay, state.rng
    if is_due(config.online.every_steps, state.num_env_steps, num_new):
        agent = finetune(state.agent, replay, config, monitor, rng=rng)
        state = replace(state, agent=agent)
    if is_due(config.goals.refresh_every_steps, state.num_env_steps, num_new):
        new = state.agent.representation.refresh_prior(replay, config, rng=rng)
        state = with_readable_goals(replace(state, agent=Agent(new, state.agent.learner)))
    return state


def with_readable_goals(state: TrainState) -> TrainState:
    """Return the state with latents shown by its sample of what the camera saw."""
    new = with_collage_of(state.agent.representation, state.pictures.images)
    return replace(state, agent=Agent(new, state.agent.learner))


def settings_of(state: TrainState, config: Config) -> Config:
    """Return what the state learns with.

    That is the reward that was chosen, the horizon that suits it, and half the learning rate
    for each rollback.
    """
    rate = config.td3.learning_rate * 0.5**state.num_rollbacks
    chosen = replace(
        config,
        td3=replace(config.td3, learning_rate=rate),
        reward=replace(config.reward, kind=state.reward_kind),
    )
    return with_horizon(chosen)
