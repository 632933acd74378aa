import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from rig.errors import ConfigError
from rig.inference.latent_goals import LatentGoals
from rig.representation.latent import make_latent_representation
from rig.representation.vae import make_vae


@pytest.fixture(scope="module")
def space(tiny):
    import jax

    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(8, 48, 48, 3)).astype(np.uint8)
    vae = make_vae(tiny.vae, images, key=jax.random.key(0), rng=rng)
    return make_latent_representation(vae, images, "normal", -1.0, rng=rng)


@pytest.fixture
def make(space):
    def of(**options):
        task = gymnasium.make("rig.envs.registration:rig/Push-v0", disable_env_checker=True)
        return LatentGoals(task, space, **options)

    return of


def test_observations_lie_in_their_space(make):
    env = make()
    for seen in (env.reset(seed=0)[0], env.step(np.zeros(2, np.float32))[0]):
        assert env.observation_space.contains(seen)


@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version")
@pytest.mark.filterwarnings("ignore:.*Box observation space m[ai][nx]imum value")
def test_environment_passes_gymnasiums_checker(make):
    check_env(make(), skip_render_check=True)


def test_latents_can_be_written_to(make):
    seen, _ = make().reset(seed=0)
    for name, latent in seen.items():
        latent[:] = len(name)
    assert {int(latent[0]) for latent in seen.values()} == set(map(len, seen))


def test_what_is_seen_is_the_latent_of_the_picture(make, space):
    env = make()
    seen, _ = env.reset(seed=0)
    picture = env.unwrapped._batch._images
    np.testing.assert_array_equal(seen["observation"], space.encode(picture).latent[0])
    np.testing.assert_array_equal(seen["observation"], seen["achieved_goal"])
    assert seen["desired_goal"].shape == (space.latent_dim,)


def test_goals_are_imagined_or_the_latents_of_goal_pictures(make, space):
    env = make(goals="images")
    seen, _ = env.reset(seed=0)
    picture = env.unwrapped._batch._goal_images
    np.testing.assert_array_equal(seen["desired_goal"], space.encode(picture).latent[0])
    first, second = (make().reset(seed=seed)[0]["desired_goal"] for seed in (1, 2))
    assert (first != second).any()


def test_goals_that_are_no_goals_are_refused(make):
    with pytest.raises(ConfigError, match=r"goals must be imagined or images, got .image"):
        make(goals="image")


def test_the_reward_of_a_step_is_what_compute_reward_says_of_it(make):
    env = make()
    env.reset(seed=0)
    seen, reward, terminated, _truncated, info = env.step(np.float32([1, -1]))
    told = env.compute_reward(seen["achieved_goal"], seen["desired_goal"], info)
    assert (reward, terminated) == (pytest.approx(float(told)), False)
    assert reward < 0
    assert "puck_distance_m" in info


def test_rewards_of_a_batch_are_those_of_its_rows(make, rng, space):
    env = make()
    rows = rng.standard_normal((2, 5, space.latent_dim)).astype(np.float32)
    together = env.compute_reward(*rows, info=[{}] * 5)
    alone = [env.compute_reward(*pair, {}) for pair in zip(*rows, strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-6)
    assert env.compute_reward(rows[0], rows[0], None).max() == 0
    by_hand = -np.linalg.norm(space.weight * (rows[0, 0] - rows[1, 0]))
    assert together[0] == pytest.approx(by_hand, rel=1e-6)


def test_episodes_are_as_long_as_the_task_and_never_terminate(make):
    env = make()
    env.reset(seed=0)
    ends = [env.step(np.zeros(2, np.float32))[2:4] for _ in range(50)]
    assert ends[-1] == (False, True)
    assert set(ends[:-1]) == {(False, False)}


@pytest.mark.filterwarnings("ignore")
def test_somebody_elses_hindsight_learns_from_it(make):
    sb3 = pytest.importorskip("stable_baselines3", reason="not installed")
    settings = {"learning_starts": 100, "batch_size": 8, "buffer_size": 200, "device": "cpu"}
    agent = sb3.TD3(
        "MultiInputPolicy",
        make(),
        replay_buffer_class=sb3.HerReplayBuffer,
        policy_kwargs={"net_arch": [8]},
        **settings,
    )
    agent.learn(150)
    drawn = agent.replay_buffer.sample(32, env=agent.get_vec_normalize_env())
    achieved, goal = (
        drawn.next_observations[name] for name in ("achieved_goal", "desired_goal")
    )
    told = make().compute_reward(achieved.numpy(), goal.numpy(), None)
    np.testing.assert_allclose(drawn.rewards.numpy()[:, 0], told, rtol=1e-4)
