"""Recordings: what is written is read back, and anyone's dataset gives images."""

import io
import json
from dataclasses import replace

import av
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from rig.cli.main import main
from rig.config import CollectConfig, RewardConfig
from rig.datasets.dataset_reader import LeRobotDataset
from rig.datasets.dataset_writer import DatasetWriter
from rig.datasets.format import ACTION, DONE, EPISODES_PATH, IMAGE, INFO_PATH
from rig.datasets.recorded_images import evenly, read_recording
from rig.datasets.video_file import VideoWriter, num_frames
from rig.errors import ConfigError, RecordingError
from rig.runs.run import Run
from rig.training.loop import train
from rig.training.progress import PlainProgress


LENGTHS = (5, 3, 8)
"""Actions of the episodes that tests write."""


def grey(level, size=48):
    """An image of one grey level: a video keeps it nearly as it is."""
    return np.full((size, size, 3), level, np.uint8)


def levels_of(images):
    return images.mean(axis=(1, 2, 3)).round().astype(int).tolist()


@pytest.fixture
def written(tmp_path, rng):
    """A dataset whose frame number n has the grey level 10 + 10 n, and its actions."""
    path, actions, level = tmp_path / "dataset", [], 0
    with DatasetWriter(path, "Reach", "practice in Reach", fps=10) as writer:
        for num in LENGTHS:
            taken = rng.uniform(-1, 1, (num, 2)).astype(np.float32)
            writer.add(np.stack([grey(10 + 10 * (level + i)) for i in range(num + 1)]), taken)
            actions.append(taken)
            level += num + 1
    return path, np.concatenate(actions)


def test_what_is_written_is_read_back(written):
    path, actions = written
    found = read_recording(path, 1000, 48, env="Reach")
    assert found.num_steps.tolist() == list(LENGTHS)
    np.testing.assert_array_equal(found.actions, actions)
    assert np.abs(np.array(levels_of(found.images)) - (10 + 10 * np.arange(19))).max() <= 2


def test_whole_episodes_are_read_until_there_are_enough_images(written):
    path, actions = written
    found = read_recording(path, 7, 48, env="Reach")
    assert found.num_steps.tolist() == [5, 3]
    np.testing.assert_array_equal(found.actions, actions[:8])
    assert len(found.images) == 10


@pytest.mark.parametrize("env", ["Push", ""])
def test_actions_of_another_environment_are_left_out(written, env):
    found = read_recording(written[0], 5, 48, env=env)
    assert len(found.num_steps) == len(found.actions) == 0
    assert np.abs(np.array(levels_of(found.images)) - [10, 50, 100, 150, 190]).max() <= 2


def test_lerobot_s_own_reader_finds_what_it_needs(written):
    """The tables as LeRobot 0.6.1 reads them: pandas for tasks, fixed lists, its columns."""
    path, actions = written
    tasks = pd.read_parquet(path / "meta/tasks.parquet")
    assert tasks.loc["practice in Reach"].task_index == 0
    info = json.loads((path / INFO_PATH).read_text())
    assert (info["codebase_version"], info["total_frames"]) == ("v3.0", 19)
    table = pq.read_table(path / info["data_path"].format(chunk_index=0, file_index=0))
    assert set(table.column_names) == set(info["features"]) - {IMAGE}
    assert table.schema.field(ACTION).type == pa.list_(pa.float32(), 2)
    episodes = pq.read_table(path / EPISODES_PATH).to_pylist()
    for episode in episodes:
        rows = table.slice(episode["dataset_from_index"], episode["length"])
        assert rows["frame_index"].to_pylist() == list(range(episode["length"]))
        assert set(rows["episode_index"].to_pylist()) == {episode["episode_index"]}
    stats = json.loads((path / "meta/stats.json").read_text())
    np.testing.assert_allclose(stats[ACTION]["mean"], actions.mean(axis=0), atol=1e-6)
    assert stats[IMAGE]["mean"][0][0][0] == pytest.approx(100 / 255)
    assert np.array(stats[IMAGE]["q50"]).shape == (3, 1, 1)


