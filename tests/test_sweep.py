import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from stub_trainer import NUM_ROUNDS, stub_row, train_stub, write_spec

import rig
from rig.cli.main import main
from rig.compare.kept_results import gather
from rig.config import RewardConfig
from rig.errors import ConfigError, RunError, StoppedError, SweepError
from rig.presets import FAST
from rig.runs.atomic_files import write_json
from rig.runs.run import Run
from rig.sweep import worker
from rig.sweep.directory import Study
from rig.sweep.job_memory import expected_sizes, job_memory_bytes
from rig.sweep.jobs import FAILED, FINISHED, LOST, Ending, Job, Outcome, jobs_of
from rig.sweep.progress import PlainBoard, counts
from rig.sweep.spec import Planned, read_spec
from rig.sweep.sweep import MOST_LOST, check_failures, drive, sweep
from rig.training import provenance, run_training
from rig.training.buffer import sizes_of
from rig.training.make_envs import make_envs


class FakeCluster:
    """Does each job at once, in this process; a script tells which attempts end badly."""

    num_cores = 2

    def __init__(self, **script):
        self._script = {run_id.replace("_", "-"): list(ends) for run_id, ends in script.items()}
        self._queue = []
        self.done = []

    @property
    def is_idle(self):
        return not self._queue

    def submit(self, job):
        self._queue.append(job)

    def endings(self, _timeout_s):
        job = self._queue.pop(0)
        self.done.append(job.ids)
        outcomes = {run_id: self._outcome(job, run_id) for run_id in job.ids}
        return [Ending(job=job, outcomes=outcomes, facts={})]

    def _outcome(self, job, run_id):
        event, *self._script[run_id] = [*self._script.get(run_id, []), FINISHED]
        write_json(job.study.mark(run_id), {"host": "here", "core": 1, "pid": 7})
        if event == FINISHED:
            list(train_stub(job.only([run_id])))
        return Outcome(event, "" if event == FINISHED else f"{event} on purpose")


@pytest.fixture(autouse=True)
def fast(monkeypatch):
    monkeypatch.setattr("stub_trainer.ROUND_S", 0.0)


@pytest.fixture
def study(tmp_path):
    return Study(read_spec(write_spec(tmp_path / "study.toml")), tmp_path / "study")


def drive_all(study, fake):
    told = []
    study.begin()
    drive(study, PlainBoard(told.append), fake, jobs_of(study, study.spec.runs, train_stub))
    return {standing.id: standing for standing in study.standings()}, told


def again(study):
    """The same study as another process finds it."""
    return Study(study.spec, study.directory)


def test_every_run_ends_done_and_the_board_tells_each(study):
    standings, told = drive_all(study, FakeCluster())
    assert [standing.state for standing in standings.values()] == ["done"] * 4
    assert standings["push-a-seed1"].num_env_steps == 100 * NUM_ROUNDS
    assert standings["push-a-seed1"].distances == {"eval/puck_distance_m": 0.1 / NUM_ROUNDS + 1}
    assert "push-b-seed0: finished" in told
    assert "1 of 4 done, 3 waiting" in told


def test_a_lost_run_is_tried_again_and_the_retry_is_recorded(study):
    standings, told = drive_all(study, FakeCluster(push_a_seed0=[LOST, LOST]))
    assert (standings["push-a-seed0"].state, standings["push-a-seed0"].num_lost) == ("done", 2)
    assert told.count("push-a-seed0: lost: lost on purpose; it is tried again") == 2
    events = [line["event"] for line in study.journal() if line["run"] == "push-a-seed0"]
    assert events == ["lost", "lost", "finished"]
    assert study.journal()[0] | {"host": "here", "core": 1, "pid": 7} == study.journal()[0]


def test_a_run_that_is_lost_too_often_has_failed_and_the_others_go_on(study):
    standings, _ = drive_all(study, FakeCluster(push_a_seed0=[LOST] * MOST_LOST))
    assert standings["push-a-seed0"].state == "failed"
    assert f"lost {MOST_LOST} times" in standings["push-a-seed0"].why
    assert sum(standing.state == "done" for standing in standings.values()) == 3


