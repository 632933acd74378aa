import csv
import json
import re
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
from fake_results import STEPS, fake_result
from stub_trainer import train_all, write_spec

from rig.cli.main import main
from rig.compare.comparison import Comparison
from rig.compare.curves import draw_curves, save_curves
from rig.compare.kept_results import (
    curve_of,
    gather,
    read_results,
    result_of,
    write_results,
)
from rig.compare.statistics import common_points
from rig.compare.tables import markdown, overall_section
from rig.errors import RunError
from rig.report.tables import print_table
from rig.runs.atomic_files import write_json
from rig.runs.run import Run
from rig.sweep.spec import read_spec
from rig.sweep.study import Study


@pytest.fixture
def results():
    """Two methods and an oracle on Reach; ours ends nearer by 1 cm on each of 5 seeds."""
    ours = [fake_result("ours", seed, finals=0.01) for seed in range(5)]
    theirs = [fake_result("theirs", seed, finals=0.02) for seed in range(5)]
    return [*theirs, *ours, fake_result("truth", 0, finals=0.005, oracle=True)]


def test_a_score_summarizes_the_seeds_of_a_method(results):
    theirs, ours, truth = Comparison(results).scores("Reach", "hand")
    assert (theirs.method, theirs.num_seeds, theirs.unit) == ("theirs", 5, "cm")
    assert theirs.iqm == pytest.approx(2.2)
    assert 2.0 <= theirs.low < theirs.iqm < theirs.high <= 2.4
    assert (theirs.mean, theirs.worst, theirs.do_nothing) == pytest.approx((2.2, 2.4, 10.0))
    assert (theirs.better, ours.better, truth.better) == (None, 1.0, None)
    assert (ours.num_env_steps, ours.training_minutes) == (
        STEPS[-1],
        pytest.approx(62 * 4 / 60),
    )
    assert ours.run_ids == tuple(f"reach-ours-seed{seed}" for seed in range(5))


def test_the_reference_can_be_named(results):
    theirs, ours, _ = Comparison(results, "ours").scores("Reach", "hand")
    assert (theirs.better, ours.better) == (0.0, None)
    with pytest.raises(RunError, match="did you mean 'ours'"):
        Comparison(results, "our")


def test_curves_are_means_over_seeds_and_the_oracle_is_a_level(results):
    comparison = Comparison(results)
    theirs, ours = comparison.curves("Reach", "hand")
    np.testing.assert_array_equal(theirs.steps, STEPS)
    np.testing.assert_allclose(theirs.y[[0, -1]], [10.0, 2.2])
    assert (ours.low <= ours.y).all()
    assert (ours.y <= ours.high).all()
    assert comparison.oracle_level("Reach", "hand") == pytest.approx(0.5)


@pytest.mark.parametrize("given", [{"input": "true"}, {"reward.distance": "true"}])
def test_an_ablation_that_was_given_the_truth_has_no_curve_and_is_no_oracle(results, given):
    half = fake_result("half", 0, finals=0.001, **given)
    comparison = Comparison([*results, half])
    shown = [curve.method for curve in comparison.curves("Reach", "hand")]
    assert shown == ["theirs", "ours"]
    assert comparison.oracle_level("Reach", "hand") == pytest.approx(0.5)
    assert "half" in {score.method for score in comparison.scores("Reach", "hand")}


def test_a_curve_is_drawn_at_the_median_training_time_of_its_runs():
    slow = [fake_result("ours", seed, finals=0.01) for seed in range(5)]
    for result in slow[:2]:
        result.curve["training_s"] = [10 * s for s in result.curve["training_s"]]
    (ours,) = Comparison(slow).curves("Reach", "hand")
    np.testing.assert_array_equal(ours.steps, STEPS)
    np.testing.assert_allclose(ours.minutes, np.array([1, 2, 3, 4]) * 64 / 60)
    np.testing.assert_allclose(ours.y[[0, -1]], [10.0, 1.2])


def test_curves_are_averaged_at_their_own_steps_or_at_even_ones():
    few = [np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.0, 4.0])]
    np.testing.assert_array_equal(common_points(few), [1.5, 2.0, 3.0])
    many = [np.arange(100.0), np.arange(100.0) + 0.5]
    assert (common_points(many)[[0, -1]] == [0.5, 99.0]).all()
    assert len(common_points(many)) == 24