def test_each_frame_is_where_its_time_says(written):
    """Another reader seeks by time: from_timestamp + timestamp is the frame's in the video."""
    path, _ = written
    table = pq.read_table(path / "data/chunk-000/file-000.parquet").to_pylist()
    episodes = pq.read_table(path / EPISODES_PATH).to_pylist()
    key = f"videos/{IMAGE}/from_timestamp"
    expected = [episodes[row["episode_index"]][key] + row["timestamp"] for row in table]
    with av.open(str(path / f"videos/{IMAGE}/chunk-000/file-000.mp4")) as video:
        times = [frame.time for frame in video.decode(video=0)]
    np.testing.assert_allclose(times, expected, atol=1e-4)


def test_the_last_row_of_an_episode_has_no_action_of_its_own(written):
    table = pq.read_table(written[0] / "data/chunk-000/file-000.parquet")
    last = table.filter(table[DONE])
    assert len(last) == len(LENGTHS)
    assert np.stack(last[ACTION].to_numpy()).any() == np.False_


def write_foreign(path, codec, num=12):
    """A dataset as others have them: two cameras, one in the table, joints, no next.done."""
    (path / "meta/episodes/chunk-000").mkdir(parents=True)
    video = path / "videos/observation.images.front/chunk-000/file-000.mp4"
    video.parent.mkdir(parents=True)
    with av.open(str(video), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(num):
            image = np.full((64, 96, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    cells = []
    for index in range(num):
        file = io.BytesIO()
        Image.fromarray(grey(20 * index, 64)).save(file, "PNG")
        cells.append({"bytes": file.getvalue(), "path": None})
    data = path / "data/chunk-000/file-000.parquet"
    data.parent.mkdir(parents=True)
    columns = {"index": list(range(num)), "observation.images.wrist": cells}
    pq.write_table(pa.table(columns), data)
    key = "videos/observation.images.front"
    rows = [
        {
            "dataset_from_index": start,
            "dataset_to_index": start + num // 2,
            "data/chunk_index": 0,
            "data/file_index": 0,
            f"{key}/chunk_index": 0,
            f"{key}/file_index": 0,
            f"{key}/from_timestamp": start / 30,
        }
        for start in (0, num // 2)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path / EPISODES_PATH)
    features = {
        "observation.images.front": {"dtype": "video", "shape": [64, 96, 3]},
        "observation.images.wrist": {"dtype": "image", "shape": [64, 64, 3]},
        "action": {"dtype": "float32", "shape": [6]},
    }
    info = {"codebase_version": "v3.0", "robot_type": "so101", "fps": 30, "features": features}
    (path / INFO_PATH).write_text(json.dumps(info))
    return path


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libsvtav1"])
@pytest.mark.parametrize("camera", ["front", "observation.images.wrist"])
def test_anyone_s_dataset_gives_images(tmp_path, codec, camera):
    path = write_foreign(tmp_path / "foreign", codec)
    found = read_recording(path, 4, 48, env="Reach", camera=camera)
    assert found.images.shape == (4, 48, 48, 3)
    assert np.abs(np.array(levels_of(found.images)) - [0, 80, 140, 220]).max() <= 6
    assert len(found.num_steps) == 0


def test_a_dataset_of_two_cameras_asks_which(tmp_path):
    path = write_foreign(tmp_path / "foreign", "mpeg4")
    with pytest.raises(RecordingError, match=r"2 cameras: choose one with --collect\.camera"):
        LeRobotDataset(path)
    with pytest.raises(RecordingError, match=r"did you mean 'observation\.images\.front"):
        LeRobotDataset(path, "images.front")


def test_a_folder_of_videos_gives_images_evenly(tmp_path):
    for name, first in (("b.mp4", 130), ("a.mp4", 10)):
        writer = VideoWriter(tmp_path / name, 10, 64, 64)
        for index in range(11):
            writer.add(grey(first + 10 * index, 64))
        writer.close()
    assert num_frames(tmp_path / "a.mp4") == 11
    images = read_recording(tmp_path, 4, 48).images
    assert np.abs(np.array(levels_of(images)) - [10, 80, 160, 230]).max() <= 2
    assert levels_of(read_recording(tmp_path / "a.mp4", 2, 48).images)[1] in range(108, 113)


def test_evenly_spaced_numbers_have_both_ends():
    assert evenly(10, 3).tolist() == [0, 4, 9]
    assert evenly(2, 5).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / INFO_PATH).write_text("{"), "is not JSON"),
        (
            lambda path: (path / INFO_PATH).write_text('{"codebase_version": "v2.1"}'),
            "version v2.1: convert it",
        ),
        (lambda path: (path / EPISODES_PATH).unlink(), "has no file"),
        (lambda path: (path / EPISODES_PATH).write_bytes(b"PAR1"), "can't be read"),
        (lambda path: next(path.glob("videos/**/*.mp4")).unlink(), "is missing"),
        (
            lambda path: next(path.glob("videos/**/*.mp4")).write_bytes(b"no video"),
            "can't be read as a video",
        ),
    ],
)
def test_a_damaged_dataset_says_what_is_wrong(written, spoil, message):
    spoil(written[0])
    with pytest.raises(RecordingError, match=message):
        read_recording(written[0], 5, 48)


def test_a_folder_without_recording_says_what_one_is(tmp_path):
    with pytest.raises(RecordingError, match=r"give a LeRobot dataset .*or a folder of videos"):
        read_recording(tmp_path, 5, 48)


def test_a_dataset_is_never_written_over(written):
    with pytest.raises(RecordingError, match="is not empty: choose another --out"):
        DatasetWriter(written[0], "Reach", "practice", 10)


@pytest.mark.slow
@pytest.mark.ci
def test_a_run_begins_from_what_rig_record_wrote(tiny, tmp_path, capsys):
    """Recorded in Reach, it has Reach's actions; a run of Push takes only its images."""
    path = tmp_path / "dataset"
    assert main(["record", "Reach", "--episodes", "2", "--size", "48", "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    collect = CollectConfig(num_images=60, from_=str(path))
    config = replace(tiny, collect=collect, total_timesteps=200)
    with_actions = Run.create(tmp_path / "reach", config, {})
    train(config, with_actions, PlainProgress(lambda _line: None))
    rounds = [row for row in with_actions.metrics() if "td3/critic_loss" in row]
    assert rounds[0]["num_env_steps"] == 200, "100 recorded steps, then 2 episodes of 50"


@pytest.mark.slow
@pytest.mark.ci
def test_practice_of_a_run_is_recorded(finished_run, tmp_path, capsys):
    """Its reward was auto, and so the horizon that it explores with is known by its metrics."""
    run, path = finished_run("latents"), tmp_path / "dataset"
    words = ["record", "--run", str(run.directory), "--episodes", "2", "--out", str(path)]
    assert main(words) == 0
    assert "2 episodes, 102 images of 48 x 48 pixels" in capsys.readouterr().err


def test_settings_that_need_actions_refuse_images_alone(tiny, tmp_path):
    path = write_foreign(tmp_path / "foreign", "mpeg4")
    collect = CollectConfig(from_=str(path), camera="front")
    config = replace(tiny, collect=collect, reward=RewardConfig(metric="steps"))
    with pytest.raises(ConfigError, match="needs actions"):
        train(config, Run.create(tmp_path / "run", config, {}), PlainProgress(lambda _: None))


def test_a_recording_needs_no_collecting(tiny):
    with pytest.raises(ConfigError, match="has the first images already"):
        CollectConfig(from_="somewhere", source="teleport")
    with pytest.raises(ConfigError, match="uses no images"):
        replace(tiny, oracle=True, collect=CollectConfig(from_="somewhere"))


def test_the_option_is_called_from(capsys, tmp_path):
    words = ["train", "Reach", "--collect.from", str(tmp_path), "--out", str(tmp_path / "run")]
    assert main(words) == 2
    assert "is no recording" in capsys.readouterr().err
    assert json.loads((tmp_path / "run/config.json").read_text())["collect"]["from_"]
