"""Kill the learner, the server, and both, ten times in the middle of episodes.

    python -m benchmarks.robot_kills OUT

A simulated robot in simulated time, in a process of its own. After each kill the dead process
is started again, as a person would: the server is armed, the learner resumes. At the end the
run must be finished, no episode may be missing or twice, and none may hold a step that met a
kill. Prints one JSON object.
"""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from rig.runs.run import Run
from rig.training.kept_episodes import KeptEpisodes


PAGE = Path("examples/robots/perfect.toml")
KILLS = ("learner", "server", "both", "learner", "server", "both", "learner", "server", "both",
         "both")  # fmt: skip
SETTINGS = (
    "--total-timesteps", "2500", "--collect.num-images", "200", "--vae.num-fit-steps", "20",
    "--vae.hidden-size", "16", "--vae.num-components", "20", "--td3.hidden-sizes", "32",
    "--td3.learning-starts", "100", "--td3.utd-ratio", "0.2", "--evaluate.num-goals", "2",
    "--evaluate.every-steps", "100000", "--checkpoint.every-steps", "400", "--image-size", "48",
)  # fmt: skip
EPISODES_APART = 5
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
        """Return how many episodes are kept."""
        return len(list((self.run / "episodes").glob("*.safetensors")))

    def wait_for_episodes(self, num: int) -> None:
        """Wait until more episodes are kept."""
        wanted = self.num_episodes() + num
        while self.num_episodes() < wanted and self.learner.poll() is None:
            time.sleep(0.05)


def main(out: Path) -> None:
    """Kill, start again, and look at what is left."""
    processes = Processes(out)
    for what in KILLS:
        processes.wait_for_episodes(EPISODES_APART)
        processes.kill(what)
    code = processes.learner.wait()
    processes.server.terminate()
    run = Run.open(processes.run)
    episodes = list(KeptEpisodes(run).practised_after(0))
    steps = [steps for steps, _ in episodes]
    gaps = sum(len(each.num_steps) == 0 for _, each in episodes)
    report = {
        "kills": len(KILLS),
        "exit_code": code,
        "is_finished": run.is_finished,
        "steps": steps[-1] if steps else 0,
        "episodes": len(episodes),
        "twice": len(steps) - len(set(steps)),
        "empty": gaps,
        "short": sum(int(each.num_steps.sum() < 25) for _, each in episodes),
    }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
