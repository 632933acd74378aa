"""Damaged runs and hostile pictures: one clear line, no crash, no hang, no memory taken."""

import resource
import sys
import time

import numpy as np
import pytest
from fake_run import make_run
from hostile import damaged_copy, hostile_picture
from test_keeper import CONFIG, Training, new_checkpoint_manager, untrained_policy

from rig.cli.main import main
from rig.errors import RigError
from rig.goals.goal_image import read_goal_image
from rig.runs.run import Run


MOST_S = 5.0
MOST_BYTES = 10**9
FEW_AND_MANY = [8, pytest.param(1000, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run that still has its checkpoints."""
    run = make_run(tmp_path_factory.mktemp("runs") / "run", CONFIG)
    training = Training(run, untrained_policy(CONFIG))
    for _ in range(2):
        training.collect_rollouts().save()
    return run.directory


class Watched:
    """Counts the processor time and the memory that what is done takes at most."""

    def __init__(self):
        self.before, self.slowest_s, self.refused = peak_bytes(), 0.0, 0

    def do(self, action):
        start_s = time.process_time()
        try:
            refused = action() not in (None, 0)
        except RigError:
            refused = True
        self.refused += refused
        self.slowest_s = max(self.slowest_s, time.process_time() - start_s)

    def check(self):
        taken = peak_bytes() - self.before
        sys.stdout.write(
            f"{self.refused} refused; {self.slowest_s:.2f} s, {taken / 1e6:.0f} MB at most\n"
        )
        assert self.refused > 0
        assert self.slowest_s < MOST_S
        assert taken < MOST_BYTES


def peak_bytes():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def restore(directory):
    new_checkpoint_manager(Run.open(directory), []).restore()


@pytest.mark.parametrize("num", FEW_AND_MANY)
def test_damaged_runs(run, tmp_path, num):
    rng, watched, copy = np.random.default_rng(num), Watched(), tmp_path / "copy"
    page, sheet = str(tmp_path / "page.html"), str(tmp_path / "sheet.png")
    for _ in range(num):
        damaged_copy(run, copy, rng)
        argv = ["imagine", str(copy), "--num-goals", "2", "--out", sheet]
        watched.do(lambda argv=argv: main(argv))
        watched.do(lambda: main(["report", str(copy), "--out", page]))
        watched.do(lambda: restore(copy))
    watched.check()


@pytest.mark.parametrize("num", FEW_AND_MANY)
def test_hostile_pictures(tmp_path, num):
    rng, watched, path = np.random.default_rng(num), Watched(), tmp_path / "goal.png"
    for _ in range(num):
        hostile_picture(path, rng)
        watched.do(lambda: read_goal_image(path, 48) and None)
    watched.check()
