from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from rig.config import Config, GoalConfig, VAEConfig
from rig.nn import chunks
from rig.nn.chunks import in_chunks
from rig.representation.fit import fine_tune
from rig.representation.latent import LatentRepresentation, make_latent_representation
from rig.representation.prior import GaussianPrior, SeenPrior
from rig.representation.vae import make_vae, to_float
from rig.representation.whiten import Whitening, no_whitening


CONFIG = VAEConfig(latent_dim=2, likelihood="gaussian", channels=(4, 8))


@pytest.fixture
def images(rng):
    return rng.integers(256, size=(7, 24, 24, 3), dtype=np.uint8)


@pytest.fixture
def vae(images, key, rng):
    return make_vae(CONFIG, images, key=key, rng=rng)


@pytest.fixture
def space(vae, images):
    return make_latent_representation(vae, images, "seen", -1.0, rng=np.random.default_rng(0))


def both(part):
    """Doubled and raised by 100."""
    return jnp.asarray(2 * part), (jnp.asarray(part + 100),)


@pytest.mark.parametrize("num", [0, 1, 3, 4, 5, 8, 11])
def test_chunks_keep_every_row_in_its_place(num, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 4)
    rows = np.arange(num, dtype=np.float32)[:, None]
    doubled, (raised,) = in_chunks(both, rows)
    np.testing.assert_array_equal(doubled, 2 * rows)
    np.testing.assert_array_equal(raised, rows + 100)


def test_chunks_are_all_of_one_size(monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 4)
    parts = []
    in_chunks(lambda part: parts.append(part) or both(part), np.ones(10, np.float32))
    assert [len(part) for part in parts] == [4, 4, 4]


def test_encoding_is_the_posterior_of_each_image(space, vae, images):
    encoding = space.encode(images)
    for row, image in enumerate(images):
        posterior = vae.encode(to_float(jnp.asarray(image)))
        np.testing.assert_allclose(encoding.latent[row], posterior.mean, atol=1e-5)
        np.testing.assert_allclose(encoding.log_std[row], posterior.log_std, atol=1e-5)


def test_decoding_is_the_picture_of_each_latent(space, vae):
    latents = np.array([[1, 2], [-1, 3]], np.float32)
    for picture, latent in zip(space.decode(latents), latents, strict=True):
        expected = 255 * np.asarray(vae.decode(jnp.asarray(latent)))
        assert picture.dtype == np.uint8
        np.testing.assert_allclose(picture, expected, atol=0.51)


def test_seeing_and_acting_is_encoding_and_then_acting(space, images):
    goals = np.arange(14, dtype=np.float32).reshape(7, 2)
    encoding = space.encode(images)
    action, seen = space.encode_and_act(lambda latent, goal: latent - 2 * goal, images, goals)
    np.testing.assert_allclose(seen.latent, encoding.latent, atol=1e-5)
    np.testing.assert_allclose(seen.log_std, encoding.log_std, atol=1e-5)
    np.testing.assert_allclose(action, encoding.latent - 2 * goals, atol=1e-5)


def test_goals_are_imagined_from_the_latents_of_the_images(space, images, rng):
    seen = {tuple(latent) for latent in space.encode(images).latent}
    assert {tuple(goal) for goal in space.imagine(200, rng=rng)} == seen


def test_space_knows_how_many_goals_its_prior_keeps(vae, images):
    num_goals = {
        source: make_latent_representation(
            vae, images, source, -1.0, rng=np.random.default_rng(0)
        ).num_goals
        for source in ("seen", "skewed", "fitted")
    }
    assert num_goals == {"seen": len(images), "skewed": len(images), "fitted": 0}


def test_every_latent_weighs_alike_unless_told(space, vae):
    assert space.weight.tolist() == [1, 1]
    whitening = replace(no_whitening(2), weight=jnp.array([1, 0.5]))
    assert LatentRepresentation(vae, whitening, space.prior).weight.tolist() == [1, 0.5]


