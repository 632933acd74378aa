import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from stub_trainer import NUM_ROUNDS, train_stub, write_spec

import rig
from rig.cli.main import main
from rig.compare.kept_results import gather
from rig.config import RewardConfig
from rig.errors import ConfigError, RunError, StoppedError, SweepError
from rig.presets import FAST
from rig.runs.run import Run
from rig.sweep import worker
from rig.sweep.job import Job, expected_sizes, make_jobs
from rig.sweep.progress import SweepProgress
from rig.sweep.ray_cluster import RayCluster, connect
from rig.sweep.spec import RunSpec, read_spec
from rig.sweep.status import count_states
from rig.sweep.study import Study
from rig.sweep.sweep import check_failures, sweep
from rig.training import provenance, run_training
from rig.training.make_envs import make_envs
from rig.training.resources import sizes_of


WRONG = ConfigError("wrong on purpose")
STOP = StoppedError("stopped by SIGTERM", 143)


class ProcessLost(BaseException):
    """Ends an attempt as the death of its process does: nothing is written."""


class InlineCluster:
    """Runs each job in this process, with as many attempts as Ray makes."""

    num_cores = 2

    def check_memory(self, jobs):
        self.asked = [job.ids for job in jobs]

    def run_jobs(self, jobs):
        for job in jobs:
            for _attempt in range(4):
                try:
                    worker.run_job(job)
                    why = ""
                    break
                except (ProcessLost, worker.WorkerStoppedError) as error:
                    why = f"its process was lost 4 times: {error}"
            yield [(job, why)] if why else []


def scripted(calls=None, **script):
    """A trainer whose first attempts at some runs end with these errors."""
    ends = {run_id.replace("_", "-"): list(errors) for run_id, errors in script.items()}

    def train(job):
        calls is None or calls.append(job.ids)
        for run_id in job.ids:
            error = ends[run_id].pop(0) if ends.get(run_id) else None
            if isinstance(error, ProcessLost | ZeroDivisionError):
                raise error
            if error:
                yield run_id, error
            else:
                yield from train_stub(job.only([run_id]))

    return train


@pytest.fixture(autouse=True)
def fast(monkeypatch, tmp_path):
    monkeypatch.setattr("stub_trainer.ROUND_S", 0.0)
    monkeypatch.setattr(worker.tempfile, "gettempdir", lambda: str(tmp_path))


@pytest.fixture
def study(tmp_path):
    return Study(read_spec(write_spec(tmp_path / "study.toml")), tmp_path / "study")


@pytest.fixture
def run(monkeypatch):
    """Sweep a study in this process; the cluster that was used, and its statuses by id."""

    def swept(study, trainer=train_stub, progress=None, **options):
        cluster = InlineCluster()
        with monkeypatch.context() as patch:
            patch.setattr("rig.sweep.sweep.connect", lambda *_args: nullcontext(cluster))
            progress = progress or SweepProgress()
            statuses = sweep(study, progress, trainer=trainer, **options)
        return {status.id: status for status in statuses}

    return swept


def events(study, run_id):
    return [event["event"] for event in study.events()[run_id]]


def states(study):
    fresh = Study(study.spec, study.directory)
    return count_states(fresh.statuses())


def test_every_run_ends_done_and_progress_names_each(study, run, capsys):
    statuses = run(study)
    assert [status.state for status in statuses.values()] == ["done"] * 4
    assert statuses["push-a-seed1"].num_env_steps == 100 * NUM_ROUNDS
    assert statuses["push-a-seed1"].distances == {"eval/puck_distance_m": 0.1 / NUM_ROUNDS + 1}
    lines = capsys.readouterr().err.splitlines()
    assert "push-b-seed0: done" in lines
    assert lines[0] == "0 of 4 done, 4 waiting"


def test_a_terminal_shows_what_runs_and_what_failed(study, run):
    console = Console(force_terminal=True, width=200, record=True)
    run(study, scripted(push_b_seed1=[WRONG]), SweepProgress(console))
    shown = console.export_text()
    assert "push-b-seed1: failed: wrong on purpose" in shown
    assert "3 of 4 done, 1 failed; at most 2 at once" in shown


def test_a_run_whose_process_is_lost_is_tried_again_and_the_log_counts_it(study, run):
    trainer = scripted(push_a_seed0=[ProcessLost("killed"), STOP])
    status = run(study, trainer)["push-a-seed0"]
    assert (status.state, status.num_lost) == ("done", 2)
    assert events(study, "push-a-seed0") == [
        *("started", "started", "lost", "started", "finished")
    ]
    last = study.events()["push-a-seed0"][-1]
    assert last["pid"] == os.getpid()
    assert last["peak_memory_bytes"] > 10**7


