"""The page of ``rig see``, and its words about what is missing."""

import re
from dataclasses import replace

import numpy as np
import pytest

from rig.config import Config
from rig.representation.registry import REPRESENTATIONS
from rig.representation.representation import Representation
from rig.see.data_set import DataSet, Truth
from rig.see.fitted import Fitted
from rig.see.missing import colour_name, missing, place_name
from rig.see.motion import find_motion
from rig.see.page import sight_page, words
from rig.see.sight import Sight, see
from rig.see.source import source_of
from rig.see.views import things_view
from rig.see.visibility import Visibility
from rig.training.progress import Progress
from rig.types import Encoding


class NoProgress(Progress):
    """Shows nothing."""


@pytest.fixture(scope="module")
def two_things():
    """200 images of a large red square and a small blue one, and their places."""
    rng = np.random.default_rng(3)
    images = np.full((200, 48, 48, 3), 120, np.uint8)
    red = np.stack([rng.integers(0, 12, 200), rng.integers(0, 32, 200)], axis=1)
    blue = np.stack([rng.integers(32, 42, 200), rng.integers(0, 10, 200)], axis=1)
    for image, (down, right), (low, left) in zip(images, red, blue, strict=True):
        image[down : down + 14, right : right + 14] = (220, 30, 30)
        image[low : low + 4, left : left + 4] = (30, 30, 220)
    return images, red, blue


def without_blue(images):
    is_blue = (images == (30, 30, 220)).all(axis=3, keepdims=True)
    return np.where(is_blue, 120, images).astype(np.uint8)


def under_another_light(images, rng):
    """The same with another exposure, a soft shadow and noise in each."""
    down, right = np.mgrid[:48, :48]
    levels = images * rng.uniform(0.85, 1.15, (len(images), 1, 1, 1))
    for image, (row, column) in zip(levels, rng.uniform(0, 48, (len(images), 2)), strict=True):
        shadow = np.exp(-((down - row) ** 2 + (right - column) ** 2) / (2 * 8**2))
        image *= (1 - 0.3 * shadow)[..., None]
    return np.clip(levels + rng.normal(0, 3, levels.shape), 0, 255).astype(np.uint8)


def test_what_the_reconstructions_follow_is_not_missing(two_things):
    images, red, blue = two_things
    latents = np.concatenate([red, blue], axis=1).astype(np.float32)
    assert missing(find_motion(images), images, latents) == []


def test_a_small_thing_that_nothing_follows_is_named_with_its_place(two_things):
    images, red, _ = two_things
    (said,) = missing(find_motion(images), without_blue(images), red.astype(np.float32))
    assert said.startswith("Nothing follows the small blue thing at the lower left")
    assert "100% of the images" in said


def test_light_and_noise_are_not_missing_but_the_thing_is(two_things, rng):
    images, red, _ = two_things
    seen, latents = under_another_light(images, rng), red.astype(np.float32)
    assert missing(find_motion(seen), images, latents) == []
    (said,) = missing(find_motion(seen), without_blue(images), latents)
    assert "small blue thing" in said


def test_a_thing_whose_place_the_latents_know_is_only_badly_drawn(two_things):
    images, red, blue = two_things
    latents = np.concatenate([red, blue], axis=1).astype(np.float32)
    (said,) = missing(find_motion(images), without_blue(images), latents)
    assert said.startswith("The latents know the place of the small blue thing")


def test_still_images_say_so(two_things):
    still = np.repeat(two_things[0][:1], 20, axis=0)
    (said,) = missing(find_motion(still), still, np.zeros((20, 2), np.float32))
    assert said.startswith("Nothing moves in these images")


class SeesRedOnly(Representation):
    """Its latents are the place of the red square, and it decodes that alone."""

    weight = np.ones(2, np.float32)
    latent_dim, num_goals = 2, 0

    def encode(self, frames):
        red = (frames == (220, 30, 30)).all(axis=3)
        places = [np.argwhere(each).min(axis=0) for each in red]
        return Encoding(latent=np.float32(places), log_std=np.zeros((len(red), 2), np.float32))

    def decode(self, latents):
        images = np.full((len(latents), 48, 48, 3), 120, np.uint8)
        for image, (down, right) in zip(images, latents.round().astype(int), strict=True):
            image[max(down, 0) : down + 14, max(right, 0) : right + 14] = (220, 30, 30)
        return images

    def imagine(self, num, *, rng):
        return rng.uniform(0, 30, (num, 2)).astype(np.float32)