def test_tasks_are_averaged_as_normalized_distances_and_each_counts_once(results):
    """Reach: 10 to 14 % are left, 12 % without the outermost two; Door: 50 and 59 %."""
    door = [fake_result("ours", seed, task="Door", finals=0.05) for seed in (0, 9)]
    (row,) = Comparison([*results, *door]).over_tasks()
    assert (row.method, row.num_seeds) == ("ours", {"Reach": 5, "Door": 2})
    assert row.normalized_distance == pytest.approx((0.12 + (0.50 + 0.59) / 2) / 2)
    assert (
        (0.10 + 0.50) / 2 <= row.low < row.normalized_distance < row.high <= (0.14 + 0.59) / 2
    )


@pytest.mark.parametrize(("num_seeds", "expected"), [(1, 0.40), (3, 0.41)])
def test_a_failed_task_counts_for_any_number_of_seeds(num_seeds, expected):
    ends = {"Reach": 0.01, "Push": 0.01, "Door": 0.1}
    some = [fake_result("a", s, task=t, finals=ends[t]) for t in ends for s in range(num_seeds)]
    (row,) = Comparison(some).over_tasks()
    assert row.normalized_distance == pytest.approx(expected)


def test_a_method_that_can_not_be_normalized_is_named():
    some = [fake_result(method, task=task) for method in "ab" for task in ("Reach", "Door")]
    at_goal = some[0].curve | {"eval/do_nothing_hand_distance_m": [0.1, 0.1, 0.1, 0.0]}
    comparison = Comparison([replace(some[0], curve=at_goal), *some[1:]])
    assert [row.method for row in comparison.over_tasks()] == ["b"]
    assert "Left out: a (" in overall_section(comparison)[1]


def test_where_no_method_has_every_task_there_is_no_table_over_them():
    apart = Comparison([fake_result("a", task="Reach"), fake_result("b", task="Door")])
    heading, about = overall_section(apart)
    assert heading == "## All tasks"
    assert "Left out: a, b (" in about
    assert not about.endswith("|")


def test_the_table_over_tasks_has_an_interval_if_each_task_has_several_seeds():
    one = [fake_result("a", task=task, finals=0.02) for task in ("Reach", "Door")]
    _, about, table = overall_section(Comparison(one))
    assert "averaged over Reach and Door, each by its interquartile mean over seeds" in about
    assert table.splitlines()[0] == "| method | seeds | normalized distance |"
    assert table.splitlines()[-1] == "| a | 1 | 0.20 |"
    more = [fake_result("a", seed, finals=0.02) for seed in (2, 4)]
    *_, table = overall_section(Comparison([*one, *more]))
    assert table.splitlines()[-1] == "| a | 1 to 3 | 0.21 |"
    more += [fake_result("a", seed, task="Door", finals=0.02) for seed in (2, 4)]
    *_, table = overall_section(Comparison([*one, *more]))
    assert table.splitlines()[-1].startswith("| a | 3 | 0.22 [0.2")


def test_the_main_objects_are_all_but_the_hand():
    comparison = Comparison([fake_result(task="Push"), fake_result(task="Reach")])
    assert comparison.main_objects("Push") == ["puck"]
    assert comparison.main_objects("Reach") == ["hand"]
    assert list(comparison.objects("Push")) == ["puck", "hand"]


def test_every_method_looks_different_and_both_levels_are_named(results):
    many = [fake_result(f"m{index}", task="Push") for index in range(9)]
    figure = draw_curves(Comparison(many), "Push", "puck")
    lines = figure.axes[0].lines
    assert len({line.get_color() for line in lines}) == 9 + 1
    assert len({(line.get_linestyle(), line.get_marker()) for line in lines}) == 9 + 1
    figure = draw_curves(Comparison(results), "Reach", "hand")
    assert [text.get_text() for text in figure.axes[1].texts] == ["no-op policy", "oracle"]
    assert figure.axes[0].get_ylim()[0] == 0


@pytest.mark.parametrize("name", ["cost $^$", "_hidden", "[/x]"])
def test_the_legend_shows_every_name_as_it_is(tmp_path, name):
    comparison = Comparison([fake_result(name), fake_result("b")])
    save_curves(tmp_path / "a.png", comparison, "Reach", "hand")
    (legend,) = draw_curves(comparison, "Reach", "hand").legends
    assert [text.get_text() for text in legend.get_texts()] == [name, "b"]


