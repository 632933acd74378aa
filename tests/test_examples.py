import re
import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image


FOLDER = Path(__file__).parent.parent / "examples"
SCRIPTS = [
    path
    for path in sorted(FOLDER.glob("*.py"))
    if "__main__" in path.read_text() and path.stem != "train_and_reach"
]
"""Scripts that save an image in seconds; test_cli.py trains the other examples."""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_example_runs_and_saves_its_image(path, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path / "grid.png")])
    runpy.run_path(str(path), run_name="__main__")
    with Image.open(tmp_path / "grid.png") as grid:
        assert grid.width > 100


@pytest.mark.slow
@pytest.mark.ci
def test_example_trains_from_python_and_reaches(tmp_path, tiny, capsys):
    from rig.runs.settings import changes_from

    main = runpy.run_path(str(FOLDER / "train_and_reach.py"))["main"]
    settings = {key: v for key, v in changes_from("fast", tiny).items() if key != "task"}
    main(tmp_path / "reached.png", out=tmp_path / "run", settings=settings, progress="none")
    assert re.search(r"the hand is [\d.]+ cm from its goal", capsys.readouterr().out)
    with Image.open(tmp_path / "reached.png") as grid:
        assert grid.height > 100


def test_examples_without_an_argument_save_their_image_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved = []
    monkeypatch.setattr(
        "rig.report.image_grid.save_image_grid", lambda path, *_: saved.append(path)
    )
    for path in SCRIPTS:
        monkeypatch.setattr(sys, "argv", [str(path)])
        runpy.run_path(str(path), run_name="__main__")
    assert len(saved) == len(SCRIPTS) > 1
    assert all(path.parent == Path() and path.suffix == ".png" for path in saved), saved


@pytest.mark.ci
@pytest.mark.slow
def test_notebook_runs_from_its_first_cell_to_its_last():
    nbformat = pytest.importorskip("nbformat", reason="not installed")
    nbclient = pytest.importorskip("nbclient", reason="not installed")
    notebook = nbformat.read(FOLDER / "python_api.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=300).execute()
    outputs = str([cell.get("outputs") for cell in notebook.cells])
    for text in ("2400 of 2400 steps", "cm from the goal", "do_nothing_median", "README.md"):
        assert text in outputs
