"""What the page's server says of runs: of finished, growing, cut and damaged ones."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fake_run import make_bare_run, metrics
from page_server import served
from PIL import Image

from rig.runs.live_files import is_watched, keep_watching, write_round
from rig.serve.metrics_tail import MetricsTail
from rig.serve.run_index import RunIndex, id_of, thinned


@pytest.fixture
def run(tmp_path):
    return make_bare_run(tmp_path / "runs" / "one")


@pytest.fixture
def index(run):
    return RunIndex([run.directory.parent])


def only(index):
    index.refresh()
    (row,) = index.rows()
    return row


def test_a_run_has_its_row(index, run):
    row = only(index)
    assert (row["name"], row["task"], row["state"]) == ("one", "Reach", "finished")
    (distance,) = row["distances"]
    assert distance == {"object": "hand", "text": "2.7 cm", "no_op": "16.0 cm"}
    assert row["id"] == id_of(run.directory)
    assert "/" not in row["id"]


def test_rows_are_read_again_only_when_files_change(index, run):
    changed, gone = index.refresh()
    assert (len(changed), gone) == (1, [])
    assert index.refresh() == ([], [])
    run.log(metrics(4))
    changed, _ = index.refresh()
    assert changed[0]["num_env_steps"] == 4000
    (run.directory / "config.json").unlink()
    assert index.refresh() == ([], [id_of(run.directory)])


def test_a_locked_run_is_training(index, run):
    (run.directory / "evaluation.json").unlink()
    assert only(index)["state"] == "stopped"
    descriptor = os.open(run.directory, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert only(index)["state"] == "training"
    finally:
        os.close(descriptor)
    assert only(index)["state"] == "stopped"


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "origin.json"])
def test_a_damaged_run_keeps_its_row_and_says_why(index, run, name):
    (run.directory / name).write_text("{broken\n")
    row = only(index)
    assert row["state"] == "damaged"
    assert name in row["why"]


def test_metrics_grow_by_whole_lines(run):
    tail = MetricsTail(run.directory)
    first = tail.read()
    assert [row["num_env_steps"] for row in first["rows"]] == [1000, 2000, 3000, 0]
    assert first["rows"][0]["wall_s"] == 70
    with (run.directory / "metrics.jsonl").open("a") as file:
        file.write('{"num_env_steps": 4000}\n{"num_env')
    with (run.directory / "clock.jsonl").open("a") as file:
        file.write('{"wall_s": 280.0}\n')
    more = tail.read(after=4, generation=first["generation"])
    assert (more["first"], more["generation"]) == (4, first["generation"])
    assert [row["num_env_steps"] for row in more["rows"]] == [4000]


def test_metrics_that_a_resume_cut_are_another_generation(run):
    tail = MetricsTail(run.directory)
    first = tail.read()
    run.truncate_metrics(2)
    cut = tail.read(after=4, generation=first["generation"])
    assert cut["generation"] != first["generation"]
    assert (cut["first"], len(cut["rows"])) == (0, 2)
    for index in (7, 8, 9):
        run.log(metrics(index))
    grown = tail.read(after=2, generation=cut["generation"])
    assert [row["num_env_steps"] for row in grown["rows"]] == [7000, 8000, 9000]


def test_metrics_cut_and_grown_between_two_looks_are_another_generation(run):
    tail = MetricsTail(run.directory)
    first = tail.read()
    run.truncate_metrics(1)
    for index in (5, 6, 7, 8, 9):
        run.log(metrics(index))
    grown = tail.read(after=4, generation=first["generation"])
    assert [row["num_env_steps"] for row in grown["rows"]] == [
        *(1000, 5000, 6000, 7000, 8000, 9000)
    ]


def test_server_answers_in_strict_json(run):
    run.log({"num_env_steps": 5000, "td3/critic_loss": float("nan")})
    with served(run.directory.parent) as server:
        (row,) = server.get("/api/runs")["runs"]
        found = server.get(f"/api/runs/{row['id']}/metrics")
        assert found["rows"][-1]["td3/critic_loss"] is None
        whole = server.get(f"/api/runs/{row['id']}")
        assert "imagined-0001000.png" in whole["grids"]
        assert server.get("/api/runs?where=task=push")["runs"] == []
        assert len(server.get("/api/runs?where=seed<1,%20task=reach")["runs"]) == 1
        status, _, body = server.request("GET", "/api/runs?where=sneed=3")
        assert (status, json.loads(body)["code"]) == (422, "bad_condition")


def test_server_tells_tabs_of_changes_and_of_rounds(run):
    (run.directory / "evaluation.json").unlink()
    with run.lock(), served(run.directory.parent) as server, server.socket() as tab:
        run_id = id_of(run.directory)
        tab.send("watch", run=run_id)
        run.log(metrics(4))
        assert tab.take("runs")["changed"][0]["num_env_steps"] == 4000
        while not is_watched(run.directory):
            tab.socket.ping().wait(1)
        cells = np.zeros((2, 4, 8, 8, 3), np.uint8)
        about = {"num_env_steps": 7, "num_worlds": 2, "num_frames": 3, "step_s": 0.1, "size": 8}
        write_round(run.directory / "live" / "round.png", cells, about)
        assert tab.take("round") == {"type": "round", "run": run_id, **about}
        assert server.get(f"/api/runs/{run_id}/round")["round"] == about
        assert server.request("GET", f"/api/runs/{run_id}/round.png")[0] == 200


def test_a_round_that_training_did_not_write_is_not_shown(run):
    keep_watching(run.directory)
    path = run.directory / "live" / "round.png"
    with served(run.directory.parent) as server:
        address = f"/api/runs/{id_of(run.directory)}/round"
        assert server.get(address) == {"round": None}
        for data in (b"\x89PNG\r\n\x1a\nbroken", b"<svg onload=alert(1)>"):
            path.write_bytes(data)
            assert server.get(address) == {"round": None}
        Image.new("RGB", (8, 8)).save(path)
        assert server.get(address) == {"round": None}


def test_a_spark_line_has_the_first_and_the_last_value():
    assert thinned([1.0, 2.0]) == [1.0, 2.0]
    few = thinned([float(value) for value in range(1000)])
    assert (len(few), few[0], few[-1]) == (24, 0.0, 999.0)


SHOW = """
import json, sys
from pathlib import Path
from page_server import served

with served(Path(sys.argv[1])) as server:
    (row,) = server.get("/api/runs")["runs"]
    for part in ("", "/metrics", "/attempts", "/round"):
        server.get(f"/api/runs/{row['id']}{part}")
    assert server.request("GET", f"/api/runs/{row['id']}/images/reached.png")[0] == 200
heavy = {"jax", "equinox", "matplotlib", "av", "scipy.stats"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""


def test_the_server_starts_and_shows_a_run_without_jax(tmp_path):
    """It takes two seconds to import, and 200 MB: only a robot that wakes needs it."""
    make_bare_run(tmp_path / "run")
    command = [sys.executable, "-c", SHOW, str(tmp_path)]
    here = {"cwd": Path(__file__).parent, "check": True}
    done = subprocess.run(command, capture_output=True, text=True, **here)
    assert json.loads(done.stdout.splitlines()[-1]) == []
