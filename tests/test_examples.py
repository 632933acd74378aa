import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image


FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = [path for path in sorted(FOLDER.glob("*.py")) if "__main__" in path.read_text()]
"""Examples that are scripts; test_cli.py trains the others."""


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_saves_its_image(example, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(example), str(tmp_path / "image.png")])
    runpy.run_path(str(example), run_name="__main__")
    with Image.open(tmp_path / "image.png") as image:
        assert image.width > 100
