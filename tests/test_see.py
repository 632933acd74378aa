"""``rig see``: what latents hold of anyone's images; true states only measure."""

import json
import zipfile
from contextlib import closing, suppress
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from rig.cli import see_command
from rig.cli.main import main
from rig.config import Config
from rig.envs.image_goal_env import Goals
from rig.envs.square_crop import crop_square
from rig.envs.tabletop_env import TabletopVectorEnv
from rig.envs.tasks.rope import LINK_M
from rig.errors import DataSetError
from rig.inference.video import save_video
from rig.representation.attention import attention_maps
from rig.representation.pixels import PixelRepresentation
from rig.representation.registry import REPRESENTATIONS
from rig.see import media, sight
from rig.see.data_set import DataSet, Truth, read_data_set
from rig.see.episodes import judge_within_episodes
from rig.see.judge import judge, near_pairs
from rig.see.media import read_media
from rig.see.practice import practice_images, random_states
from rig.see.sight_table import print_sight
from rig.see.source import source_of
from rig.training.make_envs import make_envs, unwrapped_envs
from rig.training.progress import Progress


class NoProgress(Progress):
    """Shows nothing."""


@pytest.fixture(scope="module")
def moving_square():
    """Images of a red square on grey, and its place in metres: 0.2 m to a side."""
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 40, (120, 2))
    images = np.full((120, 48, 48, 3), 120, np.uint8)
    for image, (x, y) in zip(images, corners, strict=True):
        image[y : y + 8, x : x + 8] = (220, 30, 30)
    return images, corners * 0.2 / 48


def see(config, data_set):
    source = source_of("test", data_set)
    return sight.see(config, source, 0.03, NoProgress(), rng=np.random.default_rng(0))


def write(path, **arrays):
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def square_set(moving_square):
    images, places = moving_square
    truth = Truth(states=places, objects={"square": [0, 1]})
    return DataSet(images=images, num_steps=np.empty(0, np.int64), truth=truth)


@pytest.fixture(scope="module")
def square_sight(square_set, tiny_keypoints):
    return see(tiny_keypoints, square_set)


@pytest.fixture
def square_file(moving_square, tmp_path):
    images, places = moving_square
    return write(
        tmp_path / "square.npz", images=images, states=places, things="{'square': [0, 1]}"
    )


@pytest.fixture
def small_preset(tiny_keypoints, monkeypatch):
    """The settings of a fit of a second in place of the default preset's."""
    monkeypatch.setattr(
        see_command,
        "find_preset",
        lambda _name, task: replace(tiny_keypoints, task=task),
    )


