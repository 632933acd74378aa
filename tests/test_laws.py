"""What must always hold, whatever the settings."""

import json
from dataclasses import replace

import jax
import numpy as np
import pytest
from fakes import CountingEnv
from gymnasium.vector import VectorWrapper

from rig.agent.agent import load_agent
from rig.agent.explore import Noise
from rig.agent.td3 import update_many
from rig.config import ExploreConfig, GoalConfig, GoalMixture, RewardConfig
from rig.replay.buffer import ReplayBuffer
from rig.replay.relabel import relabel
from rig.representation.hybrid import HybridObservation
from rig.representation.latent import LatentRepresentation, make_latent_representation
from rig.representation.true_state import TrueStateObservation
from rig.representation.vae import make_vae
from rig.runs.run import Run
from rig.training import stoppable
from rig.training.evaluate import evaluation_goals, table, try_goals
from rig.training.learn import make_reward, stacked
from rig.training.loop import train
from rig.training.make_envs import make_envs, make_image_envs
from rig.training.progress import PlainProgress
from rig.training.rollout import collect_rollouts
from rig.types import Batch, Encoding


CLOCKS = ("wall_s", "evaluation_s")
KEPT = GoalConfig(mixture=GoalMixture(original=1.0, future=0.0, prior=0.0))


def trained(directory, config):
    """A new run, trained to its end, and its policy."""
    run = Run.create(directory, config, {})
    return run, train(config, run, PlainProgress(lambda _line: None))


@pytest.fixture(scope="module")
def config(every_kind):
    return every_kind["latents"]


@pytest.fixture(scope="module")
def finished(finished_run):
    """An undisturbed run and its agent."""
    run = finished_run("latents")
    return run, load_agent(run.policy, run.config)


def results_of(run):
    """Metrics but for times, the evaluation, and the agent's arrays."""
    rows = [{k: v for k, v in row.items() if k not in CLOCKS} for row in run.metrics()]
    numbers = (run.policy / "policy.safetensors").read_bytes()
    return json.dumps(rows), run.evaluation(), numbers


def learned(run):
    """The same without the true-state metrics of practice, which learning never sees."""
    rows, *rest = results_of(run)
    return [
        {k: v for k, v in row.items() if not k.startswith("practice/")}
        for row in json.loads(rows)
    ], *rest


class Poison(VectorWrapper):
    """Worlds in which every truth that learning might see is poison."""

    def __init__(self, envs):
        super().__init__(envs)
        env = envs.unwrapped
        env._measure = dict
        env.tabletop.states = self._refuse

    def reset(self, **options):
        observation, _ = self.env.reset(**options)
        return self._spoil(observation)

    def step(self, actions):
        observation, reward, terminated, truncated, _ = self.env.step(actions)
        observation, info = self._spoil(observation)
        return observation, np.nan * reward, terminated, truncated, info

    def _spoil(self, observation):
        nan = np.full((self.num_envs, 2), np.nan)
        info = {"state": nan, "goal_state": nan, "hand_distance_m": nan[:, 0]}
        return observation | {"desired_goal": 0 * observation["desired_goal"]}, info

    def _refuse(self):
        raise AssertionError("training asked for the true state")


def test_same_seed_gives_the_same_bytes(finished, tmp_path, config):
    again, _ = trained(tmp_path / "again", config)
    assert results_of(again) == results_of(finished[0])


def test_another_seed_gives_another_run(finished, tmp_path, config):
    other, _ = trained(tmp_path / "other", replace(config, seed=1))
    assert results_of(other)[2] != results_of(finished[0])[2]


def test_no_true_state_reaches_training(finished, tmp_path, config, monkeypatch):
    made = []

    def make_poisoned(settings, num_envs):
        made.append(Poison(make_envs(settings, num_envs)))
        return made[-1]

    monkeypatch.setattr(stoppable, "make_envs", make_poisoned)
    poisoned, _ = trained(tmp_path / "poisoned", config)
    assert len(made) == 1
    assert learned(poisoned) == learned(finished[0])
    assert results_of(poisoned) != results_of(finished[0]), (
        "its true-state metrics are poisoned"
    )


GIVEN = {
    "oracle": (TrueStateObservation, {"oracle": True}),
    "input": (HybridObservation, {"input": "true"}),
    "reward": (HybridObservation, {"reward": RewardConfig(distance="true")}),
}
"""What shows a run the truth, and what asks for it."""


@pytest.mark.parametrize("name", GIVEN)
def test_run_that_is_given_poison_for_truth_is_noticed(tmp_path, config, monkeypatch, name):
    """The poison works: where truth does reach training, the run does not survive it."""
    view, changes = GIVEN[name]

    def make_poisoned(settings, num_envs):
        return view(Poison(make_image_envs(settings, num_envs, settings.image_size)))

    monkeypatch.setattr(stoppable, "make_envs", make_poisoned)
    given = replace(config, goals=GoalConfig(source="seen"), **changes)
    with pytest.raises(Exception, match=r"finite|nan"):
        trained(tmp_path / "poisoned", given)


