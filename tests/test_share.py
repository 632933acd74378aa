import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_run import make_run
from PIL import Image

import rig
from rig.agent.agent import agent_files
from rig.errors import ImageError, RunError
from rig.inference.export import FILES, export
from rig.inference.hub import download, is_repository, upload
from rig.inference.open_run import open_trained
from rig.runs.atomic_files import write_json
from rig.runs.run import Run
from rig.training.best import keep_best


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "run").directory


@pytest.fixture(scope="module")
def exported(run):
    export(run, run.parent / "exported")
    return run.parent / "exported"


@pytest.fixture
def pictures(rng):
    return rng.integers(256, size=(2, 48, 48, 3), dtype=np.uint8)


def test_loaded_policy_acts_as_the_run_does(run, exported, pictures):
    _run, policy = open_trained(run)
    image, goal_image = pictures
    goal = policy.representation.encode(goal_image[None]).latent
    expected = policy.act(image[None], goal, use_target_actor=True)[0][0]
    for directory in (run, str(exported)):
        action = rig.load(directory).act(image, goal_image)
        assert (action.shape, action.dtype) == ((2,), np.float32)
        np.testing.assert_array_equal(action, expected)


@pytest.mark.parametrize("wrong", [(48, 48), (84, 84, 3), (1, 48, 48, 3)])
def test_picture_of_another_shape_is_refused_by_name(run, pictures, wrong):
    policy = rig.load(run)
    with pytest.raises(ImageError, match=r"goal_image is uint8 of shape .*\(48, 48, 3\)"):
        policy.act(pictures[0], np.zeros(wrong, np.uint8))


def test_export_has_the_hubs_layout(exported):
    assert sorted(path.name for path in exported.iterdir()) == sorted(FILES)
    with Image.open(exported / "replay.gif") as video_frames:
        assert video_frames.n_frames > 100


def test_card_tells_task_metrics_seed_camera_and_versions(exported):
    card = (exported / "README.md").read_text()
    for text in (
        '- "Reach"',
        "| hand | 1.2 cm | 1.3 cm | 16.0 cm |",
        "seed 0",
        "packages.jax: 1.2.3",
    ):
        assert text in card
    front = card.split("---\n")[1]
    results = next(line for line in front.splitlines() if line.startswith("  results: "))
    (result,) = json.loads(results.removeprefix("  results: "))
    assert result["metrics"][0]["type"] == "hand_distance_m"
    assert result["metrics"][0]["value"] == 0.012


def test_export_is_a_run_to_every_verb(exported):
    assert Run.open(exported).evaluation()["num_episodes"] == 2
    assert Run.open(exported).metrics()[0]["num_env_steps"] == 1000


def test_what_is_uploaded_to_a_directory_is_downloaded_from_it(run, exported, tmp_path):
    upload(run, str(tmp_path / "uploaded"))
    download(str(tmp_path / "uploaded"), tmp_path / "downloaded")
    for name in FILES:
        if name != "README.md":  # it bears the export's name
            assert (tmp_path / "downloaded" / name).read_bytes() == (
                exported / name
            ).read_bytes()


def test_downloading_leaves_behind_what_is_no_part_of_an_export(exported, tmp_path):
    upload(exported, str(tmp_path / "theirs"))
    (tmp_path / "theirs" / "setup.py").write_text("raise SystemExit")
    download(str(tmp_path / "theirs"), tmp_path / "mine")
    assert not (tmp_path / "mine" / "setup.py").exists()


def test_damaged_export_is_not_downloaded(exported, tmp_path):
    upload(exported, str(tmp_path / "theirs"))
    path = tmp_path / "theirs" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(RunError, match="is damaged"):
        download(str(tmp_path / "theirs"), tmp_path / "mine")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_nothing_is_written_over(run, exported):
    before = (exported / "README.md").stat().st_mtime_ns
    for action in (lambda: export(run, exported), lambda: upload(run, str(exported))):
        with pytest.raises(RunError, match="exists and is not empty"):
            action()
    assert (exported / "README.md").stat().st_mtime_ns == before