def test_json_has_each_object_and_the_cost(square_file, small_preset, capsys):
    assert main(["see", str(square_file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    row = told["objects"]["square"]
    assert set(row) == {"error", "share", "corr"}
    assert row["share"] < 0.2
    assert row["corr"] > 0.8
    assert told["fit_s"] > 0
    assert told["encode_ms"] > 0
    assert told["missing"][0].startswith("120 images are few")


def test_states_that_name_no_objects_are_told(moving_square, tmp_path, capsys, small_preset):
    images, places = moving_square
    path = write(tmp_path / "unnamed.npz", images=images, states=places)
    assert main(["see", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "no true states of named objects" in out
    assert "states name no objects: add things, or give --objects" in err
    short = write(tmp_path / "short.npz", images=images, states=places[:-1])
    assert main(["see", str(short)]) == 2
    assert "a row for each image" in capsys.readouterr().err


def test_a_table_is_printed_without_json(square_sight, capsys):
    print_sight(square_sight)
    out = capsys.readouterr().out
    assert "square" in out
    assert "120 images" in out


def test_true_states_do_not_reach_the_fit(square_set, square_sight, tiny_keypoints):
    other = np.random.default_rng(9).normal(size=square_set.truth.states.shape)
    corrupted = replace(square_set, truth=replace(square_set.truth, states=other))
    seen = [square_sight, see(tiny_keypoints, corrupted)]
    latents = [
        each.fitted.representation.encode(square_set.images).latent.tobytes() for each in seen
    ]
    assert latents[0] == latents[1]
    assert seen[0].judged != seen[1].judged


def test_the_fit_gets_images_in_their_order_and_nothing_else(
    square_file, tiny_keypoints, monkeypatch
):
    given = []
    kind = REPRESENTATIONS["latent"]
    fit = kind.fit

    def record(config, collected, monitor, *, rng):
        given.append(collected)
        return fit(config, collected, monitor, rng=rng)

    monkeypatch.setattr(kind, "fit", record)
    data_set = read_data_set(square_file, 48)
    see(tiny_keypoints, data_set)
    assert given[0].images.tobytes() == data_set.images.tobytes()
    assert given[0].actions.size == 0
    assert len(given[0].num_steps) == 0


def test_practice_is_that_of_training_and_judged_on_other_states(small_preset, capsys):
    assert main(["see", "push", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["objects"]) == {"hand", "puck"}
    assert told["num_images"] == 102  # an episode of 50 steps in each of two environments


def test_the_truth_of_a_task_does_not_reach_what_is_fitted(tiny_keypoints, monkeypatch):
    def practise():
        rng = np.random.default_rng(0)
        collected = practice_images(tiny_keypoints, NoProgress(), rng=rng).collected
        return [array.tobytes() for array in collected.arrays().values()], rng.random()

    honest = practise()
    monkeypatch.setattr(TabletopVectorEnv, "_measure", lambda self: {"state": "wrong"})
    monkeypatch.setattr(TabletopVectorEnv, "goals", random_goals)
    assert practise() == honest


def random_goals(self, num, *, rng):
    """Goals whose states have nothing to do with their images."""
    images = np.zeros((num, 48, 48, 3), np.uint8)
    states = rng.normal(size=(num, len(self.state_names)))
    return Goals(images=images, states=states, seeds=np.zeros(num, np.int64))


def test_a_data_set_judges_what_was_fitted_to_other_images(square_file, small_preset, capsys):
    assert main(["see", "reach", "--judge-on", str(square_file), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["objects"]) == {"square"}


def test_pictures_and_videos_are_read_in_order(tmp_path, rng, small_preset, capsys):
    frames = rng.integers(0, 255, (12, 64, 80, 3), np.uint8)
    for index in range(5):
        Image.fromarray(frames[index]).save(tmp_path / f"b{index}.png")
    save_video(tmp_path / "a.mp4", [Image.fromarray(frame) for frame in frames])
    data_set = read_media([tmp_path], 48, NoProgress())
    assert data_set.images.shape == (17, 48, 48, 3)
    assert data_set.num_steps.tolist() == [11]
    assert data_set.images[12].tobytes() == crop_square(frames[0], 48).tobytes()
    assert main(["see", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "17 images, and no true states" in out
    assert "17 images are few" in out


def test_a_long_video_is_thinned_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(media, "MOST_IMAGES", 10)
    levels = np.arange(0, 250, 10, dtype=np.uint8)
    frames = [Image.fromarray(np.full((48, 48, 3), level, np.uint8)) for level in levels]
    save_video(tmp_path / "long.mp4", frames)
    clip = media.read_video(tmp_path / "long.mp4", 48)
    assert len(clip.images) == 7
    assert np.abs(np.diff(clip.images.mean(axis=(1, 2, 3))) - 40).max() < 2
    assert "7 of 25" in clip.note


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "needs a TASK, FILES or --env"),
        ("push --env a:b", "only one of them"),
        ("Psh", "neither a task nor a file: did you mean 'Push'"),
        ("missing.mp4", "is missing"),
        ("missing.npz", "is missing"),
        ("one.npz two.npz", "give one data set (.npz) by itself"),
        ("Push Reach", "takes one TASK at a time"),
        ("{}/few --camera-effects webcam", "change images of practice"),
        ("{}/few --episode-steps 3", "change images of practice"),
        ("{}/few --camera top", "change images of practice"),
        ("{}/few --score pos:m", "change images of practice"),
        ("Push --camera-effects", "--camera-effects needs an effect"),
        ("Push --camera-effects --json", "--camera-effects needs an effect"),
        ("Push --objects {{'a':[0]}}", "names columns of a data set"),
        ("none:rig/None-v0", "can't be found"),
        ("{}/bad.mp4", "can't be read as a video"),
        ("{}/bad.txt", "ends in '.txt'"),
        ("{}/empty", "has 0 pictures and videos"),
        ("{}/few", "has 1 images: at least 8"),
        ("{}/bad.png", "can't be read as an image"),
    ],
)
def test_what_is_no_source_is_one_line_and_exit_code_2(words, message, tmp_path, capsys):
    for name in ("bad.mp4", "bad.txt", "bad.png"):
        (tmp_path / name).write_bytes(b"nothing")
    (tmp_path / "empty").mkdir()
    (tmp_path / "few").mkdir()
    Image.new("RGB", (48, 48)).save(tmp_path / "few" / "one.png")
    assert main(["see", *words.format(tmp_path).split()]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err


def test_latents_that_are_the_places_are_judged_perfect(rng):
    places = rng.uniform(0, 0.4, (600, 4))
    truth = Truth(states=places, objects={"hand": [0, 1], "puck": [2, 3]})
    judged = judge(10 * places, np.array([1.0, 1.0, 0.0, 0.0]), truth, 0.08)
    assert judged["hand"].share < 0.01  # by the quadratic
    assert judged["hand"].corr == pytest.approx(1)
    assert judged["hand"].near_rank_corr == pytest.approx(1)
    assert abs(judged["puck"].corr) < 0.1


def test_latents_that_hold_nothing_are_judged_so(rng):
    truth = Truth(states=rng.uniform(0, 0.4, (600, 2)), objects={"hand": [0, 1]})
    judged = judge(rng.normal(size=(600, 3)), np.ones(3), truth, 0.03)
    assert judged["hand"].share > 0.9
    assert abs(judged["hand"].corr) < 0.1


def test_an_object_that_stands_still_has_numbers(rng):
    truth = Truth(states=np.zeros((600, 2)), objects={"hand": [0, 1]})
    judged = judge(rng.normal(size=(600, 3)), np.ones(3), truth, 0.03)
    assert (judged["hand"].share, judged["hand"].corr) == (None, 0)


def test_an_object_of_several_points_counts_their_mean_distance():
    states = np.array([[0.0, 0, 0, 0], [0.02, 0, 0, 0.04]])
    truth = Truth(states=states, objects={"rope": [0, 1, 2, 3]})
    assert [len(near_pairs(truth, near)[0]) for near in (0.029, 0.031)] == [0, 1]


def test_near_pairs_are_near_in_every_object():
    states = np.array([[0.0, 0, 0], [0.01, 0, 0], [0.01, 0, 1]])
    truth = Truth(states=states, objects={"hand": [0, 1], "door": [2]})
    first, second = near_pairs(truth, 0.03)
    assert (first.tolist(), second.tolist()) == ([0], [1])


def test_episodes_keep_their_order(moving_square, tmp_path):
    images, places = moving_square
    path = write(
        tmp_path / "episodes.npz",
        images=images.reshape(12, 10, 48, 48, 3),
        states=places.reshape(12, 10, 2),
        actions=np.zeros((12, 10, 7), np.float32),
        things="{'square': [0, 1]}",
    )
    data_set = read_data_set(path, 48)
    assert data_set.num_steps.tolist() == [9] * 12
    assert data_set.images.tobytes() == images.tobytes()
    assert data_set.truth.states.tolist() == places.tolist()
    assert data_set.notes == ("not read: actions",)


def test_images_of_another_size_are_cropped_and_resized(tmp_path):
    images = np.zeros((8, 60, 96, 3), np.uint8)
    images[:, :, 18:78] = 200
    path = write(tmp_path / "wide.npz", images=images)
    data_set = read_data_set(path, 48)
    assert data_set.images.shape == (8, 48, 48, 3)
    assert data_set.images.min() == 200
    assert "96 x 60" in data_set.notes[0]


GOOD = {"images": np.zeros((8, 48, 48, 3), np.uint8), "states": np.zeros((8, 2))}
THINGS = "{'hand': [0, 1]}"
BAD = {
    "no array 'images'": {"states": np.zeros((8, 2))},
    "images has shape": {"images": np.zeros((8, 48, 48), np.uint8)},
    "float64: it must be": {"images": np.zeros((8, 48, 48, 3))},
    "each side must have": {"images": np.zeros((8, 4, 48, 3), np.uint8)},
    "at least 8 are needed": {"images": np.zeros((7, 48, 48, 3), np.uint8)},
    "no 'states' for the objects": {"images": GOOD["images"], "things": THINGS},
    "a row for each image": GOOD | {"states": np.zeros((7, 2)), "things": THINGS},
    "states has shape [8]": GOOD | {"states": np.zeros(8), "things": THINGS},
    "of <U1": GOOD | {"states": np.full((8, 2), "a"), "things": THINGS},
    "states of image 0 are not finite": GOOD
    | {"states": np.full((8, 2), np.nan), "things": THINGS},
    "no dictionary": GOOD | {"things": "{'hand': open('x')}"},
    "must be one text": GOOD | {"things": np.array([THINGS, THINGS])},
    "at least one object": GOOD | {"things": "[0, 1]"},
    "whole numbers from 0 to 1": GOOD | {"things": "{'hand': [0, 2]}"},
    "columns of states": GOOD | {"things": "{'hand': [True]}"},
    "each once": GOOD | {"things": "{'hand': [0, 0]}"},
    "states holds pickled objects": GOOD
    | {"states": np.array([[None, 1]] * 8, object), "things": THINGS},
}


@pytest.mark.parametrize("message", BAD)
def test_a_bad_file_is_one_line_and_exit_code_2(message, tmp_path, capsys):
    path = write(tmp_path / "bad.npz", **BAD[message])
    assert main(["see", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err


def test_an_array_too_large_is_not_read(tmp_path):
    path = tmp_path / "huge.npz"
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**7, 48, 48, 3)}
    with zipfile.ZipFile(path, "w") as archive, archive.open("images.npy", "w") as file:
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(DataSetError, match=r"69,120,000,000 bytes"):
        read_data_set(path, 48)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_archive_is_refused(content, tmp_path):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DataSetError, match="can't be read as an NPZ file"):
        read_data_set(path, 48)


@pytest.mark.parametrize(("at", "value"), [(6, 1), (8, 9)], ids=["encrypted", "unknown method"])
def test_an_archive_that_python_can_not_open_is_refused(at, value, square_file):
    """Both are said twice: before each file, and two bytes on in the list at the end."""
    data = bytearray(square_file.read_bytes())
    for mark, offset in ((b"PK\x03\x04", at), (b"PK\x01\x02", at + 2)):
        start = -1
        while (start := data.find(mark, start + 1)) >= 0:
            data[start + offset] = value
    square_file.write_bytes(bytes(data))
    with pytest.raises(DataSetError, match="can't be read as an NPZ file"):
        read_data_set(square_file, 48)


def test_a_file_cut_off_is_refused(square_file):
    data = square_file.read_bytes()
    for length in range(1, len(data), len(data) // 40):
        square_file.write_bytes(data[:length])
        with pytest.raises(DataSetError):
            read_data_set(square_file, 48)


def test_a_file_with_damaged_bytes_is_refused_or_read(square_file, rng):
    data = bytearray(square_file.read_bytes())
    for _ in range(40):
        damaged = data.copy()
        damaged[rng.integers(len(data))] ^= 0xFF
        square_file.write_bytes(damaged)
        with suppress(DataSetError):
            read_data_set(square_file, 48)


def test_there_is_no_rank_correlation_without_near_pairs(rng):
    truth = Truth(states=rng.uniform(0, 512, (600, 4)), objects={"a": [0, 1], "b": [2, 3]})
    judged = judge(truth.states / 100, np.ones(4), truth, 0.03)
    assert judged["a"].near_rank_corr is judged["b"].near_rank_corr is None


def test_attention_is_where_the_encoder_sees_each_thing(square_sight, moving_square):
    images, places = moving_square
    maps = attention_maps(square_sight.fitted.representation, images)
    assert maps.shape == (120, 8, 48, 48)
    down, right = np.mgrid[:48, :48]
    weight = maps.sum(axis=1)
    weight /= weight.sum(axis=(1, 2), keepdims=True)
    seen = np.stack([(weight * each).sum(axis=(1, 2)) for each in (right, down)], axis=1)
    assert np.abs(seen - (places * 48 / 0.2 + 3.5)).max() < 4


def test_an_encoder_without_attention_shows_none(moving_square):
    assert (
        attention_maps(PixelRepresentation(np.zeros((1, 6912), np.uint8)), moving_square[0])
        is None
    )


@pytest.fixture
def episodes(rng):
    """Twelve episodes of a square, each seen by a camera of its own light and place."""
    places = rng.uniform(0, 1, (12, 20, 2))
    latents = 3 * places @ rng.normal(size=(2, 5)) + rng.normal(0, 9, (12, 1, 5))
    return places.reshape(-1, 2), latents.reshape(-1, 5), np.full(12, 19)


def test_motion_within_an_episode_is_read_off_whatever_differs_between_episodes(episodes, rng):
    places, latents, num_steps = episodes
    truth = Truth(states=places, objects={"x": [0], "hand": [0, 1]})
    images = rng.integers(0, 255, (240, 48, 48, 3), np.uint8)
    judged = judge_within_episodes(latents.astype(np.float32), images, truth, num_steps)
    assert judged["x"].error < 0.02
    assert judged["x"].blind_error == pytest.approx(0.25, abs=0.03)
    assert judged["x"].pixels_error > 0.15  # the images are noise
    blind = np.linalg.norm(
        places - places.reshape(12, 20, 2).mean(axis=1).repeat(20, axis=0), axis=1
    )
    assert judged["hand"].blind_error == pytest.approx(blind.mean())


def test_the_episode_left_out_is_not_known(rng):
    states, latents = rng.normal(size=(60, 1)), rng.normal(size=(60, 40))
    truth = Truth(states=states, objects={"x": [0]})
    images = np.zeros((60, 48, 48, 3), np.uint8)
    judged = judge_within_episodes(latents, images, truth, np.full(3, 19))
    assert judged["x"].error > 0.9 * judged["x"].blind_error


def test_two_episodes_are_too_few_to_leave_one_out(rng):
    truth = Truth(states=np.zeros((40, 1)), objects={"x": [0]})
    images = np.zeros((40, 48, 48, 3), np.uint8)
    assert judge_within_episodes(np.zeros((40, 2)), images, truth, np.full(2, 19)) == {}


def test_objects_are_named_for_a_file_that_names_none(moving_square, tmp_path):
    images, places = moving_square
    path = write(tmp_path / "plain.npz", images=images, states=places)
    assert read_data_set(path, 48).truth is None
    assert read_data_set(path, 48, "{'x': [0]}").truth.objects == {"x": [0]}
    with pytest.raises(DataSetError, match="whole numbers from 0 to 1"):
        read_data_set(path, 48, "{'x': [2]}")


def test_a_rope_is_judged_by_its_points(rng):
    with closing(make_envs(Config(task="Rope"), 1)) as envs:
        test = random_states(unwrapped_envs(envs), 20)
    assert len(test.images) == 20
    assert {name: len(columns) for name, columns in test.truth.objects.items()} == {
        "hand": 2,
        "rope": 2 * 13,
    }
    points = test.truth.states[:, test.truth.objects["rope"]].reshape(20, 13, 2)
    assert np.linalg.norm(np.diff(points, axis=1), axis=2) == pytest.approx(LINK_M)
