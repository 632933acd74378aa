"""Learn on the simulated SO-101 through the wire: ``python -m benchmarks.robot_learning``.

    python -m benchmarks.robot_learning                      # all cases that are not kept yet
    python -m benchmarks.robot_learning reach push-sloped    # these
    python -m benchmarks.robot_learning --list

Each case is a page for ``rig robot serve``, made from examples/robots/sim_so101.toml, and
options of ``rig train``. Server and learner are processes of their own, in simulated time. A
run that was stopped is resumed. docs/results/robot-learning.json keeps one row a case.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.robot_push import push_distances
from rig.training.origin import commit, now


ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "robots" / "sim_so101.toml"
KEPT = ROOT / "docs" / "results" / "robot-learning.json"
RUNS = Path("runs") / "robot-learning"
RIG = (sys.executable, "-m", "rig")
FIRST_PORT = 5830
LOOK_S = 5.0
HEIGHT_M = 0.05
"""The pinned height of Reach: above the puck and the rim."""
PUSH_HEIGHT_M = 0.02
"""The pinned height of Push before an upright rim."""
SLOPED_HEIGHT_M = 0.025
"""The same where the tray's sides slope: the tool stays above them."""
SLOPED_OPTIONS: Mapping[str, Any] = {"flat_m": [0.036, 0.07]}
"""Sides that slope from where the tool can no longer reach behind the puck."""
TABLE = {"camera": {"crop_px": [10, 10, 64, 64]}}
"""The image cut to the table."""
SIDE: Mapping[str, Any] = {
    "elevation_deg": -25.0, "azimuth_deg": 110.0, "distance_m": 0.5,
    "lookat_m": [0.22, 0.0, 0.06],
}  # fmt: skip
"""A camera at the side of the arm. From the front, a tool that comes nearer and rises hardly
moves in the image."""
SWEEP_STEPS = 3000
PUSH_SWEEP_STEPS = 30_000
DELAYS_MS = (0, 100, 200, 300)
REMEDIES = ("none", "stack", "settle")
PUSH = (
    "--reward.kind", "sqrt_distance", "--td3.gamma", "0.98", "--replay.prioritized", "1",
)  # fmt: skip
"""What brings a puck that is never put back nearer: see docs/algorithm.md, PushResetFree."""
RANDOM_START = "--practice.random-start"
ONE_STEP = ("--td3.n-steps", "1", "--explore.random-duration", "1")
THREE_STEPS = ("--td3.n-steps", "3", "--explore.random-duration", "6")
"""Returns of three steps, and random actions that last."""
Page = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run."""

    page: Page
    """Changes of the example's page."""
    options: tuple[str, ...]
    """Of ``rig train``."""
    puck_steps: int = 0
    """Steps of an episode in which the puck is pushed; 0: the hand is all that counts."""


@dataclass
class Cases:
    """All cases by name."""

    by_name: dict[str, Case] = field(default_factory=dict)

    def add(self, name: str, page: Page, *options: str, puck_steps: int = 0) -> None:
        """Add one."""
        self.by_name[name] = Case(page=page, options=options, puck_steps=puck_steps)


def pinned(height_m: float) -> dict[str, Any]:
    """Return the changes of the example's page that keep the tool at a height."""
    return {
        "arm": {"home_m": [0.24, 0.0, height_m]},
        "limits": {
            "box_low_m": [0.17, -0.10, height_m], "box_high_m": [0.31, 0.10, height_m],
        },
    }  # fmt: skip