def seen_otherwise(directory):
    """A run whose policy would see other pictures than it learned from."""
    run = make_run(directory)
    (run.directory / "origin.json").write_text(json.dumps(run.origin() | {"camera": "egl"}))
    return run.directory


@pytest.mark.parametrize(
    "action", [export, lambda run, out, **how: upload(run, str(out), **how)]
)
def test_force_exports_and_uploads_what_sees_other_pictures(tmp_path, action):
    run, out = seen_otherwise(tmp_path / "run"), tmp_path / "out"
    with pytest.raises(RunError, match="--force"):
        action(run, out)
    action(run, out, force=True)
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("error", [OSError("the disk is full"), KeyboardInterrupt()])
def test_export_that_fails_leaves_nothing_behind(run, tmp_path, monkeypatch, error):
    def fail(*_args, **_how):
        raise error

    monkeypatch.setattr("rig.inference.export.save_video", fail)
    with pytest.raises(type(error)):
        export(run, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_card_tells_that_the_best_policy_was_chosen_on_these_goals(run, exported, tmp_path):
    best = Run.open(run)
    keep_best(best, agent_files(open_trained(run)[1]), best.evaluation())
    export(run / "best", tmp_path / "best")
    chosen = "the best of 3 evaluations on these same goal images"
    assert chosen in " ".join((tmp_path / "best" / "README.md").read_text().split())
    assert "optimistic" not in (exported / "README.md").read_text()


def test_best_policy_kept_before_it_said_so_is_exported(tmp_path):
    run = make_run(tmp_path / "run")
    keep_best(run, agent_files(open_trained(run.directory)[1]), {})
    write_json(run.directory / "best" / "evaluation.json", run.evaluation())
    export(run.directory / "best", tmp_path / "best")
    assert "2 held-out goal images" in (tmp_path / "best" / "README.md").read_text()


@pytest.mark.parametrize(
    ("place", "is_hubs"),
    [("me/reach", True), ("./reach", False), ("/tmp/reach", False), ("reach", False)],
)
def test_owner_and_name_are_the_hubs_and_paths_are_not(place, is_hubs):
    assert is_repository(place) == is_hubs


def test_directory_that_is_there_is_no_repository(tmp_path, monkeypatch):
    (tmp_path / "me" / "reach").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert not is_repository("me/reach")


def test_hub_without_its_package_names_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(RunError, match=r"pip install 'imagined-goals\[hub\]'"):
        download("me/reach", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_hub_is_asked_for_what_belongs_to_an_export(exported, tmp_path, monkeypatch):
    asked = []
    hub = FakeHub(exported, asked)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", hub)
    download("me/reach", tmp_path / "mine")
    upload(tmp_path / "mine", "me/copy")
    assert (tmp_path / "mine" / "model.safetensors").is_file()
    assert asked == [("download", "me/reach"), ("create", "me/copy"), ("upload", "me/copy")]


class FakeHub:
    """As much of the Hub's package as we use."""

    class HfHubHTTPError(OSError):
        pass

    class HFValidationError(ValueError):
        pass

    def __init__(self, held, asked):
        self.held, self.asked = held, asked
        self.HfApi = lambda: self

    def snapshot_download(self, repo_id, *, local_dir, allow_patterns):
        self.asked.append(("download", repo_id))
        for name in allow_patterns:
            if (self.held / name).is_file():
                (Path(local_dir) / name).write_bytes((self.held / name).read_bytes())

    def create_repo(self, repo_id, *, exist_ok):
        self.asked.append(("create", repo_id))

    def upload_folder(self, *, repo_id, folder_path):
        assert (folder_path / "model.safetensors").is_file()
        self.asked.append(("upload", repo_id))


def test_three_lines_of_python_are_enough(run):
    code = (
        "import numpy as np, rig, sys\n"
        "policy = rig.load(sys.argv[1])\n"
        "print(policy.act(*np.zeros((2, 48, 48, 3), np.uint8)).shape)"
    )
    command = [sys.executable, "-c", code, str(run)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "(2,)\n"
