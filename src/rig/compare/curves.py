"""Learning curves of methods, against environment steps and against training time.

Methods differ in colour, line style and marker, so that the plots can be read in grey and by
colour-blind people.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rig.compare.comparison import Comparison, LearningCurve
from rig.report.plots import COLOURS, STROKES, STYLE, in_full
from rig.runs.atomic_files import complete_file


MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""With the colours and the line styles, the first 252 methods all look different."""
INK, FAINT = "#1f2328", "#59636e"
WIDTH_IN, HEIGHT_IN = 9.6, 3.6
LEGEND_ROW_IN = 0.24
LEGEND_COLUMNS = 3
INTERVAL_ALPHA = 0.14
DOTS_PER_INCH = 100
NUM_MARKERS = 8
NO_OP = "no-op policy"
FAR_ABOVE = 2.0
"""A level above this many times the height of the curves would flatten them."""
CURVE_STYLE: dict[str, Any] = {
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.titlesize": 10,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
}


def save_curves(path: Path, comparison: Comparison, task: str, name: str) -> None:
    """Draw the curve of every method on one task, and write the plot as PNG."""
    with style.context([STYLE, CURVE_STYLE]):
        figure = draw_curves(comparison, task, name)
        with complete_file(path) as partial:
            figure.savefig(partial, dpi=DOTS_PER_INCH)


def draw_curves(comparison: Comparison, task: str, name: str) -> Figure:
    """Draw two panels with one vertical axis: against steps, and against minutes."""
    curves = comparison.curves(task, name)
    num_rows = -(-len(curves) // LEGEND_COLUMNS)
    size = (WIDTH_IN, HEIGHT_IN + LEGEND_ROW_IN * num_rows)
    figure = Figure(figsize=size, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for curve in curves:
        index = comparison.methods.index(curve.method)
        draw_curve(left, curve.steps, curve, index)
        draw_curve(right, curve.minutes, curve, index)
    for axes, label in ((left, "environment steps"), (right, "training time, minutes")):
        axes.set(xlabel=label, xlim=(0, None))
        axes.xaxis.set_major_formatter(in_full)
        axes.locator_params(axis="x", nbins=6)
        axes.grid(axis="y", color=FAINT, alpha=0.2, linewidth=0.6)
    lines = list(left.lines)
    for label, level in levels_of(comparison, task, name).items():
        draw_level((left, right), label, level)
    unit = comparison.scores(task, name)[0].unit
    left.set(title=f"{task}: {name}", ylabel=f"distance from the goal, {unit}")
    left.set_ylim(bottom=0)
    # Labels are given: by itself Matplotlib leaves out names that begin with an underscore.
    labels = [curve.method for curve in curves]
    figure.legend(lines, labels, loc="outside lower left", ncols=LEGEND_COLUMNS)
    return figure


def draw_curve(
    axes: Axes, x: Float64[np.ndarray, " points"], curve: LearningCurve, index: int
) -> None:
    """Draw one method's curve and its interval against its steps or its minutes."""
    colour: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)]}
    axes.fill_between(x, curve.low, curve.high, alpha=INTERVAL_ALPHA, linewidth=0, **colour)
    axes.plot(
        x,
        curve.y,
        STROKES[index % len(STROKES)],
        marker=MARKERS[index % len(MARKERS)],
        markevery=max(1, len(x) // NUM_MARKERS),
        label=curve.method,
        **colour,
    )


def levels_of(comparison: Comparison, task: str, name: str) -> dict[str, float]:
    """Return the distances of the no-op policy and, if it was run, of the oracle."""
    levels = {NO_OP: comparison.scores(task, name)[0].do_nothing}
    oracle = comparison.oracle_level(task, name)
    return levels if oracle is None else levels | {"oracle": oracle}


def draw_level(panels: tuple[Axes, Axes], name: str, level: float) -> None:
    """Draw a line across both panels with its name; far above all curves, the name alone."""
    top = panels[0].get_ylim()[1]
    text = name
    if level > FAR_ABOVE * top:
        text, level = f"{name}: {level:.1f}, far above", top
    else:
        stroke = (0, (1, 2)) if name == NO_OP else (0, (6, 2))
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
