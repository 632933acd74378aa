import re
from dataclasses import replace

import pytest
from benchmarks import results
from fake_results import fake_result

from rig.compare.kept_results import OUT_OPTION, read_results, write_results
from rig.errors import RunError
from rig.runs.settings import changes_from_published


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A place of our own for what is kept, and for the page."""
    monkeypatch.setattr(results, "ROOT", tmp_path)
    monkeypatch.setattr(results, "KEPT", tmp_path / "results")
    monkeypatch.setattr(results, "PAGE", tmp_path / "results.md")
    return tmp_path / "results"


def page_of(kept, study="fake"):
    return (kept / f"{study}.md").read_text()


def test_a_study_leads_to_its_runs_and_those_to_commit_command_and_line(kept):
    kept.mkdir()
    write_results(kept / "fake.jsonl", [fake_result("a", seed) for seed in range(3)])
    results.main([])
    overview = results.PAGE.read_text()
    assert "## [fake](results/fake.md)" in overview
    assert "| a | 3 | 2.10 [2.00, 2.20] | 3.10 | 4,000 |" in overview
    page = page_of(kept)
    assert "[reach-a-seed2](fake.jsonl#L3) | a | hand 2.20 cm | `0123456` |" in page
    assert "`rig train Reach --seed 2`" in page
    assert "](fake-reach-hand.png)" in page
    assert (kept / "fake-reach-hand.png").is_file()


def test_published_means_stand_next_to_ours(kept):
    kept.mkdir()
    write_results(kept / "push.jsonl", [fake_result("a", task="Push")])
    assert "| Push | 1 | 2.00 | 3.00 | cm | 4,000 | RIG 7.7 cm;" in results.page()


def test_commits_of_a_study_are_listed_and_changed_code_is_marked(kept):
    kept.mkdir()
    clean = [fake_result("a", seed) for seed in range(2)]
    changed = replace(fake_result("b"), commit=f"{'9' * 40} with changes")
    write_results(kept / "fake.jsonl", clean)
    results.main([])
    assert "Commit: `0123456`." in page_of(kept)
    write_results(kept / "fake.jsonl", [*clean, changed])
    results.main([])
    assert "Commits (runs): `0123456` (2), `9999999 with changes` (1)." in page_of(kept)
    assert "| `9999999 with changes` |" in page_of(kept)


def test_the_share_of_goals_reached_is_shown_if_the_task_defines_it(kept):
    kept.mkdir()
    shares = {"eval/success_share": [0.1, 0.2, 0.3, 0.87]}
    result = fake_result("a")
    reached = replace(fake_result("b"), curve=result.curve | shares)
    write_results(kept / "fake.jsonl", [result, reached])
    results.main([])
    page = page_of(kept)
    assert "| a | hand 2.00 cm |" in page
    assert "| b | hand 2.00 cm, 87% reached |" in page


def test_a_study_of_a_benchmark_names_its_command(kept):
    assert results.question("sb3") == "Made by `python -m benchmarks.sb3`."
    assert results.question("lone") == "A run by itself, without a spec."


def test_a_run_by_itself_is_kept_as_a_study_of_its_name(kept, tmp_path):
    kept.mkdir()
    write_results(tmp_path / "lone.jsonl", [replace(fake_result("a"), study="")])
    results.main(["--keep", str(tmp_path / "lone.jsonl")])
    page = page_of(kept, "reach-a-seed0")
    assert "# reach-a-seed0\n" in page
    assert "](reach-a-seed0.jsonl#L1)" in page
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


def test_a_run_that_the_spec_no_longer_has_is_not_kept(kept, tmp_path, monkeypatch):
    """Method b is not in the spec; seed 2 was made when the preset had another discount, which
    the spec does not set."""
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
    """Write a spec with a method of its own and one from another study, for seeds 0 and 1;
    return the changes of its runs."""
    kept.mkdir()
    monkeypatch.setattr(results, "SPECS", tmp_path)
    settings = 'tasks = ["Reach"]\nseeds = 2\nsettings.td3.hidden_sizes = [8]\n'
    ours, own = '[[run]]\nmethod = "ours"\n', '[[run]]\nmethod = "a"\n'
    (tmp_path / "source.toml").write_text(f"{settings}{ours}")
    (tmp_path / "fake.toml").write_text(f'{settings}{ours}from = "source"\n{own}')
    return changes_from_published(results.read_spec(tmp_path / "fake.toml").runs[0].config)


def test_a_run_of_another_study_is_as_that_study_has_it(kept, planned):
    """Seed 0 is the other study's, which has another number now; it has nothing of seed 1."""
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
    write_results(kept / "source.jsonl", [new, fake_result("a", finals=0.07, **planned)])
    results.main([])
    held = read_results(kept / "fake.jsonl")
    assert [result.study for result in held] == ["fake", "fake"]
    assert [result.curve for result in held] == [new.curve, own.curve]
    assert "| ours | hand 1.00 cm |" in page_of(kept)


