"""Kill the learner, the server, and both, ten times while the learner practises.

    python -m benchmarks.robot_kills OUT

The simulated SO-101 in simulated time, in a process of its own. Before each kill the learner
must be alive, and have practised since the last one; the moment is random. After it the dead
process is started again, as a person would: the server is armed, the learner resumes. At the
end the run must be finished, no episode may be missing or twice, and only one that met a killed
server may be short: what it did until then is dropped. Prints one JSON object.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from rig.runs.run import Run
from rig.training.kept_episodes import KeptEpisodes


PAGE = Path("examples/robots/sim_so101.toml")
KILLS = ("learner", "server", "both", "learner", "server", "both", "learner", "server", "both",
         "both")  # fmt: skip
NUM_STEPS, EPISODE_STEPS = 2500, 25
SETTINGS = (
    "--total-timesteps", str(NUM_STEPS), "--collect.num-images", "200",
    "--vae.num-fit-steps", "20", "--vae.hidden-size", "16", "--vae.num-components", "20",
    "--td3.hidden-sizes", "32", "--td3.learning-starts", "100", "--td3.utd-ratio", "0.2",
    "--evaluate.num-goals", "2", "--evaluate.every-steps", "100000",
    "--checkpoint.every-steps", "400", "--image-size", "48",
)  # fmt: skip
EPISODES_APART = 5
SEED = 0
RIG = (sys.executable, "-m", "rig")


class Processes:
    """A server and a learner, and how to start each again."""

    def __init__(self, out: Path) -> None:
        """Start both."""
        self.out, self.page = out, out / "robot.toml"
        out.mkdir(parents=True)
        self.page.write_text(PAGE.read_text() + "\n[wire]\nport = 5877\nlease_s = 1.0\n")
        self.run = out / "run"
        self.log = (out / "log.txt").open("w")
        self.server, self.learner = self.start_server(), self.start_learner()

    def start(self, *words: str) -> subprocess.Popen:
        """Start a command of rig."""
        return subprocess.Popen([*RIG, *words], stdout=self.log, stderr=self.log)

    def start_server(self) -> subprocess.Popen:
        """Serve, and arm as a person would."""
        server = self.start("robot", "serve", str(self.page), "--simulated-time")
        for _ in range(100):
            time.sleep(0.3)
            if self.start("robot", "arm", str(self.page)).wait() == 0:
                return server
        raise SystemExit("the server did not start")

    def start_learner(self) -> subprocess.Popen:
        """Train, or resume."""
        if (self.run / "config.json").is_file():
            return self.start("train", "--resume", str(self.run), "--force")
        words = ("train", "--robot", str(self.page), "--out", str(self.run), *SETTINGS)
        return self.start(*words)

    def kill(self, what: str) -> None:
        """Kill with SIGKILL, and start again what was killed."""
        dead = [self.learner, self.server]
        dead = dead[:1] if what == "learner" else dead[1:] if what == "server" else dead
        for process in dead:
            process.send_signal(signal.SIGKILL)
            process.wait()
        if self.server in dead:
            self.server = self.start_server()
        if self.learner in dead:
            self.learner = self.start_learner()

    def num_episodes(self) -> int:
        """Return how many episodes of practice are kept."""
        return len(list((self.run / "episodes").glob("practice-*.safetensors")))

    def wait_until_it_practises(self, *, rng: np.random.Generator) -> None:
        """Wait until more episodes are kept, and for a random part of one more."""
        times_s = []
        for _ in range(EPISODES_APART):
            self.wait_for_an_episode()
            times_s.append(time.monotonic())
        time.sleep(rng.uniform() * (times_s[-1] - times_s[-2]))

    def wait_for_an_episode(self) -> None:
        """Wait until one more is kept.

        Raises:
            SystemExit: The learner ended by itself.
        """
        num = self.num_episodes()
        while self.num_episodes() == num:
            if self.learner.poll() is not None:
                raise SystemExit(f"the learner ended before it was killed: {self.log.name}")
            time.sleep(0.02)


def main(out: Path) -> None:
    """Kill, start again, and look at what is left."""
    processes, rng = Processes(out), np.random.default_rng(SEED)
    start_s = time.monotonic()
    for what in KILLS:
        processes.wait_until_it_practises(rng=rng)
        processes.kill(what)
    code = processes.learner.wait()
    processes.server.terminate()
    run = Run.open(processes.run)
    episodes = list(KeptEpisodes(run).practised_after(0))
    steps = [steps for steps, _ in episodes]
    lengths = [int(each.num_steps.sum()) for _, each in episodes]
    report = {
        "kills": len(KILLS),
        "exit_code": code,
        "is_finished": run.is_finished,
        "steps": steps[-1],
        "episodes": len(episodes),
        "missing": (steps[-1] - steps[0]) // EPISODE_STEPS + 1 - len(episodes),
        "twice": len(steps) - len(set(steps)),
        "short": sorted(length for length in lengths if length < EPISODE_STEPS),
        "duration_s": round(time.monotonic() - start_s),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
