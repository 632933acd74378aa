import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from stub_trainer import train_all, write_spec

from rig.cli.main import main
from rig.errors import ConfigError, RunError
from rig.presets import FAST, HER, PRESETS
from rig.runs.run import Run
from rig.sweep import index
from rig.sweep.directory import Study
from rig.sweep.index import FILE, open_index
from rig.sweep.query import cells, select
from rig.sweep.spec import read_spec


def make(directory, seed=0, distance_m=0.05, **settings):
    td3 = replace(FAST.td3, **settings)
    run = Run.create(directory, replace(FAST, seed=seed, td3=td3), {"date": f"2024-01-0{seed}"})
    run.log({"num_env_steps": 100, "wall_s": 70.0, "evaluation_s": 10.0, "td3/value": -3.0})
    run.log({"num_env_steps": 200, "wall_s": 90.0, "eval/puck_distance_m": distance_m})
    return run


@pytest.fixture
def two(tmp_path):
    """Two runs by themselves, one of them finished."""
    make(tmp_path / "runs" / "one", 1, 0.05, gamma=0.5).save_evaluation({"distances": {}})
    make(tmp_path / "runs" / "deep" / "two", 2, 0.03)
    return tmp_path / "runs"


@pytest.fixture
def root(two, tmp_path, monkeypatch):
    """The two, and a study of four."""
    monkeypatch.setattr("stub_trainer.ROUND_S", 0.0)
    spec = read_spec(write_spec(tmp_path / "study.toml"))
    study = Study(spec, tmp_path / "runs" / "study")
    study.begin()
    train_all(study)
    return two


def ask(root, *conditions, sort="date"):
    with open_index(root) as connection:
        return select(connection, conditions, sort)


def change_index(root, script):
    """Runs SQL on the file of the index, as no code of ours would."""
    with closing(sqlite3.connect(root / FILE)) as connection:
        connection.executescript(script)


def names(rows):
    return [row["directory"] for row in rows]


def plan_with(directory, name, method):
    """The plan of a study with one run, as `rig sweep` writes it."""
    runs = {directory.name: {"method": method, "directory": directory.name}}
    (directory.parent / "sweep.json").write_text(json.dumps({"name": name, "runs": runs}))


