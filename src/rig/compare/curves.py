"""Learning curves of methods: against environment steps, and against training time.

Methods differ in colour, in stroke and in marker, so that the plots read in grey and by people
who tell few colours apart. Source of the colours: Okabe and Ito 2008.
"""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rig.compare.comparison import Band, Comparison
from rig.report.plots import COLOURS, STROKES, in_full


MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""With the colours and the strokes, the first 252 methods all look different."""
INK, FAINT = "#1f2328", "#59636e"
WIDTH_IN, HEIGHT_IN = 9.6, 3.6
LEGEND_ROW_IN = 0.24
LEGEND_COLUMNS = 3
BAND_ALPHA = 0.14
DOTS_PER_INCH = 100
NUM_MARKERS = 8
NOTHING = "doing nothing"
FAR_ABOVE = 2.0
"""A level so many times the height of the curves would press them flat."""
SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
}


def save_curves(path: Path, comparison: Comparison, task: str, thing: str) -> None:
    """Draws the curves of every method on one task, and writes them as PNG."""
    with matplotlib.rc_context(SETTINGS):
        draw_curves(comparison, task, thing).savefig(path, dpi=DOTS_PER_INCH)


def draw_curves(comparison: Comparison, task: str, thing: str) -> Figure:
    """Two panels with one vertical axis: against steps, and against minutes."""
    bands = comparison.bands(task, thing)
    num_rows = -(-len(bands) // LEGEND_COLUMNS)
    size = (WIDTH_IN, HEIGHT_IN + LEGEND_ROW_IN * num_rows)
    figure = Figure(figsize=size, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for band in bands:
        index = comparison.methods.index(band.method)
        draw_band(left, band.steps, band, index)
        draw_band(right, band.minutes, band, index)
    for axes, label in ((left, "environment steps"), (right, "training time, minutes")):
        axes.set(xlabel=label, xlim=(0, None))
        axes.xaxis.set_major_formatter(in_full)
        axes.locator_params(axis="x", nbins=6)
        axes.grid(axis="y", color=FAINT, alpha=0.2, linewidth=0.6)
    curves = list(left.lines)
    for name, level in levels_of(comparison, task, thing).items():
        draw_level((left, right), name, level)
    line = comparison.lines(task, thing)[0]
    left.set(title=f"{task}: {thing}", ylabel=f"distance from the goal, {line.unit}")
    left.set_ylim(bottom=0)
    # Given with their names: Matplotlib by itself leaves out what is called `_something`.
    names = [str(curve.get_label()) for curve in curves]
    figure.legend(curves, names, loc="outside lower left", ncols=LEGEND_COLUMNS)
    return figure


def draw_band(axes: Axes, x: Float64[np.ndarray, " points"], band: Band, index: int) -> None:
    """One method's curve and its interval, against its steps or its minutes."""
    look: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)]}
    axes.fill_between(x, band.low, band.high, alpha=BAND_ALPHA, linewidth=0, **look)
    axes.plot(
        x,
        band.y,
        STROKES[index % len(STROKES)],
        marker=MARKERS[index % len(MARKERS)],
        markevery=max(1, len(x) // NUM_MARKERS),
        label=band.method,
        **look,
    )


def levels_of(comparison: Comparison, task: str, thing: str) -> dict[str, float]:
    """What nobody should be above, and what nobody is asked to be below, if it was run."""
    levels = {NOTHING: comparison.lines(task, thing)[0].do_nothing}
    oracle = comparison.oracle_level(task, thing)
    return levels if oracle is None else levels | {"oracle": oracle}


def draw_level(panels: tuple[Axes, Axes], name: str, level: float) -> None:
    """A line across both panels with its name; far above all curves, its name alone."""
    top = panels[0].get_ylim()[1]
    text = name
    if level > FAR_ABOVE * top:
        text, level = f"{name}: {level:.1f}, far above", top
    else:
        stroke = (0, (1, 2)) if name == NOTHING else (0, (6, 2))
        for axes in panels:
            axes.axhline(level, color=INK, linestyle=stroke, linewidth=1.1)
    panels[1].annotate(
        text,
        (1, level),
        (0, 2),
        ("axes fraction", "data"),
        "offset points",
        ha="right",
        va="bottom",
        color=INK,
        fontsize=8,
    )
