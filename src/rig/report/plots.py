"""Plots of a report, as SVG inside the page, and the style that all plots share.

Text stays text and takes the font and the colour of the page, so that a plot reads in a light
and in a dark theme. Lines differ in colour, which colour-blind people can tell apart, and in
stroke, which tells them apart in grey. Source of the colours: Okabe and Ito 2008.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from markupsafe import Markup
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rig.report.lines import Line


STYLE = str(files("rig.report").joinpath("rig.mplstyle"))
"""The style sheet of all plots, for ``matplotlib.style.context``."""
COLOURS = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#882255", "#8C8C8C", "#7570B3"),
)
"""One for each method of a comparison. The last three are not Okabe and Ito's, whose other two,
black and yellow, disappear on a dark or on a light page."""
STROKES = ("-", "--", "-.", ":")
PAGE_COLOUR = "#123456"
"""A placeholder for the text colour of the page."""
LEAST_RATIO = 1.2
"""Widen a log axis to this ratio: Matplotlib has no place for labels on a narrower one."""
LABEL_SHARE = 0.4
"""Of the width of a plot that the label of a level takes, at most."""
FEW_POINTS = 30
"""Lines with no more points than this mark each of them."""
SIZE_IN = (5.0, 3.0)
PAGE_STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 3.5,
    "ytick.minor.size": 3.5,
    **dict.fromkeys(
        ("axes.edgecolor", "axes.labelcolor", "axes.titlecolor", "text.color"), PAGE_COLOUR
    ),
    **dict.fromkeys(("xtick.color", "ytick.color"), PAGE_COLOUR),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """Lines over one axis, and a level to compare them with."""

    title: str
    x_label: str
    y_label: str = ""
    lines: Sequence[Line]
    level: float | None = None
    """Drawn as a dotted horizontal line."""
    level_label: str = ""
    is_log: bool = False
    """Draw the vertical axis on a log scale."""


def to_svg(plot: Plot) -> Markup:
    """Return the plot as an ``<svg>`` element."""
    settings = {"svg.hashsalt": plot.title + plot.x_label}
    with style.context([STYLE, PAGE_STYLE | settings]):
        figure = Figure(figsize=SIZE_IN, layout="constrained")
        draw(figure.add_subplot(), plot)
        written = io.StringIO()
        no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=no_metadata)
    return for_page(written.getvalue(), plot.title)


def draw(axes: Axes, plot: Plot) -> None:
    """Draw the lines, the level, the labels and the legend."""
    for index, line in enumerate(plot.lines):
        colour = COLOURS[index % len(COLOURS)]
        stroke = STROKES[index % len(STROKES)]
        marker = "o" if len(line.x) <= FEW_POINTS else None
        axes.plot(line.x, line.y, stroke, color=colour, marker=marker, label=line.label)
    if plot.level is not None:
        draw_level(axes, plot, plot.level)
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    axes.grid(axis="y", which="both", color=PAGE_COLOUR, alpha=0.15, linewidth=0.6)
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(in_full)
    axes.set_xlim(left=0)
    if plot.is_log:
        set_log_scale(axes)
    if len(plot.lines) > 1:
        axes.legend()


def draw_level(axes: Axes, plot: Plot, level: float) -> None:
    """Draw a dotted line across, with its label below it where no line begins or ends.

    Lines begin near the level and end far below it, so that the label is at the right; it is
    at the left if there is room before the first point, as with a single one at the end.
    """
    axes.axhline(level, color=PAGE_COLOUR, linestyle=(0, (1, 2)), linewidth=1.2)
    ends = [(line.x[0], line.x[-1]) for line in plot.lines if len(line.x)]
    is_left_free = bool(ends) and min(ends)[0] > LABEL_SHARE * max(last for _, last in ends)
    place, units = (0 if is_left_free else 1, level), ("axes fraction", "data")
    side = "left" if is_left_free else "right"
    align: dict[str, Any] = {"ha": side, "va": "top", "fontsize": 9}
    shift = (3 if is_left_free else 0, -3)
    axes.annotate(plot.level_label, place, shift, units, "offset points", **align)


def set_log_scale(axes: Axes) -> None:
    """Set a vertical log axis whose labels are plain numbers."""
    axes.set_yscale("log", subs=(2, 3, 5))
    low, high = axes.dataLim.intervaly
    if high < LEAST_RATIO * low:
        axes.set_ylim(low / LEAST_RATIO, high * LEAST_RATIO)
    axes.yaxis.set_major_formatter(in_full)
    axes.yaxis.set_minor_formatter(in_full)


def in_full(value: float, _position: float | None = None) -> str:
    """Return the label of a tick, without powers of ten: 150,000 and 0.5."""
    return f"{value:,.10g}"


def for_page(svg: str, title: str) -> Markup:
    """Return the SVG as part of a page, without addresses, in the page's colour and font."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style .*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href", "href")
    svg = re.sub(r"font-family: [^;\"]*;", "", svg)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = svg.replace(PAGE_COLOUR, "currentColor")
    label = Markup('<svg role="img" aria-label="{}"').format(title)
    return Markup(svg.replace("<svg", label, 1))
