"""The page against a real ``rig robot serve``: processes of their own, on the real clock."""

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import pytest
from benchmarks.browser import browser, serving
from test_page import CHROMIUM, playwright
from test_robot_env import Bench

from rig.robots.read_config import read_config
from rig.runs.run import Run
from rig.training.loop import train
from rig.training.progress import PlainProgress


pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no browser")]
assert playwright
PERFECT = Path(__file__).parent.parent / "examples" / "robots" / "perfect.toml"
WIRE = "\n[wire]\nport = {port}\ncommand_s = 1.0\nanswer_s = 1.0\n"
"""A busy machine: a browser, a page's server and a robot's server on two cores."""
RIG = (sys.executable, "-m", "rig")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def page_of_robot(tmp_path):
    file = tmp_path / "arm.toml"
    file.write_text(PERFECT.read_text() + WIRE.format(port=free_port()))
    return file


@pytest.fixture
def run(tiny, page_of_robot, tmp_path, monkeypatch):
    """A run that learned a little on this robot, in simulated time."""
    bench = Bench(read_config(page_of_robot))
    monkeypatch.setattr("rig.training.make_envs.open_robot", lambda *_: bench.env())
    config = replace(
        tiny, robot=str(page_of_robot), task="robot/arm", num_envs=1, total_timesteps=24,
        collect=replace(tiny.collect, num_images=12),
        checkpoint=replace(tiny.checkpoint, every_steps=1000),
        evaluate=replace(tiny.evaluate, every_steps=1000),
        online=replace(tiny.online, every_steps=0),
    )  # fmt: skip
    made = Run.create(tmp_path / "run", config, {})
    train(config, made, PlainProgress(lambda _line: None))
    return made


class Server:
    """``rig robot serve``, and what it wrote."""

    def __init__(self, file):
        self.file, self.lines = file, []
        command = [*RIG, "robot", "serve", str(file)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        self.lines.extend(iter(self.process.stderr.readline, ""))

    def wait_for(self, text, within_s):
        end_s = monotonic() + within_s
        while not any(text in line for line in self.lines):
            assert monotonic() < end_s, (text, self.lines)
            sleep(0.02)

    def say(self, word, code=0):
        command = [*RIG, "robot", word, str(self.file)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return (done.stdout or done.stderr).strip()


@contextmanager
def served(file):
    server = Server(file)
    try:
        server.wait_for("serving", 60)
        yield server
    finally:
        server.process.kill()
        server.process.wait()
        server.thread.join()
        server.process.stderr.close()


def picked_goal(page):
    page.locator("#tab-imagined").click()
    page.locator(".imagined button").first.click()
    page.locator(".pair img").first.wait_for()


def test_the_reach_screen_drives_a_robot_and_again_after_a_person_cleared_a_stop(
    page_of_robot, run
):
    with served(page_of_robot) as server:
        server.say("arm")
        server.wait_for("homing is done", 60)
        with serving(run.directory) as (url, _), browser() as chromium:
            page = chromium.new_page()
            page.set_default_timeout(60_000)
            page.goto(url)
            page.get_by_role("link", name="Reach with").first.click()
            page.get_by_role("button", name="Connect and drive home").click()
            page.locator("[data-state=ready]").wait_for()
            picked_goal(page)
            page.get_by_role("button", name="Go", exact=True).click()
            page.locator("[data-state=moving]").wait_for()
            sleep(0.5)
            page.locator("button.stop").last.click()
            server.wait_for("STOPPED: a client stopped the arm", 5)
            page.locator("[data-state=held]").wait_for()
            assert "says STOPPED" in server.say("home", 2), "only `clear` clears it"
            server.say("clear")
            assert "STOPPED" not in server.say("arm")
            server.wait_for("a person cleared the stop", 5)
            page.get_by_role("button", name="Go", exact=True).click()
            page.locator("[data-state=moving]").wait_for()
            page.locator("[data-state=ready]").wait_for()
            page.locator("li.attempt").nth(1).wait_for()
