from dataclasses import replace

import pytest
from benchmarks import results
from fake_results import fake_result

from rig.compare.kept_results import PLACE, read_results, write_results
from rig.errors import RunError
from rig.runs.settings import changes_from_published


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A place of our own for what is kept, and for the page."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setattr(results, "KEPT", tmp_path / "results")
    monkeypatch.setattr(results, "PAGE", tmp_path / "results.md")
    return tmp_path / "results"


def test_every_number_leads_to_its_runs_and_those_to_commit_command_and_line(kept):
    kept.mkdir()
    write_results(kept / "fake.jsonl", [fake_result("a", seed) for seed in range(3)])
    results.main([])
    page = results.PAGE.read_text()
    assert "cm](#fake-reach-a)" in page
    assert '<a id="fake-reach-a"></a>[reach-a-seed0](results/fake.jsonl#L1)' in page
    assert "[reach-a-seed2](results/fake.jsonl#L3) | a | hand 2.20 cm | `0123456` |" in page
    assert "`rig train Reach --seed 2`" in page
    assert "](results/fake-reach-hand.png)" in page
    assert (kept / "fake-reach-hand.png").is_file()


def test_code_that_was_changed_and_code_of_several_commits_is_told(kept):
    kept.mkdir()
    clean = [fake_result("a", seed) for seed in range(2)]
    changed = replace(fake_result("b"), commit=f"{'9' * 40} with changes")
    write_results(kept / "fake.jsonl", clean)
    results.main([])
    assert "Code: `0123456`." in results.PAGE.read_text()
    write_results(kept / "fake.jsonl", [*clean, changed])
    results.main([])
    page = results.PAGE.read_text()
    assert "Code (runs): `0123456` (2), `9999999 with changes` (1)." in page
    assert "| `9999999 with changes` |" in page


def test_the_page_tells_how_many_goals_were_reached_where_a_task_says_so(kept):
    kept.mkdir()
    shares = {"eval/success_share": [0.1, 0.2, 0.3, 0.87]}
    result = fake_result("a")
    reached = replace(fake_result("b"), curve=result.curve | shares)
    write_results(kept / "fake.jsonl", [result, reached])
    page = results.page()
    assert "| a | hand 2.00 cm |" in page
    assert "| b | hand 2.00 cm, 87% reached |" in page


def test_a_study_of_a_benchmark_names_its_command(kept):
    assert results.asked("sb3").startswith("Made by [`python -m benchmarks.sb3`]")
    assert results.asked("lone") == "Run by itself, not from a spec."


def test_a_run_by_itself_is_kept_as_a_study_of_its_name(kept, tmp_path):
    kept.mkdir()
    write_results(tmp_path / "lone.jsonl", [replace(fake_result("a"), study="")])
    results.main(["--keep", str(tmp_path / "lone.jsonl")])
    page = results.PAGE.read_text()
    assert "## reach-a-seed0\n" in page
    assert "](results/reach-a-seed0.jsonl#L1)" in page
    assert (kept / "reach-a-seed0-reach-hand.png").is_file()


def test_a_study_is_kept_a_seed_at_a_time(kept, tmp_path):
    kept.mkdir()
    for number, seeds in enumerate([(0, 1), (1, 2)]):
        source = tmp_path / f"{number}.jsonl"
        write_results(source, [fake_result("a", seed, commit=number) for seed in seeds])
        held = results.merged(kept / "fake.jsonl", read_results(source))
        write_results(kept / "fake.jsonl", held)
    assert [(result.seed, result.changes["commit"]) for result in held] == [
        (0, 0),
        (1, 1),
        (2, 1),
    ]


def test_what_the_spec_plans_no_more_is_not_kept(kept, tmp_path, monkeypatch):
    """Method b is not planned; seed 2 was made when the preset had another discount, which
    no setting of the plan says."""
    plan = (
        'tasks = ["Reach"]\nseeds = 3\nsettings.td3.hidden_sizes = [8]\n[[run]]\nmethod = "a"\n'
    )
    (tmp_path / "fake.toml").write_text(plan)
    monkeypatch.setattr(results, "SPECS", tmp_path)
    planned = results.read_spec(tmp_path / "fake.toml").runs[0].config
    now = changes_from_published(planned)
    found = [
        fake_result(method, seed, **now | ({"td3.gamma": 0.5} if seed == 2 else {}))
        for method in "ba"
        for seed in (2, 1, 0)
    ]
    source = tmp_path / "found.jsonl"
    write_results(source, found)
    held = results.merged(tmp_path / "fake.jsonl", read_results(source))
    assert [result.id for result in held] == ["reach-a-seed0", "reach-a-seed1"]


