"""Updates from pixels: the baseline's patch features next to the published convolutions.

Both are the same TD3 update on the same images; only the feature extractor differs.

============  =====================================  ======================================
pixels        convolutions (RIG's released code)     ours
============  =====================================  ======================================
84            16, 32, 32 channels, k5 s3 each        patches of 4, then of 3: 16, 32 channels
48            16 k5 s3, 32 k3 s2, 64 k3 s2           the same
============  =====================================  ======================================
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.measure import Measure, alternate, speed_row, spend
from benchmarks.part import Part, Row, Size, Table
from benchmarks.update import ACTION_SIZE, NUM_STEPS, TASK
from rig.agent.agent import Agent
from rig.agent.feature_extractor import PatchFeatures
from rig.agent.networks import Actor, Critic
from rig.agent.td3 import Learner, new_learner, update_many
from rig.config import Config, TD3Config
from rig.presets import find_preset
from rig.replay.buffer import ReplayBuffer
from rig.representation.pixels import PixelRepresentation
from rig.training.learn import IMAGE_UPDATES_PER_DISPATCH, draw, learn, make_reward
from rig.types import Episodes


PRESET = "her"
CHANNELS = 3
NUM_EPISODES = 20
"""1000 transitions, whose images are too large for the processor's caches."""
CONVOLUTIONS = {
    84: ((16, 5, 3), (32, 5, 3), (32, 5, 3)),
    48: ((16, 5, 3), (32, 3, 2), (64, 3, 2)),
}
"""Channels, width and stride of each layer, by the size of the image."""


class ConvolutionFeatures(PatchFeatures):
    """Features of an image and a goal image by the convolutions of XLA."""

    weights: tuple[jax.Array, ...]
    strides: tuple[int, ...] = eqx.field(static=True)
    side: int = eqx.field(static=True)

    def __init__(self, side: int, *, key: jax.Array) -> None:
        few, cells, weights = 2 * CHANNELS, side, []
        for many, width, stride in CONVOLUTIONS[side]:
            key, own_key = jax.random.split(key)
            bound = (6 / (width**2 * few)) ** 0.5
            shape = (width, width, few, many)
            weights.append(jax.random.uniform(own_key, shape, minval=-bound, maxval=bound))
            few, cells = many, (cells - width) // stride + 1
        self.weights, self.layers = tuple(weights), ()
        self.strides = tuple(stride for _, _, stride in CONVOLUTIONS[side])
        self.side, self.size = side, cells**2 * few

    def __call__(self, image: jax.Array, goal_image: jax.Array) -> jax.Array:
        """Return the features of each pair of flattened images."""
        pair = [one.reshape(-1, self.side, self.side, CHANNELS) for one in (image, goal_image)]
        grid = jnp.concatenate(pair, axis=-1).astype(jnp.float32) / 255 - 0.5
        for weight, stride in zip(self.weights, self.strides, strict=True):
            grid = jax.nn.relu(
                jax.lax.conv_general_dilated(
                    grid,
                    weight,
                    (stride, stride),
                    "VALID",
                    dimension_numbers=("NHWC", "HWIO", "NHWC"),
                )
            )
        return grid.reshape(len(grid), -1)


def run(size: Size) -> Part:
    """Measure drawing and updates at every image size."""
    rows = [row for pixels in size.pixels for row in update_rows(pixels, size)]
    note = f"Compare on one core and one thread; {IMAGE_UPDATES_PER_DISPATCH} updates a call."
    return Part(
        tables=[Table(title="Updates end to end, from pixels", rows=rows, notes=[note])]
    )


