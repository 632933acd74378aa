"""How fast the page is, and what watching costs.

``python -m benchmarks.live_page RUN [--minutes 60]`` takes a finished run of a simulated task,
and a browser. It measures ``rig serve`` from its start to a goal that is reached, how soon the
robot is held after a click on Stop, and how much memory browser and server take while an hour
of training is watched, played many times faster.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, sleep
from typing import Any

import numpy as np
import psutil

from benchmarks.browser import browser, drag, open_reach, serving
from benchmarks.machine import cpu_model
from rig.inference.open_run import open_trained
from rig.runs.live_files import keep_watching, write_round
from rig.runs.run import Run
from rig.training.live_round import publish_round
from rig.training.snapshot import take_snapshot
from rig.types import Encoding, Episodes


NUM_STOPS = 20
ROUND_S = 5.0
"""A round of training on two cores."""
ROUNDS_PER_S = 8
NUM_FRAMES, NUM_ENVS, SIDE = 51, 8, 48


def main() -> None:
    """Measure everything, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0, help="of training to watch")
    options = parser.parse_args()
    print(f"machine: {cpu_model()}")
    figures = cost(options.run) | reached(options.run)
    for name, value in (figures | watched(options.run, options.minutes)).items():
        print(f"{name}: {value}")


def cost(run: Path) -> dict[str, str]:
    """Measure the time that a round's image takes in training, watched and not."""
    opened, agent = open_trained(run)
    goals = agent.representation.imagine(NUM_ENVS, rng=np.random.default_rng(0))
    num_rows, size = NUM_ENVS * NUM_FRAMES, opened.config.image_size
    latents = np.zeros((num_rows, goals.shape[1]), np.float32)
    start = take_snapshot(opened.config, size, of_goal=False)
    episodes = Episodes(
        num_steps=np.full(NUM_ENVS, NUM_FRAMES - 1),
        actions=np.zeros((num_rows - NUM_ENVS, 2), np.float32),
        frames=start.image[None].repeat(num_rows, axis=0),
        encoding=Encoding(latent=latents, log_std=latents),
        goals=goals,
    )
    with tempfile.TemporaryDirectory() as directory:
        place, took_ms = Path(directory), {}
        for name in ("a round's image when nobody watches", "when a page watches"):
            times_s = []
            for _ in range(20):
                start_s = process_time()
                publish_round(place, agent.representation, episodes, 0, 0.1)
                times_s.append(process_time() - start_s)
            took_ms[name] = f"{1000 * median(times_s):.2f} ms of CPU"
            keep_watching(place)
    return took_ms


def reached(run: Path) -> dict[str, str]:
    """Measure from the start of the server to a goal that is reached, and Stop."""
    start_s = perf_counter()
    with browser() as started, serving(run) as (url, _pid):
        page = started.new_page()
        page.goto(url)
        page.locator(".run").wait_for()
        listed_s = perf_counter() - start_s
        start_s = perf_counter()
        open_reach(page, url)
        awake_s = perf_counter() - start_s
        start_s = perf_counter()
        drag(page, 40, 60)
        page.get_by_label("Speed").select_option("4")
        page.get_by_role("button", name="Go", exact=True).click()
        page.locator("canvas[data-step]:not([data-step=''])").first.wait_for()
        first_s = perf_counter() - start_s
        page.locator("[data-state=ready]").wait_for(timeout=60_000)
        done_s = perf_counter() - start_s
        figures = {
            "browser and server started, runs listed": f"{listed_s:.1f} s",
            "robot awake": f"{awake_s:.1f} s",
            "goal dragged, Go, first picture of the moving robot": f"{first_s:.2f} s",
            "the same to the end of the attempt, at 4 times real time": f"{done_s:.1f} s",
        }
        page.get_by_label("Speed").select_option("1")
        return figures | stops(page)


def stops(page: Any) -> dict[str, str]:
    """Measure clicks on Stop: until the server says that the robot is held."""
    page.evaluate(
        """() => {
            window.took = [];
            const stop = document.querySelector(".buttons .stop");
            stop.addEventListener("click", () => { window.at = performance.now(); }, true);
            setInterval(() => {
                if (window.at && window.rigLive.robot.state === "held") {
                    window.took.push(performance.now() - window.at); window.at = 0;
                }
            }, 1);
        }"""
    )
    for _ in range(NUM_STOPS):
        page.get_by_role("button", name="Go", exact=True).click()
        page.locator("[data-state=moving]").wait_for()
        sleep(0.4)
        page.locator(".buttons .stop").click()
        page.locator("[data-state=held]").wait_for()
    took_ms = page.evaluate("window.took")
    text = f"median {median(took_ms):.0f} ms, most {max(took_ms):.0f} ms, of {len(took_ms)}"
    return {"click on Stop until the robot is held": text}


def watched(run: Path, minutes: float) -> dict[str, str]:
    """Measure memory while a run that trains is watched."""
    num_rounds = round(60 * minutes / ROUND_S)
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "run"
        shutil.copytree(run, copy)
        for name in ("fingerprint.json", "evaluation.json"):
            (copy / name).unlink(missing_ok=True)
        (copy / "checkpoints").mkdir(exist_ok=True)
        with Run.open(copy).lock():
            return watch(copy, num_rounds)


def watch(copy: Path, num_rounds: int) -> dict[str, str]:
    """Play the rounds, and return the memory before and after."""
    rows = [json.loads(line) for line in (copy / "metrics.jsonl").read_text().splitlines()]
    rng, training = np.random.default_rng(0), Run.open(copy)
    (copy / "live").mkdir()
    with browser() as started, serving(copy) as (url, pid):
        page = started.new_page()
        page.goto(url)
        page.get_by_role("link", name="Watch").first.click()
        page.locator(".u-over").first.wait_for()
        server = psutil.Process(pid)
        before: tuple[float, float] | None = None
        for index in range(num_rounds):
            play_round(training, rows, index, rng)
            sleep(1 / ROUNDS_PER_S)
            if index == num_rounds // 10:
                before = heap_mb(page), server.memory_info().rss / 1e6
        after = heap_mb(page), server.memory_info().rss / 1e6
        assert before is not None
    return {
        f"browser's heap over {num_rounds} rounds": f"{before[0]:.1f} to {after[0]:.1f} MB",
        "server's memory": f"{before[1]:.0f} to {after[1]:.0f} MB",
    }


def play_round(run: Run, rows: list[dict[str, float]], index: int, rng: Any) -> None:
    """Log what a round of training logs, and draw it."""
    row = rows[-2] | {"num_env_steps": 20_000 + 800 * index}
    run.log(row | {"wall_s": 100.0 + ROUND_S * index, "evaluation_s": 10.0})
    shape = (NUM_ENVS, NUM_FRAMES + 1, SIDE, SIDE, 3)
    cells = np.repeat(
        rng.integers(256, size=(NUM_ENVS, 1, *shape[2:]), dtype=np.uint8), shape[1], 1
    )
    about = {
        "num_env_steps": 20_000 + 800 * index,
        "num_worlds": NUM_ENVS,
        "num_frames": NUM_FRAMES,
        "step_s": 0.1,
        "size": SIDE,
    }
    write_round(run.directory / "live" / "round.png", cells, about)


def heap_mb(page: Any) -> float:
    """Return the size of the browser's heap after it has collected garbage."""
    page.evaluate("() => { for (let n = 0; n < 3; n += 1) gc(); }")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    metrics = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return metrics["JSHeapUsedSize"] / 1e6


if __name__ == "__main__":
    main()
