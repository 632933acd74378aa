import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from rig.errors import RunError
from rig.runs.run import Run


@pytest.fixture
def run(tmp_path, tiny):
    return Run.create(tmp_path / "run", tiny, {"device": "abacus"})


def error_message(action, *arguments):
    """Return the error message, which is one line."""
    with pytest.raises(RunError) as caught:
        action(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_opened_run_has_the_settings_it_was_created_with(tmp_path, tiny):
    config = replace(tiny, seed=17)
    Run.create(tmp_path / "deep" / "run", config, {})
    assert Run.open(tmp_path / "deep" / "run").config == config


def test_origin_is_written(run):
    assert json.loads((run.directory / "origin.json").read_text()) == {"device": "abacus"}


def test_existing_run_is_not_overwritten(run, tiny):
    before = (run.directory / "config.json").read_text()
    assert "choose another --out" in error_message(
        Run.create, run.directory, replace(tiny, seed=1), {}
    )
    assert (run.directory / "config.json").read_text() == before


def test_run_is_not_created_over_a_file(tmp_path, tiny):
    (tmp_path / "file").write_text("mine")
    assert "choose another --out" in error_message(Run.create, tmp_path / "file", tiny, {})
    assert (tmp_path / "file").read_text() == "mine"


def test_run_is_created_in_an_empty_directory(tmp_path, tiny):
    assert Run.create(tmp_path, tiny, {}).directory == tmp_path


def test_directory_without_settings_is_not_a_run(tmp_path):
    assert "is not a run: it has no config.json" in error_message(Run.open, tmp_path)
    assert "is not a run" in error_message(Run.open, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ("[1, 2]", "has no JSON object"),
        ('{"sede": 1}', "did you mean 'seed'"),
        ('{"td3": {"gamma": 2.0}}', "gamma must be in"),
    ],
)
def test_invalid_settings_give_a_one_line_error(run, text, message):
    (run.directory / "config.json").write_text(text)
    assert message in error_message(Run.open, run.directory)


@pytest.mark.parametrize("text", ['{"td3": 5}', '{"vae": {"channels": 5}}', '{"seed": "zero"}'])
def test_settings_of_a_wrong_type_give_a_one_line_error(run, text):
    (run.directory / "config.json").write_text(text)
    code = (
        "import sys, pathlib, rig.runs.run as runs, rig.errors as errors\n"
        "try: runs.Run.open(pathlib.Path(sys.argv[1]))\n"
        "except errors.RunError as error: print(error)"
    )  # in another process, because the tests check types at run time
    command = [sys.executable, "-c", code, str(run.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.fullmatch(r".*config\.json can't be read: .*\n", done.stdout)


def test_binary_settings_give_a_one_line_error(run):
    (run.directory / "config.json").write_bytes(b"\xff\xfe\x00\x80")
    assert "is not JSON" in error_message(Run.open, run.directory)


def test_metrics_are_read_in_order(run):
    rows = [{"num_env_steps": step, "td3/critic_loss": 0.5 * step} for step in (1, 2, 3)]
    for row in rows:
        run.log(row)
    assert Run.open(run.directory).metrics() == rows


def test_incomplete_last_line_is_left_out(run):
    run.log({"a": 1.0})
    with (run.directory / "metrics.jsonl").open("a") as file:
        file.write('{"a": 2')
    assert run.metrics() == [{"a": 1.0}]


def test_broken_line_in_the_middle_is_named(run):
    run.log({"a": 1.0})
    with (run.directory / "metrics.jsonl").open("a") as file:
        file.write('{"a": 2\n')
    run.log({"a": 3.0})
    assert "metrics.jsonl, line 2 is not JSON" in error_message(run.metrics)


def test_run_without_metrics_or_evaluation_has_none(run):
    assert (run.metrics(), run.evaluation()) == ([], {})


def test_evaluation_is_stored(run):
    run.save_evaluation({"task": "Reach"})
    assert Run.open(run.directory).evaluation() == {"task": "Reach"}


def test_truncated_evaluation_gives_a_one_line_error(run):
    (run.directory / "evaluation.json").write_text('{"task"')
    assert "the run is damaged" in error_message(run.evaluation)


def test_image_grids_of_older_runs_are_found(run):
    assert run.images == run.directory / "images"
    run.images.rename(run.directory / "pictures")
    assert run.images == run.directory / "pictures"
