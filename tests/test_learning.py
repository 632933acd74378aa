"""The learning ladder: each rung rests on those below, so the first that breaks is at fault."""

import json
import subprocess
import sys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fakes import BareDotEnv, picture_of

from rig.agent.agent import Agent
from rig.agent.explore import Noise
from rig.agent.td3 import Transitions, new_learner, update_many
from rig.config import (
    Config,
    ExploreConfig,
    GoalConfig,
    GoalMixture,
    TD3Config,
    VAEConfig,
)
from rig.replay.buffer import ReplayBuffer
from rig.representation.fit import fit
from rig.representation.latent import make_latent_representation
from rig.representation.probe import distance_correlation, probe
from rig.representation.true_state import TrueStateRepresentation
from rig.representation.vae import make_vae
from rig.training.learn import learn
from rig.training.rollout import collect_rollouts


TD3 = TD3Config(hidden_sizes=(64, 64), batch_size=64, learning_rate=2e-3, gamma=0.0, tau=0.05)
DOTS = {
    "patches": VAEConfig(latent_dim=2, likelihood="gaussian", channels=(16, 32)),
    "quantile_keypoints": VAEConfig(
        latent_dim=2, likelihood="gaussian", architecture="quantile_keypoints"
    ),
}


def transitions(reward_of, num_cycles, rng, gamma=0.0):
    """A dot anywhere in a square is moved by its action, up to the wall: latents are places."""
    shape = (num_cycles, 2, TD3.batch_size)
    latent, goal = rng.uniform(-0.5, 0.5, (2, *shape, 2)).astype(np.float32)
    action = rng.uniform(-1, 1, (*shape, 2)).astype(np.float32)
    next_latent = np.clip(latent + action, -0.5, 0.5)
    reward = np.float32(reward_of(next_latent, goal))
    rows = (latent, action, next_latent, goal, reward, np.full_like(reward, gamma))
    return Transitions(*(jnp.asarray(row) for row in rows))


def near(next_latent, goal):
    return -np.linalg.norm(next_latent - goal, axis=-1)


def taught(config, reward_of, num_rounds, rng, key):
    """A learner after that many rounds of 500 updates."""
    learner = new_learner(2, 2, config, key=key)
    for round_ in jax.random.split(jax.random.fold_in(key, 1), num_rounds):
        batches = transitions(reward_of, 250, rng, config.gamma)
        learner, _ = update_many(learner, batches, config, key=round_)
    return learner


@pytest.mark.slow
@pytest.mark.ci
def test_rung_1_critic_learns_a_constant(rng, key, measured):
    """Reward 1 for ever, discounted by a half, is worth 2."""
    config = replace(TD3, gamma=0.5)
    learner = taught(config, lambda *places: np.ones(places[0].shape[:-1]), 2, rng, key)
    fresh = transitions(near, 1, rng)
    values = [critic(fresh.latent, fresh.action, fresh.goal) for critic in learner.critics]
    measured("furthest from 2", np.abs(np.array(values) - 2).max(), below=0.2)


@pytest.mark.slow
@pytest.mark.ci
def test_rung_2_critic_sees_the_goal(rng, key, measured):
    learner = taught(TD3, near, 2, rng, key)
    fresh = transitions(near, 1, rng)
    value = learner.critics[0](fresh.latent, fresh.action, fresh.goal)
    correlation = np.corrcoef(value.reshape(-1), fresh.reward.reshape(-1))[0, 1]
    measured("correlation", correlation, above=0.9)
    swapped = learner.critics[0](fresh.latent, fresh.action, -fresh.goal)
    measured("change with the goal", np.abs(value - swapped).mean(), above=0.1)


@pytest.mark.slow
@pytest.mark.ci
def test_rung_3_actor_reaches_in_one_step(rng, key, measured):
    learner = taught(TD3, near, 5, rng, key)
    fresh = transitions(near, 1, rng)
    after = fresh.latent + learner.actor(fresh.latent, fresh.goal)
    assert -near(fresh.latent, fresh.goal).mean() > 0.4
    measured("distance", -near(after, fresh.goal).mean(), below=0.15)


