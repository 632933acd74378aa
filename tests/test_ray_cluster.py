"""What Ray is given, and when: with a Ray that runs nothing."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from stub_trainer import train_stub, write_spec

from rig.errors import StoppedError, SweepError
from rig.sweep.directory import Study
from rig.sweep.job_memory import job_memory_bytes
from rig.sweep.jobs import FINISHED, Outcome, jobs_of
from rig.sweep.ray_cluster import NUM_AHEAD, RayCluster
from rig.sweep.spec import read_spec


NUM_CORES = 2


class FakeRay:
    """Remembers what it was given, and ends its first job whenever it is waited for."""

    def __init__(self, num_gpus=0, memories=(2**40,)):
        self.num_gpus, self.memories = num_gpus, memories
        self.given = []
        self.options_of = {}
        self.num_ended = 0

    def remote(self, **_options):
        return lambda _work: self

    def options(self, name, **options):
        self.options_of[name] = options
        return SimpleNamespace(remote=lambda _job: self.given.append(name) or name)

    def cluster_resources(self):
        return {"CPU": NUM_CORES, "GPU": self.num_gpus}

    def nodes(self):
        return [{"Resources": {"memory": some}} for some in self.memories]

    def wait(self, names, **_options):
        self.num_ended += 1
        return names[:1], names[1:]

    def get(self, name):
        return {name: Outcome(FINISHED)}, {}


class StoppedRay(FakeRay):
    """Has a signal while it is waited for, and wraps what is raised there as Ray does."""

    def wait(self, _names, **_options):
        raise SystemError("returned a result with an exception set") from StoppedError(
            "stopped by SIGTERM", exit_code=143
        )


@pytest.fixture
def jobs(tmp_path):
    study = Study(read_spec(write_spec(tmp_path / "study.toml")), tmp_path / "study")
    return jobs_of(study, study.spec.runs, train_stub)


def test_ray_is_given_jobs_in_their_order_and_few_ahead(jobs):
    ray = FakeRay()
    cluster = RayCluster(ray)
    for job in jobs:
        cluster.submit(job)
    names = [job.name for job in jobs]
    while not cluster.is_idle:
        in_hand = ray.num_ended + NUM_CORES + NUM_AHEAD
        assert ray.given == names[:in_hand]
        cluster.endings(0)
    assert ray.given == names
    assert ray.num_ended == len(names) > NUM_CORES + NUM_AHEAD


def test_a_job_asks_for_the_memory_that_its_runs_need(jobs):
    ray = FakeRay()
    RayCluster(ray).submit(jobs[0])
    assert ray.options_of[jobs[0].name]["memory"] == job_memory_bytes(jobs[0].runs) > 0


def test_a_job_that_fits_no_machine_is_refused_and_one_that_fits_one_is_not(jobs):
    need = job_memory_bytes(jobs[0].runs)
    RayCluster(FakeRay(memories=(1, need))).check_memory(jobs)
    with pytest.raises(SweepError, match=r"needs .* GiB of memory, and no machine gives more"):
        RayCluster(FakeRay(memories=(1, need - 1))).check_memory(jobs)


@pytest.mark.parametrize("num_gpus", [0, 2])
def test_only_seeds_together_take_a_gpu_and_all_else_sees_none(jobs, num_gpus):
    ray = FakeRay(num_gpus)
    together = replace(jobs[0], runs=jobs[0].runs * 2)
    for job in (jobs[0], together):
        RayCluster(ray).submit(job)
    alone, several = (ray.options_of[job.name] for job in (jobs[0], together))
    assert (alone["num_gpus"], several["num_gpus"]) == (0, min(num_gpus, 1))
    hidden = [o["runtime_env"]["env_vars"].get("JAX_PLATFORMS") for o in (alone, several)]
    assert hidden == ["cpu", None if num_gpus else "cpu"]


def test_a_stop_while_ray_waits_is_a_stop(jobs):
    cluster = RayCluster(StoppedRay())
    cluster.submit(jobs[0])
    with pytest.raises(StoppedError, match="stopped by SIGTERM"):
        cluster.endings(0)