def test_the_page_has_a_table_for_everything_that_was_measured(results):
    page = markdown(Comparison([*results, fake_result("ours", task="Door")]), {})
    assert "## Reach: hand\n\nNo-op policy: 10.00 cm." in page
    cells = (
        "ours",
        "5",
        r"1\.20 \[1\.\d\d, 1\.\d\d\] cm",
        "2.20",
        "1.40",
        r"1.00 \[1.00, 1.00\]",
    )
    row = r" \| ".join(cells)
    assert re.search(row, page)
    assert "## Door: door\n\nNo-op policy: 0.1000 rad." in page
    assert "## All tasks" in page


def test_a_curve_keeps_the_later_of_two_evaluations_and_five_digits():
    rows = [
        {"num_env_steps": 100, "wall_s": 9.0, "evaluation_s": 2.0, "eval/x_distance_m": 0.5},
        {"num_env_steps": 200, "wall_s": 20.0, "evaluation_s": 4.0, "eval/x_distance_m": 1 / 3},
        {"num_env_steps": 200, "wall_s": 25.0, "td3/critic_loss": 1.0},
        {"num_env_steps": 200, "wall_s": 30.0, "evaluation_s": 6.0, "eval/x_distance_m": 2 / 3},
    ]
    assert curve_of(rows) == {
        "num_env_steps": [100, 200],
        "training_s": [7.0, 24.0],
        "eval/x_distance_m": [0.5, 0.66667],
    }


def test_a_curve_has_the_columns_that_all_evaluations_have():
    rows = [
        {"num_env_steps": 100, "eval/x_distance_m": 0.5, "eval/y_distance_m": 0.1},
        {"num_env_steps": 200, "eval/x_distance_m": 0.4, "eval/success_share": 0.1},
        {"eval/x_distance_m": 0.3},
    ]
    assert curve_of(rows) == {
        "num_env_steps": [100, 200],
        "training_s": [0.0, 0.0],
        "eval/x_distance_m": [0.5, 0.4],
    }


@pytest.mark.parametrize("others", [[], ["study.toml"]])
def test_a_run_without_an_evaluation_is_refused(study, capsys, others):
    run = Run.open(study.run_directory("push-b-seed0"))
    best = run.directory / "best"
    shutil.copytree(run.directory, best)
    (best / "metrics.jsonl").unlink()
    assert main(["compare", *others, str(best)]) == 2
    (line,) = [
        line for line in capsys.readouterr().err.splitlines() if "not finished" not in line
    ]
    assert f"{best} has no evaluation in its metrics.jsonl" in line
    assert "the run that it is a part of" in line


def test_runs_of_a_task_that_measure_different_things_are_not_compared():
    puck = replace(fake_result("a", task="Push"), id="with-puck")
    hand = replace(fake_result("b", task="Reach"), id="hand-alone", task="Push")
    with pytest.raises(
        RunError, match=r"with-puck \['puck', 'hand'\] and hand-alone \['hand'\]"
    ):
        Comparison([puck, hand])


def test_a_run_by_itself_is_named_after_its_preset(study):
    result = result_of(Run.open(study.run_directory("push-b-seed0")))
    assert result.method == "fast preset"
    assert (result.id, result.task, result.seed) == ("push-b-seed0", "Push", 0)
    assert result.final("puck") == pytest.approx(0.0125)
    assert (result.training_s, result.is_oracle) == (480.0, False)


def test_results_survive_their_file(results, tmp_path):
    path = tmp_path / "results.jsonl"
    write_results(path, results)
    assert read_results(path) == results
    assert gather([path]) == (results, [])
    path.write_text('{"id": 1}\n')
    with pytest.raises(RunError, match="can't be read as results"):
        read_results(path)


