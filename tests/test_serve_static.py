"""The files of the page: published libraries, unchanged, and small modules of our own."""

import re
from hashlib import sha256

import pytest

from rig.serve.app import STATIC


OUR_FILES = [*STATIC.glob("*.*"), *(STATIC / "js").glob("*.js")]
MAX_LINES = 250


def test_libraries_of_others_are_as_they_were_published():
    sums = dict(
        reversed(line.split())
        for line in (STATIC / "vendor/SHA256SUMS").read_text().splitlines()
    )
    files = {path.name for path in (STATIC / "vendor").iterdir()} - {"SHA256SUMS"}
    assert files == set(sums)
    for name, known in sums.items():
        assert sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == known, name
    assert {name for name in files if name.endswith("-LICENSE")} == {
        *("htm-LICENSE", "preact-LICENSE", "uPlot-LICENSE")
    }


@pytest.mark.parametrize("path", OUR_FILES, ids=lambda path: path.name)
def test_our_files_are_short_and_ask_nobody_else(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    addresses = set(re.findall(r"https?://[^\s\"'`]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not addresses
    assert "innerHTML" not in text
    assert "eval(" not in text


def test_the_page_has_no_script_or_style_in_it():
    text = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "<style" not in text
    assert not re.search(r"\son\w+=", text)
