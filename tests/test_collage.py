"""A collage: a latent is shown by what was seen of each thing."""

from dataclasses import fields, replace

import jax
import numpy as np
import pytest
from test_quantile_keypoints import SIDE, encode
from test_things import BAND_PX, COLORS, drawn, places_of

from rig.config import RewardConfig, VAEConfig
from rig.errors import RunError
from rig.replay.buffer import ReplayBuffer
from rig.representation.collage import FILE, Collage, load_collage
from rig.representation.keypoint_fit import fit_keypoints
from rig.representation.latent import make_latent_representation
from rig.representation.make_collage import make_collage, spread_out, with_collage_of
from rig.representation.vae import make_vae
from rig.runs.array_files import array_bytes
from rig.training.learn import make_reward
from rig.types import Episodes


THINGS = 3


@pytest.fixture(scope="module")
def seen():
    """Return images of three things, their encoder, a collage and the places of the things."""
    rng = np.random.default_rng(0)
    places = places_of(THINGS, rng)
    images = drawn(places).astype(np.uint8)
    encoder = fit_keypoints(images, 12, rng=rng)
    return images, encoder, make_collage(encoder, images), places


def found(images, color):
    """Return the middle of the pixels of a color, in pixels, of each image."""
    is_near = np.abs(images - np.array(color)).sum(axis=3) < 60
    return [np.argwhere(each)[:, ::-1].mean(axis=0) for each in is_near]


def test_things_stand_where_they_were_never_seen_together(seen):
    _, encoder, collage, places = seen
    others = np.stack([np.roll(places[:, i], i, axis=0) for i in range(THINGS)], axis=1)[:40]
    painted = collage.paint(encode(encoder, drawn(others)))
    for i, color in enumerate(COLORS):
        error = np.linalg.norm(found(painted, color) - (others[:, i] + 1.5), axis=1)
        assert np.median(error) < 1.0
        assert (np.abs(painted[:, BAND_PX * i :][:, :BAND_PX] - np.array(color)) < 30).any()


def test_images_that_were_seen_are_shown_as_they_were(seen):
    images, encoder, collage, _ = seen
    painted = collage.paint(encode(encoder, images[:50]))
    assert np.sqrt(np.mean((images[:50].astype(float) - painted) ** 2)) < 12


def two_images(opacity):
    """Return a collage of one thing of two images: 200 and 100 on 0."""
    return Collage(
        background=np.zeros((1, 2, 3), np.uint8),
        images=np.stack([np.full((1, 2, 3), level, np.uint8) for level in (200, 100)]),
        latents=np.array([[0.0], [1.0]], np.float32),
        parts=np.ones((1, 1, 1), np.float32),
        opacity=np.array([opacity], np.uint8),
    )


def painted(collage, latent):
    return collage.paint(np.array([[latent]], np.float32))[0, 0, :, 0].tolist()


def test_a_thing_is_taken_from_where_it_is_not_hidden():
    collage = two_images([[[255, 0]], [[255, 255]]])
    assert painted(collage, 0.4) == [100, 100]
    assert painted(collage, 0.0) == [200, 0], "the other one is too far"


def test_edges_are_soft():
    assert painted(two_images([[[255, 51]], [[0, 0]]]), 0.0) == [200, 40]


def test_the_last_thing_stands_in_front():
    collage = two_images([[[255, 255]], [[0, 0]]])
    both = Collage(
        background=collage.background,
        images=collage.images,
        latents=np.array([[0, 0], [9, 9]], np.float32),
        parts=np.stack([np.diag([1, 0]), np.diag([0, 1])]).astype(np.float32),
        opacity=np.array([[[[255, 255]], [[255, 255]]], [[[0, 0]], [[0, 255]]]], np.uint8),
    )
    assert both.paint(np.array([[0, 9]], np.float32))[0, 0, :, 0].tolist() == [200, 100]