def make_database(path, script):
    """Someone's database; what it holds."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path.read_bytes()


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
        (["date>=2024", "task=Reach"], ["one", "deep/two"]),
        (["td3.hidden_sizes=[256, 256]", "seed=2"], ["deep/two"]),
        (["goals.source=fitted"], []),
    ],
)
def test_conditions_on_settings_metrics_and_columns(root, conditions, found):
    assert names(ask(root, *conditions)) == found


def test_words_that_look_like_numbers_are_words(root):
    make(root / "42" / "2024", 5)
    plan_with(root / "42" / "2024", "42", "4")
    for condition in ("directory=42/2024", "study=42", "method=4", "method>3.9", "study!=43"):
        assert names(ask(root, condition, "seed=5")) == ["42/2024"]
    make(root / "2024", 6)
    assert names(ask(root, "directory=2024")) == ["2024"]


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


def test_an_index_that_is_deleted_or_emptied_or_without_its_table_is_made_anew(two):
    before = ask(two)
    (two / FILE).unlink()
    assert ask(two) == before
    (two / FILE).write_bytes(b"")
    assert ask(two) == before
    change_index(two, "DROP TABLE runs;")
    assert ask(two) == before


def test_an_index_of_another_version_is_made_anew(two):
    before = ask(two)
    change_index(two, "UPDATE runs SET task = 'old'; PRAGMA user_version = 99;")
    assert ask(two) == before
    change_index(
        two,
        "DROP TABLE runs; CREATE TABLE runs (directory TEXT PRIMARY KEY, stamp TEXT);"
        "PRAGMA application_id = 0; PRAGMA user_version = 1;",
    )
    assert ask(two) == before
    assert ask(two, "seed=2")


@pytest.mark.parametrize("left", [4096, -4096])
def test_an_index_that_is_damaged_behind_its_first_page_is_made_anew(two, left):
    Run.open(two / "one").log({f"many/{index}": 1.0 for index in range(2000)})
    before = ask(two)
    whole = (two / FILE).read_bytes()
    (two / FILE).write_bytes(whole[:left] + b"no page " * (len(whole[left:]) // 8))
    assert ask(two) == before
    (two / FILE).write_bytes(whole[:left])
    assert ask(two) == before


def test_an_index_that_is_damaged_where_only_an_answer_looks_is_made_anew(two):
    """In the pages that a long row goes on in: bringing up to date does not read them."""
    Run.open(two / "one").log({f"many/{index}": 1.0 for index in range(2000)})
    before = ask(two)
    whole = (two / FILE).read_bytes()
    pages = [whole[begin : begin + 4096] for begin in range(0, len(whole), 4096)]
    spoilt = [b"no page " * 512 if b"many/1" in page else page for page in pages]
    assert spoilt != pages
    (two / FILE).write_bytes(b"".join(spoilt))
    assert ask(two) == before


@pytest.mark.parametrize("data", [b"no database " * 100, b"notes", b"SQLite format 3\0" * 300])
def test_a_file_that_is_no_index_is_left_alone(tmp_path, data):
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(RunError, match=r"index.sqlite is no index of .* move it"):
        ask(tmp_path)
    assert (tmp_path / FILE).read_bytes() == data


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE runs (id); INSERT INTO runs VALUES (7); PRAGMA user_version = 7;",
        "CREATE TABLE runs (id, stamp); INSERT INTO runs VALUES (7, 8);",
        "CREATE TABLE runs (id); PRAGMA user_version = 1;",
        "CREATE TABLE runs (id, stamp); PRAGMA application_id = 9; PRAGMA user_version = 1;",
        "CREATE TABLE other (id);",
        "PRAGMA application_id = 9;",
    ],
)
def test_a_database_that_is_not_ours_is_left_alone(tmp_path, script):
    data = make_database(tmp_path / FILE, script)
    with pytest.raises(RunError, match=r"index.sqlite is no index of .* move it"):
        ask(tmp_path)
    assert (tmp_path / FILE).read_bytes() == data


def test_an_index_that_can_not_be_used_now_is_left_alone(two, monkeypatch):
    before = ask(two)
    data = (two / FILE).read_bytes()
    monkeypatch.setattr(index, "PATIENCE_S", 0.0)
    with closing(sqlite3.connect(two / FILE)) as another:
        another.execute("BEGIN EXCLUSIVE")
        assert ask(two) == before
    assert (two / FILE).read_bytes() == data
    (two / FILE).unlink()
    (two / FILE).mkdir()
    assert ask(two) == before


def test_an_index_made_by_other_code_is_made_anew(two, monkeypatch):
    assert ask(two, "seed=2")[0]["preset"] == "fast"
    monkeypatch.setitem(PRESETS, "fast", HER)
    monkeypatch.setitem(PRESETS, "her", FAST)
    assert ask(two, "seed=2")[0]["preset"] == "her"


def test_every_process_finds_the_same_code():
    """Or each would make the index anew."""
    code = "from rig.sweep.index_row import code_version; print(code_version())"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


@pytest.mark.parametrize("error", [RunError, ValueError, PermissionError])
def test_a_damaged_run_is_read_again_each_time(two, monkeypatch, error):
    def can_not(directory):
        raise error("older code knew less")

    with monkeypatch.context() as patch:
        patch.setattr(index, "facts_of", can_not)
        assert {row["state"] for row in ask(two)} == {"damaged"}
    assert {row["state"] for row in ask(two)} == {"done", "unfinished"}


def test_a_metric_that_is_no_number_does_not_stop_the_others(root):
    Run.open(root / "one").log({"num_env_steps": 300, "td3/value": float("nan")})
    assert names(ask(root, "td3/value<0")) == ["deep/two"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", f"{2**70}", f"-{10**400}"])
def test_a_number_that_can_not_be_held_is_unknown(two, value):
    before = ask(two, "seed=2", "task=Reach")
    line = (
        f'{{"num_env_steps": {value}, "td3/value": {value}, "eval/hand_distance_m": {value}}}'
    )
    with (two / "one" / "metrics.jsonl").open("a") as file:
        file.write(f"{line}\n")
    with (two / "one" / "clock.jsonl").open("a") as file:
        file.write(f'{{"wall_s": {value}}}\n')
    row = ask(two, "directory=one")[0]
    assert (row["state"], row["task"]) == ("done", "Reach")
    assert (row["num_env_steps"], row["training_s"]) == (None, None)
    assert row["distances"] == {"eval/hand_distance_m": None}
    assert row["metrics"]["td3/value"] is None
    assert cells(row)[5:] == ["", "", ""]
    assert ask(two, "seed=2", "task=Reach") == before


def test_numbers_that_can_be_held_only_by_themselves_are_unknown_together(two):
    odd = {"num_env_steps": 2.0**63, "wall_s": 1e308, "evaluation_s": -1e308}
    Run.open(two / "one").log(odd)
    row = ask(two, "directory=one")[0]
    assert (row["num_env_steps"], row["training_s"]) == (None, None)


@pytest.mark.parametrize("value", [["x"], {"x": 1}, 7, None, 2**70])
def test_an_origin_of_odd_types_is_unknown(two, value):
    told = json.dumps({"date": value, "commit": value})
    (two / "one" / "origin.json").write_text(told)
    row = ask(two, "directory=one")[0]
    assert (row["state"], row["date"], row["made_at_commit"]) == ("done", None, None)
    assert len(ask(two)) == 2


def test_an_origin_that_was_mended_is_read_again(two):
    whole = (two / "one" / "origin.json").read_text()
    (two / "one" / "origin.json").write_text("{}")
    assert ask(two, "directory=one")[0]["date"] is None
    (two / "one" / "origin.json").write_text(whole)
    assert ask(two, "directory=one")[0]["date"] == "2024-01-01"


def test_text_that_is_no_unicode_is_shown_escaped(two):
    (two / "deep" / "two").rename(two / "deep" / os.fsdecode(b"two\xff"))
    (two / "one" / "origin.json").write_text('{"date": "\\ud800"}')
    Run.open(two / "one").log({"td3/\ud800": 1.0, "it's": 2.0})
    assert names(ask(two, "seed=2", "task=Reach")) == ["deep/two\\udcff"]
    row = ask(two, sort="-it's")[0]
    assert (row["directory"], row["date"]) == ("one", "\\ud800")
    assert row["metrics"]["td3/\\ud800"] == 1.0


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"name": "x", "runs": []}', '{"name": "x", "runs": {"one": 3}}'],
)
def test_beside_what_is_no_plan_a_run_is_of_no_known_study(two, text):
    (two / "sweep.json").write_text(text)
    row = ask(two, "directory=one")[0]
    assert (row["state"], row["study"], row["method"]) == ("done", None, None)
    assert len(ask(two)) == 2


def test_a_study_whose_name_is_no_text_is_unknown(two):
    plan_with(two / "one", ["x"], {"y": 1})
    row = ask(two, "directory=one")[0]
    assert (row["state"], row["study"], row["method"]) == ("done", None, None)


def test_runs_of_another_study_are_its_own_once_it_is_planned(root):
    """Its runs were made first by a study beside it that compares with them."""
    directory = root / "first" / "push-a-seed0"
    make(directory, 5)
    assert ask(root, "seed=5")[0]["study"] is None
    plan_with(directory, "first", "a")
    assert ask(root, "seed=5")[0]["study"] == "first"


def test_a_run_that_can_not_be_read_is_listed_as_damaged(root):
    (root / "one" / "config.json").write_text("{")
    damaged = [row for row in ask(root) if row["state"] == "damaged"]
    assert names(damaged) == ["one"]


def test_a_place_without_runs_lists_none_and_no_place_is_one_line(tmp_path):
    assert ask(tmp_path) == []
    with pytest.raises(RunError, match="is not a directory"):
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