@pytest.fixture
def planned(kept, tmp_path, monkeypatch):
    """Plans a study for seeds 0 and 1: a method of its own, and one that it takes from another;
    what its settings are, as results tell them."""
    kept.mkdir()
    monkeypatch.setattr(results, "SPECS", tmp_path)
    settings = 'tasks = ["Reach"]\nseeds = 2\nsettings.td3.hidden_sizes = [8]\n'
    ours, own = '[[run]]\nmethod = "ours"\n', '[[run]]\nmethod = "a"\n'
    (tmp_path / "lender.toml").write_text(f"{settings}{ours}")
    (tmp_path / "fake.toml").write_text(f'{settings}{ours}from = "lender"\n{own}')
    return changes_from_published(results.read_spec(tmp_path / "fake.toml").runs[0].config)


def test_a_run_of_another_study_is_as_that_study_has_it(kept, planned):
    """Seed 0 is the lender's, which has another number now; it has nothing of seed 1."""
    own, old, gone, new = (
        fake_result(method, seed, finals=finals, **planned)
        for method, seed, finals in [
            ("a", 0, 0.03),
            ("ours", 0, 0.05),
            ("ours", 1, 0.05),
            ("ours", 0, 0.01),
        ]
    )
    write_results(kept / "fake.jsonl", [old, gone, own])
    write_results(kept / "lender.jsonl", [new, fake_result("a", finals=0.07, **planned)])
    results.main([])
    held = read_results(kept / "fake.jsonl")
    assert [result.study for result in held] == ["fake", "fake"]
    assert [result.curve for result in held] == [new.curve, own.curve]
    assert "| ours | hand 1.00 cm |" in results.PAGE.read_text()


def test_drawing_the_page_again_loses_no_result_that_the_plan_has_no_more(kept, planned):
    """Nor do new results in place of which nothing would be kept."""
    old = [fake_result("a", **planned | {"td3.gamma": 0.5}), fake_result("b", **planned)]
    write_results(kept / "fake.jsonl", old)
    lines = (kept / "fake.jsonl").read_text()
    results.main([])
    assert (kept / "fake.jsonl").read_text() == lines
    with pytest.raises(RunError, match="is as its spec plans now"):
        results.take_in("fake", old)
    assert (kept / "fake.jsonl").read_text() == lines


def test_what_was_not_kept_is_told(kept, planned, tmp_path, capsys):
    write_results(kept / "fake.jsonl", [fake_result("b", **planned)])
    source = tmp_path / "new.jsonl"
    write_results(source, [fake_result("a", **planned), fake_result("c", **planned)])
    results.main(["--keep", str(source)])
    assert capsys.readouterr().out == (
        "results/fake.jsonl: 1 runs are kept; not as the spec plans now, so not kept: "
        "reach-b-seed0, reach-c-seed0\n"
    )


def test_a_source_that_is_none_is_told_in_a_line(kept, capsys):
    with pytest.raises(SystemExit) as stop:
        results.main(["--keep", "nowhere.jsonl"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("python -m benchmarks.results: nowhere.jsonl")


def test_the_page_is_what_the_kept_results_say():
    assert results.PAGE.read_text() == results.page()


def test_kept_results_stay_small():
    sizes = [path.stat().st_size for path in results.KEPT.glob("*.jsonl")]
    assert sum(sizes) < 5_000_000


def test_a_run_is_named_as_it_lies_under_runs_on_any_machine(tmp_path):
    assert results.place_of(tmp_path / "runs" / "push" / "ours") == "runs/push/ours"
    assert results.place_of(tmp_path / "ours") == "ours"


@pytest.mark.parametrize("place", ["/here/run", "'/my runs/one'"])
def test_where_a_run_was_put_is_no_part_of_its_command(place):
    assert PLACE.sub("", f"rig train Push --out {place} --seed 1") == "rig train Push --seed 1"