DAMAGE = {
    "short": (("curve", "training_s"), [1.0], "different length"),
    "empty": (("curve",), {}, "different length"),
    "text": (("curve", "num_env_steps"), ["1", "2", "3", "4"], "different length"),
    "huge": (("curve", "num_env_steps"), [1, 2, 3, 10**400], "different length"),
    "no_steps": (("curve", "num_env_steps"), None, "lacks num_env_steps"),
    "no_time": (("curve", "training_s"), None, "lacks training_s"),
    "no_nothing": (
        ("curve", "eval/do_nothing_hand_distance_m"),
        None,
        "lacks eval/do_nothing_hand_distance_m",
    ),
    "no_distance": (("curve", "eval/hand_distance_m"), None, "no distance"),
    "endless": (("curve", "training_s"), [1.0, 2.0, 3.0, float("nan")], "are not finite"),
    "list": (("curve",), [1], "curve is [1]"),
    "seed": (("seed",), "0", "seed is '0'"),
    "changes": (("changes",), None, "the keys id, study"),
}
"""The key that is damaged, its new value (None: removed), and the message."""


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_line_of_results_is_reported_in_one_line(tmp_path, capsys, damage):
    keys, value, message = DAMAGE[damage]
    whole = asdict(fake_result("b"))
    part = whole
    for key in keys[:-1]:
        part = part[key]
    part |= {keys[-1]: value}
    if value is None:
        del part[keys[-1]]
    path = tmp_path / "some.jsonl"
    write_results(path, [fake_result("a")])
    path.write_text(path.read_text() + json.dumps(whole) + "\n")
    assert main(["compare", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path} can't be read as results: line 2: " in line
    assert message in line


@pytest.mark.parametrize("text", ["[" * 100_000, "[]", "7", "{", "\xff"])
def test_what_is_not_a_line_of_results_is_reported_in_one_line(tmp_path, text):
    (tmp_path / "some.jsonl").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError, match="can't be read as results: line 1: ") as error:
        read_results(tmp_path / "some.jsonl")
    assert len(str(error.value).splitlines()) == 1


def test_a_nan_is_shown_as_nan(tmp_path, capsys, terminal):
    some = [fake_result(name, seed) for name in "ab" for seed in range(5)]
    lost = {"eval/hand_distance_m": [0.1, 0.1, 0.1, float("nan")]}
    some[9] = replace(some[9], curve=some[9].curve | lost)
    some += [replace(run, id=f"door-{run.id}", task="Door") for run in some]
    write_results(tmp_path / "some.jsonl", some)
    assert main(["compare", str(tmp_path / "some.jsonl"), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"nan \[nan, nan\] +\d\.\d\d +nan \[nan, nan\]", out)) == 2
    assert re.search(r"^b +5 +nan \[nan, nan\]$", out, re.MULTILINE)
    assert "| b | 5 | nan [nan, nan] cm |" in (tmp_path / "out" / "comparison.md").read_text()


def test_a_run_that_two_studies_share_counts_once(results, tmp_path):
    shared = [replace(result, study="other") for result in results]
    for name, some in (("one", results), ("other", shared)):
        write_results(tmp_path / f"{name}.jsonl", some)
    assert gather([tmp_path / "one.jsonl", tmp_path / "other.jsonl"]) == (results, [])


def test_two_runs_of_one_method_task_and_seed_are_refused(results, tmp_path):
    write_results(tmp_path / "one.jsonl", results)
    write_results(tmp_path / "other.jsonl", [fake_result("ours", 3, finals=0.5)])
    message = "reach-ours-seed3 are both 'ours' on Reach with seed 3"
    with pytest.raises(RunError, match=message):
        gather([tmp_path / "one.jsonl", tmp_path / "other.jsonl"])


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study under runs/ of which one run is not finished."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stub_trainer.ROUND_S", 0.0)
    study = Study(read_spec(write_spec(tmp_path / "study.toml")), tmp_path / "runs" / "study")
    study.prepare()
    with study.locked():
        train_all(study)
    (study.run_directory("push-b-seed1") / "evaluation.json").unlink()
    return study


def test_a_study_is_found_by_its_spec_and_unfinished_runs_are_named(study):
    for source in (study.spec.path, study.directory):
        results, left_out = gather([source])
        assert [(r.method, r.seed) for r in results] == [("a", 0), ("b", 0), ("a", 1)]
        assert left_out == ["push-b-seed1"]
    write_json(study.directory / "sweep.json", {"name": "none", "runs": {}})
    with pytest.raises(RunError, match="there is nothing to compare yet"):
        gather([study.directory])


