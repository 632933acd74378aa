"""How like anything practised a goal is: found, said, and kept by a run."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fake_run import TINY, make_run
from PIL import Image

from rig.cli.main import main
from rig.config import RewardConfig
from rig.errors import RunError
from rig.goals.likeness import ODD_SHARE, UNLIKE_SHARE, likeness, limits
from rig.goals.practised import (
    COLUMNS,
    FEWEST_PICTURES,
    load_practised,
    measure,
    practised_of,
)
from rig.goals.tried_goals import FILE as TRIED_FILE
from rig.goals.tried_goals import TriedGoals, how_often, load_tried_goals
from rig.representation.representation import Representation
from rig.runs.array_files import array_bytes
from rig.training import practice_pictures
from rig.training.evaluate import Trial, tried_goals
from rig.training.practice_pictures import PracticePictures, load_pictures
from rig.types import Encoding


SIDE = 24
RED, GREY, YELLOW = (200, 30, 30), (120, 120, 120), (230, 220, 40)


def table(row, column, colour=RED):
    image = np.empty((SIDE, SIDE, 3), np.uint8)
    image[:] = GREY
    image[row : row + 4, column : column + 4] = colour
    return image


@pytest.fixture(scope="module")
def pictures():
    """Practice has the square in the left two thirds, at every place there."""
    rng = np.random.default_rng(0)
    return np.array([table(*place) for place in rng.integers((0, 0), (20, 13), size=(300, 2))])


@pytest.fixture(scope="module")
def practised(pictures):
    return practised_of(pictures, rng=np.random.default_rng(1))


def kinds(practised, image):
    found = likeness(practised, image)
    return found.verdict, {m.kind for m in found.measures if m.value > m.threshold}


def added(image):
    image = image.copy()
    image[18:22, 18:22] = YELLOW
    return image


def test_a_picture_of_practice_is_like_it(practised):
    found = likeness(practised, table(10, 6))
    assert (found.verdict, found.sentences) == ("like", ())
    assert 0.05 < found.score <= 1


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (table(10, 20), "place"),
        ((0.7 * table(10, 6)).astype(np.uint8), "picture"),
        (table(10, 6, colour=GREY), "missing"),
        (added(table(2, 2)), "foreign"),
    ],
)
def test_each_measure_finds_what_it_is_for(practised, image, kind):
    verdict, found = kinds(practised, image)
    assert verdict == "unlike"
    assert kind in found


def test_sentences_name_the_thing_and_its_place(practised):
    missing = likeness(practised, table(10, 6, colour=GREY)).sentences
    assert any("Something red that practice always showed is missing" in s for s in missing)
    foreign = likeness(practised, added(table(2, 2))).sentences
    assert any("in the lower right of the picture" in s for s in foreign)


def test_a_picture_is_measured_against_other_groups_than_its_own(practised, pictures):
    # Every picture is remembered as it is: measured against itself it would have no distance.
    assert measure(practised, pictures)[:, COLUMNS.index("place")].max() == 0
    assert practised.held_out[:, COLUMNS.index("place")].max() > 0


def test_at_most_the_share_of_held_out_pictures_is_unlike(practised):
    over = practised.held_out > limits(practised.held_out, UNLIKE_SHARE)
    assert over.any(axis=1).mean() <= UNLIKE_SHARE
    odd = practised.held_out > limits(practised.held_out, ODD_SHARE)
    assert odd.sum() >= over.sum()


def test_it_is_kept_with_a_run_and_damage_is_an_error(practised, tmp_path):
    practised.save(tmp_path)
    loaded = load_practised(tmp_path)
    assert np.array_equal(loaded.held_out, practised.held_out)
    replace(practised, held_out=practised.held_out[:0]).save(tmp_path)
    with pytest.raises(RunError, match="damaged"):
        load_practised(tmp_path)


class Images(Representation):
    """All that a sample of pictures needs to know of a representation."""

    weight, latent_dim, num_goals = None, 2, 0


def sampled(num, each, seed=0):
    """A sample of images whose pixels are their number."""
    sample = PracticePictures()
    for first in range(0, num, each):
        numbers = np.arange(first, first + each, dtype=np.uint8)
        frames = np.broadcast_to(numbers[:, None, None, None], (each, 2, 2, 3))
        sample = sample.with_frames(Images(), frames, (seed, first))
    return sample


def test_every_picture_is_as_likely_in_the_sample(monkeypatch):
    monkeypatch.setattr(practice_pictures, "NUM_PICTURES", 10)
    counts = sum(
        np.bincount(sampled(60, 20, seed).images[:, 0, 0, 0], minlength=60)
        for seed in range(300)
    )
    # 50 times each, with a standard deviation of 6.5.
    assert np.abs(counts.reshape(6, 10).mean(axis=1) - 50).max() < 4 * 6.5 / 10**0.5
    assert counts.sum() == 300 * 10


def test_sample_leaves_the_one_before_it_as_it_was_and_comes_back_from_a_checkpoint(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(practice_pictures, "NUM_PICTURES", 10)
    sample = sampled(60, 20)
    before = sample.images.copy()
    sample.with_frames(Images(), 0 * sampled(10, 10).images, (0, 1))
    np.testing.assert_array_equal(sample.images, before)
    (tmp_path / practice_pictures.FILE).write_bytes(array_bytes(sample.arrays()))
    loaded = load_pictures(tmp_path)
    np.testing.assert_array_equal(loaded.images, before)
    assert loaded.num_seen == 60


def test_checkpoint_of_an_older_version_holds_no_pictures(tmp_path):
    assert load_pictures(tmp_path).num_seen == 0


def test_run_keeps_it_with_its_best_policy_too(finished_run):
    run = finished_run("latents")
    kept = load_practised(run.directory)
    assert len(kept.held_out) > FEWEST_PICTURES
    assert np.array_equal(load_practised(run.directory / "best").held_out, kept.held_out)


def test_check_says_not_known_then_unlike_with_exit_code_3(tmp_path, capsys, pictures):
    run = make_run(tmp_path / "run")
    size = run.config.image_size
    Image.new("RGB", (size, size), "red").save(tmp_path / "goal.png")
    argv = ["reach", str(run.directory), "--goal", str(tmp_path / "goal.png"), "--check"]
    assert main([*argv, "--force"]) == 0
    assert "not known" in capsys.readouterr().out
    large = pictures.repeat(size // SIDE, axis=1).repeat(size // SIDE, axis=2)
    practised_of(large, rng=np.random.default_rng(1)).save(run.directory)
    assert main([*argv, "--force", "--json"]) == 3
    out = capsys.readouterr()
    assert json.loads(out.out)["verdict"] == "unlike"
    assert json.loads(out.out)["reach"] is None
    assert "nothing was moved" in out.err
    latents = np.zeros((40, run.config.vae.latent_dim), np.float32)
    tried = TriedGoals(latents=latents, is_reached=np.arange(40) < 3)
    (run.directory / TRIED_FILE).write_bytes(tried.files()[TRIED_FILE])
    assert main([*argv, "--force"]) == 3
    said = "Of the 20 goals of its evaluation that are most like this one, 3 were reached."
    assert said in capsys.readouterr().out


def test_the_nearest_of_the_tried_goals_are_counted(tmp_path):
    """Of goals on a line, those right of the middle were reached."""
    latents = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
    tried = TriedGoals(latents=latents, is_reached=latents[:, 0] > 0.5)
    (tmp_path / TRIED_FILE).write_bytes(tried.files()[TRIED_FILE])
    loaded = load_tried_goals(tmp_path, 1, np.float32)

    def counted(place, tried=loaded):
        goal = np.array([[place]], np.float32)
        found = how_often(tried, goal, lambda z, g: np.abs(z - g)[:, 0])
        return found and found.num_reached

    assert [counted(place) for place in (0.1, 0.5, 0.9)] == [0, 10, 20]
    few = TriedGoals(latents=latents[:39], is_reached=tried.is_reached[:39])
    assert counted(0.1, few) is None
    assert counted(0.1, None) is None


@pytest.mark.parametrize("changes", [{"latents": np.zeros((9, 1), np.float32)}, {}])
def test_tried_goals_of_another_representation_are_an_error(tmp_path, changes):
    whole = {"latents": np.zeros((8, 1), np.float32), "is_reached": np.zeros(8, bool)}
    (tmp_path / TRIED_FILE).write_bytes(array_bytes(whole | changes))
    with pytest.raises(RunError, match=TRIED_FILE):
        load_tried_goals(tmp_path, 1 if changes else 2, np.float32)


def frames(*values):
    return np.array(values, np.uint8)[:, None, None, None].repeat(3, axis=3)


class Grey(Images):
    """A latent is the grey level, and the encoder is sure of it."""

    weight = np.ones(1, np.float32)

    def encode(self, frames):
        latent = frames[:, 0, 0, :1].astype(np.float32)
        return Encoding(latent=latent, log_std=np.full_like(latent, -9))


def ended(goal, final):
    unknown = np.full(len(goal), np.nan)
    return Trial(
        goal_frames=goal,
        first_frames=final,
        final_frames=final,
        distances={"hand_m": unknown},
        do_nothing={"hand_m": unknown},
        successes=unknown,
    )


def test_a_goal_is_reached_where_the_sparse_reward_says_so():
    """The floor of the standard deviation is 1 here, and the threshold 3 of them."""
    grey = Grey()
    reward = RewardConfig(kind="sqrt_distance", min_std=1.0, sparse_threshold=3.0)
    trial = ended(frames(10, 10, 10), frames(10, 12, 14))
    tried = tried_goals(grey, replace(TINY, reward=reward), trial)
    assert tried.is_reached.tolist() == [True, True, False]
    assert tried.latents[:, 0].tolist() == [10, 10, 10]
    pixels = RewardConfig(kind="pixel", pixel_threshold=3 / 255)
    assert tried_goals(grey, replace(TINY, reward=pixels), trial).is_reached.tolist() == [
        *(True, True, False)
    ]
    grey.needs_true_state = True
    assert tried_goals(grey, TINY, trial) is None


@pytest.mark.parametrize(("kind", "dtype"), [("latents", np.float32), ("pixels", np.uint8)])
def test_a_run_keeps_its_tried_goals_with_its_best_policy_too(finished_run, kind, dtype):
    run = finished_run(kind)
    size = run.config.image_size
    latent_dim = 3 * size**2 if kind == "pixels" else run.config.vae.latent_dim
    for directory in (run.directory, run.directory / "best"):
        kept = load_tried_goals(directory, latent_dim, dtype)
        assert len(kept.latents) == run.config.evaluate.num_goals
