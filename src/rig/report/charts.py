"""Charts of a report, as SVG that a page takes in: no file, no network, no pixels.

Text stays text and takes the page's font; its colour is the page's, so that a chart reads in a
light and in a dark theme. Lines differ in colour, which colour-blind people can tell apart, and
in stroke, which tells them apart in grey. Source of the colours: Okabe and Ito 2008.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure


COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#882255", "#8C8C8C", "#7570B3"),
)
"""One for each method of the comparison. The last three are not Okabe and Ito's, whose other
two, black and yellow, are lost on a dark or on a light page."""
STROKES = ("-", "--", "-.", ":")
INK = "#123456"
"""Stands for the page's own text colour until the SVG is written."""
LEAST_RATIO = 1.2
"""Values nearer than this are no spread: Matplotlib finds no room for the labels of an axis."""
FEW_POINTS = 30
"""A line of no more points than this shows each of them."""
WIDTH_IN, HEIGHT_IN = 5.0, 3.0
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 3.5,
    "ytick.minor.size": 3.5,
}


Points = Float[np.ndarray, " points"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of a chart."""

    label: str
    x: Points
    y: Points


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """Lines over one axis, and a level to compare them with."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    level: float | None = None
    """Drawn as a dotted line across, if given."""
    level_label: str = ""
    is_log: bool = False
    """Whether equal ratios are equal heights."""


def to_svg(chart: Chart) -> str:
    """The chart as an ``<svg>`` element."""
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": chart.title + chart.x_label}):
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), layout="constrained")
        axes = figure.add_subplot()
        draw(axes, chart)
        written = io.StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    return for_page(written.getvalue(), chart.title)


def draw(axes: Axes, chart: Chart) -> None:
    """Draws the lines, the level, and what they are."""
    for index, line in enumerate(chart.lines):
        colour = COLOURS[index % len(COLOURS)]
        stroke = STROKES[index % len(STROKES)]
        marker = "o" if len(line.x) <= FEW_POINTS else None
        axes.plot(line.x, line.y, stroke, color=colour, marker=marker, label=line.label)
    if chart.level is not None:
        axes.axhline(chart.level, color=INK, linestyle=(0, (1, 2)), linewidth=1.2)
        place = (1, chart.level)
        axes.annotate(
            chart.level_label,
            place,
            (0, -3),
            ("axes fraction", "data"),
            "offset points",
            ha="right",
            va="top",
            fontsize=9,
        )
    axes.set(title=chart.title, xlabel=chart.x_label, ylabel=chart.y_label)
    axes.grid(axis="y", which="both", color=INK, alpha=0.15, linewidth=0.6)
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(in_full)
    axes.set_xlim(left=0)
    if chart.is_log:
        axes.set_yscale("log", subs=(2, 3, 5))
        low, high = axes.dataLim.intervaly
        if high < LEAST_RATIO * low:
            axes.set_ylim(low / LEAST_RATIO, high * LEAST_RATIO)
        axes.yaxis.set_major_formatter(in_full)
        axes.yaxis.set_minor_formatter(in_full)
    if len(chart.lines) > 1:
        axes.legend()


def in_full(value: float, _place: float | None = None) -> str:
    """A number on an axis, as people write it: 150,000 and 0.5."""
    return f"{value:,.10g}"


def smoothed(values: Sequence[float], most: int = 200) -> Points:
    """At most so many means of neighbours, for lines of thousands of noisy points."""
    parts = np.array_split(np.asarray(values, np.float64), max(1, min(most, len(values))))
    return np.array([part.mean() for part in parts if len(part)])


def for_page(svg: str, title: str) -> str:
    """The SVG as part of a page: no prologue, no addresses, the page's colour and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style .*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r"font-family: [^;\"]*;", "", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = svg.replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
