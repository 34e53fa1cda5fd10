"""A report's curves as SVG, the same bytes for the same report: no date, no random ids, text as text."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, Any

from services.command.outcomes.report import Curve, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STYLE: Any = {
    "text.parse_math": False,
    "svg.hashsalt": "lead-exchange",
    # Letters stay letters: they can be read aloud, searched and copied.
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
# Told apart by people who see colours differently, and on grey paper (Okabe and Ito).
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# Inches.
_WIDTH, _HEAD, _PLOT, _FOOT = 9.0, 0.9, 3.6, 0.7
_CAPTION_POINTS, _SPACING = 8, 1.35
_LINE = 125
_HALF_YEAR = 182.625
_NO_CURVE = "No curve may be shown: too few people."
_CAPTION = ("Definition", "Population", "Window", "Clock", "As of", "Observed until", "Snapshot", "Suppression")


def svg(report: Report) -> bytes:
    """Return the drawing."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    below = caption(report)
    foot = _FOOT + (below.count("\n") + 1) * _CAPTION_POINTS * _SPACING / 72
    height = _HEAD + _PLOT + foot
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height))
        FigureCanvasSVG(figure)
        _draw(figure.add_axes((0.09, foot / height, 0.66, _PLOT / height)), report)
        title = "\n".join(textwrap.wrap(report.title, 80))
        figure.text(0.02, 1 - 0.15 / height, title, fontsize=13, fontweight="bold", va="top")
        figure.text(0.02, 0.1 / height, below, fontsize=_CAPTION_POINTS, va="bottom", linespacing=_SPACING)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "leadx", "Title": report.title})
    return out.getvalue()


def caption(report: Report) -> str:
    """Return what the curves were counted by, and the sentences that have to be read with them."""
    facts = [f"{name}: {value}" for name in _CAPTION if (value := report.fact(name))]
    lines = [line for text in (*facts, *report.notes) for line in textwrap.wrap(text, _LINE)]
    return "\n".join(lines)


def _draw(axes: Axes, report: Report) -> None:
    axes.set_xlabel("Days since the start")
    axes.set_ylabel("Risk so far")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value * 100:.0f}%")
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    if not report.curves:
        axes.text(0.5, 0.5, _NO_CURVE, ha="center", va="center", transform=axes.transAxes)
        axes.set_ylim(0, 1)
        return
    for place, curve in enumerate(report.curves):
        _curve(axes, curve, _COLORS[place % len(_COLORS)])
    last = max(point.days for curve in report.curves for point in curve.points)
    axes.set_xlim(0, last * 1.02)
    axes.set_xticks([round(_HALF_YEAR * step) for step in range(int(last // _HALF_YEAR) + 2)])
    axes.set_ylim(bottom=0)
    _labels(axes, report)


def _curve(axes: Axes, curve: Curve, color: str) -> None:
    days = [0.0, *(point.days for point in curve.points)]
    axes.step(days, [0.0, *(point.risk for point in curve.points)], where="post", color=color, linewidth=2)
    low = [0.0, *(point.risk if point.low is None else point.low for point in curve.points)]
    high = [0.0, *(point.risk if point.high is None else point.high for point in curve.points)]
    axes.fill_between(days, low, high, step="post", color=color, alpha=0.15, linewidth=0)


def _labels(axes: Axes, report: Report) -> None:
    """Write each curve's name at its end, moved apart where ends lie close."""
    top = axes.get_ylim()[1]
    ends = sorted((curve.points[-1].risk, place) for place, curve in enumerate(report.curves))
    lowest = 0.0
    for risk, place in ends:
        height = max(risk, lowest)
        lowest = height + top * 0.11
        curve = report.curves[place]
        name = "\n".join(textwrap.wrap(curve.title, 22))
        axes.annotate(
            f"{name}\n{risk * 100:.1f}%",
            (1.01, height / top),
            xycoords="axes fraction",
            color=_COLORS[place % len(_COLORS)],
            fontsize=9,
            va="center",
            annotation_clip=False,
        )
