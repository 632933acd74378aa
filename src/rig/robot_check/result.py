"""The results of a check, as a file that a run keeps."""

import html
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from math import ceil, isfinite
from pathlib import Path
from typing import Any

from rig.errors import RobotError
from rig.robots.config import RobotConfig


FRESH = timedelta(hours=24)
"""A check of yesterday says nothing about the camera of today."""


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Check of a robot</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem }}
td, th {{ text-align: left; padding: .4rem .8rem; border-bottom: 1px solid #8884;
  vertical-align: top }}
.right td:first-child {{ color: #1a7f37 }}
.wrong td:first-child {{ color: #b3261e; font-weight: bold }}
</style>
<h1>This robot {verdict}</h1>
<p>Checked {date}. Protective limits, not safety-rated: the switch in the power lead is the
emergency stop.</p>
<table>{rows}</table>
<p><small>File {file}</small></p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was checked."""

    name: str
    is_right: bool
    text: str
    """What was found, in one line; where it is wrong, also what to do."""
    values: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole check."""

    digest: str
    """SHA-256 of the TOML file that was checked."""
    date: str
    results: Sequence[Result]

    @property
    def is_right(self) -> bool:
        """Whether everything was."""
        return all(result.is_right for result in self.results)

    def value(self, name: str) -> float:
        """Return a measured number; NaN if it was not measured."""
        found = (result.values[name] for result in self.results if name in result.values)
        return next(found, float("nan"))

    def delay_steps(self, step_s: float) -> int:
        """Return the delay from action to image in steps, rounded up; 0 if not measured."""
        delay_s = self.value("image_delay_s")
        return max(1, ceil(delay_s / step_s)) if isfinite(delay_s) else 0


def report_path(config_path: Path) -> Path:
    """Return where the check of a TOML file is kept: next to it."""
    return config_path.with_suffix(".check.json")


def write_report(path: Path, report: Report) -> None:
    """Write the report as JSON, and as a page next to it."""
    path.write_text(json.dumps(asdict(report), indent=2) + "\n")
    path.with_suffix(".html").write_text(page(report))


def read_report(path: Path) -> Report:
    """Read a report.

    Raises:
        RobotError: There is none, or it is damaged.
    """
    try:
        return report_of(json.loads(path.read_text()))
    except OSError as error:
        raise RobotError(f"the robot was never checked ({error})") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RobotError(f"{path} can't be read ({error})") from error


def report_of(about: dict[str, Any]) -> Report:
    """Return the report in a JSON value.

    Raises:
        ValueError: It is none, or says nothing that was checked; or TypeError, KeyError or
            AttributeError.
    """
    results = [Result(**each) for each in about.pop("results")]
    report = Report(**about, results=results)
    numbers = [value for result in results for value in result.values.values()]
    if not results or not all(isinstance(value, int | float) for value in numbers):
        raise ValueError("it has no results, or a value that is no number")
    if datetime.fromisoformat(report.date).tzinfo is None:
        raise ValueError(f"its date {report.date} has no time zone")
    return report


def fresh_report(config_path: Path, config: RobotConfig) -> Report:
    """Return the report of a robot if it allows practice.

    Raises:
        RobotError: It is missing, old, of another file, or something was wrong.
    """
    hint = f"`rig robot check {config_path}`"
    try:
        report = read_report(report_path(config_path))
    except RobotError as error:
        raise RobotError(f"{error}: {hint}") from error
    age = datetime.now().astimezone() - datetime.fromisoformat(report.date)
    wrong = [result.name for result in report.results if not result.is_right]
    values = [item for result in report.results for item in result.values.items()]
    unknown = [name for name, value in values if not isfinite(value)]
    reasons = {
        f"was of another content of {config_path.name}": report.digest != config.digest,
        f"is {age.total_seconds() / 3600:.0f} h old": not timedelta(0) <= age <= FRESH,
        f"found something wrong ({', '.join(wrong)})": not report.is_right,
        f"could not measure {', '.join(unknown)}": bool(unknown),
    }
    for reason, is_so in reasons.items():
        if is_so:
            raise RobotError(f"the robot's check {reason}: {hint}")
    return report


def page(report: Report) -> str:
    """Return the report as a page that needs no other file."""
    rows = "\n".join(row(result) for result in report.results)
    verdict = "may practise" if report.is_right else "must not practise yet"
    return PAGE.format(
        verdict=verdict, date=html.escape(report.date), rows=rows, file=report.digest[:16]
    )


def row(result: Result) -> str:
    """Return a result as a row of the page."""
    kind, word = ("right", "right") if result.is_right else ("wrong", "WRONG")
    name, text = html.escape(result.name), html.escape(result.text)
    return f'<tr class="{kind}"><td>{word}</td><th scope="row">{name}</th><td>{text}</td></tr>'
