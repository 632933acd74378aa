"""Swapped halves: one half of a run is given the true state, and the other never meets it."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from fake_results import fake_result

from rig.agent.agent import Agent, load_agent
from rig.agent.td3 import new_learner
from rig.cli.main import main
from rig.cli.parse import parse
from rig.config import (
    CollectConfig,
    Config,
    GoalConfig,
    RewardConfig,
    TD3Config,
)
from rig.errors import ConfigError, RunError
from rig.inference.open_run import image_representation
from rig.replay.buffer import ReplayBuffer
from rig.report.run_facts import read_facts
from rig.report.sections import lead
from rig.representation.hybrid import HybridRepresentation, scaled_states
from rig.representation.hybrid_frames import pack, unpack
from rig.representation.registry import REPRESENTATIONS
from rig.representation.vae import make_vae
from rig.representation.whiten import no_whitening
from rig.runs.interrupt import uninterrupted
from rig.runs.run import Run
from rig.runs.settings import changes_from_published, learned_from, preset_of
from rig.training.buffer import sizes_of
from rig.training.checkpoint_manager import CheckpointManager
from rig.training.evaluate import evaluation_goals, table, try_goals
from rig.training.learn import draw, make_reward
from rig.training.loop import train
from rig.training.make_envs import make_envs
from rig.training.progress import PlainProgress
from rig.training.recorder import Recorder
from rig.types import Collected, Episodes


NUM = 12
HALVES = [("true", "latent"), ("latent", "true"), ("true", "true")]
"""What is seen, and between what the reward's distance is."""
LATENT_SIZE, STATE_SIZE = 2, 2


class Silent(Recorder):
    """Writes nothing down."""

    def __init__(self):
        pass

    def begin_fit(self):
        return lambda _done, _metrics: None

    def after_fit(self, space, images):
        self.representation, self.images = space, images


def swapped(config, seen, distance):
    """The settings with halves swapped, and goals that they can have."""
    return replace(
        config,
        input=seen,
        reward=RewardConfig(kind="sqrt_distance", distance=distance),
        goals=GoalConfig(source="skewed", refresh_every_steps=200),
    )


def unswapped(config):
    """The settings of the run that is checked."""
    return replace(config, input="latent", reward=RewardConfig(kind="sqrt_distance"))


