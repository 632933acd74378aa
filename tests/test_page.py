"""The page in a real browser: headless Chromium, driven by Playwright.

Without a browser these tests are skipped; with ``RIG_PAGE=required`` they fail instead.
"""

import os
import shutil

import pytest
from fake_run import make_bare_run, make_run
from page_server import TOKEN, served
from PIL import Image

from rig.serve.run_index import id_of


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
]
if CHROMIUM is None and os.environ.get("RIG_PAGE") != "required":
    pytest.skip("NO BROWSER: the page is not tested; install chromium", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT")
expect = playwright.expect
HOSTILE_NAME = "<img src=x onerror=alert(1)>"
THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    found = tmp_path_factory.mktemp("runs")
    make_run(found / "one")
    make_bare_run(found / HOSTILE_NAME)
    Image.new("RGB", (900, 200), "blue").save(found / "one" / "images" / "latents.png")
    return found


@pytest.fixture(scope="module")
def server(root):
    with served(root) as found:
        yield found


@pytest.fixture(scope="module")
def run_id(root):
    return id_of(root / "one")


@pytest.fixture
def open_page(browser, server):
    """Returns a page at an address, which must ask for nothing else and write no error."""
    contexts, wrong = [], []

    def opened(hash_="", allowed=(), **options):
        context = browser.new_context(
            **({"viewport": {"width": 1280, "height": 900}} | options)
        )
        contexts.append(context)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: note(line, allowed))
        page.on("request", lambda request: check_own(request.url))
        page.goto(f"{server.url}/?token={TOKEN}{hash_}")
        return page

    def note(line, allowed):
        if line.type == "error" and not any(text in line.text for text in allowed):
            wrong.append(line.text)

    def check_own(url):
        own = (server.url, server.url.replace("http", "ws"), "blob:", "data:")
        if not url.startswith(own):
            wrong.append(f"asks for {url}")

    yield opened
    for context in contexts:
        context.close()
    assert not wrong


def at_reach(open_page, server, run_id, **options):
    """A page at the Reach screen of a run, with the robot awake."""
    server.post("/api/robot/stop")
    page = open_page(f"#/run/{run_id}/reach", **options)
    page.locator("[data-state=ready], [data-state=held]").wait_for(timeout=60_000)
    page.locator(".handle").wait_for()
    return page


def go_by_keys(page):
    """Move the hand with the arrow keys, and press G."""
    page.locator(".handle").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.locator(".pair img").wait_for()
    page.keyboard.press("g")


def test_from_the_list_to_a_goal_that_is_tried(open_page, server, run_id):
    page = open_page()
    expect(page.locator(".run")).to_have_count(2)
    expect(page.get_by_role("link", name=HOSTILE_NAME, exact=True)).to_be_visible()
    page.get_by_role("link", name="Watch one", exact=True).click()
    expect(page.locator(".u-over").first).to_be_visible()
    page.get_by_role("link", name="Reach", exact=True).click()
    page.locator(".handle").wait_for(timeout=60_000)
    box = page.locator(".handle").bounding_box()
    page.mouse.move(box["x"] + 26, box["y"] + 26)
    page.mouse.down()
    page.mouse.move(box["x"] + 66, box["y"] + 96, steps=4)
    page.mouse.up()
    expect(page.locator(".pair img")).to_be_visible()
    page.get_by_label("Speed").select_option("0")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".attempt video")).to_have_count(1, timeout=30_000)
    expect(page.locator("[data-state=ready]")).to_be_visible()
    expect(page.locator("canvas[data-step='50']").first).to_be_visible()