def test_a_run_that_raises_an_error_has_failed_and_is_not_tried_again(study):
    standings, _ = drive_all(study, FakeCluster(push_b_seed1=[FAILED, FAILED]))
    assert standings["push-b-seed1"].state == "failed"
    assert standings["push-b-seed1"].why == "failed on purpose"
    with pytest.raises(SweepError, match=r"1 of 4 runs failed, push-b-seed1 .* on purpose;"):
        check_failures(list(standings.values()), "rig sweep x")


class Betrayer(FakeCluster):
    """Its process is lost after a run has failed."""

    def _outcome(self, job, run_id):
        ended = super()._outcome(job, run_id)
        if ended.event == LOST:
            write_json(job.study.mark(run_id), {"why": "wrong on purpose"})
        return ended


def test_a_run_that_failed_before_its_process_was_lost_is_not_tried_again(study):
    fake = Betrayer(push_a_seed0=[LOST])
    standings, _ = drive_all(study, fake)
    assert standings["push-a-seed0"].state == "failed"
    assert standings["push-a-seed0"].why == "wrong on purpose"
    assert fake.done.count(["push-a-seed0"]) == 1


def jobs_left(study, *ids):
    left = [planned for planned in study.spec.runs if planned.id in ids or not ids]
    return [job.ids for job in jobs_of(study, left, train_stub)]


def test_a_run_is_a_job_unless_the_plan_puts_seeds_together(tmp_path):
    path = write_spec(tmp_path / "study.toml", num_seeds=3)
    plain = Study(read_spec(path), tmp_path / "study")
    assert jobs_left(plain) == [[planned.id] for planned in plain.spec.runs]
    path.write_text(f"seeds_together = 2\n{path.read_text()}")
    study = Study(read_spec(path), tmp_path / "study")
    assert jobs_left(study) == [
        ["push-a-seed0", "push-a-seed1"],
        ["push-b-seed0", "push-b-seed1"],
        ["push-a-seed2"],
        ["push-b-seed2"],
    ]
    assert jobs_left(study, "push-a-seed0", "push-a-seed2", "push-b-seed1") == [
        ["push-a-seed0", "push-a-seed2"],
        ["push-b-seed1"],
    ]


def test_what_is_lost_together_is_tried_again_together_without_what_ended(tmp_path):
    path = write_spec(tmp_path / "study.toml", num_seeds=3, methods=("a",))
    path.write_text(f"seeds_together = 3\n{path.read_text()}")
    study = Study(read_spec(path), tmp_path / "study")
    fake = FakeCluster(push_a_seed0=[LOST], push_a_seed1=[FAILED], push_a_seed2=[LOST])
    standings, _ = drive_all(study, fake)
    assert [standing.state for standing in standings.values()] == ["done", "failed", "done"]
    assert fake.done == [
        ["push-a-seed0", "push-a-seed1", "push-a-seed2"],
        ["push-a-seed0", "push-a-seed2"],
    ]


def test_a_run_that_failed_is_told_while_its_process_goes_on_with_others(study):
    seen, runs = [], study.spec.runs[::2]

    def train(job):
        yield job.ids[0], ConfigError("wrong on purpose")
        seen.extend(study.standings())
        yield from train_stub(job.only(job.ids[1:]))

    study.begin()
    with study.driving():
        outcomes, _ = worker.work(Job(runs=runs, study=study, trainer=train))
    states = {standing.id: (standing.state, standing.why) for standing in seen}
    assert states[runs[0].id] == ("failed", "wrong on purpose")
    assert states[runs[1].id] == ("running", "")
    assert [outcome.event for outcome in outcomes.values()] == [FAILED, FINISHED]
    assert "ConfigError: wrong on purpose" in study.log(runs[0].id).read_text()


def test_a_study_that_is_not_begun_waits(study):
    assert counts(study.standings()) == "0 of 4 done, 4 waiting"
    assert not study.directory.exists()


def test_a_mark_means_running_only_while_a_driver_lives(study):
    study.begin()
    write_json(study.mark("push-a-seed0"), {"host": "here", "core": 1, "pid": 7})
    assert study.standings()[0].state == "interrupted"
    with study.driving():
        assert study.standings()[0].state == "running"
        assert study.standings()[0].where == {"host": "here", "core": 1, "pid": 7}
        with pytest.raises(SweepError, match="another `rig sweep` is at work"):
            study.driving().__enter__()
    assert study.standings()[0].state == "interrupted"


