import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image


EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_and_draws_its_picture(example, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(example), str(tmp_path / "sheet.png")])
    runpy.run_path(str(example), run_name="__main__")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 100
