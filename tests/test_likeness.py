"""How like anything practised a goal is: found, said, and kept by a run."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fake_run import make_run
from PIL import Image

from rig.cli.main import main
from rig.errors import RunError
from rig.goals.likeness import likeness
from rig.goals.practised import FILE, load_practised, practised_of
from rig.representation.representation import Representation
from rig.training.practice_pictures import PracticePictures
from rig.types import Encoding, Episodes


SIDE = 24
RED, GREY, YELLOW = (200, 30, 30), (120, 120, 120), (230, 220, 40)


class Place(Representation):
    """Latents are where the red square is, and a latent is drawn as one."""

    weight = np.ones(2, np.float32)
    latent_dim = 2
    num_goals = 0

    def encode(self, frames):
        frames = frames.astype(int)
        red = (frames[..., 0] > 150) & (frames[..., 1] < 60)
        total = np.maximum(red.sum(axis=(1, 2)), 1)
        rows, columns = np.indices((SIDE, SIDE))
        places = [(red * axis).sum(axis=(1, 2)) / total for axis in (rows, columns)]
        return Encoding(
            latent=np.stack(places, axis=1).astype(np.float32),
            log_std=np.zeros((len(frames), 2), np.float32),
        )

    def decode(self, latents):
        return np.stack([table(*np.rint(latent - 1.5).astype(int)) for latent in latents])


def table(row, column, colour=RED):
    image = np.empty((SIDE, SIDE, 3), np.uint8)
    image[:] = GREY
    image[row : row + 4, column : column + 4] = colour
    return image


@pytest.fixture(scope="module")
def practised():
    rng = np.random.default_rng(0)
    # Practice has the square in the left two thirds.
    places = rng.integers((0, 0), (20, 13), size=(60, 4, 2))
    pictures = np.array([[table(*place) for place in episode] for episode in places])
    return practised_of(Place(), pictures, rng=rng)


def kinds(practised, image):
    found = likeness(practised, Place(), image)
    return found.verdict, {m.kind for m in found.measures if m.value > m.threshold}


def added(image):
    image = image.copy()
    image[18:22, 18:22] = YELLOW
    return image


def test_a_picture_of_practice_is_like_it(practised):
    found = likeness(practised, Place(), table(10, 6))
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
    missing = likeness(practised, Place(), table(10, 6, colour=GREY)).sentences
    assert any("Something red that practice always showed is missing" in s for s in missing)
    foreign = likeness(practised, Place(), added(table(2, 2))).sentences
    assert any("in the lower right of the picture" in s for s in foreign)


def test_thresholds_come_from_held_out_episodes_only(practised):
    assert (len(practised.latents), len(practised.held_out)) == (120, 120)


def test_it_is_kept_with_a_run_and_damage_is_an_error(practised, tmp_path):
    practised.save(tmp_path)
    loaded = load_practised(tmp_path, Place())
    assert np.array_equal(loaded.held_out, practised.held_out)
    replace(practised, held_out=practised.held_out[:0]).save(tmp_path)
    with pytest.raises(RunError, match="damaged"):
        load_practised(tmp_path, Place())


def test_practice_keeps_pictures_of_its_latest_episodes(tiny):
    pictures = PracticePictures(tiny)
    frames = np.array([table(row, 3) for row in range(20)])
    episodes = Episodes(
        num_steps=np.array([9, 9]),
        actions=np.zeros((18, 2), np.float32),
        frames=frames,
        encoding=Place().encode(frames),
        goals=np.zeros((2, 2), np.float32),
    )
    for steps in range(19):
        pictures.add(Place(), episodes, steps)
        assert pictures.practised(Place()) is None  # too few
    pictures.add(Place(), episodes, 19)
    assert len(pictures.practised(Place()).held_out) == 20 * 4


def test_check_says_not_known_then_unlike_with_exit_code_3(tmp_path, capsys):
    run = make_run(tmp_path / "run")
    size = run.config.image_size
    Image.new("RGB", (size, size), "red").save(tmp_path / "goal.png")
    argv = ["reach", str(run.directory), "--goal", str(tmp_path / "goal.png"), "--check"]
    assert main([*argv, "--force"]) == 0
    assert "not known" in capsys.readouterr().out
    from rig.agent.agent import load_agent

    representation = load_agent(run.policy, run.config).representation
    rng = np.random.default_rng(0)
    pictures = rng.integers(90, 110, size=(40, 1, size, size, 3)).astype(np.uint8)
    practised_of(representation, pictures, rng=rng).save(run.directory)
    assert (run.directory / FILE).is_file()
    assert main([*argv, "--force", "--json"]) == 3
    out = capsys.readouterr()
    assert json.loads(out.out)["verdict"] == "unlike"
    assert "nothing was moved" in out.err