def test_finished_runs_are_skipped_and_nothing_is_started_for_them(study, monkeypatch):
    drive_all(study, FakeCluster())
    monkeypatch.setattr("rig.sweep.sweep.joined", None)
    assert counts(sweep(study, PlainBoard(print))) == "4 of 4 done"


def test_a_study_made_a_seed_at_a_time_is_one_study(study):
    for seed in (0, 1):
        some = Study(study.spec.of_seeds([seed]), study.directory, whole=study.spec)
        drive_all(some, FakeCluster())
        missing = [run.id for run in study.spec.runs if run.config.seed > seed]
        assert gather([study.directory])[1] == missing


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_sweep_in_one_line_that_says_how_to_go_on(study, monkeypatch, number):
    class StoppedCluster(FakeCluster):
        def check_memory(self, _jobs):
            pass

        def endings(self, _timeout_s):
            os.kill(os.getpid(), number)
            return []

    monkeypatch.setattr("rig.sweep.sweep.joined", lambda *_args: nullcontext(StoppedCluster()))
    with pytest.raises(StoppedError, match=f"{number.name}; the same command") as stopped:
        sweep(study, PlainBoard(print))
    assert stopped.value.exit_code == 128 + number


def test_failed_runs_are_left_alone_until_they_are_asked_for_again(study, monkeypatch):
    drive_all(study, FakeCluster(push_b_seed1=[FAILED]))
    monkeypatch.setattr("rig.sweep.sweep.joined", None)
    assert counts(sweep(study, PlainBoard(print))) == "3 of 4 done, 1 failed"
    study.forget("push-b-seed1")
    assert counts(study.standings()) == "3 of 4 done, 1 waiting"


def test_again_tries_the_runs_that_failed_and_no_others(study, monkeypatch):
    drive_all(study, FakeCluster(push_b_seed1=[FAILED]))

    class Cluster(FakeCluster):
        def check_memory(self, jobs):
            assert [job.ids for job in jobs] == [["push-b-seed1"]]

    monkeypatch.setattr("rig.sweep.sweep.joined", lambda *_args: nullcontext(Cluster()))
    assert counts(sweep(study, PlainBoard(print), again=True)) == "4 of 4 done"


def test_a_second_driver_leaves_the_plan_of_the_first(study, tmp_path):
    study.begin()
    before = (study.directory / "sweep.json").read_text()
    other = Study(read_spec(write_spec(tmp_path / "o.toml", methods=("z",))), study.directory)
    with study.driving(), pytest.raises(SweepError, match="another `rig sweep` is at work"):
        other.begin()
    assert (study.directory / "sweep.json").read_text() == before


def test_a_driver_follows_its_own_plan_though_another_began_meanwhile(study, tmp_path):
    study.begin()
    before = (study.directory / "sweep.json").read_text()
    other = Study(read_spec(write_spec(tmp_path / "o.toml", methods=("z",))), study.directory)
    other.begin()
    assert (study.directory / "sweep.json").read_text() != before
    with study.driving():
        assert (study.directory / "sweep.json").read_text() == before


def test_a_driver_begins_though_somebody_is_looking(study, monkeypatch):
    study.begin()
    with (study.directory / "sweep.lock").open() as look:
        fcntl.flock(look, fcntl.LOCK_SH)
        monkeypatch.setattr(time, "sleep", lambda _s: look.close())
        with study.driving():
            assert look.closed


@pytest.mark.parametrize(
    "line", ["5", "{}", "[1]", '{"run": "push-a-seed0"}', "\udcff", "[" * 9999]
)
def test_a_line_of_the_journal_that_says_nothing_is_left_out(study, line):
    study.begin()
    with (study.directory / "journal.jsonl").open("a", errors="surrogateescape") as file:
        file.write(f"{line}\n")
    study.note("push-a-seed1", "failed", "wrong")
    assert [line["event"] for line in study.journal()] == ["failed"]
    assert counts(study.standings()) == "0 of 4 done, 1 failed, 3 waiting"


def test_steps_that_are_no_number_are_none(study):
    drive_all(study, FakeCluster())
    with (study.run_directory("push-a-seed0") / "metrics.jsonl").open("a") as file:
        file.write('{"num_env_steps": NaN}\n{"num_env_steps": Infinity}\n')
    assert again(study).standings()[0].num_env_steps == 100 * NUM_ROUNDS


