"""What the pages say: code that runs, and links that lead to files."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import rig
from rig.errors import RunError
from rig.runs.run import Run


ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(
    r"\b(?:src|tests|docs|benchmarks|examples)/[\w/-]+\.(?:py|md|ipynb|jsonl?|xml)\b"
)
OPTIONAL = "stable_baselines3"
"""A package of one block, which is left out where the package is not installed."""


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.filterwarnings("ignore")
def test_code_of_the_page_on_the_python_api_runs(tmp_path, monkeypatch, capsys):
    """Also what the page says of it: the callback stops the run, and it resumes to its end."""
    page = (ROOT / "docs" / "python-api.md").read_text()
    blocks = [b for b in BLOCK.findall(page) if OPTIONAL not in b or find_spec(OPTIONAL)]
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile("\n".join(blocks), "docs/python-api.md", "exec"), names)
    out = capsys.readouterr().out
    assert "runs/reach/best\n" in out
    steps = [int(num) for num in re.findall(r"(\d+) of 400 steps", out)]
    assert steps == sorted(set(steps))
    assert 0 < steps[-1] < 400
    run = Run.open(tmp_path / "runs" / "reach")
    assert run.is_finished
    with pytest.raises(RunError, match="is finished"):
        rig.resume(run.directory)
    assert names["table"]["distances"] == run.evaluation()["distances"]
    assert (tmp_path / "reach-copy" / "model.safetensors").is_file()


def test_links_lead_to_files():
    prose = [(page, FENCED.sub("", page.read_text())) for page in PAGES]
    links = [(page, link) for page, words in prose for link in LINK.findall(words)]
    files = [(page, link.split("#")[0]) for page, link in links if "://" not in link]
    missing = [(page.name, file) for page, file in files if not (page.parent / file).exists()]
    assert len(files) > 100
    assert not missing


def test_named_files_exist():
    named = [(page.name, name) for page in PAGES for name in NAMED.findall(page.read_text())]
    assert len(named) > 20
    assert [pair for pair in named if not (ROOT / pair[1]).exists()] == []
