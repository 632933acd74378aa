"""The TD3 update, next to stable-baselines3's TD3 + HER at the same sizes.

Both draw their batches from a replay buffer, relabel them and update; ours is also timed
without the drawing, and as one program for several seeds. The peer has no layer normalisation,
so it does less work than a preset with it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import jax
import numpy as np

from benchmarks.measure import Measure, Spent, alternate, speed_row, spend
from benchmarks.part import Part, Row, Size, Table, Target
from benchmarks.peer import MissingPeerError, Peer, open_sb3
from rig.agent.agent import Agent
from rig.agent.td3 import UpdateRequest, new_learner, update_batched
from rig.config import Config
from rig.presets import find_preset
from rig.replay.buffer import ReplayBuffer
from rig.representation.latent import LatentRepresentation
from rig.representation.prior import normal
from rig.training.horizon import NEAR, given
from rig.training.learn import draw, learn, make_reward
from rig.training.origin import num_cores
from rig.types import Encoding, Episodes


TASK = "Push"
ACTION_SIZE = 2
NUM_STEPS = 50
NUM_EPISODES = 80
"""4000 transitions, as in the peer's replay buffer."""
OURS = "ours: draw, relabel, update"
NUM_TOGETHER = 4
TOGETHER = f"ours: update alone, {NUM_TOGETHER} seeds together"
PEER = "stable-baselines3 TD3 + HER"
TARGET_PRESET, TARGET_BATCH_SIZE, TARGET_SHARE = "paper", 128, 1 / 3


