"""Visible, hidden or gone, and how sure latents are of an image with a part hidden."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from test_quantile_keypoints import SIDE, lit, scene

from rig.config import VAEConfig
from rig.representation.latent import make_latent_representation
from rig.representation.spread import fit_spread, hidden_pairs, share_within
from rig.representation.vae import make_vae
from rig.see.how_sure import how_sure, unsureness
from rig.see.visibility import visibility
from rig.types import Collected


CONFIG = VAEConfig(
    architecture="quantile_keypoints", latent_dim=12, likelihood="gaussian", num_components=5
)
RED, BLUE = (220.0, 40.0, 30.0), (20.0, 60.0, 200.0)
KINDS = ("visible",) * 4 + ("hidden",) + ("gone",)
"""What becomes of the red square at the end of an episode, in turn."""
NUM_EPISODES, NUM_IMAGES, NUM_LATE = 60, 6, 2
"""Episodes, images of each, and images at its end."""
SHARE = NUM_LATE / NUM_IMAGES / len(KINDS)
"""Of all images: those in which the red square is hidden, and those in which it is gone."""


@pytest.fixture(scope="module")
def seen():
    """Return images, and a representation fitted to them.

    A red square is in the upper half of each image and a larger blue one in the lower half. At
    the end of some episodes the blue one stands before the red one, or the red one is gone.
    """
    rng = np.random.default_rng(0)
    images = []
    for episode in range(NUM_EPISODES):
        kind = KINDS[episode % len(KINDS)]
        x, y = rng.integers(3, SIDE - 8), rng.integers(3, SIDE // 2 - 5)
        for step in range(NUM_IMAGES):
            is_late = step >= NUM_IMAGES - NUM_LATE
            image = scene([])
            if not (is_late and kind == "gone"):
                image[y : y + 4, x : x + 4] = RED
            left, top = rng.integers(0, SIDE - 6), rng.integers(SIDE // 2, SIDE - 6)
            if is_late and kind == "hidden":
                left, top = x - 1, y - 1
            image[top : top + 6, left : left + 6] = BLUE
            images.append(image)
    images = lit(np.stack(images), rng, shadow=0)
    vae = make_vae(CONFIG, images, key=jax.random.key(0), rng=rng)
    return images, make_latent_representation(vae, images, "seen", 0.0, rng=rng)


def collected(images, num_steps):
    actions = np.empty((int(np.sum(num_steps)), 0), np.float32)
    return Collected(images=images, actions=actions, num_steps=np.array(num_steps, np.int64))


def test_what_something_stands_before_is_hidden_and_what_left_is_gone(seen):
    images, representation = seen
    told = visibility(representation, collected(images, [NUM_IMAGES - 1] * NUM_EPISODES))
    blue, red = told  # the larger one first
    assert (blue.name, red.name) == ("blue", "red")
    assert blue.visible == 1
    assert red.hidden == pytest.approx(SHARE, abs=0.01)
    assert red.gone == pytest.approx(SHARE, abs=0.01)
    assert red.visible + red.hidden + red.gone == pytest.approx(1)


def test_what_is_never_seen_in_an_episode_is_gone(seen):
    images, representation = seen
    late = images.reshape(NUM_EPISODES, NUM_IMAGES, *images.shape[1:])[:, -NUM_LATE:]
    rows = late.reshape(-1, *images.shape[1:])
    told = visibility(representation, collected(rows, [NUM_LATE - 1] * NUM_EPISODES))
    assert told[1].hidden == 0
    assert told[1].gone == pytest.approx(2 / len(KINDS), abs=0.01)


def test_what_is_seen_in_few_images_is_mostly_gone(seen):
    """Two of three episodes never show the red square."""
    images, representation = seen
    by_episode = images.reshape(NUM_EPISODES, NUM_IMAGES, *images.shape[1:])
    is_gone = np.array(
        [KINDS[episode % len(KINDS)] == "gone" for episode in range(NUM_EPISODES)]
    )
    never = np.repeat(by_episode[is_gone, -NUM_LATE:], 4, axis=0)
    always = by_episode[~is_gone][:20, :NUM_LATE]
    rows = np.concatenate([never, always])
    told = visibility(
        representation,
        collected(rows.reshape(-1, *images.shape[1:]), [NUM_LATE - 1] * len(rows)),
    )
    red = next(each for each in told if each.name == "red")
    assert red.gone == pytest.approx(len(never) / len(rows), abs=0.02)


def test_images_without_order_say_nothing_of_what_is_hidden(seen):
    images, representation = seen
    assert visibility(representation, collected(images, [])) == []


def test_latents_stay_within_their_spread_when_a_part_is_hidden(seen, rng):
    images, representation = seen
    encoder = representation.vae.encoder
    spread = fit_spread(encoder, images[::2], rng=rng)
    hidden, whole = share_within(spread, encoder, images[1::2], 2, rng=rng)
    assert hidden > 0.74
    assert whole > 0.9
    always_certain = replace(spread, hidden=np.zeros_like(spread.hidden))
    assert share_within(always_certain, encoder, images[1::2], 2, rng=rng)[0] < 0.4


def test_latents_are_least_sure_where_most_is_hidden(seen, rng):
    images, representation = seen
    sure = how_sure(representation, images, rng=rng)
    spread = unsureness(sure, images)
    at_end = (
        spread.reshape(NUM_EPISODES, NUM_IMAGES)[:, -1].reshape(-1, len(KINDS)).mean(axis=0)
    )
    visible, hidden, gone = at_end[:4].max(), at_end[4], at_end[5]
    assert min(hidden, gone) > 3 * visible


def test_what_is_hidden_on_purpose_has_fewer_pixels(seen, rng):
    images, representation = seen
    encoder = representation.vae.encoder
    (_, whole), (_, partly), is_hidden = hidden_pairs(encoder, images, rng=rng)
    lost = 1 - partly.sum(axis=1) / whole.sum(axis=1)
    assert lost[is_hidden].mean() > lost[~is_hidden].mean() + 0.05


def test_few_images_say_nothing_of_how_sure_latents_are(seen, rng):
    images, representation = seen
    assert how_sure(representation, images[:30], rng=rng) is None
