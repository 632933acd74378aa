"""The old private words are gone: what people read uses the field's words."""

import re
from pathlib import Path

import pytest


ROOT = Path(__file__).parent.parent
OLD_WORDS = (
    r"guests?|invitations?|crews?|witness|wander(?:ed|s|ing)?|lessons?|pupils?|courses|keeper|"
    r"errands?|obey|canvas|swapped halves|doing nothing|goal pictures?|anew|so many|goes on|"
    r"at fault|whoever|lender|film"
)
ALLOWED = {"old_names.py", "CHANGELOG.md"}
"""Files that name old words on purpose."""
FILES = [
    path
    for folder, pattern in (("src", "*.py"), ("src", "*.j2"), ("docs", "*.md"), (".", "*.md"))
    for path in sorted((ROOT / folder).glob(pattern if folder == "." else f"**/{pattern}"))
    if path.name not in ALLOWED and "results" not in path.parts
]


def test_there_are_files_to_read():
    assert len(FILES) > 150


@pytest.mark.parametrize("folder", ["src", "docs", "."])
def test_old_words_are_gone(folder):
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in FILES
        if (path.relative_to(ROOT).parts[0] if path.parent != ROOT else ".") == folder
        for match in re.finditer(rf"\b(?:{OLD_WORDS})\b", path.read_text(), re.IGNORECASE)
    ]
    assert not found