class Loop:
    """The learning part of the training loop, on random numbers."""

    def __init__(self, config: Config, num_updates: int) -> None:
        self._config = config
        self._num_updates = num_updates
        self._rng = np.random.default_rng(0)
        self._replay = random_replay(config.vae.latent_dim, rng=self._rng)
        self._agent = random_agent(config)
        cycles = -(-num_updates // config.td3.policy_delay)
        shape = (cycles, config.td3.policy_delay, config.td3.batch_size)
        reward_of = make_reward(config.reward, self._agent.representation, self._replay)
        drawn = draw(self._agent, self._replay, config, reward_of, shape, rng=self._rng)
        self._batches = jax.tree.map(jax.numpy.asarray, drawn)

    def learn(self) -> object:
        """Draw, relabel and update as the training loop does; wait for the device."""
        return learn(self._agent, self._replay, self._config, self._num_updates, rng=self._rng)

    def update(self) -> object:
        """Make the updates alone; their batches are already on the device."""
        return jax.block_until_ready(self._request(0).run())

    def update_together(self) -> object:
        """Make the updates of several learners in one program."""
        requests = [self._request(seed) for seed in range(NUM_TOGETHER)]
        return jax.block_until_ready(update_batched(requests))

    def _request(self, seed: int) -> UpdateRequest:
        learner, config = self._agent.learner, self._config.td3
        return UpdateRequest(
            learner, self._batches, config, config.learning_rate, jax.random.key(seed)
        )


def random_replay(latent_dim: int, *, rng: np.random.Generator) -> ReplayBuffer:
    """Return a buffer of random latents; frames have one pixel, because updates ignore them."""

    def latents(*shape: int) -> np.ndarray:
        return rng.standard_normal((*shape, latent_dim), dtype=np.float32)

    num_rows = NUM_EPISODES * (NUM_STEPS + 1)
    replay = ReplayBuffer(NUM_EPISODES * NUM_STEPS, NUM_STEPS)
    actions = rng.uniform(-1, 1, size=(NUM_EPISODES * NUM_STEPS, ACTION_SIZE))
    replay.add(
        Episodes(
            num_steps=np.full(NUM_EPISODES, NUM_STEPS),
            actions=actions.astype(np.float32),
            frames=np.zeros((num_rows, 1, 1, 3), np.uint8),
            encoding=Encoding(latent=latents(num_rows), log_std=latents(num_rows)),
            goals=latents(NUM_EPISODES),
        )
    )
    return replay


class RandomGoals(LatentRepresentation):
    """A latent representation without an encoder, which draws goals from N(0, I)."""

    def __init__(self, latent_dim: int) -> None:
        self.weight = np.ones(latent_dim, np.float32)
        self.prior = normal(np.zeros((1, latent_dim), np.float32))

    def imagine(self, num: int, *, rng: np.random.Generator) -> np.ndarray:
        """Draw goals from N(0, I)."""
        return rng.standard_normal((num, self.latent_dim), dtype=np.float32)


def random_agent(config: Config) -> Agent:
    """Return an untrained agent."""
    size = config.vae.latent_dim
    learner = new_learner(size, ACTION_SIZE, config.td3, key=jax.random.key(0))
    return Agent(RandomGoals(size), learner)


def run(size: Size) -> Part:
    """Measure the updates of every preset at every batch size."""
    try:
        peer, notes = open_sb3(), []
    except MissingPeerError as error:
        peer, notes = None, [str(error)]
    context: AbstractContextManager[Peer | None] = peer or nullcontext()
    with context:
        rows = [
            row for name, config in cases(size) for row in update_rows(name, config, peer, size)
        ]
    if peer:
        about = ", ".join(f"{name} {version}" for name, version in peer.about.items())
        notes = [f"The peer: {about}; the faster of 1 and {num_cores()} threads."]
    title = "TD3 updates"
    return Part(tables=[Table(title=title, rows=rows, notes=notes)], targets=targets(rows))


def cases(size: Size) -> Iterator[tuple[str, Config]]:
    """Yield every preset at every batch size."""
    for name in size.presets:
        for batch_size in size.batch_sizes:
            config = find_preset(name, TASK)
            gamma = given(config.td3.gamma, NEAR.gamma)
            n_steps = given(config.td3.n_steps, NEAR.n_steps)
            td3 = replace(config.td3, batch_size=batch_size, gamma=gamma, n_steps=n_steps)
            kind = "sparse" if config.reward.kind == "auto" else config.reward.kind
            yield name, replace(config, td3=td3, reward=replace(config.reward, kind=kind))


def update_rows(preset: str, config: Config, peer: Peer | None, size: Size) -> list[Row]:
    """Measure our updates and the peer's, in turns."""
    num = size.num_updates_of(config.td3.batch_size)
    loop = Loop(config, num)
    measures: dict[str, Measure] = {
        OURS: lambda: spend(loop.learn),
        "ours: update alone": lambda: spend(loop.update),
        TOGETHER: lambda: spend(loop.update_together),
    }
    if peer:
        measures[PEER] = peer_measure(peer, config, num)
    spent = alternate(measures, size.num_long_rounds)
    counts = dict.fromkeys(spent, num) | {TOGETHER: NUM_TOGETHER * num}
    ours_s = spent[OURS].best_s / num
    return [
        about_row(preset, config, name)
        | speed_row(timing, counts[name], "updates")
        | {"times ours": timing.best_s / counts[name] / ours_s}
        for name, timing in spent.items()
    ]


def peer_measure(peer: Peer, config: Config, num_updates: int) -> Measure:
    """Return the measure of the peer's updates, with the faster number of threads."""
    question = {
        "hidden_sizes": config.td3.hidden_sizes,
        "latent_dim": config.vae.latent_dim,
        "action_size": ACTION_SIZE,
        "batch_size": config.td3.batch_size,
        "num_updates": num_updates,
    }

    def measure() -> Spent:
        threads = sorted({1, num_cores()})
        rounds = [peer.measure(question | {"num_threads": num}) for num in threads]
        return min(rounds, key=lambda spent: spent.wall_s)

    return measure


def about_row(preset: str, config: Config, name: str) -> Row:
    """Return the columns that identify a measurement."""
    hidden = "-".join(str(size) for size in config.td3.hidden_sizes)
    normalised = ", layer norm" if config.td3.layer_norm and name != PEER else ""
    return {
        "preset": preset,
        "networks": hidden + normalised,
        "inputs": 2 * config.vae.latent_dim,
        "batch": config.td3.batch_size,
        "what": name,
    }


def targets(rows: list[Row]) -> list[Target]:
    """Return the target for the update at one batch size."""
    wanted = {"preset": TARGET_PRESET, "batch": TARGET_BATCH_SIZE}
    times = {row["what"]: row["times ours"] for row in rows if wanted.items() <= row.items()}
    return [
        Target(
            what=f"time of an update at batch {TARGET_BATCH_SIZE}, over stable-baselines3's",
            promised=TARGET_SHARE,
            measured=1 / times[PEER] if PEER in times else None,
            unit="",
        )
    ]
