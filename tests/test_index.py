import json
import os
from dataclasses import replace

import pytest
from stub_trainer import train_all, write_spec

from rig.cli.main import main
from rig.errors import ConfigError, RunError
from rig.presets import FAST
from rig.runs.run import Run
from rig.sweep import index
from rig.sweep.index import FILE, read_index
from rig.sweep.query import cells, select
from rig.sweep.spec import read_spec
from rig.sweep.study import Study


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
    study.prepare()
    with study.locked():
        train_all(study)
    return two


def ask(root, *conditions, sort="date"):
    return select(read_index(root), conditions, sort)


def names(rows):
    return [row["directory"] for row in rows]


def plan_with(directory, name, method):
    """The plan of a study with one run, as `rig sweep` writes it."""
    runs = {directory.name: {"method": method, "directory": directory.name}}
    (directory.parent / "sweep.json").write_text(json.dumps({"name": name, "runs": runs}))


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
    with pytest.raises(ConfigError, match=r"td3.gamma is a number, and 'small' is not one"):
        ask(root, "td3.gamma<small")
    with pytest.raises(ConfigError, match="is not a condition: write NAME=VALUE"):
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


@pytest.mark.parametrize(
    "content",
    [
        "",
        "notes",
        "[]",
        "{}",
        '{"code": 1, "runs": []}',
        "[" * 9999,
        '{"code": "%", "runs": 5}',
    ],
)
def test_an_index_that_is_damaged_or_old_is_built_again(two, content):
    before = ask(two)
    (two / FILE).write_text(content.replace("%", index.code_version()))
    assert ask(two) == before
    assert json.loads((two / FILE).read_text())["runs"].keys() == {"one", "deep/two"}


def test_an_index_of_other_code_is_built_again(two, monkeypatch):
    before = ask(two)
    saved = json.loads((two / FILE).read_text())
    saved["runs"]["one"]["task"] = "old"
    (two / FILE).write_text(json.dumps(saved))
    assert {row["task"] for row in ask(two)} == {"old", "Reach"}
    monkeypatch.setattr(index, "code_version", lambda: "new")
    assert ask(two) == before


def test_an_index_that_can_not_be_saved_is_made_each_time(two):
    before = ask(two)
    (two / FILE).unlink()
    (two / FILE).mkdir()
    assert ask(two) == before


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


@pytest.mark.parametrize("value", ["NaN", "Infinity", f"{2**70}", f"-{10**400}", f"{2.0**63}"])
def test_a_number_that_can_not_be_saved_is_unknown(two, value):
    before = ask(two, "seed=2", "task=Reach")
    line = f'{{"num_env_steps": {value}, "eval/hand_distance_m": {value}}}\n'
    with (two / "one" / "metrics.jsonl").open("a") as file:
        file.write(line)
    with (two / "one" / "clock.jsonl").open("a") as file:
        file.write('{"wall_s": 1e308, "evaluation_s": -1e308}\n')
    row = ask(two, "directory=one")[0]
    assert (row["state"], row["task"]) == ("done", "Reach")
    assert (row["num_env_steps"], row["training_s"]) == (None, None)
    assert cells(row)[5:7] == ["", ""]
    assert ask(two, "seed=2", "task=Reach") == before
    assert main(["runs", str(two), "--json"]) == 0


@pytest.mark.parametrize("value", [["x"], {"x": 1}, 7, None, 2**70])
def test_an_origin_of_odd_types_is_unknown_until_it_is_mended(two, value):
    path = two / "one" / "origin.json"
    before = path.read_text()
    path.write_text(json.dumps({"date": value, "commit": value}))
    row = ask(two, "directory=one")[0]
    assert (row["state"], row["date"], row["made_at_commit"]) == ("done", None, None)
    path.write_text(before)
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
def test_the_study_of_a_run_is_known_once_it_has_a_plan(two, text):
    (two / "sweep.json").write_text(text)
    row = ask(two, "directory=one")[0]
    assert (row["state"], row["study"], row["method"]) == ("done", None, None)
    plan_with(two / "one", "first", "a")
    assert ask(two, "directory=one")[0]["study"] == "first"


def test_a_run_that_can_not_be_read_is_listed_as_damaged(root, capsys):
    (root / "one" / "config.json").write_text("{")
    assert names(ask(root, "state=damaged")) == ["one"]
    assert main(["runs", str(root)]) == 0
    assert "damaged" in capsys.readouterr().out


def test_a_place_without_runs_lists_none_and_no_place_is_one_line(tmp_path):
    assert ask(tmp_path) == []
    with pytest.raises(RunError, match="is not a directory"):
        ask(tmp_path / "nowhere")


def test_runs_are_a_table_or_one_json_object(root, capsys, monkeypatch, terminal):
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