def test_a_line_of_the_journal_that_was_cut_off_is_left_out_and_harms_none(study):
    study.begin()
    study.note("push-a-seed0", "lost")
    with (study.directory / "journal.jsonl").open("a") as file:
        file.write('{"time": "2024-')
    study.note("push-a-seed1", "finished")
    told = [(line["run"], line["event"]) for line in study.journal()]
    assert told == [("push-a-seed0", "lost"), ("push-a-seed1", "finished")]


def test_a_run_that_is_damaged_does_not_hide_the_others(study):
    standings, _ = drive_all(study, FakeCluster())
    (study.run_directory("push-a-seed0") / "metrics.jsonl").write_text("no row\n")
    now = {standing.id: standing for standing in again(study).standings()}
    assert (now["push-a-seed0"].num_env_steps, now["push-a-seed0"].state) == (0, "done")
    assert now["push-b-seed0"] == standings["push-b-seed0"]


def test_a_run_made_with_other_settings_is_never_mixed_in(study):
    planned = study.spec.runs[0]
    other = replace(planned.config, total_timesteps=7)
    Run.create(study.run_directory(planned.id), other, {})
    with pytest.raises(SweepError, match="was made with other settings"):
        study.begin()


def test_a_run_of_another_study_is_done_there_once_for_both(tmp_path):
    first = Study(read_spec(write_spec(tmp_path / "first.toml")), tmp_path / "first")
    path = write_spec(tmp_path / "second.toml", methods=("c",))
    path.write_text(path.read_text() + '[[run]]\nmethod = "a"\nfrom = "first"\n')
    second = Study(read_spec(path), tmp_path / "second")
    drive_all(second, FakeCluster())
    assert {path.parent.name for path in (tmp_path / "first").glob("*/config.json")} == {
        "push-a-seed0",
        "push-a-seed1",
    }
    assert counts(first.standings()) == "2 of 4 done, 2 waiting"
    results, _ = gather([second.directory])
    assert {result.method for result in results} == {"a", "c"}


@pytest.fixture
def borrower(study, tmp_path):
    """A study of one method, which it takes from another that is begun."""
    path = write_spec(tmp_path / "borrower.toml", methods=())
    path.write_text(path.read_text() + '[[run]]\nmethod = "a"\nfrom = "study"\n')
    study.begin()
    borrower = Study(read_spec(path), tmp_path / "borrower")
    borrower.begin()
    return borrower


def test_a_run_that_another_study_is_at_runs_for_both(study, borrower):
    write_json(study.mark("push-a-seed0"), {"host": "here", "core": 1, "pid": 7})
    with study.driving():
        borrower.forget("push-a-seed0")
        assert study.standings()[0].state == "running"
        assert borrower.standings()[0].state == "running"
    borrower.forget("push-a-seed0")
    assert study.standings()[0].state == "waiting"


def test_a_worker_waits_for_another_study_that_is_at_its_run(study, borrower):
    planned, calls = borrower.spec.runs[0], []
    job = Job(runs=(planned,), study=borrower, trainer=lambda *args: calls.append(args))
    with study.log(planned.id).open("a") as log, ThreadPoolExecutor() as pool:
        fcntl.flock(log, fcntl.LOCK_EX)
        ending = pool.submit(worker.work, job)
        list(train_stub(Job(runs=study.spec.runs[:1], study=study, trainer=train_stub)))
        assert not ending.done()
        fcntl.flock(log, fcntl.LOCK_UN)
        outcomes, _ = ending.result()
    assert (outcomes, calls) == ({planned.id: Outcome(FINISHED)}, [])


