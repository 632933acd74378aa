"""SIGKILL at random moments: nothing in the process has a say in it."""

import subprocess
import sys
import time

import numpy as np
import pytest

from rig.runs.run import Run


TRAIN = (
    "train Reach --total-timesteps 500 --num-envs 2 --collect.num-images 200 --buffer-size 300 "
    "--vae.num-fit-steps 60 --vae.batch-size 4 --vae.latent-dim 2 --vae.channels 4 8 "
    "--vae.architecture patches --online.every-steps 200 --online.num-fit-steps 2 "
    "--td3.hidden-sizes 8 --td3.batch-size 4 --td3.utd-ratio 0.1 --td3.learning-starts 0 "
    "--evaluate.num-goals 2 --evaluate.every-steps 200 --checkpoint.every-steps 100 --out"
)
COMPARED = ("metrics.jsonl", "evaluation.json", "fingerprint.json", "policy/policy.safetensors")
"""The fingerprint is of networks, optimisers, latent space, replay and random state."""
NUM_KILLS = 20


def rig(*argv):
    """A process of its own that runs a command line."""
    words = [word for part in argv for word in (part.split() if type(part) is str else [part])]
    code = "import sys; from rig.cli.main import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def begin(directory):
    """A run in a process of its own, once it is a run."""
    process = rig(TRAIN, directory)
    while not (directory / "config.json").is_file():
        time.sleep(0.01)
    return process


def finish(process):
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()


def ended_as(directory):
    return {name: (directory / name).read_bytes() for name in COMPARED}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """How the run ends, and how long it takes from when it begins."""
    directory = tmp_path_factory.mktemp("runs") / "run"
    process = begin(directory)
    start_s = time.perf_counter()
    finish(process)
    return ended_as(directory), time.perf_counter() - start_s


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(NUM_KILLS))
def test_run_that_is_killed_goes_on_to_the_same_end(undisturbed, tmp_path, seed):
    ended, duration_s = undisturbed
    directory = tmp_path / "run"
    process = begin(directory)
    time.sleep(np.random.default_rng(seed).uniform(0, duration_s))
    process.kill()
    process.communicate()
    if not Run.open(directory).is_finished:
        finish(rig("train --resume", directory))
    assert ended_as(directory) == ended