def test_the_page_says_what_is_missing_and_needs_no_other_file(two_things, monkeypatch):
    images, red, blue = two_things
    states = np.concatenate([red, blue], axis=1) * 0.01
    truth = Truth(states=states, objects={"big": [0, 1], "small <b>": [2, 3]})
    data_set = DataSet(images=images, num_steps=np.empty(0, np.int64), truth=truth)
    monkeypatch.setattr(REPRESENTATIONS["latent"], "fit", lambda *_, rng: SeesRedOnly())
    rng = np.random.default_rng(0)
    sight = see(Config(), source_of("two", data_set), 0.03, NoProgress(), rng=rng)
    page = sight_page(sight)
    assert "Nothing follows the small blue thing at the lower left" in page
    assert "The latents hardly hold the small &lt;b&gt;" in page
    assert "The latents hardly hold the big" not in page
    for heading in ("Still image and motion", "What each latent shows", "Imagined images"):
        assert heading in page
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert len(sources) == 4
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "Visible, hidden or gone" not in page
    told = Visibility(name="red", visible=0.9, hidden=0.061, gone=0.039)
    page = sight_page(replace(sight, visibility=[told]))
    assert "Visible, hidden or gone" in page
    assert "6.1%" in page


def test_a_camera_that_moves_is_said(two_things, rng):
    sight = Sight(
        source=source_of(
            "moved", DataSet(images=two_things[0], num_steps=np.empty(0, np.int64))
        ),
        fitted=Fitted(representation=SeesRedOnly(), fit_s=1.0, encode_ms=0.1),
        judged={},
        within_episodes={},
        visibility=[],
        how_sure=None,
    )
    moved = rng.integers(0, 255, (50, 48, 48, 3), np.uint8)
    assert "the camera or what is behind moves" in " ".join(words(sight, find_motion(moved)))
    assert "moves" not in " ".join(words(sight, find_motion(two_things[0])))


def test_places_are_drawn_where_attention_is(two_things):
    images, _, blue = two_things
    maps = (images == (30, 30, 220)).all(axis=3)[:, None].astype(np.float32)
    maps[:100] = 0  # hidden there
    view = things_view(find_motion(images), maps)
    drawn = np.asarray(view.image)
    left = drawn.shape[1] - 8 * 148 - 12  # where the first of eight images of 144 pixels begins
    assert drawn.shape[0] == 16 + 144 + 16
    coloured = np.ptp(drawn[16:160, left : left + 144].astype(int), axis=2) > 100
    rows, columns = np.nonzero(coloured)
    middle = 3 * (blue[100:] + 2)
    assert rows.min() >= middle[:, 0].min() - 2
    assert rows.max() <= middle[:, 0].max() + 2
    assert columns.max() <= middle[:, 1].max() + 2


@pytest.mark.parametrize(
    ("places", "name"),
    [
        ([(0.9, 0.1)] * 9 + [(0.1, 0.9)], "at the lower left"),
        ([(0.5, 0.5)], "in the middle"),
        ([(0.1, 0.1), (0.1, 0.5), (0.1, 0.9)], "at the top"),
        ([(0.1, 0.9), (0.5, 0.9), (0.9, 0.9)], "at the right"),
        ([(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)], "across the middle"),
        ([(0.1, 0.1), (0.5, 0.5), (0.9, 0.9)], "in many places"),
    ],
)
def test_places_have_names(places, name):
    assert place_name(np.array(places)) == name


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((220, 30, 30), "red"),
        ((200, 120, 40), "orange"),
        ((30, 160, 40), "green"),
        ((30, 60, 220), "blue"),
        ((10, 12, 11), "black"),
        ((120, 130, 125), "grey"),
        ((250, 255, 250), "white"),
    ],
)
def test_colours_have_names(rgb, name):
    assert colour_name(np.array(rgb, np.float32)) == name