def update_rows(pixels: int, size: Size) -> list[Row]:
    """Measure our update with and without drawing, and the convolutions, in turns.

    The convolutions make few updates, because they are slow on a CPU.
    """
    config = find_preset(PRESET, TASK)
    few = config.td3.policy_delay
    num = max(few, min(size.num_updates, IMAGE_UPDATES_PER_DISPATCH))
    agent, replay = random_agent(pixels, config), random_replay(pixels)
    many, two = (drawn(agent, replay, config, updates) for updates in (num, few))
    convolutions = convolution_learner(pixels, config.td3)
    rng = np.random.default_rng(0)
    calls: dict[str, tuple[int, Callable[[], object]]] = {
        "draw, relabel, update": (
            num,
            lambda: learn(agent, replay, config, num, rng=rng),
        ),
        "update alone": (num, lambda: updated(agent.learner, many, config.td3)),
        "update alone, with convolutions": (
            few,
            lambda: updated(convolutions, two, config.td3),
        ),
    }
    measures: dict[str, Measure] = {
        name: partial(spend, call) for name, (_, call) in calls.items()
    }
    spent = alternate(measures, size.num_long_rounds)
    about = {"pixels": pixels, "batch": config.td3.batch_size}
    return [
        about | {"what": name} | speed_row(timing, calls[name][0], "updates")
        for name, timing in spent.items()
    ]


def updated(learner: Learner, batches: Any, config: TD3Config) -> object:
    """Make the updates and wait for the device; return the learner."""
    return jax.block_until_ready(update_many(learner, batches, config, key=jax.random.key(0)))


def drawn(agent: Agent, replay: ReplayBuffer, config: Config, num_updates: int) -> Any:
    """Draw the batches of that number of updates, on the device."""
    shape = (num_updates // config.td3.policy_delay, config.td3.policy_delay)
    reward_of = make_reward(config.reward, agent.representation, replay)
    sizes = (*shape, config.td3.batch_size)
    return draw(agent, replay, config, reward_of, sizes, rng=np.random.default_rng(0))


def random_images(num: int, pixels: int) -> np.ndarray:
    """Return images of noise."""
    return np.random.default_rng(0).integers(256, size=(num, pixels, pixels, 3), dtype=np.uint8)


def random_agent(pixels: int, config: Config) -> Agent:
    """Return an untrained agent."""
    representation = PixelRepresentation.of_images(
        random_images(10, pixels), rng=np.random.default_rng(0)
    )
    key = jax.random.key(0)
    learner = new_learner(representation.latent_dim, ACTION_SIZE, config.td3, key=key)
    return Agent(representation, learner)


def random_replay(pixels: int) -> ReplayBuffer:
    """Return a replay buffer filled with noise."""
    images = random_images(NUM_EPISODES * (NUM_STEPS + 1), pixels)
    flat = images.reshape(len(images), -1)
    replay = ReplayBuffer(NUM_EPISODES * NUM_STEPS, NUM_STEPS)
    representation = PixelRepresentation(flat[:1])
    replay.add(
        Episodes(
            num_steps=np.full(NUM_EPISODES, NUM_STEPS),
            actions=np.zeros((NUM_EPISODES * NUM_STEPS, ACTION_SIZE), np.float32),
            frames=images,
            encoding=representation.encode(images),
            goals=flat[:NUM_EPISODES],
        )
    )
    return replay


def convolution_learner(pixels: int, config: TD3Config) -> Learner:
    """Return an untrained learner whose feature extractors are convolutions."""
    keys = jax.random.split(jax.random.key(0), 1 + config.num_critics)
    sizes, optimizer = (ACTION_SIZE, config.hidden_sizes), optax.adam(config.learning_rate)
    actor, *critics = (
        kind(
            ConvolutionFeatures(pixels, key=key), *sizes, layer_norm=config.layer_norm, key=key
        )
        for kind, key in zip([Actor] + [Critic] * config.num_critics, keys, strict=True)
    )
    return Learner(
        actor=actor,
        critics=tuple(critics),
        target_actor=actor,
        target_critics=tuple(critics),
        actor_opt_state=optimizer.init(actor),
        critic_opt_state=optimizer.init(tuple(critics)),
        num_updates=jnp.zeros((), jnp.int32),
    )
