"""A finished run that nobody trained: every number of its metrics tells where it belongs."""

from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from PIL import Image

from rig.agent.agent import Agent, save_agent
from rig.agent.td3 import new_learner
from rig.config import Config, EvaluateConfig, TD3Config, VAEConfig
from rig.presets import FAST
from rig.representation.latent import make_latent_representation
from rig.representation.vae import make_vae
from rig.runs.run import Run


ACTION_SIZE = 2
LATENT_SIZE = 2

TINY = replace(
    FAST,
    total_timesteps=3000,
    vae=VAEConfig(latent_dim=LATENT_SIZE, likelihood="gaussian", channels=(4, 8)),
    td3=TD3Config(hidden_sizes=(8,)),
    evaluate=EvaluateConfig(num_goals=2),
)


def untrained_policy(config: Config) -> Agent:
    rng, key = np.random.default_rng(0), jax.random.key(0)
    shape = (4, config.image_size, config.image_size, 3)
    images = rng.integers(256, size=shape).astype(np.uint8)
    vae = make_vae(config.vae, images, key=key, rng=rng)
    space = make_latent_representation(
        vae, images, config.goals.source, -1.0, rng=np.random.default_rng(0)
    )
    return Agent(space, new_learner(LATENT_SIZE, ACTION_SIZE, config.td3, key=key))


def make_run(directory: Path, config: Config = TINY) -> Run:
    run = make_bare_run(directory, config)
    save_agent(run.policy, untrained_policy(config))
    return run


def make_bare_run(directory: Path, config: Config = TINY) -> Run:
    """The same without a policy, which takes seconds to make."""
    run = Run.create(directory, config, {"device": "abacus", "packages": {"jax": "1.2.3"}})
    for index in range(1, 4):
        run.log(metrics(index))
    run.log({"num_env_steps": 0, "wall_s": 5.0, "vae/fit_steps": 50, "vae/kl_nats": 7.0})
    run.save_evaluation(evaluation())
    for name in ("reached", "worst", "reconstructions", "imagined-0001000", "imagined-0002000"):
        Image.new("RGB", (8, 8), "red").save(run.images / f"{name}.png")
    return run


def metrics(index: int) -> dict[str, float]:
    return {
        "num_env_steps": 1000 * index,
        "wall_s": 70.0 * index,
        "evaluation_s": 10.0 * index,
        "td3/critic_loss": 4.0 / index,
        "eval/hand_distance_m": 0.08 / index,
        "eval/hand_distance_mean_m": 0.09 / index,
        "eval/do_nothing_hand_distance_m": 0.16,
        "probe/hand_x_cm": 0.25 * index,
    }


def evaluation() -> dict:
    hand = {"median": 0.012, "mean": 0.013, "std": 0.004, "do_nothing_median": 0.16}
    return {
        "task": "Reach",
        "num_episodes": 2,
        "num_env_steps": 3000,
        "distances": {"hand_m": hand},
    }
