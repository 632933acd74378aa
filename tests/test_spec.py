from pathlib import Path

import pytest

from rig.cli.parse import parse
from rig.errors import SpecError
from rig.presets import find_preset
from rig.sweep.spec import read_spec


SPECS = Path(__file__).parent.parent / "benchmarks" / "specs"
WHOLE = """
asks = "Does it help?"
tasks = ["Push", "reach"]
seeds = [3, 5]
[settings]
total_timesteps = 48_000
td3.gamma = 0.9
[task.Reach]
total_timesteps = 7000
td3.gamma = 0.5
[[run]]
method = "Kept only"
settings.goals.mixture = { original = 1, future = 0, prior = 0 }
settings.td3.gamma = 0.98
settings.oracle = true
[[run]]
method = "updates"
tasks = ["Push"]
preset = "paper"
grid.td3.utd_ratio = [1, 4]
grid.td3.hidden_sizes = [[8], [8, 9]]
"""


@pytest.fixture
def read(tmp_path):
    def of(text):
        path = tmp_path / "study.toml"
        path.write_text(text)
        return read_spec(path)

    return of


def test_every_method_runs_on_every_task_for_every_seed_the_first_seed_first(read):
    spec = read(WHOLE)
    ids = [run.id for run in spec.runs]
    assert len(ids) == 2 * 2 + 2 * 4
    assert ids[:3] == [
        "push-kept-only-seed3",
        "reach-kept-only-seed3",
        "push-updates-utd_ratio-1-hidden_sizes-8-seed3",
    ]
    assert {id_[-1] for id_ in ids[:6]} == {"3"}
    assert (spec.name, spec.asks) == ("study", "Does it help?")


def test_the_nearer_table_wins(read):
    push, reach = read(WHOLE).runs[:2]
    assert (push.config.total_timesteps, reach.config.total_timesteps) == (48_000, 7000)
    assert (push.config.td3.gamma, reach.config.td3.gamma) == (0.98, 0.98)
    assert push.config.goals.mixture.shares == (1.0, 0.0, 0.0)
    assert reach.config.evaluate == find_preset("fast", "Reach").evaluate


def test_a_grid_is_one_method_for_each_point(read):
    points = [run for run in read(WHOLE).runs if "updates" in run.method and run.preset]
    assert {(p.config.td3.utd_ratio, p.config.td3.hidden_sizes) for p in points} == {
        (1.0, (8,)),
        (1.0, (8, 9)),
        (4.0, (8,)),
        (4.0, (8, 9)),
    }
    assert {p.method for p in points if len(p.config.td3.hidden_sizes) == 1} == {
        "updates, utd_ratio 1, hidden_sizes [8]",
        "updates, utd_ratio 4, hidden_sizes [8]",
    }


def test_a_minus_in_a_grid_is_in_the_name_of_the_run(read):
    spec = read('tasks = ["Push"]\ngrid.goals.skew = [-0.5, 0.5]')
    assert [run.id for run in spec.runs] == [
        "push-study-skew-minus0.5-seed0",
        "push-study-skew-0.5-seed0",
    ]


def test_the_command_by_hand_makes_the_same_settings(read):
    for run in read(WHOLE).runs:
        assert parse(run.argv).config() == run.config


