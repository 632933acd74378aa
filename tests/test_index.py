import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from stub_trainer import train_all, write_spec

from rig.errors import ConfigError, RunError
from rig.lab.cli import main
from rig.lab.keep.run import Run
from rig.lab.study import index
from rig.lab.study.directory import Study
from rig.lab.study.index import FILE, open_index
from rig.lab.study.query import select
from rig.lab.study.spec import read_spec
from rig.presets import FAST


def make(directory, seed=0, distance_m=0.05, **settings):
    td3 = replace(FAST.td3, **settings)
    run = Run.create(directory, replace(FAST, seed=seed, td3=td3), {"date": f"2024-01-0{seed}"})
    run.log({"num_env_steps": 100, "wall_s": 70.0, "evaluation_s": 10.0, "td3/value": -3.0})
    run.log({"num_env_steps": 200, "wall_s": 90.0, "eval/puck_distance_m": distance_m})
    return run


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Two runs by themselves, one of them finished, and a study of four."""
    monkeypatch.setattr("stub_trainer.ROUND_S", 0.0)
    make(tmp_path / "runs" / "one", 1, 0.05, gamma=0.5).save_evaluation({"distances": {}})
    make(tmp_path / "runs" / "deep" / "two", 2, 0.03)
    spec = read_spec(write_spec(tmp_path / "study.toml"))
    study = Study(spec, tmp_path / "runs" / "study")
    study.begin()
    train_all(study)
    return tmp_path / "runs"


def ask(root, *conditions, sort="date"):
    with open_index(root) as connection:
        return select(connection, conditions, sort)


def change_index(root, script):
    """Runs SQL on the file of the index, as no code of ours would."""
    with closing(sqlite3.connect(root / FILE)) as connection:
        connection.executescript(script)


def names(rows):
    return [row["directory"] for row in rows]


def test_every_run_is_listed_at_any_depth_by_date(root):
    assert names(ask(root)) == [
        "one",
        "deep/two",
        "study/push-a-seed0",
        "study/push-a-seed1",
        "study/push-b-seed0",
        "study/push-b-seed1",
    ]


def test_a_row_tells_what_the_directory_holds(root):
    row = ask(root, "seed=2")[0]
    told = ("task", "preset", "seed", "state", "num_env_steps", "training_s", "study")
    assert [row[name] for name in told] == ["Reach", "fast", 2, "unfinished", 200, 80.0, None]
    assert row["distances"] == {"eval/puck_distance_m": 0.03}
    assert row["metrics"]["td3/value"] == -3.0
    assert row["settings"]["td3.gamma"] == FAST.td3.gamma
    assert {r["method"] for r in ask(root, "study=study")} == {"a", "b"}


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        (["td3.gamma=0.5"], ["one"]),
        (["td3.gamma != 0.5", "task=Reach"], ["deep/two"]),
        (
            ["eval/puck_distance_m<=0.03"],
            ["deep/two", "study/push-a-seed0", "study/push-b-seed0"],
        ),
        (["state=done", "task=Reach"], ["one"]),
        (["method=a", "seed>0"], ["study/push-a-seed1"]),
        (["td3.layer_norm=True", "seed=2"], ["deep/two"]),
        (["td3.gamma=.5"], ["one"]),
        (["eval/puck_distance_m<.03"], ["study/push-a-seed0", "study/push-b-seed0"]),
        (["num_env_steps<3_00", "task=Reach"], ["one", "deep/two"]),
        (["date<2024-01-02", "task=Reach"], ["one"]),
        (["td3.hidden_sizes=[256, 256]", "seed=2"], ["deep/two"]),
        (["goals.source=fitted"], []),
    ],
)
def test_conditions_on_settings_metrics_and_columns(root, conditions, found):
    assert names(ask(root, *conditions)) == found


def test_sorted_by_anything_and_what_lacks_it_comes_last(root):
    by_distance = names(ask(root, "seed<3", sort="eval/puck_distance_m"))
    assert by_distance[0].startswith("study/push-")
    assert by_distance[-1].endswith("seed1")
    assert names(ask(root, sort="-td3/value"))[:2] == ["deep/two", "one"]


def test_a_name_that_no_run_has_is_told_with_the_nearest(root):
    with pytest.raises(ConfigError, match=r"no run has 'td3.gama': did you mean 'td3.gamma'"):
        ask(root, "td3.gama=1")
    with pytest.raises(ConfigError, match=r"td3.gamma is a number, and 'small' is none"):
        ask(root, "td3.gamma<small")
    with pytest.raises(ConfigError, match="is no condition: write NAME=VALUE"):
        ask(root, "gamma")
    with pytest.raises(ConfigError, match="no run has"):
        ask(root, sort="stamp; DROP TABLE runs")


def test_only_what_changed_is_read_again(root, monkeypatch):
    ask(root)
    read, real = [], index.facts_of
    monkeypatch.setattr(index, "facts_of", lambda path: read.append(path.name) or real(path))
    Run.open(root / "one").log({"num_env_steps": 300, "wall_s": 99.0})
    assert ask(root, "seed=1", "task=Reach")[0]["num_env_steps"] == 300
    assert read == ["one"]


def test_a_run_that_is_gone_is_gone_from_the_index(root):
    ask(root)
    for path in (root / "one").iterdir():
        path.unlink() if path.is_file() else path.rmdir()
    assert "one" not in names(ask(root))


def test_an_index_that_is_deleted_or_damaged_or_of_another_version_is_made_anew(root):
    before = ask(root)
    (root / FILE).unlink()
    assert ask(root) == before
    (root / FILE).write_bytes(b"no database " * 100)
    assert ask(root) == before
    change_index(root, "DROP TABLE runs; PRAGMA user_version = 99;")
    assert ask(root) == before


def test_an_index_that_is_damaged_behind_its_first_page_is_made_anew(root):
    before = ask(root)
    whole = (root / FILE).read_bytes()
    (root / FILE).write_bytes(whole[:4096] + b"no page " * ((len(whole) - 4096) // 8))
    assert ask(root) == before
    change_index(root, "DROP TABLE runs;")
    assert ask(root) == before


def test_a_metric_that_is_no_number_does_not_stop_the_others(root):
    Run.open(root / "one").log({"num_env_steps": 300, "td3/value": float("nan")})
    assert names(ask(root, "td3/value<0")) == ["deep/two"]


def test_runs_of_another_study_are_its_own_once_it_is_planned(root):
    """Its runs were made first by a study beside it that compares with them."""
    directory = root / "first" / "push-a-seed0"
    make(directory, 5)
    assert ask(root, "seed=5")[0]["study"] is None
    plan = {"name": "first", "runs": {"push-a-seed0": {"method": "a"}}}
    (root / "first" / "sweep.json").write_text(json.dumps(plan))
    assert ask(root, "seed=5")[0]["study"] == "first"


def test_a_run_that_can_not_be_read_is_listed_as_damaged(root):
    (root / "one" / "config.json").write_text("{")
    damaged = [row for row in ask(root) if row["state"] == "damaged"]
    assert names(damaged) == ["one"]


def test_a_place_without_runs_lists_none_and_no_place_is_one_line(tmp_path):
    assert ask(tmp_path) == []
    with pytest.raises(RunError, match="is no directory"):
        ask(tmp_path / "nowhere")


def test_runs_are_a_table_or_one_json_object(root, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    argv = ["runs", str(root), "--task", "push", "--where", "seed=1", "--where", "method=b"]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "runs: 1 run" in out
    assert "study/push-b-seed1" in out
    assert main([*argv, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 1
    assert main(["runs", str(root), "--sort=-seed"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("deep/two")
