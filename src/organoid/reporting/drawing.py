"""How does a figure or a table get onto the page, with its rows beside it?

A `Plan` says what to draw, how and in which words; `figure` draws it in two widths and writes its twins. What can't be
drawn is words. Which figures there are, and in which order, is `html.py`'s business.

Example:
    >>> figure(Path("runs/first"), plan).twins.csv  # doctest: +SKIP
    'figures/misalignment.csv'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from organoid.reporting import figures
from organoid.reporting.rows import Rows
from organoid.reporting.tables import write_twins

if TYPE_CHECKING:
    import altair as alt
    from markupsafe import Markup

WIDE, NARROW = 512, 350  # pixels of a figure on a desk and on a phone
GLYPHS = {
    "circle": "\u25cf",
    "square": "\u25a0",
    "triangle-up": "\u25b2",
    "diamond": "\u25c6",
    "cross": "\u271a",
    "triangle-down": "\u25bc",
    "stroke": "\u2012",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """The name of a figure or table and where its rows lie, relative to the page."""

    name: str
    csv: str
    json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure as shown: two widths of SVG, or why there is nothing to draw."""

    twins: Twins
    title: str
    caption: str
    key: tuple[tuple[str, str, str], ...]  # (word, colour, glyph)
    wide: Markup | None
    narrow: Markup | None
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A figure to draw: what from, how, and in which words."""

    name: str
    title: str
    caption: str
    rows: Rows
    drawable: bool
    missing: str
    draw: Callable[..., alt.LayerChart | figures.Spec]
    marks: Sequence[figures.Mark] = ()  # named in a key, where no word stands beside each mark
    wide: int = WIDE  # pixels on a desk


def table(directory: Path, name: str, found: Rows) -> Twins:
    """Write the rows of a table beside the page and return where they lie."""
    csv_path, json_path = write_twins(directory, "tables", name, found)
    return Twins(name=name, csv=csv_path, json=json_path)


def figure(directory: Path, plan: Plan) -> Drawn:
    """Draw a figure, write its rows beside the page, and return both."""
    from markupsafe import Markup

    csv_path, json_path = write_twins(directory, "figures", plan.name, plan.rows)
    drawn = {
        size: Markup(figures.svg(plan.draw(plan.rows, width=pixels))) if plan.drawable else None
        for size, pixels in (("wide", plan.wide), ("narrow", NARROW))
    }
    return Drawn(
        twins=Twins(name=plan.name, csv=csv_path, json=json_path),
        title=plan.title,
        caption=plan.caption,
        key=tuple((mark.name, mark.colour, GLYPHS[mark.shape]) for mark in plan.marks),
        wide=drawn["wide"],
        narrow=drawn["narrow"],
        missing="" if plan.drawable else plan.missing,
    )
