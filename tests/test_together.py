"""Runs of one setting that are trained side by side end as they would alone."""

import threading
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file
from whole_runs import Signalling

from rig.agent.td3 import (
    Transitions,
    UpdateRequest,
    new_learner,
    update_batched,
    update_many,
)
from rig.config import TD3Config
from rig.errors import DivergedError, StoppedError
from rig.representation import true_state as oracle
from rig.runs.run import Run
from rig.sweep.job import make_jobs
from rig.sweep.progress import SweepProgress
from rig.sweep.spec import RunSpec, Spec
from rig.sweep.study import Study
from rig.sweep.sweep import sweep
from rig.sweep.worker import run_job, train_runs
from rig.training import loop as training
from rig.training import seeds_together
from rig.training.progress import PlainProgress
from rig.training.run_training import train_run, train_runs_together
from rig.training.seeds_together import run_together


TD3 = TD3Config(hidden_sizes=(8,), batch_size=4)
CLOCKS = ("wall_s", "evaluation_s")
COUNT = "_coverage"
"""Ends the name of a count of cells: by a rounding, a hand at a border is in the next."""
STATE_AT = 200
NUM_GOALS = oracle.NUM_GOALS


@pytest.fixture(scope="module", autouse=True)
def few_goals():
    """Most of a tiny run's time would go into goals that nobody asks for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(oracle, "NUM_GOALS", 50)
        yield


def request(seed, config=TD3, learning_rate=1e-3, num_cycles=3):
    """A learner and its batches, all drawn from the seed."""
    rng = np.random.default_rng(seed)

    def drawn(*shape):
        shape = (num_cycles, config.policy_delay, config.batch_size, *shape)
        return jnp.asarray(rng.standard_normal(shape, dtype=np.float32))

    batches = Transitions(
        latent=drawn(3),
        action=drawn(2),
        next_latent=drawn(3),
        goal=drawn(3),
        reward=drawn(),
        discount=jnp.full(drawn().shape, config.gamma),
    )
    learner = new_learner(3, 2, config, key=jax.random.key(seed))
    return UpdateRequest(learner, batches, config, learning_rate, jax.random.key(100 + seed))


def leaves(tree):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def assert_alike(tree, other, **tolerance):
    for leaf, same in zip(leaves(tree), leaves(other), strict=True):
        np.testing.assert_allclose(leaf, same, **({"rtol": 1e-4, "atol": 1e-6} | tolerance))


def test_batched_updates_equal_single_ones():
    requests = [request(0), request(1, learning_rate=1e-2)]
    for one, updated in zip(requests, update_batched(requests), strict=True):
        assert_alike(updated, one.run())


def test_a_learner_that_diverges_changes_no_bit_of_the_others():
    first, second = request(0), request(1)
    lost = replace(second, batches=jax.tree.map(lambda leaf: leaf * np.nan, second.batches))
    (before, _), (after, nan) = update_batched([first, second]), update_batched([first, lost])
    assert not np.isfinite(nan[1]["td3/critic_loss"])
    for leaf, same in zip(leaves(before), leaves(after), strict=True):
        np.testing.assert_array_equal(leaf, same)


def updating(seed, num_updates, *, config=TD3, error=None):
    """A run that only updates, each time the learner that came of the last update."""

    def run(update):
        asked = request(seed, config)
        learner = asked.learner
        for _ in range(num_updates):
            rate, key = asked.learning_rate, asked.key
            learner, _ = update(learner, asked.batches, asked.config, rate, key=key)
        if error:
            raise error
        return learner

    return run


def batch_sizes(monkeypatch):
    """How many requests each call of ``update_batched`` gets."""
    sizes = []
    monkeypatch.setattr(
        seeds_together,
        "update_batched",
        lambda asked: sizes.append(len(asked)) or update_batched(asked),
    )
    return sizes


def test_runs_of_different_lengths_end_one_by_one_and_an_error_ends_its_own(monkeypatch):
    sizes, wrong = batch_sizes(monkeypatch), DivergedError("on purpose")
    runs = {
        "long": updating(0, 3),
        "none": updating(1, 0),
        "wrong": updating(2, 2, error=wrong),
    }
    ended = list(run_together(runs | {"wrong": updating(2, 2, error=wrong)}))
    assert [name for name, _ in ended] == ["none", "wrong", "long"]
    assert dict(ended)["wrong"] is wrong
    for name in ("long", "none"):
        assert_alike(dict(ended)[name], runs[name](update_many))
    assert sizes == [2, 2, 1]


def test_a_run_that_rolled_back_has_other_settings_and_a_call_of_its_own(monkeypatch):
    sizes, reduced = batch_sizes(monkeypatch), replace(TD3, learning_rate=5e-4)
    runs = {0: updating(0, 1), 1: updating(1, 1, config=reduced), 2: updating(2, 1)}
    ended = dict(run_together(runs))
    for name, run in runs.items():
        assert_alike(ended[name], run(update_many))
    assert sorted(sizes) == [1, 2]


def test_runs_that_are_left_stop_when_nobody_waits_for_them_any_more():
    ended = run_together({"long": updating(0, 10**6), "none": updating(1, 0)})
    assert next(ended)[0] == "none"
    ended.close()
    assert threading.active_count() == 1


def new_runs(directory, config, seeds=(0, 1)):
    return {
        f"seed{seed}": Run.create(directory / f"seed{seed}", replace(config, seed=seed), {})
        for seed in seeds
    }


def quiet():
    return PlainProgress(lambda _line: None)


def trained_together(runs, **displays):
    """How each run ended: its policy or its error."""
    shown = {name: displays.get(name, quiet()) for name in runs}
    return dict(train_runs_together(runs, shown))


def trained_alone(runs):
    for run in runs.values():
        train_run(run)
    return runs


@pytest.fixture(scope="module")
def alone_runs(tmp_path_factory, tiny_oracle):
    """Two runs of the oracle, which has no pictures to fit, each for itself."""
    return trained_alone(new_runs(tmp_path_factory.mktemp("alone"), tiny_oracle))


def assert_same_end(run, other):
    """Both measured the same and know the same, but for rounding."""
    assert run.is_finished
    rows, others = run.metrics(), other.metrics()
    assert [set(row) for row in rows] == [set(row) for row in others]
    for row, same in zip(rows, others, strict=True):
        counts = [name for name in row if name.endswith(COUNT)]
        kept = [name for name in row if name not in (*CLOCKS, *counts)]
        for names, tolerance in (
            (kept, {"rtol": 1e-3, "atol": 1e-5}),
            (counts, {"atol": 0.05}),
        ):
            pair = ([each[name] for name in names] for each in (row, same))
            np.testing.assert_allclose(*pair, **tolerance)
    policies = [load_file(each.policy / "policy.safetensors") for each in (run, other)]
    assert_alike(*policies, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_whole_runs_from_pictures_end_as_they_do_alone(tmp_path, tiny):
    runs = new_runs(tmp_path / "together", tiny)
    trained_together(runs)
    by_themselves = trained_alone(new_runs(tmp_path / "alone", tiny))
    for name, run in runs.items():
        assert_same_end(run, by_themselves[name])


@pytest.mark.slow
@pytest.mark.ci
def test_a_run_that_diverges_ends_alone(tmp_path, tiny_oracle, alone_runs, monkeypatch):
    def refuse(state, config, metrics):
        if config.seed == 1 and state.num_env_steps >= STATE_AT:
            raise DivergedError("it diverged")

    monkeypatch.setattr(training, "check_divergence", refuse)
    runs = new_runs(tmp_path, tiny_oracle)
    ended = trained_together(runs)
    assert list(ended) == ["seed1", "seed0"]
    assert isinstance(ended["seed1"], DivergedError)
    assert_same_end(runs["seed0"], alone_runs["seed0"])


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("go_on", [trained_together, trained_alone])
def test_a_signal_saves_every_run_and_each_goes_on(tmp_path, tiny_oracle, alone_runs, go_on):
    runs = new_runs(tmp_path, tiny_oracle)
    ended = trained_together(runs, seed0=Signalling())
    assert all(isinstance(error, StoppedError) for error in ended.values())
    last = {name: run.metrics()[-1]["num_env_steps"] for name, run in runs.items()}
    assert last["seed0"] == STATE_AT
    assert last["seed1"] in (STATE_AT, STATE_AT + 100), "it may have begun its next round"
    go_on(runs)
    for name, run in runs.items():
        assert_same_end(run, alone_runs[name])


@pytest.mark.slow
@pytest.mark.ci
def test_a_run_that_is_further_waits_for_nobody_and_ends_first(
    tmp_path, tiny_oracle, alone_runs
):
    runs = new_runs(tmp_path, tiny_oracle)
    trained_together({"seed1": runs["seed1"]}, seed1=Signalling())
    assert list(trained_together(runs)) == ["seed1", "seed0"]
    for name, run in runs.items():
        assert_same_end(run, alone_runs[name])


@pytest.fixture
def study(tmp_path, tiny_oracle):
    """Two methods, two seeds each, the seeds together."""
    gammas = {"a": tiny_oracle.td3.gamma, "b": 0.5}
    runs = [
        RunSpec(
            method=method,
            preset="fast",
            changes={},
            config=replace(tiny_oracle, seed=seed, td3=replace(tiny_oracle.td3, gamma=gamma)),
            seeds_together=2,
        )
        for seed in (0, 1)
        for method, gamma in gammas.items()
    ]
    spec = Spec(name="study", path=tmp_path / "study.toml", asks="", runs=tuple(runs))
    return Study(spec, tmp_path / "study")


def assert_swept(study, alone_runs):
    assert [status.state for status in study.statuses()] == ["done"] * 4
    for run_spec in study.spec.runs:
        run = Run.open(study.run_directory(run_spec.id))
        assert run.origin()["seeds_together"] == 2
        assert "train: 300 steps" in study.log(run_spec.id).read_text()
        if run_spec.method == "a":
            assert_same_end(run, alone_runs[f"seed{run_spec.config.seed}"])


@pytest.mark.slow
def test_a_sweep_trains_the_seeds_of_a_setting_together(study, alone_runs):
    study.prepare()
    jobs = make_jobs(study, study.spec.runs, train_runs)
    assert [job.name for job in jobs] == [
        "reach-a-seed0 and 1 more",
        "reach-b-seed0 and 1 more",
    ]
    for job in jobs:
        run_job(job)
    assert_swept(study, alone_runs)
    for events in study.events().values():
        assert [event["event"] for event in events] == ["started", "finished"]


@pytest.mark.slow
def test_ray_trains_the_seeds_of_a_setting_together(study, tmp_path, tiny_oracle, monkeypatch):
    pytest.importorskip("ray", reason="needs the extra `sweep`")
    sweep(study, SweepProgress(), num_cores=1)
    monkeypatch.setattr(oracle, "NUM_GOALS", NUM_GOALS)  # as Ray's processes have it
    assert_swept(study, trained_alone(new_runs(tmp_path / "alone", tiny_oracle)))