def test_a_run_that_is_lost_too_often_has_failed_and_the_others_continue(study, run):
    statuses = run(study, scripted(push_a_seed0=[ProcessLost("out of memory")] * 4))
    assert statuses["push-a-seed0"].state == "failed"
    assert statuses["push-a-seed0"].why == "its process was lost 4 times: out of memory"
    assert states(study) == "3 of 4 done, 1 failed"


@pytest.mark.parametrize(
    ("error", "why"),
    [(WRONG, "wrong on purpose"), (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug")],
)
def test_a_run_that_raises_an_error_fails_and_is_left_alone_until_again(study, run, error, why):
    statuses = run(study, scripted(push_b_seed1=[error]))
    assert (statuses["push-b-seed1"].state, statuses["push-b-seed1"].why) == ("failed", why)
    assert f"{type(error).__name__}: " in study.log("push-b-seed1").read_text()
    with pytest.raises(SweepError, match=f"1 of 4 runs failed; .* push-b-seed1: {why};"):
        check_failures(list(statuses.values()), "rig sweep x")
    calls = []
    run(study, scripted(calls))
    assert calls == []
    run(study, scripted(calls), again=True)
    assert calls == [["push-b-seed1"]]
    assert states(study) == "4 of 4 done"


def together(tmp_path, num_together, **spec):
    path = write_spec(tmp_path / "study.toml", num_seeds=3, **spec)
    path.write_text(f"seeds_together = {num_together}\n{path.read_text()}")
    return Study(read_spec(path), tmp_path / "study")


def test_seeds_of_a_method_share_a_job_only_if_the_spec_says_so(study, tmp_path):
    alone = [job.ids for job in make_jobs(study, study.spec.runs, train_stub)]
    assert alone == [[run.id] for run in study.spec.runs]
    study = together(tmp_path, 2)
    assert [job.ids for job in make_jobs(study, study.spec.runs, train_stub)] == [
        ["push-a-seed0", "push-a-seed1"],
        ["push-b-seed0", "push-b-seed1"],
        ["push-a-seed2"],
        ["push-b-seed2"],
    ]


def test_seeds_lost_together_are_tried_again_together_without_those_that_ended(tmp_path, run):
    calls, study = [], together(tmp_path, 3, methods=("a",))
    lost = [ProcessLost("killed")]
    statuses = run(study, scripted(calls, push_a_seed0=[WRONG], push_a_seed2=lost))
    assert [status.state for status in statuses.values()] == ["failed", "done", "done"]
    assert calls == [["push-a-seed0", "push-a-seed1", "push-a-seed2"], ["push-a-seed2"]]


def test_a_failure_shows_while_its_process_trains_other_runs(tmp_path, run):
    study, seen = together(tmp_path, 3, methods=("a",)), []

    def train(job):
        yield job.ids[0], WRONG
        seen.extend(study.statuses())
        yield from train_stub(job.only(job.ids[1:]))

    run(study, train)
    assert [(status.state, status.why) for status in seen[:2]] == [
        ("failed", "wrong on purpose"),
        ("running", ""),
    ]
    assert seen[1].worker["pid"] == os.getpid()


def test_an_attempt_whose_process_died_is_interrupted(study):
    assert states(study) == "0 of 4 done, 4 waiting"
    assert not study.directory.exists()
    study.prepare()
    study.log_event("push-a-seed0", "started", host="here", core=1, pid=7)
    assert states(study) == "0 of 4 done, 1 interrupted, 3 waiting"
    with study.log("push-a-seed0").open("a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        assert states(study) == "0 of 4 done, 1 running, 3 waiting"


def test_a_study_swept_a_seed_at_a_time_is_one_study(study, run):
    for seed in (0, 1):
        part = Study(study.spec.of_seeds([seed]), study.directory, full_spec=study.spec)
        run(part)
        missing = [run.id for run in study.spec.runs if run.config.seed > seed]
        assert gather([study.directory])[1] == missing


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_sweep_and_the_message_says_how_to_continue(
    study, monkeypatch, number
):
    class Interrupted(InlineCluster):
        def run_jobs(self, _jobs):
            os.kill(os.getpid(), number)
            yield []

    monkeypatch.setattr("rig.sweep.sweep.connect", lambda *_args: nullcontext(Interrupted()))
    with pytest.raises(StoppedError, match=f"{number.name}; the same command") as stopped:
        sweep(study, SweepProgress())
    assert stopped.value.exit_code == 128 + number


def test_a_second_sweep_of_a_directory_is_refused_and_leaves_the_plan(study, run, tmp_path):
    study.prepare()
    other = Study(read_spec(write_spec(tmp_path / "o.toml", methods=("z",))), study.directory)
    with study.locked():
        before = (study.directory / "sweep.json").read_text()
        with pytest.raises(SweepError, match="another `rig sweep` is running in"):
            run(other)
        assert (study.directory / "sweep.json").read_text() == before


@pytest.mark.parametrize(
    "line", ["5", "{}", "[1]", '{"run": "push-a-seed0"}', "\udcff", "[" * 9999, '{"time": "20']
)
def test_a_damaged_line_of_the_event_log_is_left_out(study, line):
    study.prepare()
    with (study.directory / "journal.jsonl").open("a", errors="surrogateescape") as file:
        file.write(line)
    study.log_event("push-a-seed1", "failed", "wrong")
    assert states(study) == "0 of 4 done, 1 failed, 3 waiting"


def test_the_event_log_of_an_older_version_is_read(study):
    study.prepare()
    lines = [
        {"time": "", "run": "push-a-seed0", "event": "lost", "why": "killed"},
        {"time": "", "run": "push-b-seed0", "event": "failed", "why": "wrong"},
        {"time": "", "run": "push-a-seed1", "event": "failed", "why": "wrong"},
        {"time": "", "run": "push-a-seed1", "event": "taken up", "why": ""},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (study.directory / "journal.jsonl").write_text(text)
    assert states(study) == "0 of 4 done, 1 failed, 1 interrupted, 2 waiting"
    assert study.statuses()[0].num_lost == 1


def test_a_damaged_run_does_not_hide_the_others(study, run):
    run(study)
    (study.run_directory("push-a-seed0") / "metrics.jsonl").write_text("no row\n")
    with (study.run_directory("push-a-seed1") / "metrics.jsonl").open("a") as file:
        file.write('{"num_env_steps": NaN}\n')
    statuses = Study(study.spec, study.directory).statuses()
    assert [status.num_env_steps for status in statuses] == [0, 800, 800, 800]
    assert [status.state for status in statuses] == ["done"] * 4


def test_a_run_with_other_settings_is_never_mixed_in(study):
    run_spec = study.spec.runs[0]
    other = replace(run_spec.config, total_timesteps=7)
    Run.create(study.run_directory(run_spec.id), other, {})
    with pytest.raises(SweepError, match="was made with other settings"):
        study.prepare()


@pytest.fixture
def borrower(tmp_path):
    """A study with method c of its own, and method a of the other study."""
    path = write_spec(tmp_path / "borrower.toml", methods=("c",))
    path.write_text(path.read_text() + '[[run]]\nmethod = "a"\nfrom = "study"\n')
    return Study(read_spec(path), tmp_path / "borrower")


def test_a_run_of_another_study_is_trained_there_once_for_both(study, borrower, run):
    run(borrower)
    assert {path.parent.name for path in study.directory.glob("*/config.json")} == {
        "push-a-seed0",
        "push-a-seed1",
    }
    assert states(study) == "2 of 4 done, 2 waiting"
    results, _ = gather([borrower.directory])
    assert {result.method for result in results} == {"a", "c"}


def test_a_worker_waits_while_another_study_trains_its_run(study, borrower):
    study.prepare()
    borrower.prepare()
    run_spec, calls = borrower.spec.runs[1], []
    job = Job(runs=(run_spec,), study=borrower, trainer=scripted(calls))
    with study.log(run_spec.id).open("a") as log, ThreadPoolExecutor() as pool:
        fcntl.flock(log, fcntl.LOCK_EX)
        ending = pool.submit(worker.run_job, job)
        list(train_stub(Job(runs=study.spec.runs[:1], study=study, trainer=train_stub)))
        assert not ending.done()
        fcntl.flock(log, fcntl.LOCK_UN)
        ending.result()
    assert calls == []


def test_a_worker_runs_on_a_core_of_its_own_and_its_output_is_logged(study):
    allowed, seen = os.sched_getaffinity(0), []
    study.prepare()

    def train(job):
        seen.append(os.sched_getaffinity(0))
        print("hello")  # noqa: T201
        yield from train_stub(job)

    run_id = study.spec.runs[0].id
    worker.run_job(Job(runs=study.spec.runs[:1], study=study, trainer=train))
    assert seen == [{study.events()[run_id][0]["core"]}]
    assert study.log(run_id).read_text() == "hello\n"
    assert os.sched_getaffinity(0) == allowed


def test_two_workers_never_claim_one_core(monkeypatch):
    pinned = []
    monkeypatch.setattr(worker.os, "sched_getaffinity", lambda _pid: {3, 5})
    monkeypatch.setattr(worker.os, "sched_setaffinity", lambda _pid, c: pinned.append(c))
    with worker.claim_core() as first, worker.claim_core() as second:
        with worker.claim_core() as third:
            assert (first, second, third) == (3, 5, None)
        assert pinned == [{3}, {5}]
    assert pinned[2:] == [{3, 5}, {3, 5}]


def test_a_machine_that_does_not_see_the_study_says_what_to_do(study):
    with pytest.raises(SweepError, match="on a file system that all machines share"):
        worker.run_job(Job(runs=study.spec.runs[:1], study=study, trainer=train_stub))


def test_an_interrupted_run_resumes_if_it_can_and_else_starts_again(study, monkeypatch):
    run_spec = study.spec.runs[0]
    job = Job(runs=(run_spec,), study=study, trainer=worker.train_runs)
    monkeypatch.setattr(
        run_training, "origin", lambda config, argv: {"command": " ".join(argv)}
    )
    monkeypatch.setattr(provenance, "check_reproducible", lambda _run, force: None)
    run = worker.open_or_create(run_spec, job)
    assert run.origin() == {
        "command": shlex.join([*run_spec.argv, "--out", str(run.directory)])
    }
    run.log({"left": 1.0})
    assert worker.open_or_create(run_spec, job).metrics() == [{"left": 1.0}]

    def refuse(_run, force):
        raise RunError("made with another jax")

    monkeypatch.setattr(provenance, "check_reproducible", refuse)
    assert worker.open_or_create(run_spec, job).metrics() == []


def test_only_the_directory_of_an_idle_run_is_ever_removed(tmp_path):
    run = Run.create(tmp_path / "run", FAST, {})
    with run.lock(), pytest.raises(RunError, match=r"another process trains .*run: wait"):
        worker.remove_run(run.directory)
    assert Run.open(run.directory).config == FAST
    worker.remove_run(run.directory)
    assert not run.directory.exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(SweepError, match="mine is not a run"):
        worker.remove_run(tmp_path / "mine")


def test_a_tracker_follows_every_run_of_a_sweep(tmp_path, monkeypatch):
    path = write_spec(tmp_path / "study.toml", num_seeds=1)
    asked = []
    monkeypatch.setattr(
        run_training, "train_runs_together", lambda _r, _d, tracker: asked.append(tracker) or ()
    )
    monkeypatch.setattr(worker, "open_or_create", lambda run_spec, _job: run_spec.id)
    monkeypatch.setattr("rig.training.trackers.check_tracker", asked.append)
    monkeypatch.setattr("rig.sweep.sweep.connect", lambda *_args: nullcontext(InlineCluster()))
    argv = ["sweep", str(path), "--out", str(tmp_path / "study"), "--tracker", "wandb"]
    assert main(argv) == 0
    assert asked == ["wandb"] * 3  # is it installed, and each of the two runs


def job_of(study, *configs):
    runs = [RunSpec(method="", preset="", changes={}, config=c) for c in configs]
    return Job(runs=tuple(runs), study=study, trainer=train_stub)


def test_memory_of_a_job_grows_with_its_frames_and_its_runs(study):
    def memory_of(*configs):
        return job_of(study, *configs).memory_bytes

    keeps = replace(FAST, reward=RewardConfig(kind="pixel"))
    small = memory_of(keeps)
    assert small > memory_of(FAST) + 100_000 * 48 * 48 * 3
    assert memory_of(replace(keeps, image_size=84)) > small + 100_000 * (84**2 - 48**2) * 3
    assert memory_of(replace(FAST, oracle=True)) < 2e9
    assert memory_of(keeps, keeps, keeps) > small + 2 * 100_000 * 48 * 48 * 3


@pytest.mark.parametrize("task", ["Push", "Door", "PickAndPlace"])
@pytest.mark.parametrize("changes", [{}, {"oracle": True}, {"input": "true"}])
def test_a_job_expects_the_sizes_that_envs_have(task, changes):
    config = replace(FAST, task=task, **changes)
    with closing(make_envs(config, 1)) as envs:
        assert expected_sizes(config) == sizes_of(envs)


class StubRay:
    """A Ray that has machines and runs nothing."""

    def __init__(self, num_gpus, memory):
        self.num_gpus, self.memory = num_gpus, memory

    def remote(self, **_options):
        return lambda _function: self

    def options(self, **options):
        self.given = options
        return self

    def cluster_resources(self):
        return {"CPU": 2, "GPU": self.num_gpus}

    def nodes(self):
        return [{"Resources": {"memory": some}} for some in (1, self.memory)]


def test_a_job_that_fits_no_machine_is_refused(study):
    job = job_of(study, FAST)
    RayCluster(StubRay(0, job.memory_bytes)).check_memory([job])
    with pytest.raises(SweepError, match=r"needs .* GiB of memory, and no machine gives more"):
        RayCluster(StubRay(0, job.memory_bytes - 1)).check_memory([job])


@pytest.mark.parametrize("num_gpus", [0, 2])
def test_only_seeds_together_get_a_gpu_and_other_jobs_see_none(study, num_gpus):
    for num_seeds, gpus in ((1, 0), (2, min(num_gpus, 1))):
        options = RayCluster(StubRay(num_gpus, 1)).options_of(
            job_of(study, *[FAST] * num_seeds)
        )
        assert options["num_gpus"] == gpus
        hidden = options["runtime_env"]["env_vars"].get("JAX_PLATFORMS")
        assert hidden == (None if gpus else "cpu")


def test_the_missing_extra_is_named_with_its_command(study, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    code = main(["sweep", str(study.spec.path), "--out", str(study.directory)])
    assert code == 2
    assert "pip install 'imagined-goals[sweep]'" in capsys.readouterr().err


def test_status_is_one_json_object(study, run, capsys):
    run(study, scripted(push_b_seed1=[WRONG]))
    capsys.readouterr()
    out = str(study.directory)
    assert main(["sweep", str(study.spec.path), "--out", out, "--status", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["num_runs"]["done"] == 3
    assert found["runs"][3]["why"] == "wrong on purpose"


@pytest.mark.slow
def test_8_runs_end_the_same_with_workers_and_the_driver_killed(tmp_path):
    pytest.importorskip("ray", reason="needs the extra `sweep`")
    spec = write_spec(tmp_path / "study.toml", num_seeds=4)
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    assert begin(spec, calm).wait() == 0

    driver = begin(spec, rough)
    kill_worker_of(rough, "push-a-seed0", signal.SIGKILL)
    wait_for(lambda: (rough / "push-b-seed0" / "evaluation.json").is_file())
    wait_for(lambda: (rough / "push-a-seed1" / "metrics.jsonl").is_file())
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert len(list(rough.glob("*/evaluation.json"))) < 8
    assert begin(spec, rough).wait() == 0

    assert results(rough) == results(calm)
    assert len(results(calm)) == 8
    statuses = Study(read_spec(spec), rough).statuses()
    assert statuses[0].num_lost == 1
    assert sum(status.num_lost for status in statuses) <= 3  # and what the driver's death cost


@pytest.mark.slow
def test_ray_gives_up_a_job_whose_process_dies_each_time(study):
    pytest.importorskip("ray", reason="needs the extra `sweep`")

    def die_or_end(job):  # local, so that it is pickled with its code: Ray has no test_sweep
        if job.ids == ["push-a-seed0"]:
            os.kill(os.getpid(), 9)
        yield job.ids[0], None

    study.prepare()
    jobs = make_jobs(study, study.spec.runs[:2], die_or_end)
    with (study.directory / "ray.log").open("a") as output, connect(None, 1, output) as cluster:
        given_up = [pair for some in cluster.run_jobs(jobs) for pair in some]
    assert [job.ids for job, _ in given_up] == [["push-a-seed0"]], given_up
    ((job, why),) = given_up
    assert job.ids == ["push-a-seed0"]
    assert why.startswith("its process was lost 4 times: ")
    assert events(study, "push-a-seed0") == ["started"] * 4
    assert events(study, "push-b-seed0") == ["started", "finished"]


def begin(spec, directory):
    """Start a sweep of stub runs in a process of its own."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(Path(rig.__file__).parent.parent)])
    command = [sys.executable, here / "stub_trainer.py", spec, directory]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path})


def kill_worker_of(directory, run_id, number):
    """Kill the process that trains a run once it has written some of it."""
    wait_for(lambda: (directory / run_id / "metrics.jsonl").is_file())
    lines = map(json.loads, (directory / "journal.jsonl").read_text().splitlines())
    os.kill(next(line["pid"] for line in lines if line["run"] == run_id), number)


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
