"""What the pages say: code that runs, and links that lead to files."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest


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


@pytest.mark.filterwarnings("ignore")
def test_code_of_the_page_on_the_python_api_runs(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "python-api.md").read_text()
    blocks = [b for b in BLOCK.findall(page) if OPTIONAL not in b or find_spec(OPTIONAL)]
    monkeypatch.chdir(tmp_path)
    exec(compile("\n".join(blocks), "docs/python-api.md", "exec"), {})
    assert "runs/reach/best\n" in capsys.readouterr().out
    assert (tmp_path / "reach-copy" / "model.safetensors").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_files(page):
    links = LINK.findall(FENCED.sub("", page.read_text()))
    files = [link.split("#")[0] for link in links if "://" not in link]
    missing = [file for file in files if file and not (page.parent / file).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page):
    missing = [name for name in NAMED.findall(page.read_text()) if not (ROOT / name).exists()]
    assert not missing