@pytest.mark.parametrize("content", [{"method": "bayes"}, {"name": "none", "runs": []}])
def test_a_plan_of_another_tool_is_refused(tmp_path, content):
    write_json(tmp_path / "sweep.json", content)
    with pytest.raises(RunError, match=r"sweep\.json is not a plan that `rig sweep` wrote"):
        gather([tmp_path])


def test_compare_writes_tables_and_plots(study, tmp_path, capsys):
    assert main(["compare", "study.toml", "--out", "a/new/out"]) == 0
    out, err = capsys.readouterr()
    assert "not finished, left out: push-b-seed1" in err
    assert "Push: puck" in out
    written = tmp_path / "a" / "new" / "out"
    with (written / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["method"] for row in rows] == ["a", "b"]
    assert rows[0]["run_ids"] == "push-a-seed0 push-a-seed1"
    page = (written / "comparison.md").read_text()
    assert "](push-puck.png)" in page
    assert (written / "push-puck.png").read_bytes()[1:4] == b"PNG"


def test_a_narrow_terminal_folds_names_and_no_number(tmp_path, capsys, monkeypatch, terminal):
    monkeypatch.setenv("COLUMNS", "80")
    names = ("ours", "a method whose name says all that it changes, one by one")
    some = [fake_result(name, seed, task="Push") for name in names for seed in range(3)]
    write_results(tmp_path / "some.jsonl", some)
    assert main(["compare", str(tmp_path / "some.jsonl")]) == 0
    out = capsys.readouterr().out
    assert "Push: puck, cm. No-op policy: 10.00 cm." in out
    for whole in ("2.10 [2.00, 2.20]", "4,000", "4 min 4 s"):
        assert whole in out
    assert re.search(r"0\.50 \[0\.\d\d, \d\.\d\d\]  ", out)
    assert max(map(len, out.splitlines())) <= 80


def test_the_terminal_shows_the_table_over_tasks(tmp_path, capsys, monkeypatch, terminal):
    monkeypatch.setenv("COLUMNS", "80")
    for num_tasks, num_shown in ((1, 0), (2, 1)):
        tasks = ("Reach", "Door")[:num_tasks]
        some = [fake_result("a", seed, task=task) for task in tasks for seed in range(3)]
        write_results(tmp_path / "some.jsonl", some)
        assert main(["compare", str(tmp_path / "some.jsonl")]) == 0
        out = capsys.readouterr().out
        assert out.count("All tasks") == num_shown
        assert max(map(len, out.splitlines())) <= 80
    *_, last = out.splitlines()
    assert re.fullmatch(r"a +3 +0\.21 \[0\.20, 0\.22\]", last)


@pytest.mark.parametrize("name", ["push [old]", "[/x]", "[bold]b", ":smile:"])
def test_names_are_not_read_as_markup(tmp_path, capsys, terminal, name):
    some = [replace(fake_result(name, seed), task=name) for seed in range(2)]
    write_results(tmp_path / "some.jsonl", some)
    assert main(["compare", str(tmp_path / "some.jsonl")]) == 0
    title, _head, row = capsys.readouterr().out.splitlines()
    assert title.startswith(f"{name}: hand, cm.")
    assert row.startswith(f"{name}  ")
    print_table("", ["a", name], [["b", "c"]])
    assert name in capsys.readouterr().out


def test_compare_prints_every_number_as_json(study, capsys):
    assert main(["compare", "study.toml", "--against", "b", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["reference"] == "b"
    assert report["scores"][0]["method"] == "a"
    assert report["scores"][0]["better"] is None
    assert report["over_tasks"][0]["num_seeds"] == {"Push": 2}
    assert set(report["over_tasks"][0]) == {
        "method",
        "num_seeds",
        "normalized_distance",
        "low",
        "high",
    }


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["compare"], "RUN"),
        (["compare", "nowhere"], "nowhere is not a run"),
        (["compare", "nowhere.toml"], "nowhere.toml can't be read as a spec"),
        (["compare", "nowhere.jsonl"], "nowhere.jsonl can't be read as results"),
        (["compare", "study.toml", "--against", "c"], "no method is called 'c'"),
        (["compare", "study.toml", "--out", "study.toml"], "study.toml is no"),
    ],
)
def test_what_can_not_be_compared_is_one_line(study, capsys, argv, message):
    assert main(argv) == 2
    err = capsys.readouterr().err.splitlines()[-1]
    assert message in err
