"""A real browser on the page that ``rig serve`` opens, for measuring and for pictures."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    "--js-flags=--expose-gc",
)


@contextmanager
def serving(*roots: Path) -> Iterator[tuple[str, int]]:
    """Run ``rig serve``; the block gets the page's address and the process id."""
    command = [sys.executable, "-m", "rig", "serve", *map(str, roots)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*command, "--port", "0", "--no-browser", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"], process.pid
        finally:
            process.terminate()


@contextmanager
def browser() -> Iterator[Any]:
    """Start headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield found
        finally:
            found.close()


def open_reach(page: Any, url: str) -> None:
    """Open the Reach screen of the first run, and wait until its robot is awake."""
    page.goto(url)
    page.get_by_role("link", name="Reach with").first.click()
    page.locator("[data-state=ready], [data-state=held]").wait_for(timeout=60_000)
    page.locator(".handle").first.wait_for()


def drag(page: Any, dx_px: float, dy_px: float) -> None:
    """Drag the first thing."""
    handle = page.locator(".handle").first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx_px, y + dy_px, steps=8)
    page.mouse.up()
    page.locator(".pair img").wait_for()