def test_a_worker_pins_itself_marks_itself_and_says_what_it_took(study, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where no sweep has claimed a core
    allowed, seen = os.sched_getaffinity(0), []
    study.begin()
    planned = study.spec.runs[0]

    def train(job):
        seen.append((os.sched_getaffinity(0), study.worker_of(planned.id)["pid"]))
        print("hello")  # noqa: T201
        return train_stub(job)

    outcomes, facts = worker.work(Job(runs=(planned,), study=study, trainer=train))
    assert outcomes == {planned.id: Outcome(FINISHED)}
    assert seen == [({facts["core"]}, os.getpid())]
    assert facts["peak_memory_bytes"] > 10**7
    assert study.log(planned.id).read_text() == "hello\n"
    assert os.sched_getaffinity(0) == allowed


def test_a_finished_run_is_not_trained_again_by_a_late_worker(study):
    study.begin()
    planned = study.spec.runs[0]
    calls = []
    job = Job(runs=(planned,), study=study, trainer=train_stub)
    worker.work(job)
    worker.work(replace(job, trainer=lambda *args: calls.append(args)))
    assert calls == []


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (ConfigError("wrong on purpose"), FAILED),
        (StoppedError("stopped by SIGTERM", 143), LOST),
    ],
)
def test_an_error_of_ours_fails_a_run_and_a_signal_loses_it(study, error, event):
    def fail(job):
        yield job.ids[0], error

    study.begin()
    planned = study.spec.runs[0]
    outcomes, _ = worker.work(Job(runs=(planned,), study=study, trainer=fail))
    assert outcomes == {planned.id: Outcome(event, str(error))}
    assert ("ConfigError: wrong" in study.log(planned.id).read_text()) == (event == FAILED)


def test_a_bug_is_in_the_log_and_is_raised(study):
    def fail(_job):
        raise ZeroDivisionError("a bug")

    study.begin()
    planned = study.spec.runs[0]
    with pytest.raises(ZeroDivisionError):
        worker.work(Job(runs=(planned,), study=study, trainer=fail))
    assert "ZeroDivisionError: a bug" in study.log(planned.id).read_text()


def test_a_machine_that_does_not_see_the_study_fails_the_run_and_says_so(study):
    planned = study.spec.runs[0]
    outcomes, _ = worker.work(Job(runs=(planned,), study=study, trainer=train_stub))
    assert outcomes[planned.id].event == FAILED
    assert "on a file system that all machines share" in outcomes[planned.id].why


def test_an_interrupted_run_goes_on_if_it_can_and_else_begins_anew(study, monkeypatch):
    planned = study.spec.runs[0]
    job = Job(runs=(planned,), study=study, trainer=worker.train_planned)
    monkeypatch.setattr(
        run_training, "origin", lambda config, argv: {"command": " ".join(argv)}
    )
    monkeypatch.setattr(provenance, "check_reproducible", lambda _run, force: None)
    run = worker.run_of(planned, job)
    assert run.origin() == {"command": shlex.join([*planned.argv, "--out", str(run.directory)])}
    run.log({"left": 1.0})
    assert worker.run_of(planned, job).metrics() == [{"left": 1.0}]

    def refuse(_run, force):
        raise RunError("begun under another jax")

    monkeypatch.setattr(provenance, "check_reproducible", refuse)
    assert worker.run_of(planned, job).metrics() == []


def test_a_tracker_follows_every_run_of_a_sweep(tmp_path, monkeypatch):
    path = write_spec(tmp_path / "study.toml", num_seeds=1)
    asked = []
    monkeypatch.setattr(
        run_training,
        "train_runs_together",
        lambda runs, _displays, tracker: asked.append(tracker) or (),
    )
    monkeypatch.setattr(worker, "run_of", lambda planned, _job: planned.id)
    monkeypatch.setattr("rig.training.trackers.check_tracker", asked.append)

    class Cluster(FakeCluster):
        def check_memory(self, jobs):
            for job in jobs:
                list(job.trainer(job))

    monkeypatch.setattr("rig.sweep.sweep.joined", lambda *_args: nullcontext(Cluster()))
    argv = ["sweep", str(path), "--out", str(tmp_path / "study"), "--tracker", "wandb"]
    assert main(argv) == 0
    assert asked == ["wandb"] * 3  # is it installed, and each of the two runs