def all_cases() -> dict[str, Case]:
    """Return all cases: the bars first, then the table of delays."""
    cases = Cases()
    reach: Page = {**pinned(HEIGHT_M), **TABLE, "options": {"puck": False}}
    stack3 = ("--practice.delay", "stack", "--practice.num-stacked", "3")
    cases.add(
        "reach", reach, "--total-timesteps", "8000", *stack3, *evaluated(2000, 20)
    )  # fmt: skip
    cases.add(
        "reach-three-axes", {"options": {"puck": False}}, *stack3, *evaluated(4000, 20)
    )  # fmt: skip
    cases.add(
        "reach-from-the-side", {"options": {"puck": False, "view": SIDE}},
        *stack3, *evaluated(4000, 20),
    )  # fmt: skip
    cases.add(
        "reach-settle", {"options": {"puck": False, "view": SIDE}},
        "--total-timesteps", "5000", "--collect.num-images", "1000",
        "--practice.delay", "settle", *evaluated(10_000, 20),
    )  # fmt: skip
    sloped_push = (
        "--total-timesteps", "60000", "--episode-steps", "50",
        "--practice.delay", "settle", *evaluated(60_000, 10),
    )  # fmt: skip
    sloped: Page = {**pinned(SLOPED_HEIGHT_M), **TABLE, "options": SLOPED_OPTIONS}
    cases.add("push-sloped", sloped, *sloped_push, puck_steps=50)
    cases.add(
        "push-long-steps", {**sloped, "session": {"step_m": 0.02}},
        *sloped_push, "--reward.kind", "sparse", puck_steps=50,
    )  # fmt: skip
    cases.add(
        "push-prioritized", sloped, *sloped_push, "--reward.kind", "sparse",
        "--replay.prioritized", "1", puck_steps=50,
    )  # fmt: skip
    push = (*sloped_push, *PUSH)
    cases.add("push-long-horizon", sloped, *push, *ONE_STEP, puck_steps=50)
    cases.add("push-random-start", sloped, *push, *ONE_STEP, RANDOM_START, puck_steps=50)
    cases.add("push-n-step", sloped, *push, *THREE_STEPS, RANDOM_START, puck_steps=50)
    for remedy in REMEDIES:
        for delay_ms in DELAYS_MS:
            num = str(max(1, delay_ms // 100))
            cases.add(
                f"delay-{delay_ms}-{remedy}",
                {**reach, "options": {"puck": False, **delay_options(delay_ms)}},
                "--practice.delay", remedy, "--practice.num-stacked", num,
                "--total-timesteps", str(SWEEP_STEPS), "--evaluate.every-steps", "8000",
                "--evaluate.num-goals", "20", "--collect.num-images", "1000",
            )  # fmt: skip
            cases.add(
                f"delay-{delay_ms}-{remedy}-push",
                {**sloped, "options": {**SLOPED_OPTIONS, **delay_options(delay_ms)}},
                "--practice.delay", remedy, "--practice.num-stacked", num,
                "--total-timesteps", str(PUSH_SWEEP_STEPS), "--episode-steps", "50",
                *evaluated(PUSH_SWEEP_STEPS, 10), *PUSH, *THREE_STEPS, RANDOM_START,
                puck_steps=50,
            )  # fmt: skip
    return cases.by_name


def evaluated(every_steps: int, num_goals: int) -> tuple[str, ...]:
    """Return options that say how often a run is evaluated, and on how many goals."""
    every, num = str(every_steps), str(num_goals)
    return "--evaluate.every-steps", every, "--evaluate.num-goals", num


def delay_options(delay_ms: int) -> dict[str, Any]:
    """Return options of the simulated arm: half the delay is the arm's, half the camera's."""
    half_s = delay_ms / 2000
    return {"dead_time_s": half_s, "lag_s": 0.0, "frame_age_s": [half_s, half_s]}


def page_text(changes: Page, port: int, seed: int) -> str:
    """Return the example's page with changes."""
    page = tomllib.loads(EXAMPLE.read_text())
    for group, values in {**changes, "wire": {"port": port}}.items():
        page[group] = {**page.get(group, {}), **values}
    page["options"]["seed"] = seed
    lines = [f"type = {json.dumps(page.pop('type'))}"]
    for group, values in page.items():
        lines += ["", f"[{group}]", *(f"{key} = {toml(v)}" for key, v in values.items())]
    return "\n".join(lines) + "\n"


def toml(value: Any) -> str:
    """Return a value as TOML writes it."""
    if not isinstance(value, Mapping):
        return json.dumps(value)
    return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"


@contextmanager
def served(page: Path, log: Path) -> Iterator[None]:
    """Serve a robot, armed, in simulated time."""
    with log.open("a") as out:
        command = [*RIG, "robot", "serve", str(page), "--simulated-time"]
        server = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            for _ in range(30):
                time.sleep(1.0)
                arm = [*RIG, "robot", "arm", str(page)]
                if subprocess.call(arm, stdout=out, stderr=out) == 0:
                    break
            else:
                raise SystemExit(f"the server did not start: {log}")
            yield
        finally:
            server.terminate()
            server.wait()


def learn(name: str, case: Case, seed: int, port: int) -> dict[str, Any]:
    """Train, or go on with it; return the row to keep."""
    directory = RUNS / f"{name}-seed{seed}"
    directory.mkdir(parents=True, exist_ok=True)
    page, run = directory / "robot.toml", directory / "run"
    page.write_text(page_text(case.page, port, seed))
    words = ["train", "--robot", str(page), "--out", str(run), "--seed", str(seed)]
    words += case.options
    if (run / "config.json").is_file():
        words = ["train", "--resume", str(run), "--force"]
    if not (run / "evaluation.json").is_file():
        with served(page, directory / "server.log"):
            train(words, page, directory / "log.txt")
    evaluation = json.loads((run / "evaluation.json").read_text())
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    curve = [
        [row["num_env_steps"], round(row["eval/hand_distance_m"], 4)]
        for row in rows if "eval/hand_distance_m" in row
    ]  # fmt: skip
    distances = evaluation["distances"]
    if case.puck_steps:
        distances = {**distances, **push_distances(run, page, case.puck_steps)}
    return {
        "case": name, "seed": seed, "options": " ".join(case.options), "page": case.page,
        "steps": evaluation["num_env_steps"], "goals": evaluation["num_episodes"],
        "distances": distances, "curve_hand_m": curve, "commit": commit(), "date": now(),
        "cores": len(os.sched_getaffinity(0)),
    }  # fmt: skip


def train(words: list[str], page: Path, log: Path) -> None:
    """Run the learner; arm the arm again whenever it asks for that, as a person would."""
    with log.open("a") as out:
        learner = subprocess.Popen([*RIG, *words], stdout=out, stderr=out)
        while learner.poll() is None:
            time.sleep(LOOK_S)
            if "then `rig robot arm " in log.read_text().rstrip().rpartition("\n")[2]:
                subprocess.call([*RIG, "robot", "arm", str(page)], stdout=out, stderr=out)
    if learner.returncode:
        raise SystemExit(f"rig train failed: {log}")


def kept_rows() -> list[dict[str, Any]]:
    """Return the rows that are kept."""
    return json.loads(KEPT.read_text()) if KEPT.is_file() else []


def main() -> None:
    """Run the cases that are asked for, and keep each as soon as it ends."""
    cases = all_cases()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CASE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-budget", default="", help="of each run, as 40min")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    if unknown := set(args.names) - set(cases):
        parser.error(f"no case {', '.join(sorted(unknown))}: see --list")
    if args.list:
        sys.stdout.write("\n".join(cases) + "\n")
        return
    for number, (name, case) in enumerate(cases.items()):
        done = {(row["case"], row["seed"]) for row in kept_rows()}
        if (args.names and name not in args.names) or (name, args.seed) in done:
            continue
        if args.time_budget:
            case = replace(case, options=(*case.options, "--time-budget", args.time_budget))
        row = learn(name, case, args.seed, FIRST_PORT + number)
        rows = [*kept_rows(), row]
        KEPT.write_text("[\n" + ",\n".join(json.dumps(each) for each in rows) + "\n]\n")
        hand = row["distances"]["hand_m"]["median"]
        sys.stdout.write(f"{name}: hand {100 * hand:.1f} cm after {row['steps']} steps\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
