"""The pictures of docs/page.md, and the README's short video of the page.

``python -m benchmarks.page_images DIR`` takes a directory of finished runs of simulated tasks;
the newest is the one that reaches. It writes to docs/page/.
"""

import argparse
import io
from pathlib import Path
from time import sleep
from typing import Any

from PIL import Image

from benchmarks.browser import browser, drag, open_reach, serving


OUT = Path("docs/page")
SIZES = {"wide": (1280, 860), "narrow": (360, 740)}
NUM_COLOURS = 128
VIDEO_PX = 720
FRAME_S = 0.2


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", type=Path)
    options = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    with browser() as started, serving(options.runs) as (url, _pid):
        for theme in ("light", "dark"):
            for name, (width, height) in SIZES.items():
                viewport = {"width": width, "height": height}
                context = started.new_context(viewport=viewport, color_scheme=theme)
                take_all(context.new_page(), url, f"{name}-{theme}")
                context.close()
        viewport = {"width": 1280, "height": 800}
        context = started.new_context(viewport=viewport, color_scheme="light")
        record(context.new_page(), url)


def take_all(page: Any, url: str, kind: str) -> None:
    """Take a picture of each screen."""
    page.goto(url)
    page.locator(".run").first.wait_for()
    save(page, f"runs-{kind}")
    page.get_by_role("link", name="Watch").first.click()
    page.locator(".u-over").first.wait_for()
    sleep(1)
    save(page, f"watch-{kind}")
    open_reach(page, url)
    page.get_by_label("Speed").select_option("4")
    drag(page, -45, 45)
    page.get_by_role("button", name="Go", exact=True).click()
    page.locator("[data-state=moving]").wait_for()
    page.locator("[data-state=ready]").wait_for(timeout=60_000)
    top = ".robot" if kind.startswith("narrow") else "body"
    page.evaluate(
        """top => scrollTo(0, document.querySelector(top).getBoundingClientRect().top
            + scrollY - (top === "body" ? 0 : 80))""",
        top,
    )
    sleep(0.5)
    save(page, f"reach-{kind}")


def save(page: Any, name: str) -> None:
    """Save what is in the window, with few colours."""
    data = page.screenshot()
    with Image.open(io.BytesIO(data)) as image:
        few = image.convert("RGB").quantize(NUM_COLOURS, dither=Image.Dither.NONE)
        few.save(OUT / f"{name}.png", optimize=True)


def record(page: Any, url: str) -> None:
    """Record a goal that is dragged, and the robot that reaches it."""
    open_reach(page, url)
    page.get_by_role("button", name="Reset").click()
    page.locator("[data-state=ready]").wait_for()
    page.evaluate("scrollTo(0, 110)")
    sleep(0.5)
    frames = [shot(page)]
    handle = page.locator(".handle").last
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 5 * step, y + 4 * step)
        sleep(0.1)
        frames.append(shot(page))
    page.mouse.up()
    page.locator(".pair img").wait_for()
    sleep(0.4)
    frames += [shot(page)] * 3
    page.get_by_role("button", name="Go", exact=True).click()
    for _ in range(18):
        sleep(FRAME_S)
        frames.append(shot(page))
    frames += [frames[-1]] * 6
    palette = frames[-1].quantize(2 * NUM_COLOURS - 1)
    first, *rest = (
        frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames
    )
    first.save(
        OUT / "reach.gif",
        save_all=True,
        append_images=rest,
        duration=round(1000 * FRAME_S),
        loop=0,
        optimize=True,
    )


def shot(page: Any) -> Image.Image:
    """Return what is in the window, smaller."""
    with Image.open(io.BytesIO(page.screenshot())) as image:
        height = round(VIDEO_PX * image.height / image.width)
        return image.convert("RGB").resize((VIDEO_PX, height), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
