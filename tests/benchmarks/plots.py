"""The growth plots as SVG files, the same bytes for the same figures."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.benchmarks.growth import Plot

# Legible on a light page and a dark one, and for most colour-blind readers.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_INK = "#7a7a7a"


def draw(plot: Plot, file: Path) -> None:
    """One plot: the points measured, and the line fitted through them."""
    with mpl.rc_context({"svg.hashsalt": plot.name, "font.size": 9, "axes.edgecolor": _INK, "text.color": _INK}):
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for line, colour in zip(plot.lines, _COLOURS, strict=False):
            axes.plot(line.x, line.y, "o", color=colour, markersize=4, label=line.label)
            axes.plot(line.x, [line.start + line.slope * x for x in line.x], "-", color=colour, linewidth=1)
        axes.set_xlabel(f"{plot.title.lower()} ({plot.unit})", color=_INK)
        axes.set_ylabel("added µs a request", color=_INK)
        axes.tick_params(colors=_INK)
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, labelcolor=_INK)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