def test_images_are_as_different_as_possible():
    latents = np.array([[0], [0.1], [10], [0.2], [5]], np.float32)
    assert spread_out(latents, 3).tolist() == [0, 2, 4]
    assert spread_out(latents, 9).tolist()[:3] == [0, 2, 4]


SIZES = {"image_size": SIDE, "latent_dim": 12}


def test_it_is_the_same_from_its_file(seen, tmp_path):
    images, encoder, collage, _ = seen
    (tmp_path / FILE).write_bytes(collage.file())
    again = load_collage(tmp_path, **SIZES)
    wanted = encode(encoder, images[60:70])
    np.testing.assert_array_equal(again.paint(wanted), collage.paint(wanted))
    assert load_collage(tmp_path / "none", **SIZES) is None


def test_damaged_file_is_an_error(tmp_path):
    (tmp_path / FILE).write_bytes(b"no")
    with pytest.raises(RunError, match="can't be read"):
        load_collage(tmp_path, **SIZES)


@pytest.mark.parametrize(
    "other",
    [{"image_size": 84}, {"latent_dim": 16}],
    ids=["images of another size", "other latents"],
)
def test_file_of_another_policy_is_an_error(other, seen, tmp_path):
    (tmp_path / FILE).write_bytes(seen[2].file())
    with pytest.raises(RunError, match=r"config\.json needs"):
        load_collage(tmp_path, **(SIZES | other))


@pytest.mark.parametrize("names", [("images",), ("parts",), ("images", "latents")])
def test_file_with_too_few_rows_is_an_error(names, seen, tmp_path):
    arrays = {field.name: getattr(seen[2], field.name) for field in fields(Collage)}
    arrays |= {name: arrays[name][1:] for name in names}
    (tmp_path / FILE).write_bytes(array_bytes(arrays))
    with pytest.raises(RunError, match="do not fit each other"):
        load_collage(tmp_path, **SIZES)


def test_a_reward_that_compares_images_is_that_of_the_decoder(seen, rng):
    images, encoder, collage, _ = seen
    config = VAEConfig(
        architecture="feature_points", latent_dim=12, likelihood="gaussian", num_components=5
    )
    vae = make_vae(config, images[:60], key=jax.random.key(0), rng=rng)
    plain = make_latent_representation(
        replace(vae, encoder=encoder), images[:60], "seen", 0, rng=rng
    )
    shown = plain.with_collage(collage)
    replay = ReplayBuffer(60, 59)
    replay.add(
        Episodes(
            num_steps=np.array([59]),
            actions=np.zeros((59, 2), np.float32),
            frames=images[:60],
            encoding=plain.encode(images[:60]),
            goals=plain.imagine(1, rng=rng),
        )
    )
    sampled, goal = replay.sample(8, rng=rng), plain.imagine(8, rng=rng)
    assert not np.array_equal(shown.decode(goal), plain.decode(goal))
    reward = RewardConfig(kind="pixel_distance")
    of_each = [make_reward(reward, each, replay)(sampled, goal) for each in (plain, shown)]
    np.testing.assert_array_equal(*of_each)


@pytest.mark.parametrize(
    ("is_quantile", "num", "is_kept"), [(True, 60, False), (True, 20, True), (False, 60, True)]
)
def test_latents_that_a_decoder_shaped_keep_theirs(is_quantile, num, is_kept, seen, rng):
    images = seen[0][:60]
    config = VAEConfig(
        architecture="feature_points", latent_dim=12, likelihood="gaussian", num_components=5
    )
    vae = make_vae(config, images, key=jax.random.key(0), rng=rng)
    if is_quantile:
        vae = replace(vae, encoder=seen[1])
    before = make_latent_representation(vae, images, "seen", 0, rng=rng)
    after = with_collage_of(before, images[:num])
    assert (after is before) == is_kept
    np.testing.assert_array_equal(after.encode(images).latent, before.encode(images).latent)