def test_loaded_policy_takes_the_same_next_step(finished, config, rng):
    run, policy = finished
    loaded = load_agent(run.policy, config)
    rows = [rng.standard_normal((4, 2), np.float32) for _ in range(4)]
    batch = Batch(
        **dict(zip(("latent", "action", "next_latent", "goal"), rows, strict=True)),
        reward=rows[0][:, 0],
    )
    batches = stacked(batch, np.full(4, 0.9, np.float32), (1, 2, 2))
    first, second = (
        update_many(each.learner, batches, config.td3, key=jax.random.key(0))[0]
        for each in (policy, loaded)
    )
    jax.tree.map(np.testing.assert_array_equal, first, second)


def test_loaded_policy_is_evaluated_as_the_run_was(finished, config):
    run, _ = finished
    envs = make_envs(config, 2)
    goals = evaluation_goals(envs, 2)
    trial = try_goals(load_agent(run.policy, config), envs, goals)
    assert table(config, trial, 300) == run.evaluation()
    envs.close()


@pytest.mark.parametrize("name", ["tiny", "tiny_keypoints"])
def test_image_encodes_alike_alone_and_in_a_batch(name, request, rng):
    config = request.getfixturevalue(name)
    images = rng.integers(256, size=(9, 48, 48, 3), dtype=np.uint8)
    vae = make_vae(config.vae, images, key=jax.random.key(0), rng=rng)
    space = make_latent_representation(
        vae, images, "normal", -1.0, rng=np.random.default_rng(0)
    )
    together = space.encode(images)
    for row in (0, 4, 8):
        alone = space.encode(images[row : row + 1])
        np.testing.assert_allclose(alone.latent[0], together.latent[row], atol=1e-5)
        np.testing.assert_allclose(alone.log_std[0], together.log_std[row], atol=1e-5)


def count(frames, goals):
    """Acts and encodes so that every number tells which frame and goal it came from."""
    number = frames[:, 0, 0, :1].astype(np.float32)
    encoding = Encoding(latent=number, log_std=0 * number)
    return np.concatenate([number / 100, goals / 100], axis=1), encoding


@pytest.fixture
def practised(rng):
    """Replay after two rounds of practice by three worlds, and what they were told."""
    envs, replay = CountingEnv(3), ReplayBuffer(100, 4)
    noise = Noise(3, 2, ExploreConfig(sigma=0.1))
    for goals in ([[50], [51], [52]], [[60], [61], [62]]):
        goals = np.array(goals, np.float32)
        replay.add(collect_rollouts(envs, count, [goals], noise, 4, rng=rng))
    return replay, np.stack(envs.told).reshape(2, 4, 3, 2)


def test_what_is_recalled_is_what_happened(practised, rng):
    replay, told = practised
    sampled = replay.sample(200, rng=rng)
    shown = sampled.latent[:, 0].astype(int)
    envs, step = shown // 10, shown % 10
    round_ = (sampled.goal[:, 0].astype(int) - 50) // 10
    np.testing.assert_array_equal(sampled.goal[:, 0], 50 + 10 * round_ + envs)
    np.testing.assert_array_equal(sampled.action, told[round_, step, envs])
    np.testing.assert_array_equal(sampled.next_latent[:, 0], shown + 1)
    np.testing.assert_array_equal(replay.frames[sampled.next_row, 0, 0, 0], shown + 1)


class CountingSpace(LatentRepresentation):
    """Pictures are numbers, and so are their latents; each weighs two."""

    def __init__(self):
        self.weight = np.full(1, 2, np.float32)

    def decode(self, latents):
        return latents.astype(np.uint8).reshape(-1, 1, 1, 1).repeat(3, axis=-1)

    def with_collage(self, _collage):
        return self


REWARDS = {
    "latent": lambda steps: -2 * np.abs(steps),
    "log_probability": lambda steps: -0.5 * steps**2,
    "sparse": lambda steps: np.where(np.abs(steps) < 45, 0, -1),
    "pixel": lambda steps: -((steps / 255) ** 2),
}
"""Of a next frame so many steps from the goal, whose latents have a spread of 1."""


@pytest.mark.parametrize("kind", REWARDS)
def test_relabelling_with_the_kept_goal_changes_nothing(kind, practised, rng):
    replay, _ = practised
    sampled = replay.sample(50, rng=rng)
    config = RewardConfig(kind=kind, sparse_threshold=45.0)
    reward_of = make_reward(config, CountingSpace(), replay)
    batch = relabel(sampled, sampled.goal + 7, KEPT, reward_of, rng=rng)
    steps = (sampled.latent + 1 - sampled.goal)[:, 0]
    np.testing.assert_allclose(batch.reward, REWARDS[kind](steps), rtol=1e-5)
    for name in ("goal", "latent", "action", "next_latent"):
        np.testing.assert_array_equal(getattr(batch, name), getattr(sampled, name))


def test_picture_does_not_change_when_the_goal_does(tiny):
    seen = []
    for goal in ([0.1, 0.55], [-0.15, 0.65]):
        envs = make_envs(tiny, 1)
        first, _ = envs.reset(options={"goal_states": np.array([goal])})
        second, *_ = envs.step(np.array([[1.0, 0.5]], np.float32))
        seen.append((first, second))
        envs.close()
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one["observation"], other["observation"])
        assert (one["desired_goal"] != other["desired_goal"]).any()
