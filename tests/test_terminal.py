"""Standard output and standard error that are closed, full, a pipe, or ASCII only."""

import io
import os
import resource
import subprocess
import sys
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from PIL import Image

from rig.cli.main import main
from rig.compare.kept_results import write_results
from rig.goals.goal_image import save_goal_image
from rig.inference.export import new_directory
from rig.inference.video import save_video
from rig.report.image_grid import save_png
from rig.report.tables import print_table
from rig.runs.atomic_files import complete_file
from rig.sweep.progress import SweepProgress, print_statuses
from rig.sweep.status import FAILED, RunStatus
from rig.terminal import print_notice, print_to_stderr
from rig.training.progress import open_progress


LONG = "a-very-long-name-of-a-run-" * 8
NOISE = Image.fromarray(
    np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
)


@contextmanager
def full_disk(max_bytes=1000):
    """Lets no file grow beyond some bytes in the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def runs(tmp_path):
    """A directory with two damaged runs, one of which has a long name."""
    for name in ("short", LONG):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{")
    return tmp_path


@pytest.mark.parametrize(
    "argv", ["--help", "--version", "train --help", "robot --help", "runs {}"]
)
def test_full_standard_output_is_one_line(monkeypatch, capsys, runs, argv):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        try:
            code = main(argv.format(runs).split())
        except SystemExit as stop:
            code = stop.code
    assert code == 2
    assert capsys.readouterr().err == "rig: standard output: No space left on device\n"


def test_reader_that_goes_away_ends_the_command_without_a_word(monkeypatch, capsys, runs):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

        def fileno(self):
            return scratch.fileno()

    with open(runs / "scratch", "w") as scratch:
        monkeypatch.setattr(sys, "stdout", Gone())
        assert main(["runs", str(runs)]) == 141
    assert capsys.readouterr().err == ""


def test_closed_streams_are_no_error_and_their_numbers_are_not_used_again():
    code = (
        "import os, sys; from rig.cli.main import main\n"
        "assert main(['--version']) == 0 and main(['nonsense']) == 2\n"
        "os._exit(0 if os.open(os.devnull, os.O_RDONLY) > 2 else 1)"
    )
    command = 'exec "$0" -c "$1" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", command, sys.executable, code]).returncode == 0


def test_characters_that_a_terminal_lacks_are_escaped(monkeypatch, tmp_path):
    (tmp_path / "σ").mkdir()
    (tmp_path / "σ" / "config.json").write_text("{")
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_only)
    assert main(["runs", str(tmp_path)]) == 0
    assert rb"\u03c3" in ascii_only.buffer.getvalue()


def test_full_standard_error_stops_nothing(monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    print_notice("settings")
    print_to_stderr("train: 100 of 200")
    assert main(["nonsense"]) == 2


@pytest.mark.parametrize("display", [open_progress, SweepProgress])
def test_terminal_that_goes_away_stops_nothing(monkeypatch, display):
    main_end, stderr = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", os.fdopen(stderr, "w", encoding="utf-8"))
    with display() as progress:
        progress.note("before")
        os.close(main_end)
        for _ in range(3):
            progress.note("after")
    with suppress(OSError):
        sys.stderr.close()


def test_runs_in_a_pipe_are_rows_of_whole_cells_with_tabs(capsys, runs):
    assert main(["runs", str(runs)]) == 0
    head, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert head[0] == "run"
    assert {row[0] for row in rows} == {"short", LONG}
    assert {len(row) for row in rows} == {len(head)}


def test_cells_hold_no_tabs_and_no_line_ends(capsys):
    print_table("Title", ["a", "b"], [["one\ttwo", "three\nfour"]])
    assert capsys.readouterr().out == "Title\na\tb\none\\ttwo\tthree\\nfour\n"


def test_status_in_a_pipe_says_why_in_a_column(capsys):
    status = RunStatus(
        id="a",
        method="b",
        task="Push",
        seed=0,
        state=FAILED,
        num_env_steps=0,
        total_timesteps=9,
        distances={},
        num_lost=2,
        why="no room",
    )
    print_statuses("study", [status])
    head, row = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert dict(zip(head, row, strict=True)) == {
        "run": "a",
        "state": "failed",
        "steps": "0 of 9",
        "distance": "",
        "process lost": "2 times",
        "why": "no room",
    }


WRITERS = {
    "grid.png": lambda path: save_png(path, NOISE),
    "goal.png": lambda path: save_goal_image(path, NOISE, "rig/Push-v0", [0.0]),
    "try.gif": lambda path: save_video(path, [NOISE] * 3),
    "try.mp4": lambda path: save_video(path, [NOISE] * 3),
}


@pytest.mark.parametrize("name", WRITERS)
def test_full_disk_leaves_the_old_file_and_names_it(tmp_path, name):
    path = tmp_path / name
    path.write_text("old")
    with full_disk(), pytest.raises(OSError, match="File too large") as caught:
        WRITERS[name](path)
    assert caught.value.filename == str(path)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [(name, "old")]


def test_file_behind_a_link_is_written_and_the_link_stays(tmp_path):
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "file.jsonl")
    write_results(tmp_path / "link.jsonl", [])
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "file.jsonl").read_text() == ""


def test_file_whose_block_raises_is_not_there(tmp_path):
    def write():
        with complete_file(tmp_path / "page.html") as partial:
            partial.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writes", [complete_file, new_directory])
def test_file_that_can_not_be_read_meanwhile_is_the_one_that_is_named(tmp_path, writes):
    def write():
        with writes(tmp_path / "out"):
            (tmp_path / "source").read_bytes()

    with pytest.raises(FileNotFoundError) as caught:
        write()
    assert caught.value.filename == str(tmp_path / "source")
    assert list(tmp_path.iterdir()) == []
