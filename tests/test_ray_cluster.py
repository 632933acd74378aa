"""What Ray is given, and when: with a Ray that runs nothing."""

from types import SimpleNamespace

import pytest
from stub_trainer import train_stub, write_spec

from rig.errors import StoppedError
from rig.lab.study.directory import Study
from rig.lab.study.jobs import FINISHED, Outcome, jobs_of
from rig.lab.study.ray_cluster import NUM_AHEAD, RayCluster
from rig.lab.study.spec import read_spec


NUM_CORES = 2


class FakeRay:
    """Remembers what it was given, and ends its first job whenever it is waited for."""

    def __init__(self):
        self.given = []
        self.num_ended = 0

    def remote(self, **_options):
        return lambda _work: self

    def options(self, name, **_options):
        return SimpleNamespace(remote=lambda _job: self.given.append(name) or name)

    def cluster_resources(self):
        return {"CPU": NUM_CORES}

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


def test_a_stop_while_ray_waits_is_a_stop(jobs):
    cluster = RayCluster(StoppedRay())
    cluster.submit(jobs[0])
    with pytest.raises(StoppedError, match="stopped by SIGTERM"):
        cluster.endings(0)
