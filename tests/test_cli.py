import gc
import json
import re
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_run import make_run
from PIL import Image

from rig.cli import doctor
from rig.cli.commands import COMMANDS
from rig.cli.main import RARELY, collecting_rarely, main
from rig.cli.parse import parse
from rig.cli.robot_commands import how_to_find_rig
from rig.cli.train_command import Train
from rig.envs.image_goal_env import Goals
from rig.envs.tabletop import Tabletop
from rig.envs.tasks import PUSH, REACH
from rig.errors import NotEnoughDataError
from rig.goals.goal_image import read_goal_image, save_goal_image
from rig.inference import demo, evaluate
from rig.inference.open_run import open_trained
from rig.presets import PRESETS, find_preset
from rig.runs.settings import changes_from
from rig.settings import option
from rig.training import run_training
from rig.training.origin import surroundings


EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The directory of a finished run."""
    return make_run(tmp_path_factory.mktemp("runs") / "run").directory


@pytest.fixture(scope="module")
def train_tiny(tiny):
    """The command line of a whole run in seconds, up to where it goes."""
    changes = changes_from("paper", tiny).items()
    options = [part for key, value in changes for part in option(key, value)]
    return " ".join(["train reach --preset paper --json", *options, "--out"])


@pytest.fixture
def rig(capsys):
    """Runs a command line: its exit code, its standard output and its standard error."""

    def call(*argv):
        words = [
            word for part in argv for word in (part.split() if type(part) is str else [part])
        ]
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
        return (code or 0, *capsys.readouterr())

    return call


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(rig, command):
    code, out, err = rig(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: rig {command}")


def test_help_names_every_command_and_the_version(rig):
    version = rig("--version")[1].strip()
    for argv in ([], ["--help"], ["-h"]):
        code, out, _ = rig(*argv)
        assert code == 0
        assert all(f"  {command} " in out for command in COMMANDS)
        assert version in out


def test_help_answers_without_loading_what_is_heavy():
    code = (
        "import sys; from rig.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'jax', 'mujoco', 'matplotlib', 'av'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_task_and_preset_decide_the_defaults_shown(rig):
    for argv, preset, task in [
        ("train --help", "fast", "Reach"),
        ("train Push --seed 3 --preset=paper --help", "paper", "Push"),
        ("train --env x:Y-v0 --preset paper --help", "paper", "x:Y-v0"),
    ]:
        steps = find_preset(preset, task).total_timesteps
        assert f"(default: {steps})" in rig(argv)[1]


@pytest.mark.parametrize(
    ("words", "config"),
    [
        ("Push", find_preset("fast", "Push")),
        ("--seed 3 Push", replace(find_preset("fast", "Push"), seed=3)),
        ("--preset paper --seed 3 Reach", replace(find_preset("paper", "Reach"), seed=3)),
        ("--env a:B-v0", find_preset("fast", "a:B-v0")),
        ("Reach --seed 0 --preset her", find_preset("her", "Reach")),
    ],
)
def test_task_and_preset_decide_the_settings_wherever_they_stand(words, config):
    assert parse(["train", *words.split()]).config() == config


def test_train_says_which_preset_it_takes(rig, tmp_path, monkeypatch):
    monkeypatch.setattr(run_training, "train_locked", lambda *_: None)
    err = rig("train PickAndPlace --preset paper --json --out", tmp_path / "run")[2]
    assert err == "rig: settings: paper\n"


def test_every_preset_can_be_asked_for(rig):
    out = rig("train --help")[1]
    assert f"{{{','.join(PRESETS)}}}" in out
    assert Train.preset in PRESETS


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        ("nonsense", "there is no command 'nonsense'"),
        ("trian Reach", "did you mean 'train'?"),
        ("--vresion", "did you mean '--version'?"),
        ("push nowhere", "did you mean 'upload'?"),
        ("pull nowhere", "did you mean 'download'?"),
        ("train", "rig train needs a TASK, as Reach or Push, or --env MODULE:ID"),
        ("robot srve", "no command 'srve' in rig robot: did you mean 'serve'?"),
        ("train Raech", "there is no task 'Raech': did you mean 'Reach'?"),
        (
            "train Reach --preset slow",
            "--preset must be one of paper, fast, her, got 'slow'",
        ),
        ("train Reach --sede 1", "no option --sede in rig train: did you mean --seed?"),
        (
            "reach nowhere --gaol goal.png",
            "no option --gaol in rig reach: did you mean --goal?",
        ),
        ("train Reach --bogus", "no option --bogus in rig train; see rig train --help"),
        ("runs --srot date", "no option --srot in rig runs: did you mean --sort?"),
        ("robot serve file --simulate-time", "did you mean --simulated-time?"),
        ("robot serve file more", "unexpected 'more'; see rig robot serve --help"),
        ("train Reach --num-env-steps 5", "--num-env-steps is now called --total-timesteps"),
        ("train Reach --td3.warmup-steps=5", "is now called --td3.learning-starts"),
        ("train Reach --reward.kind root", "root is now called sqrt_distance"),
        ("train Reach Push", "unexpected 'Push'"),
        ("train Reach --seed one", "--seed"),
        ("train Reach --seed -1", "seed must be at least 0, got -1"),
        ("train Reach --td3.gamma atuo", "--td3.gamma must be FLOAT|{auto}, got atuo; see"),
        ("train Reach --td3.n-steps 2.5", "--td3.n-steps must be INT|{auto}, got 2.5; see"),
        ("train Reach --td3.gamma 2", "gamma must be in [0, 1) or auto, got 2.0"),
        ("train Reach --goals.mixture.original 0.9", "sum to 1"),
        ("train Reach --image-size 50", "--image-size must be one of 48, 84, got '50'"),
        ("train Reach --out file/run", "file is not a directory"),
        ("train --resume nowhere", "nowhere is not a run"),
        ("train Reach --resume nowhere", "with the run's own settings: leave out TASK Reach"),
        ("train --resume nowhere --seed 3 --td3.gamma 0.9", "leave out --seed, --td3.gamma"),
        ("train --resume nowhere --out elsewhere", "leave out --out"),
        ("export nowhere --out exported", "nowhere is not a run"),
        ("upload nowhere --to ./uploaded", "nowhere is not a run"),
        ("download ./nowhere --out downloaded", "nowhere is not a run"),
        ("reach nowhere", "rig reach needs --goal; see rig reach --help"),
        ("reach nowhere --goal goal.png", "nowhere is not a run"),
        (
            "reach nowhere --goal goal.png --video goal.avi",
            "'.avi': give a name in .mp4 or .gif",
        ),
        ("evaluate nowhere", "nowhere is not a run"),
        ("evaluate file", "file is not a run"),
        ("evaluate nowhere --episodes 0", "episodes must be at least 1, got 0"),
        ("imagine nowhere --out sheet.png", "nowhere is not a run"),
        ("imagine nowhere --out missing/sheet.png", "missing is not a directory"),
        (
            "imagine nowhere --out sheet.png --num-goals 0",
            "num_goals must be in [1, 4096]",
        ),
        ("look Push --out missing/picture.png", "missing is not a directory"),
        ("look Push --out directory.png", "directory.png is a directory"),
        ("look Push --out picture.jpg", "'.jpg': give a name in .png"),
        ("look Psuh --out picture.png", "did you mean 'Push'?"),
        ("look Push --env Pendulum-v1 --out picture.png", "and not both"),
        ("look Push --camera above --out picture.png", "Push has its own camera"),
        ("look --env CartPole-v1 --out picture.png", "its actions are Discrete"),
        ("train --env nowhere:Robot-v0 --out run", "no module 'nowhere'"),
        ("train --env Pendulm-v1 --out run", "no environment 'Pendulm-v1'"),
        ("look Push --out picture.png --size 5", "--size must be 16 to 2048 pixels, got 5"),
        ("report --out report.html", "RUN"),
        ("report nowhere --out report.html", "nowhere is not a run"),
        ("report nowhere --out report.txt", "give a name in .html"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(rig, tmp_path, monkeypatch, argv, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("not a run")
    (tmp_path / "directory.png").mkdir()
    code, out, err = rig(argv)
    assert (code, out) == (2, "")
    assert err.startswith("rig: ")
    assert err.count("\n") == 1
    assert text in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["directory.png", "file"]


def test_existing_directory_is_never_written_over(rig, run):
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    code, _, err = rig("train Reach --out", run)
    assert code == 2
    assert "exists and is not empty" in err
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


def test_training_ends_with_the_numbers_that_evaluation_gives(rig, train_tiny, tmp_path):
    code, out, err = rig(train_tiny, tmp_path / "run")
    assert code == 0
    assert "train: " in err
    trained = json.loads(out)
    assert trained.pop("run") == str(tmp_path / "run")
    assert (trained["task"], trained["num_episodes"]) == ("Reach", 2)
    evaluated = json.loads(rig("evaluate --episodes 2 --json", tmp_path / "run")[1])
    assert evaluated == trained


def test_origin_tells_the_command_line_and_the_camera(rig, tmp_path, monkeypatch):
    monkeypatch.setattr(run_training, "train_locked", lambda *_: None)
    rig("train Push --seed 5 --json --out", tmp_path / "run")
    origin = json.loads((tmp_path / "run" / "origin.json").read_text())
    assert origin["command"] == f"rig train Push --seed 5 --json --out {tmp_path / 'run'}"
    assert (origin["camera"], origin["image_size"]) == ("mj_multiRay", 48)
    assert len(origin["reference_picture_sha256"]) == 64


@pytest.mark.slow
@pytest.mark.ci
def test_anyones_environment_is_trained_shown_a_goal_and_evaluated(
    rig, train_tiny, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(EXAMPLES)
    run, goal = tmp_path / "run", tmp_path / "goal.png"
    tiny = train_tiny.replace("train reach", "train --env own_robot:OwnRobot-v0")
    code, out, err = rig(tiny, run)
    assert (code, json.loads(out)["task"]) == (0, "own_robot:OwnRobot-v0"), err
    assert json.loads((run / "origin.json").read_text())["camera"] == "the observation"
    assert rig("look --goal --env own_robot:OwnRobot-v0 --out", goal)[0] == 0
    code, out, _ = rig("reach", run, "--goal", goal, "--json")
    assert (code, set(json.loads(out)["distances"])) == (0, {"image_levels"})
    code, again, _ = rig("evaluate", run, "--episodes 2 --json")
    last = json.loads((run / "evaluation.json").read_text())
    assert (code, json.loads(again)["distances"]) == (0, last["distances"])
    assert rig("report", run, "--out", tmp_path / "report.html")[0] == 0


def test_runs_get_a_directory_of_their_own_by_default(rig, tmp_path, monkeypatch):
    monkeypatch.setattr(run_training, "train_locked", lambda *_: None)
    monkeypatch.setattr("rig.report.tables.print_evaluation", lambda evaluation: None)
    monkeypatch.chdir(tmp_path)
    out = rig("train rig/Push-v0 --preset paper --seed 5")[1]
    (directory,) = (tmp_path / "runs").iterdir()
    assert directory.name.startswith("push-paper-seed5-")
    assert out == f"runs/{directory.name}\n"


@pytest.mark.parametrize(
    ("is_terminal", "options", "said"),
    [
        (True, "", ["rig: watch: rig serve"]),
        (True, "--out here", ["rig: watch: rig serve here"]),
        (True, "--json", []),
        (False, "", []),
    ],
)
def test_a_person_at_a_terminal_is_told_once_how_to_watch(
    rig, tmp_path, monkeypatch, is_terminal, options, said
):
    monkeypatch.setattr(run_training, "train_locked", lambda *_: None)
    monkeypatch.setattr("rig.report.tables.print_evaluation", lambda evaluation: None)
    monkeypatch.setattr("rig.runs.run.Run.evaluation", lambda self: {})
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    monkeypatch.chdir(tmp_path)
    code, _, err = rig(f"train Push {options}")
    assert code == 0, err
    assert [line for line in err.splitlines() if "watch" in line] == said


def test_evaluation_is_one_json_object(rig, run):
    code, out, err = rig("evaluate --episodes 3 --json", run)
    evaluation = json.loads(out)
    assert (code, err) == (0, "")
    assert list(evaluation) == ["task", "goals", "num_episodes", "num_env_steps", "distances"]
    assert evaluation["goals"] == "test"
    assert evaluation["num_episodes"] == 3
    assert evaluation["num_env_steps"] == 3000
    assert {"median", "mean", "std", "do_nothing_median"} <= set(
        evaluation["distances"]["hand_m"]
    )


def test_evaluation_is_a_table_in_centimetres(rig, run, terminal):
    out = rig("evaluate --episodes 3", run)[1]
    assert out.startswith("Reach: 3 test goal images, after 3,000 steps")
    columns = re.split(r"\s{2,}", out.splitlines()[1])
    assert columns == ["distance", "median", "mean", "spread", "no-op policy"]
    assert out.splitlines()[2].count("cm") == 4


def test_true_distance_is_told_where_the_goal_is_known(rig, run, tmp_path):
    goal, video = tmp_path / "goal.png", tmp_path / "try.mp4"
    rig("look Reach --goal --seed 2 --size 96 --out", goal)
    code, out, err = rig("reach --json", run, "--goal", goal, "--video", video)
    tried = json.loads(out)
    away_m = np.linalg.norm(read_goal_image(goal, 48).state - REACH.start)
    assert code == 0
    assert err == f"rig: {goal}: resized 96 x 96 to 48 x 48\n"
    assert tried["distances"]["hand_m"]["start"] == pytest.approx(away_m, abs=1e-6)
    assert video.stat().st_size > 1000


def test_only_the_latent_distance_is_told_of_any_other_picture(rig, run, tmp_path):
    Image.new("L", (30, 70), 90).save(tmp_path / "goal.png")
    code, out, err = rig("reach", run, "--goal", tmp_path / "goal.png")
    assert code == 0
    assert "latent" in out
    assert "cm" not in out
    assert "cropped 30 x 70 to its middle square, resized 30 x 30 to 48 x 48" in err


def test_goal_with_a_state_that_does_not_fit_is_no_true_goal(rig, run, tmp_path):
    picture = Image.new("RGB", (48, 48))
    save_goal_image(tmp_path / "goal.png", picture, REACH.id, [0.1, 0.2, 0.3])
    code, out, _ = rig("reach --json", run, "--goal", tmp_path / "goal.png")
    assert (code, json.loads(out)["distances"]) == (0, {})


def test_goal_of_another_task_is_no_true_goal(rig, run, tmp_path):
    rig("look Push --goal --out", tmp_path / "goal.png")
    _, out, err = rig("reach --json", run, "--goal", tmp_path / "goal.png")
    assert json.loads(out)["distances"] == {}
    assert "shows rig/Push-v0, the run learned rig/Reach-v0" in err


def test_file_that_is_no_picture_is_one_line(rig, run):
    code, _, err = rig("reach", run, "--goal", run / "config.json")
    assert (code, err.count("\n")) == (2, 1)
    assert "can't be read as an image" in err


def test_unfinished_run_is_one_line(rig, tmp_path):
    directory = make_run(tmp_path / "run").directory
    (directory / "policy" / "policy.json").unlink()
    code, _, err = rig("imagine", directory, "--out", tmp_path / "sheet.png")
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith(f"did not finish. Continue with `rig train --resume {directory}`\n")
    (directory / "best").mkdir()
    err = rig("evaluate", directory)[2]
    assert err.endswith(f", or use {directory / 'best'}, its best policy so far\n")


def test_half_written_run_is_one_line(rig, tmp_path):
    directory = make_run(tmp_path / "run").directory
    for name in ("policy/policy.safetensors", "config.json"):
        whole = (directory / name).read_bytes()
        (directory / name).write_bytes(whole[: len(whole) // 2])
        code, out, err = rig("evaluate", directory)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "the run is damaged" in err


@pytest.mark.parametrize(
    "argv",
    ["report {run} --out {out}.html", "export {run} --out {out}", "look Push --out {out}.png"],
)
def test_full_disk_names_what_could_not_be_written(rig, run, tmp_path, argv):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))
    try:
        code, out, err = rig(argv.format(run=run, out=tmp_path / "out"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"rig: {tmp_path / 'out'}")
    assert err.endswith(": File too large\n")
    assert list(tmp_path.iterdir()) == []


def test_look_writes_what_the_camera_sees(rig, tmp_path):
    rig("look Push --out", tmp_path / "start.png")
    tabletop = Tabletop(PUSH, 1)
    np.testing.assert_array_equal(pixels(tmp_path / "start.png"), tabletop.reset()[0])
    rig("look Push --goal --seed 4 --size 84 --out", tmp_path / "goal.png")
    state = read_goal_image(tmp_path / "goal.png", 84).state
    shown = Tabletop(PUSH, 1, image_size=84).goal_images(state[None])[0]
    np.testing.assert_array_equal(pixels(tmp_path / "goal.png"), shown)


def test_seed_decides_the_goal_that_is_looked_at(rig, tmp_path):
    states = []
    for seed in (1, 1, 2):
        rig("look Reach --goal --seed", seed, "--out", tmp_path / "goal.png")
        states.append(tuple(read_goal_image(tmp_path / "goal.png", 48).state))
    assert states[0] == states[1]
    assert len({*states, REACH.start}) == 3


def test_imagine_draws_as_many_goals_as_asked(rig, run, tmp_path):
    heights = []
    for num_goals in (8, 9):
        rig("imagine", run, "--num-goals", num_goals, "--out", tmp_path / "sheet.png")
        heights.append(len(pixels(tmp_path / "sheet.png")))
    assert heights[1] - heights[0] == 100


def test_report_is_written_where_it_was_asked_for(rig, run, tmp_path):
    page = tmp_path / "report.html"
    assert rig("report", run, run, "--out", page) == (0, f"{page}\n", "")
    assert page.read_text().startswith("<!doctype html>")


@pytest.mark.slow
@pytest.mark.ci
def test_demo_ends_with_a_report_that_shows_the_robot_reaching(rig, tmp_path, monkeypatch):
    trained = make_run(tmp_path / "run")
    asked = []
    monkeypatch.setattr(
        demo, "train_new_run", lambda *args, **_how: asked.append(args) or trained
    )
    code, out, _ = rig("demo --seed 4 --out", tmp_path / "run")
    config, preset, directory, _argv = asked[0]
    assert (code, config.task, config.seed, preset) == (0, "Reach", 4, "fast")
    assert (config.total_timesteps, config.evaluate.every_steps) == (20_000, 4000)
    assert directory == tmp_path / "run"
    assert out.splitlines()[-1] == f"report: {tmp_path / 'run' / 'report.html'}"
    assert "data:video/mp4" in (tmp_path / "run" / "report.html").read_text()


def test_each_goal_that_is_filmed_is_tried_from_its_own_start(tmp_path, monkeypatch):
    images, states = np.zeros((2, 48, 48, 3), np.uint8), np.zeros((2, 2))
    goals = Goals(images=images, states=states, seeds=np.array([5, 6]))
    monkeypatch.setattr(evaluate, "evaluation_goals", lambda *_: goals)
    seeds, reach = [], evaluate.reach
    monkeypatch.setattr(
        evaluate, "reach", lambda *how: seeds.append(how[2].seed) or reach(*how)
    )
    evaluate.try_first_goals(*open_trained(make_run(tmp_path / "run").directory))
    assert seeds == [5, 6]


def test_garbage_is_collected_rarely_but_in_commands_that_may_run_for_days():
    before = gc.get_threshold()
    found = {}
    for command in ("reach", "train"):
        with collecting_rarely([command]):
            found[command] = gc.get_threshold()
    assert found == {"reach": RARELY, "train": before}
    assert gc.get_threshold() == before


def test_doctor_measures_every_part(rig, monkeypatch):
    monkeypatch.setattr(doctor, "MEASURED_S", 0.01)
    monkeypatch.setattr(doctor, "NUM_CYCLES", 1)
    code, out, err = rig("doctor --json")
    found = json.loads(out)
    assert (code, err.count("\n")) == (0, 1)
    assert "compile" in err
    assert found["versions"]["jax"]
    assert len(found["speed_per_s"]) == 4
    assert min(found["speed_per_s"].values()) > 0


def test_a_run_tries_the_goals_of_another_task_that_looks_the_same(rig, tmp_path):
    run = make_run(tmp_path / "run")
    (run.directory / "origin.json").write_text(json.dumps(surroundings(run.config)))
    code, out, err = rig("evaluate", run.directory, "--task Push")
    assert (code, out) == (2, "")
    assert "another reference_picture_sha256" in err
    code, out, err = rig("evaluate", run.directory, "--task reach --episodes 2 --json")
    assert (code, json.loads(out)["task"]) == (0, "Reach"), err
    code, _, err = rig("evaluate", run.directory, "--task Juggle")
    assert (code, err[:30]) == (2, "rig: there is no task 'Juggle'")


def test_interrupted_work_is_one_line(rig, monkeypatch, run):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "evaluate_run", interrupted)
    assert rig("evaluate", run) == (130, "", "rig: stopped\n")


def test_our_own_errors_are_one_line_and_bugs_are_not(rig, monkeypatch, run):
    def fail(error):
        def call(*_args, **_options):
            raise error

        monkeypatch.setattr(evaluate, "evaluate_run", call)

    fail(NotEnoughDataError("no\n  data"))
    assert rig("evaluate", run) == (2, "", "rig: no data\n")
    fail(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        rig("evaluate", run)


@pytest.mark.parametrize("module", ["rig", "rig.cli.main"])
def test_reader_that_goes_away_is_no_error(module):
    command = f"{sys.executable} -m {module} --help; echo $?"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stdout.startswith("usage: rig COMMAND")  # the command really runs
    assert done.stdout.endswith("\n0\n")
    # The reader is gone before anything is written.
    command = f"(sleep 0.2; {sys.executable} -m {module} --help; echo $? >&2) | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == "141\n"


def test_demo_says_where_rig_is_if_no_shell_would_find_it(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rig").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "rig").chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert f"source {tmp_path}/bin/activate" in how_to_find_rig()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert how_to_find_rig() == ""


def test_overview_fits_80_columns(rig):
    assert max(map(len, rig("--help")[1].splitlines())) <= 80


def test_help_folds_at_the_terminals_width_only(rig, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = rig("train --help")[1]
    assert max(map(len, out.splitlines())) <= 80
    assert "as MODULE:ID. (required)" in out
    first, second = out.split("What to learn: ")[1].splitlines()[:2]
    assert min(len(line.rstrip("\u2502 ")) for line in (f"        {first}", second)) > 40