def test_a_run_of_another_study_with_other_settings_is_not_taken(kept, planned, capsys):
    """Seed 1 of the other study was made when its spec said something else."""
    now, before = (
        fake_result("ours", seed, **planned | changes)
        for seed, changes in [(0, {}), (1, {"td3.gamma": 0.5})]
    )
    write_results(kept / "fake.jsonl", [before, fake_result("a", **planned)])
    write_results(kept / "source.jsonl", [now, before])
    results.main([])
    assert "fake.jsonl: without reach-ours-seed1, which" in capsys.readouterr().out
    held = [(result.method, result.seed) for result in read_results(kept / "fake.jsonl")]
    assert held == [("ours", 0), ("a", 0)]


def test_a_study_can_be_kept_before_the_one_that_it_takes_a_run_from(kept, planned, tmp_path):
    own, ours = (fake_result(method, **planned) for method in ("a", "ours"))
    write_results(tmp_path / "new.jsonl", [ours, own])
    results.main(["--keep", str(tmp_path / "new.jsonl")])
    assert [result.method for result in read_results(kept / "fake.jsonl")] == ["a"]
    assert "| a | hand 2.00 cm |" in page_of(kept)
    write_results(kept / "source.jsonl", [ours])
    results.main(["--keep", str(tmp_path / "new.jsonl")])
    assert [result.method for result in read_results(kept / "fake.jsonl")] == ["ours", "a"]


def test_a_run_of_another_study_comes_where_the_spec_has_it(kept, planned):
    own, ours = (fake_result(method, **planned) for method in ("a", "ours"))
    write_results(kept / "fake.jsonl", [own])
    write_results(kept / "source.jsonl", [ours])
    results.main([])
    assert [result.method for result in read_results(kept / "fake.jsonl")] == ["ours", "a"]


def test_writing_the_pages_again_loses_no_result(kept, planned):
    """Nor does adding results of which none would be kept."""
    old = [fake_result("a", **planned | {"td3.gamma": 0.5}), fake_result("b", **planned)]
    write_results(kept / "fake.jsonl", old)
    lines = (kept / "fake.jsonl").read_text()
    results.main([])
    assert (kept / "fake.jsonl").read_text() == lines
    with pytest.raises(RunError, match="has the settings that its spec has now"):
        results.add_results("fake", old)
    assert (kept / "fake.jsonl").read_text() == lines


def test_runs_that_are_not_kept_are_named(kept, planned, tmp_path, capsys):
    write_results(kept / "fake.jsonl", [fake_result("b", **planned)])
    source = tmp_path / "new.jsonl"
    write_results(source, [fake_result("a", **planned), fake_result("c", **planned)])
    results.main(["--keep", str(source)])
    assert capsys.readouterr().out == (
        "results/fake.jsonl: 1 runs are kept; not in the spec as it is now, so not kept: "
        "reach-b-seed0, reach-c-seed0\n"
    )


def test_a_source_that_is_missing_is_reported_in_one_line(kept, capsys):
    with pytest.raises(SystemExit) as stop:
        results.main(["--keep", "nowhere.jsonl"])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("python -m benchmarks.results: nowhere.jsonl")


@pytest.mark.slow
@pytest.mark.ci
def test_the_pages_are_what_the_kept_results_say():
    assert results.PAGE.read_text() == results.page()
    for path in results.KEPT.glob("*.jsonl"):
        page = results.study_page(results.Comparison(read_results(path)))
        assert path.with_suffix(".md").read_text() == page


def test_the_table_of_the_readme_has_numbers_of_the_results():
    number = r"([\d.,]+)"
    cells = rf"^\| .* \| (\d) × {number} \| {number} \S+ \| {number} \S+ \| {number} (\S+) \|"
    readme, page = (results.PAGE.parents[1] / "README.md").read_text(), results.PAGE.read_text()
    rows = re.findall(cells, readme, re.MULTILINE)
    assert len(rows) == 10
    for seeds, steps, mean, median, no_op, unit in rows:
        cells = rf"{seeds} \| {median}(?: \[.*\])? \| {mean} \| {steps}"
        assert re.search(rf"\| (ours|ours, webcam|fast) \| {cells} \|", page)
        assert f"No-op policy: {no_op} {unit}." in page


def test_the_overview_stays_short():
    assert len(results.PAGE.read_text().split()) <= 3600


def test_kept_results_stay_small():
    sizes = [path.stat().st_size for path in results.KEPT.glob("*.jsonl")]
    assert sum(sizes) < 5_000_000


def test_a_run_is_named_by_its_place_under_runs(tmp_path):
    assert results.place_of(tmp_path / "runs" / "push" / "ours") == "runs/push/ours"
    assert results.place_of(tmp_path / "ours") == "ours"


@pytest.mark.parametrize("place", ["/here/run", "'/my runs/one'"])
def test_the_out_option_is_left_out_of_a_command(place):
    assert (
        OUT_OPTION.sub("", f"rig train Push --out {place} --seed 1")
        == "rig train Push --seed 1"
    )


@pytest.mark.slow
@pytest.mark.ci
def test_kept_runs_have_the_ids_and_settings_of_their_specs():
    """Most were made when settings, also those in the ids of grids, had other names."""
    for path in results.KEPT.glob("*.jsonl"):
        spec = results.SPECS / path.with_suffix(".toml").name
        runs = {run.id: run for run in results.read_spec(spec).runs} if spec.is_file() else {}
        for run_id, result in results.read_kept(path).items():
            assert not runs or results.is_of(result, runs[run_id])