def test_a_setting_equal_to_the_presets_is_no_change(read):
    utd_ratio = find_preset("fast", "Reach").td3.utd_ratio
    same = f"settings.td3.utd_ratio = {utd_ratio}"
    (run,) = read(f'tasks = ["Reach"]\n{same}\nsettings.td3.tau = 0.5').runs
    assert run.changes == {"td3.tau": 0.5}
    assert run.method == "study"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tasks = [", "can't be read as a spec"),
        ("seeds = 2", 'tasks must list names, as tasks = ["Reach"], got None'),
        ('tasks = ["Psuh"]', "did you mean 'Push'?"),
        ('tasks = ["Push"]\nsede = 2', "unknown key 'sede': did you mean 'seeds'?"),
        ('tasks = ["Push"]\nseeds = 0', "seeds must be a number of seeds"),
        ('tasks = ["Push"]\nseeds = true', "seeds must be a number of seeds"),
        ('tasks = ["Push"]\nseeds = [1, 1]', "seeds lists 1 twice"),
        ('tasks = ["Push", "push"]', "tasks lists 'Push' twice"),
        ('tasks = ["Push"]\nsettings = 5', "settings must be a table"),
        ('tasks = ["Push"]\ngrid = 5', "grid must be a table"),
        ('tasks = ["Push"]\npreset = 5', 'preset must be a name, as preset = "fast", got 5'),
        ('tasks = ["Push"]\ntask = 5', "task must be a table"),
        ('tasks = ["Push"]\ntask = { Push = 5 }', "task.Push must be a table"),
        ('tasks = ["Push"]\n[task.Door]', "[task.Door] is a task that no run has"),
        ('tasks = ["Push"]\nrun = [5]', "write [[run]] before each method's settings"),
        ('tasks = ["Push"]\nseeds = [-1]', "seed must be at least 0, got -1"),
        ('tasks = ["Push"]\nseeds_together = 0', "seeds_together must be a whole number of at"),
        ('tasks = ["Push"]\npreset = "slow"', "unknown preset 'slow'"),
        ('tasks = ["Push"]\nsettings.td3.gama = 1', "did you mean 'td3.gamma'?"),
        (
            'tasks = ["Push"]\nsettings.td3.gamma = 2',
            "td3.gamma must be in [0, 1) or auto, got 2",
        ),
        (
            'tasks = ["Push"]\nsettings.td3.gamma = "x"',
            "td3.gamma must be a number or auto, got 'x'",
        ),
        ('tasks = ["Push"]\nsettings.oracle = 1', "oracle must be true or false, got 1"),
        ('tasks = ["Push"]\nsettings.seed = 1', "write seeds and tasks, not settings.seed"),
        ('tasks = ["Push"]\ngrid.td3.gamma = 1', "grid.td3.gamma must list values, got 1"),
        ('tasks = ["Push"]\n[[run]]\n[[run]]', "push-study-seed0 is listed twice"),
        ('tasks = ["Push"]\n[run]', "write [[run]] before each method"),
    ],
)
def test_a_mistake_is_reported_with_its_place(read, text, message):
    with pytest.raises(SpecError, match=r"study\.toml") as caught:
        read(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_specs_of_the_results_page_can_be_run(path):
    assert read_spec(path).asks.endswith("?")


def test_commands_of_the_comparison_make_its_settings():
    for run in read_spec(SPECS / "comparison.toml").runs:
        if run.config.seed == 0:
            assert parse(run.argv).config() == run.config


@pytest.fixture
def write_source(tmp_path):
    """Writes the spec of a study called first, for others to take its runs."""

    def of(text):
        (tmp_path / "first.toml").write_text(text)

    return of


BORROWER = 'tasks = ["Push"]\nsettings.td3.gamma = 0.9\n[[run]]\nmethod = "a"\nfrom = '


def test_a_run_is_taken_from_another_study(read, write_source):
    write_source('tasks = ["Push", "Reach"]\nsettings.td3.gamma = 0.9\n[[run]]\nmethod = "a"')
    assert [run.source_study for run in read(f'{BORROWER}"first"').runs] == ["first"]


@pytest.mark.parametrize(
    ("source", "name", "why"),
    [
        (
            "settings.td3.gamma = 0.9",
            '"fisrt"',
            "in its directory: did you mean 'first'",
        ),
        ("settings.td3.gamma = 0.9", '"../first"', "no study in its directory"),
        ("settings.td3.gamma = 0.9", "5", "from must be a name"),
        ("settings.td3.gamma = 0.8", '"first"', "has it with other settings"),
        ("seeds = [1]", '"first"', "push-a-seed0 from .*first.toml, which does not have it"),
    ],
)
def test_a_run_that_no_other_study_has_is_refused(read, write_source, source, name, why):
    write_source(f'tasks = ["Push"]\n{source}\n[[run]]\nmethod = "a"')
    with pytest.raises(SpecError, match=why):
        read(BORROWER + name)


def test_two_studies_that_take_a_run_from_each_other_have_none(read, write_source):
    write_source(f'{BORROWER}"study"')
    with pytest.raises(SpecError, match="does not have it"):
        read(f'{BORROWER}"first"')


def test_a_module_whose_name_begins_as_ours_is_external(read):
    (run,) = read('tasks = ["right_arm:Reach-v0"]').runs
    assert run.argv[:3] == ["train", "--env", "right_arm:Reach-v0"]


def test_a_plan_nested_too_deep_to_be_read_is_refused(read):
    with pytest.raises(SpecError, match="can't be read as a spec"):
        read(f"asks = {'[' * 100_000}")


def test_only_the_runs_of_some_seeds(read):
    some = read('tasks = ["Reach", "Push"]\nseeds = 3').of_seeds([0, 2])
    assert [(run.config.task, run.config.seed) for run in some.runs] == [
        ("Reach", 0),
        ("Push", 0),
        ("Reach", 2),
        ("Push", 2),
    ]


def test_a_seed_that_the_spec_lacks_is_refused(read):
    with pytest.raises(SpecError, match=r"has no run of seed 3: it has 0, 1, 2"):
        read('tasks = ["Reach"]\nseeds = 3').of_seeds([1, 3])