def test_the_core_that_is_claimed_is_the_one_it_is_pinned_to(monkeypatch, tmp_path):
    pinned = []
    monkeypatch.setattr(worker.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(worker.os, "sched_getaffinity", lambda _pid: {3, 5})
    monkeypatch.setattr(
        worker.os, "sched_setaffinity", lambda _pid, cores: pinned.append(cores)
    )
    with worker.core_of_our_own() as first, worker.core_of_our_own() as second:
        assert (first, second) == (3, 5)
        assert pinned == [{3}, {5}]
    assert pinned[2:] == [{3, 5}, {3, 5}]


def test_two_workers_never_claim_one_core(monkeypatch, tmp_path):
    monkeypatch.setattr(worker.tempfile, "gettempdir", lambda: str(tmp_path))
    (core, *_) = sorted(os.sched_getaffinity(0))
    with worker.core_of_our_own() as first, worker.core_of_our_own() as second:
        assert (first, second) == (core, None)


def test_an_interrupted_run_begins_in_a_clean_directory_and_nothing_else_is_removed(tmp_path):
    Run.create(tmp_path / "run", FAST, {}).log({"left": 1.0})
    worker.clear(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(SweepError, match="is in the way and is no run"):
        worker.clear(tmp_path / "mine")


def test_a_run_that_another_process_trains_is_not_removed(tmp_path):
    run = Run.create(tmp_path / "run", FAST, {})
    with run.lock(), pytest.raises(RunError, match=r"another process trains .*run: wait"):
        worker.clear(run.directory)
    assert Run.open(run.directory).config == FAST


def test_memory_asked_for_grows_with_frames_that_are_kept_and_runs():
    keeps = replace(FAST, reward=RewardConfig(kind="pixel"))
    small = memory_of(keeps)
    assert small > memory_of(FAST) + 100_000 * 48 * 48 * 3
    assert memory_of(replace(keeps, image_size=84)) > small + 100_000 * (84**2 - 48**2) * 3
    assert memory_of(replace(FAST, oracle=True)) < 2e9
    assert memory_of(keeps, keeps, keeps) > small + 2 * 100_000 * 48 * 48 * 3


def memory_of(*configs):
    return job_memory_bytes(
        [Planned(method="", preset="", changes={}, config=c) for c in configs]
    )


@pytest.mark.parametrize("task", ["Push", "Door", "PickAndPlace"])
@pytest.mark.parametrize("changes", [{}, {"oracle": True}, {"input": "true"}])
def test_a_plan_expects_the_sizes_that_worlds_have(task, changes):
    config = replace(FAST, task=task, **changes)
    with closing(make_envs(config, 1)) as envs:
        assert expected_sizes(config) == sizes_of(envs)


def test_ray_that_is_missing_is_named_with_its_command(study, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    code = main(["sweep", str(study.spec.path), "--out", str(study.directory)])
    assert code == 2
    assert "pip install 'imagined-goals[sweep]'" in capsys.readouterr().err


def test_status_is_one_json_object(study, capsys):
    drive_all(study, FakeCluster(push_b_seed1=[FAILED]))
    out = str(study.directory)
    assert main(["sweep", str(study.spec.path), "--out", out, "--status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["num_runs"]["done"] == 3
    assert told["runs"][3]["why"] == "failed on purpose"


@pytest.mark.slow
def test_8_runs_end_the_same_with_a_worker_and_the_driver_killed(tmp_path):
    pytest.importorskip("ray", reason="needs the extra `sweep`")
    spec = write_spec(tmp_path / "study.toml", num_seeds=4)
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    assert begin(spec, calm).wait() == 0

    driver = begin(spec, rough)
    kill_worker_of(rough, "push-a-seed0")
    wait_for(lambda: (rough / "push-b-seed0" / "evaluation.json").is_file())
    wait_for(lambda: (rough / "push-a-seed1" / "metrics.jsonl").is_file())
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert len(list(rough.glob("*/evaluation.json"))) < 8
    assert begin(spec, rough).wait() == 0

    assert results(rough) == results(calm)
    assert len(results(calm)) == 8
    lost = [line for line in Study(read_spec(spec), rough).journal() if line["event"] == "lost"]
    assert [line["run"] for line in lost] == ["push-a-seed0"]


def begin(spec, directory):
    """Starts a sweep of stub runs in a process of its own."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(Path(rig.__file__).parent.parent)])
    command = [sys.executable, here / "stub_trainer.py", spec, directory]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path})


def kill_worker_of(directory, run_id):
    """Kills the process at work on a run once it has written some of it."""
    wait_for(lambda: (directory / run_id / "metrics.jsonl").is_file())
    os.kill(json.loads((directory / "running" / f"{run_id}.json").read_text())["pid"], 9)


def wait_for(is_so, timeout_s=300):
    end_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def results(directory):
    """What every run of a study left that has no time or place in it."""
    return {
        path.parent.name: (path.read_text(), (path.parent / "metrics.jsonl").read_text())
        for path in sorted(directory.glob("*/evaluation.json"))
    }


def test_stub_rows_tell_seed_and_round():
    assert stub_row(2, 4)["eval/puck_distance_m"] == pytest.approx(2.025)