@pytest.fixture(scope="module", params=HALVES, ids="-".join)
def config(request, tiny):
    return swapped(tiny, *request.param)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(256, size=(NUM, 48, 48, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def states():
    """Hands at places of their own, in metres: row i at (i mm, 1000 + i mm)."""
    return 1e-3 * (np.arange(NUM)[:, None] + [0.0, 1000.0])


@pytest.fixture(scope="module")
def frames(images, states):
    return pack(images, states)


@pytest.fixture(scope="module")
def vae(tiny, images):
    """It has learned nothing, but any image has a latent of its own."""
    return make_vae(tiny.vae, images, key=jax.random.key(1), rng=np.random.default_rng(1))


@pytest.fixture(scope="module")
def space(config, vae, frames, states):
    return hybrid(config, vae, frames, states)


def hybrid(config, vae, frames, states):
    """Return the representation of a VAE that has learned nothing and of true states."""
    scaled = scaled_states(config, states)
    return HybridRepresentation.of_vae(
        config, vae, no_whitening(LATENT_SIZE), scaled, frames, rng=np.random.default_rng(5)
    )


@pytest.fixture(scope="module")
def policy(config, space):
    """It sees, but has learned nothing."""
    learner = new_learner(space.input_size(config), 2, config.td3, key=jax.random.key(3))
    return Agent(space, learner)


def halves_of(config, images, states, value):
    """The frames with what the networks are not given, and with what they are, changed."""
    unseen, seen = (255 - images, states), (images, states + value)
    return [
        pack(*half) for half in ((unseen, seen) if config.input == "true" else (seen, unseen))
    ]


def test_packed_frames_come_back_to_the_bit(images, states):
    states = states.copy()
    states[3] = [np.nan, -np.inf]
    rows = pack(images, states)
    assert (rows.dtype, rows.shape) == (np.uint8, (NUM, 48 * 48 * 3 + 2 * 8))
    order = np.array([3, 0, 7])
    for kept, expected in ((rows, slice(None)), (rows[order], order), (rows[2:5], slice(2, 5))):
        image, state = unpack(kept, STATE_SIZE)
        np.testing.assert_array_equal(image, images[expected])
        np.testing.assert_array_equal(state, states[expected])
    assert [len(half) for half in unpack(rows[:0], STATE_SIZE)] == [0, 0]


def test_worlds_show_image_and_truth_of_the_same_moment(config):
    base_envs = [make_envs(each, 2) for each in (config, unswapped(config))]
    action = np.array([[1.0, 0.5], [-1.0, 0.0]], np.float32)
    for envs in base_envs:
        envs.reset(seed=4)
    (shown, *_), (pictured, *_, info) = (envs.step(action) for envs in base_envs)
    for name, truth in (("observation", "state"), ("desired_goal", "goal_state")):
        image, state = unpack(shown[name], STATE_SIZE)
        np.testing.assert_array_equal(image, pictured[name])
        np.testing.assert_array_equal(state, info[truth])
    assert sizes_of(base_envs[0]).frame_bytes == shown["observation"].shape[1]
    for envs in base_envs:
        envs.close()


def test_changing_what_is_hidden_changes_no_action(config, policy, images, states, frames):
    goals = policy.representation.imagine(NUM, rng=np.random.default_rng(1))
    hidden, seen = halves_of(config, images, states, 0.3)
    first, same, other = (policy.act(each, goals)[0] for each in (frames, hidden, seen))
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 0
    moved = goals.copy()
    columns = np.ones(LATENT_SIZE + STATE_SIZE, bool)
    columns[policy.representation.input_columns] = False
    moved[:, columns] += 9
    np.testing.assert_array_equal(policy.act(frames, moved)[0], first)


def remembered(space, frames):
    """Replay of one episode that shows these frames."""
    replay = ReplayBuffer(NUM, NUM - 1)
    episode = Episodes(
        num_steps=np.array([NUM - 1]),
        actions=np.linspace(-1, 1, 2 * (NUM - 1), dtype=np.float32).reshape(-1, 2),
        frames=frames,
        encoding=space.encode(frames),
        goals=space.imagine(1, rng=np.random.default_rng(0)),
    )
    replay.add(episode)
    return replay


def drawn(policy, config, frames):
    """The batches of an update, from memory of these frames."""
    replay = remembered(policy.representation, frames)
    reward_of = make_reward(config.reward, policy.representation, replay)
    return draw(policy, replay, config, reward_of, (1, 1, 40), rng=np.random.default_rng(2))


def test_changing_what_is_hidden_changes_no_value(config, policy, images, states, frames):
    hidden, seen = halves_of(config, images, states, 0.3)
    first, same, other = (drawn(policy, config, each) for each in (frames, hidden, seen))
    for name in ("latent", "next_latent", "goal", "action"):
        np.testing.assert_array_equal(getattr(first, name), getattr(same, name))
    critic = policy.learner.critics[0]
    values, others = (
        np.asarray(critic(each.latent, each.action, each.goal)) for each in (first, other)
    )
    assert values.shape == (1, 1, 40)
    assert np.abs(values - others).max() > 0


def rewards(space, config, latents, goals):
    """The reward of each latent as the next one."""
    replay = remembered(space, pack(np.zeros((NUM, 48, 48, 3), np.uint8), np.zeros((NUM, 2))))
    sampled = replay.sample(len(goals), rng=np.random.default_rng(0))
    reward_of = make_reward(config.reward, space, replay)
    return reward_of(replace(sampled, next_latent=latents), goals)


def test_reward_ignores_the_half_that_it_is_not_made_of(config, space, frames):
    latents = space.encode(frames).latent
    goals, moved = latents[::-1].copy(), latents[::-1].copy()
    ignored = (
        slice(LATENT_SIZE) if config.reward.distance == "true" else slice(LATENT_SIZE, None)
    )
    moved[:, ignored] += 7
    first = rewards(space, config, latents, goals)
    np.testing.assert_array_equal(rewards(space, config, latents, moved), first)
    assert np.abs(rewards(space, config, latents, goals + 7) - first).min() > 0.1


def test_true_reward_is_the_root_of_ten_times_the_metres_or_these(tiny, vae, frames, states):
    config = swapped(tiny, "latent", "true")
    space = hybrid(config, vae, frames, states)
    latents = space.encode(frames).latent
    metres = np.linalg.norm(states - states[::-1], axis=1)
    expected = -np.sqrt(0.02 + 10 * metres)
    told = rewards(space, config, latents, latents[::-1].copy())
    np.testing.assert_allclose(told, expected, rtol=1e-4)
    plain = replace(config, reward=replace(config.reward, kind="latent"))
    np.testing.assert_allclose(
        rewards(space, plain, latents, latents[::-1].copy()), -10 * metres, rtol=1e-4, atol=1e-5
    )


def test_sparse_reward_is_0_near_the_true_goal_whatever_the_latents_are(
    tiny, vae, frames, states
):
    """Near is 3 floors of 0.1 in spreads of the task's goals."""
    config = swapped(tiny, "latent", "true")
    config = replace(config, reward=replace(config.reward, kind="sparse"))
    space = hybrid(config, vae, frames, states)
    latents = space.encode(frames).latent
    for off, told in [(0.29, 0), (0.31, -1)]:
        goals = latents.copy()
        goals[:, :LATENT_SIZE] += 7
        goals[:, LATENT_SIZE] += off
        np.testing.assert_array_equal(rewards(space, config, latents, goals), told)


def collected(frames):
    """One long episode."""
    num_steps = len(frames) - 1
    actions = np.zeros((num_steps, 2), np.float32)
    return Collected(images=frames, actions=actions, num_steps=np.array([num_steps]))


def test_same_seed_has_the_vae_and_the_goals_of_the_run_that_is_checked(tiny, images, frames):
    config, recorders = swapped(tiny, "true", "true"), (Silent(), Silent())
    generators = [np.random.default_rng(8) for _ in range(2)]
    runs = zip(
        (config, unswapped(config)),
        (collected(frames), collected(images)),
        recorders,
        generators,
        strict=True,
    )
    swap, plain = (
        REPRESENTATIONS[given[0].representation_kind].fit(*given, rng=rng)
        for *given, rng in runs
    )
    jax.tree.map(np.testing.assert_array_equal, swap.latents.arrays(), plain.arrays())
    goals = [s.imagine(30, rng=rng) for s, rng in zip((swap, plain), generators, strict=True)]
    np.testing.assert_array_equal(goals[0][:, :LATENT_SIZE], goals[1])
    assert generators[0].bit_generator.state == generators[1].bit_generator.state
    assert (recorders[0].representation, recorders[1].representation) == (swap.latents, plain)
    np.testing.assert_array_equal(recorders[0].images, images)


def test_goals_are_a_latent_and_a_state_of_one_frame(space, frames, rng):
    seen = {tuple(pair) for pair in space.encode(frames).latent}
    assert {tuple(goal) for goal in space.imagine(200, rng=rng)} <= seen
    other = space.encode(frames[:4]).latent
    again = space.with_goals_among(other, GoalConfig(source="seen"), rng=rng)
    assert {tuple(goal) for goal in again.imagine(200, rng=rng)} == {tuple(p) for p in other}


@pytest.fixture(scope="module")
def finished(finished_run):
    """A run whose VAE was fine-tuned on the way, and its agent."""
    run = finished_run("hybrid")
    return run, load_agent(run.policy, run.config)


@pytest.mark.slow
@pytest.mark.ci
def test_latents_in_with_a_true_reward_trains_too(tmp_path, tiny):
    run = Run.create(tmp_path / "run", swapped(tiny, *HALVES[1]), {})
    train(run.config, run, PlainProgress(lambda _line: None))
    assert any("td3/critic_loss" in row for row in run.metrics())


def test_swap_trains_saves_loads_and_is_evaluated_as_it_was(finished):
    run, policy = finished
    loaded = load_agent(run.policy, run.config)
    jax.tree.map(
        np.testing.assert_array_equal,
        loaded.representation.arrays(),
        policy.representation.arrays(),
    )
    envs = make_envs(run.config, 2)
    trial = try_goals(loaded, envs, evaluation_goals(envs, 2))
    envs.close()
    assert table(run.config, trial, 300) == run.evaluation()
    assert any("td3/critic_loss" in row for row in run.metrics())


def test_what_a_swap_remembers_survives_the_disk(finished):
    run, policy = finished
    checkpoints = CheckpointManager(
        run, uninterrupted(), lambda: ReplayBuffer(run.config.buffer_size, 50), print
    )
    replay = checkpoints.restore().replay
    np.testing.assert_allclose(
        replay.latents, policy.representation.encode(replay.frames).latent, atol=1e-5
    )


def test_policy_that_was_given_truth_is_never_shown_as_one_that_sees_pictures(
    finished, tmp_path, capsys
):
    run, policy = finished
    with pytest.raises(RunError, match=r"--input true or --reward\.distance true"):
        image_representation(policy)
    out = tmp_path / "sheet.png"
    assert main(["imagine", str(run.directory), "--out", str(out)]) == 2
    assert "given the true state" in capsys.readouterr().err
    assert learned_from(run.config) in lead(read_facts([run.directory])[0])
    assert not out.exists()
    assert not (run.images / "reached.png").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"oracle": True}, "to both: leave out one"),
        ({"reward": RewardConfig(kind="pixel")}, r"--reward\.kind pixel does not"),
        ({"reward": RewardConfig(kind="log_probability", distance="true")}, "does not, choose"),
        ({"goals": GoalConfig(source="fitted")}, r"--goals\.source fitted has none"),
        ({"collect": CollectConfig(source="teleport")}, r"teleport.* do not record it"),
        ({"td3": TD3Config(channels=(4, 8))}, "learns from images: leave out --oracle"),
    ],
)
def test_what_no_swap_has_is_refused(changes, message):
    right = {"input": "true", "goals": GoalConfig(source="seen")}
    Config(**right)
    with pytest.raises(ConfigError, match=message):
        Config(**right | changes)


@pytest.mark.parametrize("option", [["--input", "true"], ["--reward.distance", "true"]])
def test_guests_have_no_true_state_to_give(option, tmp_path, capsys):
    out = tmp_path / "run"
    command = ["train", "--env", "Pendulum-v1", *option, "--out", str(out)]
    assert main(command) == 2
    assert "with --score" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("seen", "distance", "text"),
    [
        ("latent", "latent", "camera images alone"),
        ("true", "latent", "the true state, rewarded by latent distance"),
        ("latent", "true", "camera images, rewarded by true distance"),
    ],
)
def test_what_a_run_learned_from_is_told(tiny, seen, distance, text):
    config = swapped(tiny, seen, distance)
    assert learned_from(config).startswith(text)
    assert ("among them" in preset_of(config)) == config.is_hybrid, "with all else changed too"


@pytest.mark.parametrize("option", ["", "--oracle", "--input true", "--reward.distance true"])
def test_kept_result_tells_what_was_given(option):
    config = parse(["train", "Push", *option.split()]).config()
    result = fake_result("any", 0, **changes_from_published(config))
    assert result.is_given_truth == bool(option)
    assert result.is_oracle == (option == "--oracle")