@pytest.mark.parametrize("source", ["normal", "fitted", "correlated", "seen"])
def test_space_survives_being_taken_apart(source, vae, images):
    space = make_latent_representation(vae, images, source, -1.0, rng=np.random.default_rng(0))
    again = LatentRepresentation.from_arrays(
        space.arrays(), Config(goals=GoalConfig(source=source))
    )
    assert type(again.prior) is (SeenPrior if source == "seen" else GaussianPrior)
    first, second = (each.imagine(5, rng=np.random.default_rng(1)) for each in (space, again))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(again.encode(images).latent, space.encode(images).latent)
    np.testing.assert_array_equal(again.weight, space.weight)


def test_space_whitens_what_it_encodes_and_undoes_it_to_decode(space, vae, images):
    turn = jnp.array([[0.0, 2.0], [-4.0, 0.0]])
    whitening = Whitening(jnp.array([0.5, -0.5]), turn, jnp.linalg.inv(turn), jnp.ones(2))
    whitened = LatentRepresentation(vae, whitening, space.prior)
    plain, latent = space.encode(images), whitened.encode(images)
    np.testing.assert_allclose(latent.latent[:, 0], -4 * (plain.latent[:, 1] + 0.5), atol=1e-5)
    np.testing.assert_allclose(latent.latent[:, 1], 2 * (plain.latent[:, 0] - 0.5), atol=1e-5)
    np.testing.assert_allclose(latent.log_std[:, 0], np.log(4) + plain.log_std[:, 1], atol=1e-5)
    painted = whitened.decode(latent.latent).astype(int) - space.decode(plain.latent)
    assert np.abs(painted).max() <= 1


def refitted(space, images, config):
    """The space after a few more steps of the fit of its VAE."""
    rng = np.random.default_rng(0)
    vae = fine_tune(space.vae, images, replace(config, learning_rate=0.01), 3, rng=rng)
    return LatentRepresentation(vae, space.whitening, space.prior)


def test_goal_is_seen_anew_in_its_picture_where_a_fit_moves_latents(space, images, rng):
    new, goals = refitted(space, images, CONFIG), rng.standard_normal((5, 2), np.float32)
    moved = space.reencode_goals(goals, new)
    np.testing.assert_array_equal(moved, new.encode(space.decode(goals)).latent)
    assert not np.allclose(moved, goals)


@pytest.mark.slow
@pytest.mark.ci
def test_goal_stays_where_a_fit_learns_no_more_than_the_spread(images, key, rng):
    """Its picture would be another place, of a decoder that has hardly learned to paint."""
    config = replace(CONFIG, architecture="quantile_keypoints", num_components=4, hidden_size=8)
    vae = make_vae(config, images, key=key, rng=rng)
    space = make_latent_representation(vae, images, "seen", -1.0, rng=rng)
    new, goals = refitted(space, images, config), rng.standard_normal((5, 2), np.float32)
    assert not np.allclose(space.encode(space.decode(goals)).latent, goals)
    np.testing.assert_array_equal(space.reencode_goals(goals, new), goals)
    assert (new.encode(images).log_std != space.encode(images).log_std).all()


def test_camera_that_sees_nothing_move_gives_a_skewed_prior_too(vae, images, rng):
    """A run comes so far as to be told that its latents are dead."""
    still = np.repeat(images[:1], 7, axis=0)
    space = make_latent_representation(vae, still, "skewed", -1.0, rng=rng)
    goals = space.imagine(7, rng=rng)
    np.testing.assert_allclose(goals, space.encode(still).latent, atol=1e-5)


def test_latent_size_is_that_of_the_vae(images, key, rng):
    vae = make_vae(replace(CONFIG, latent_dim=5), images, key=key, rng=rng)
    assert (
        make_latent_representation(
            vae, images, "normal", -1.0, rng=np.random.default_rng(0)
        ).latent_dim
        == 5
    )