@pytest.mark.slow
@pytest.mark.ci
def test_rung_4_actor_reaches_in_ten_steps_with_relabelling(rng, key, measured):
    """The dot's place is the latent, so that memory, relabelling and learning stand alone."""
    config = Config(
        td3=replace(TD3, gamma=0.9, layer_norm=True),
        goals=GoalConfig(mixture=GoalMixture(original=0.2, future=0.5, prior=0.3)),
    )
    goals = rng.uniform(-1, 1, (500, 2)).astype(np.float32)
    space = TrueStateRepresentation(np.zeros(2, np.float32), np.ones(2, np.float32), goals)
    policy = Agent(space, new_learner(2, 2, config.td3, key=key))
    envs, replay = BareDotEnv(16), ReplayBuffer(10_000, 10)
    noise = Noise(16, 2, ExploreConfig(kind="gaussian", sigma=0.2, random_eps=0.2))
    for _ in range(20):
        aims = space.imagine(16, rng=rng)
        replay.add(collect_rollouts(envs, policy.act, [aims], noise, 10, rng=rng))
        policy, _ = learn(policy, replay, config, 200, rng=rng)
    measured("distance", far_from_goals(policy, BareDotEnv(100), 10, rng), below=0.15)


def far_from_goals(policy, envs, num_steps, rng):
    """The median distance at the end, without noise."""
    aims = policy.representation.imagine(envs.num_envs, rng=rng)
    frame = envs.reset()[0]["observation"]
    assert np.median(np.linalg.norm(frame - aims, axis=1)) > 0.6
    for _ in range(num_steps):
        frame = envs.step(policy.act(frame, aims)[0])[0]["observation"]
    return np.median(np.linalg.norm(frame - aims, axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("name", DOTS)
def test_rung_5_vae_orders_the_places_of_a_dot(name, rng, key, measured):
    config = replace(
        DOTS[name],
        beta=0.1,
        learning_rate=1e-3,
        batch_size=64,
        num_fit_steps=1200,
        num_components=64,
        hidden_size=64,
        blur_sigmas_px=(12.0, 6.0),
    )
    places = rng.uniform(-1, 1, (600, 2))
    images = picture_of(places)
    vae = make_vae(config, images, key=key, rng=rng)
    vae = fit(vae, images, config, rng=rng)
    latents = (
        make_latent_representation(vae, images, "normal", -1.0, rng=np.random.default_rng(0))
        .encode(images)
        .latent
    )
    probed = probe(latents, places)
    measured(
        f"error over baseline, {name}", (probed.error / probed.baseline_error).max(), below=0.2
    )
    correlation = distance_correlation(latents, places, rng=rng)
    measured(f"correlation, {name}", correlation, above=0.5)


SMALL = (
    "train reach --preset fast --total-timesteps 8000 --collect.num-images 3200 "
    "--vae.num-fit-steps 200 "
    "--vae.num-components 64 --vae.hidden-size 64 "
    "--td3.hidden-sizes 128 128 --td3.gamma 0.9 --td3.tau 0.05 --td3.utd-ratio 1 "
    "--td3.learning-starts 0 --evaluate.every-steps 8000 --evaluate.num-goals 50 --json"
)
"""The fast preset, smaller, as a person would run it."""


@pytest.mark.slow
@pytest.mark.ci
def test_rung_6_robot_reaches_pictures_that_it_learned_from_pictures_to_reach(
    tmp_path, seed, measured
):
    """Median distance in metres, measured: whole 0.010, untrained encoder 0.044, reward of the
    old goal 0.087, goals not replaced 0.135, constant latents 0.21, reward's sign 0.32.
    """
    code = "from rig.cli.main import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, *SMALL.split(), "--seed", str(seed)]
    command += ["--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    hand_m = json.loads(done.stdout)["distances"]["hand_m"]
    assert hand_m["do_nothing_median"] > 0.12
    measured("distance in metres", hand_m["median"], below=0.02)
