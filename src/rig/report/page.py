"""The report: one page about runs that needs no network, no script and no other file."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from rig.report.diagnose import what_may_be_wrong, what_practice_did
from rig.report.run_facts import Facts, read_facts
from rig.report.sections import (
    headline,
    how_it_learned,
    origins,
    settings,
    title_of,
    what_it_imagined,
    what_it_reached,
    what_it_saw,
    what_went_on_inside,
)


def write_report(out: Path, directories: Sequence[Path]) -> None:
    """Writes the page about these runs.

    Raises:
        RunError: A directory is no run, or damaged.
    """
    out.write_text(page(read_facts(directories)), encoding="utf-8")


def page(runs: Sequence[Facts]) -> str:
    """The whole page."""
    template = files("rig.report").joinpath("report.html").read_text(encoding="utf-8")
    sections = [
        headline(runs),
        what_may_be_wrong(runs),
        what_it_reached(runs),
        how_it_learned(runs),
        what_it_imagined(runs),
        what_it_saw(runs),
        what_practice_did(runs),
        what_went_on_inside(runs),
        settings(runs),
        origins(runs),
    ]
    return Template(template).substitute(title=title_of(runs), body="\n".join(sections))
