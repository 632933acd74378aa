import json
from dataclasses import replace

import jax
import numpy as np
import pytest

from rig.agent.agent import Agent, load_agent, save_agent
from rig.agent.td3 import new_learner
from rig.config import GoalConfig
from rig.envs.tasks import find_task
from rig.errors import RunError
from rig.representation.latent import make_latent_representation
from rig.representation.true_state import TrueStateRepresentation
from rig.representation.vae import make_vae


CASES = [
    ("tiny", "normal"),
    ("tiny", "fitted"),
    ("tiny", "seen"),
    ("tiny_keypoints", "fitted"),
    ("tiny_oracle", "fitted"),
]


@pytest.fixture
def images(rng):
    return rng.integers(256, size=(30, 48, 48, 3), dtype=np.uint8)


def make_policy(config, images, rng, source="fitted"):
    """A policy that has learned nothing."""
    if config.oracle:
        space = TrueStateRepresentation.of_task(find_task(config.task), rng=rng)
    else:
        vae = make_vae(config.vae, images, key=jax.random.key(1), rng=rng)
        space = make_latent_representation(
            vae, images, source, -1.0, rng=np.random.default_rng(0)
        )
    learner = new_learner(space.latent_dim, 2, config.td3, key=jax.random.key(2))
    return Agent(space, learner)


@pytest.fixture
def saved(tmp_path, tiny, images, rng):
    """The directory of a policy of the tiny settings."""
    save_agent(tmp_path / "policy", make_policy(tiny, images, rng))
    return tmp_path / "policy"


def refusal(directory, config):
    """The one line that a person gets."""
    with pytest.raises(RunError) as caught:
        load_agent(directory, config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def edit(directory, **values):
    path = directory / "policy.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(("name", "source"), CASES)
def test_loaded_policy_does_the_same_to_the_byte(name, source, request, tmp_path, images, rng):
    config = request.getfixturevalue(name)
    config = replace(config, goals=GoalConfig(source=source))
    policy = make_policy(config, images, rng, source)
    save_agent(tmp_path / "policy", policy)
    loaded = load_agent(tmp_path / "policy", config)
    frames = np.ones((5, 2)) * np.arange(5)[:, None] if config.oracle else images[:5]
    goals = policy.representation.imagine(5, rng=np.random.default_rng(1))
    again = loaded.representation.imagine(5, rng=np.random.default_rng(1))
    assert again.tobytes() == goals.tobytes()
    assert loaded.act(frames, goals)[0].tobytes() == policy.act(frames, goals)[0].tobytes()


def test_loaded_learner_is_the_whole_learner(saved, tiny, images, rng):
    whole = make_policy(tiny, images, rng).learner
    loaded = load_agent(saved, tiny).learner
    assert jax.tree.structure(loaded) == jax.tree.structure(whole)
    jax.tree.map(np.testing.assert_array_equal, loaded, whole)


def test_fewer_images_than_components_can_be_loaded_too(tmp_path, tiny_keypoints, images, rng):
    save_agent(tmp_path / "policy", make_policy(tiny_keypoints, images[:5], rng))
    load_agent(tmp_path / "policy", tiny_keypoints)


def test_policy_that_was_never_saved(tmp_path, tiny):
    assert "holds no policy yet" in refusal(tmp_path / "policy", tiny)


def test_policy_of_another_schema(saved, tiny):
    edit(saved, schema=99)
    assert "schema 99" in refusal(saved, tiny)


@pytest.mark.parametrize("value", [None, "two", -1, 1.5, 10**12])
def test_count_that_is_none(saved, tiny, value):
    edit(saved, action_size=value)
    assert f"action_size = {value!r}; the run is damaged" in refusal(saved, tiny)


def test_settings_that_ask_for_another_shape(saved, tiny):
    other = replace(tiny, td3=replace(tiny.td3, hidden_sizes=(9,)))
    assert "has shape" in refusal(saved, other)


def test_settings_that_ask_for_more_networks(saved, tiny):
    other = replace(tiny, td3=replace(tiny.td3, hidden_sizes=(8, 8)))
    assert "lacks array" in refusal(saved, other)


def test_numbers_that_were_cut(saved, tiny):
    path = saved / "policy.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    assert "the run is damaged" in refusal(saved, tiny)


def test_numbers_that_are_missing(saved, tiny):
    (saved / "policy.safetensors").unlink()
    assert "holds no policy yet" in refusal(saved, tiny)


def test_json_that_is_none(saved, tiny):
    (saved / "policy.json").write_text("{")
    assert "is not JSON" in refusal(saved, tiny)
