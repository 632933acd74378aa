"""The few pieces of HTML that a report is made of. All text is escaped here."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

from rig.runs.atomic_files import read_small_file


MEDIA_TYPES = {".png": "image/png", ".mp4": "video/mp4"}


def section(title: str, *parts: str) -> str:
    """A section with its heading; nothing at all if it has nothing to show."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>" if body else ""


def paragraph(text: str) -> str:
    """A paragraph."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """A small heading."""
    return f"<h3>{escape(text)}</h3>"


def card(number: str, what: str, beside: str) -> str:
    """A number that should be seen first."""
    lines = {"number": number, "what": what, "beside": beside}
    body = "".join(f'<div class="{kind}">{escape(text)}</div>' for kind, text in lines.items())
    return f'<div class="card">{body}</div>'


def row_of(kind: str, parts: Sequence[str]) -> str:
    """Parts side by side, as many as there is room for."""
    return f'<div class="{kind}">{"".join(parts)}</div>' if any(parts) else ""


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], marked: Sequence[bool] = ()
) -> str:
    """A table: names at the left, values at the right; rows may be marked."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    marks = [' class="marked"' if mark else "" for mark in marked] or [""] * len(rows)
    lines = [
        f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for mark, row in zip(marks, rows, strict=True)
    ]
    rows_html = "\n".join(lines)
    body = f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows_html}\n</tbody>"
    return f'<div class="wide"><table>\n{body}\n</table></div>'


def folded(summary: str, body: str) -> str:
    """What is shown only when it is asked for."""
    return f"<details><summary>{escape(summary)}</summary>\n{body}\n</details>"


def picture(path: Path, caption: str) -> str:
    """A picture with its caption, inside the page."""
    return figure(f'<img src="{data_of(path)}" alt="{escape(caption)}">', caption)


def video(path: Path, caption: str) -> str:
    """A video with its caption, inside the page."""
    source = f'<video src="{data_of(path)}" controls autoplay loop muted playsinline></video>'
    return figure(source, caption)


def figure(content: str, caption: str) -> str:
    """Anything with a caption."""
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def data_of(path: Path) -> str:
    """A file as a ``data:`` address, which is the file itself."""
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{b64encode(read_small_file(path)).decode()}"
