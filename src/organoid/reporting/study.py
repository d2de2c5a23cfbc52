"""What does a study show besides its claims? Its curves, its tables, its limits, and a summary for the screen.

A study's `result.json` carries the rows of its figures; here they become lines with intervals and words at their ends.
Nothing is estimated here.

Example:
    >>> summary(result, report=Path("runs/predictor/report.html"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organoid.reporting.figures import BLUE, GREEN, GREY, INK, MUTED, PURPLE, VERMILLION, Mark, spread
from organoid.reporting.rows import Rows
from organoid.reporting.tables import columns
from organoid.reporting.words import Row, estimate, finite, mapping, sequence, visible

if TYPE_CHECKING:
    import altair as alt

PALETTE = (
    (BLUE, "square"),
    (VERMILLION, "circle"),
    (GREEN, "triangle-up"),
    (PURPLE, "diamond"),
    (GREY, "cross"),
    (INK, "triangle-down"),
    (MUTED, "stroke"),
)
"""How the series of a figure are drawn, in their order; further ones start again."""

HEIGHT = 240  # pixels


def marks(rows: Rows) -> tuple[Mark, ...]:
    """Return how each series of a figure is drawn, in order of first sight."""
    names = dict.fromkeys(str(row["series"]) for row in rows)
    return tuple(Mark(name, *PALETTE[place % len(PALETTE)]) for place, name in enumerate(names))


def figure_rows(figure: Row) -> Rows:
    """Return the rows of a study's figure that can be drawn, made safe to read."""
    return [
        {
            "series": visible(str(row.get("series"))),
            **{key: finite(row.get(key)) for key in ("x", "value", "low", "high")},
        }
        for row in map(mapping, sequence(figure.get("rows")))
        if finite(row.get("x")) is not None and finite(row.get("value")) is not None
    ]


def lines(rows: Rows, *, width: int, x: str, y: str) -> alt.LayerChart:
    """Draw a line per series with the interval of every point, and the series' name beside its last point.

    Args:
        rows: `figure_rows(figure)`, at least one.
        width: pixels of the whole figure.
        x: title of the horizontal axis.
        y: title of the vertical axis.
    """
    import altair as alt

    margin = min(180, width // 3)
    plot, used = width - margin - 50, marks(rows)
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=[mark.name for mark in used], range=[mark.colour for mark in used]),
        legend=None,
    )
    shape = alt.Shape(
        "series:N",
        scale=alt.Scale(domain=[mark.name for mark in used], range=[mark.shape for mark in used]),
        legend=None,
    )
    low, high = _domain(rows)
    across = alt.X("x:Q", title=x, scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=4, grid=False))
    scale = alt.Scale(domain=[low, high], nice=False, clamp=True)
    base = alt.Chart(alt.Data(values=rows)).encode(x=across, color=colour)
    up, start = (alt.Y(f"{end}:Q", title=y, scale=scale, axis=alt.Axis(tickCount=5)) for end in ("value", "low"))
    layers = [
        base.mark_rule(strokeWidth=1.2, opacity=0.6).encode(y=start, y2="high:Q"),
        base.mark_line(strokeWidth=1.6).encode(y=up),
        base.mark_point(filled=True, size=42, opacity=1).encode(y=up, shape=shape),
        _names(rows, colour, up, span=(low, high), plot=plot, margin=margin),
    ]
    return alt.LayerChart(layer=layers, width=plot, height=HEIGHT)


def _names(rows: Rows, colour: alt.Color, y: alt.Y, *, span: tuple[float, float], plot: int, margin: int) -> alt.Chart:
    """Write each series' name right of the plot, as near as may be to its last point."""
    import altair as alt

    last = {row["series"]: row for row in rows}
    low, high = span
    wanted = [(high - row["value"]) / (high - low) * HEIGHT for row in last.values()]
    places = spread(wanted, gap=14.0, top=6.0, bottom=HEIGHT - 6.0)
    named = [
        {"series": name, "value": high - place / HEIGHT * (high - low)}
        for name, place in zip(last, places, strict=True)
    ]
    text = alt.Chart(alt.Data(values=named)).mark_text(align="left", fontSize=11, limit=margin)
    return text.encode(x=alt.value(plot + 10), y=y, text="series:N", color=colour)


def _domain(rows: Rows) -> tuple[float, float]:
    """Return a domain that holds zero and every value; intervals that reach far beyond are cut at its ends."""
    values = [row["value"] for row in rows]
    least, most = min(0.0, *values), max(0.0, *values)
    reach = most - least or 1.0
    ends = [row[key] for row in rows for key in ("low", "high") if row[key] is not None]
    return max(least - reach / 2, min([least, *ends])), min(most + reach / 2, max([most, *ends])) + reach / 20


def details(claims: Sequence[Row]) -> list[dict[str, str]]:
    """Return what each claim declared: its unit, its control and its rule."""
    return [
        {key: visible(str(claim.get(key) or "not recorded")) for key in ("id", "unit", "control", "rule")}
        for claim in claims
    ]


def summary(result: Row, *, report: Path | None = None) -> str:
    """Return what `organoid study` leaves on the screen: a line or two a claim, and where the page is."""
    said = list[str]()
    for claim in map(mapping, sequence(result.get("claims"))):
        effect = estimate(claim, "effect", bounds=("ci_low", "ci_high"))
        control = estimate(claim, "control_effect", bounds=("control_ci_low", "control_ci_high"))
        verdict = f"undecided: {why}" if (why := undecided(claim)) else _WORDS[claim.get("held") is True]
        said += [
            f"{visible(str(claim.get('id')))}: {verdict}. {visible(str(claim.get('statement')))}",
            f"  effect {effect.text} ({visible(str(claim.get('unit')))}, n {claim.get('n')}); control {control.text}",
        ]
    failed = sequence(result.get("failed"))
    if failed:
        said.append(f"{len(failed)} {'task' if len(failed) == 1 else 'tasks'} failed; the report says how.")
    return "\n".join([*said, *([] if report is None else [f"Report: {report}"])])


_WORDS = {True: "held", False: "did not hold"}


def undecided(claim: Row) -> str:
    """Return why a claim was neither shown nor refuted; empty where it was."""
    return visible(str(claim.get("undecided") or ""))


def failures(result: Row) -> list[tuple[str, str]]:
    """Return the tasks that failed, with what they said."""
    return [
        (visible(str(entry.get("id"))), visible(str(entry.get("error"))))
        for entry in map(mapping, sequence(result.get("failed")))
    ]


def tables(result: Row) -> dict[str, Rows]:
    """Return the study's tables by name, as flat rows; what a row lacks of the table's columns is None in it."""
    return {
        visible(name): _aligned([_flat(mapping(row)) for row in sequence(rows)])
        for name, rows in mapping(result.get("tables")).items()
    }


def _aligned(rows: Rows) -> Rows:
    return [{column: row.get(column) for column in columns(rows)} for row in rows]


def _flat(row: Row) -> dict[str, Any]:
    return {visible(key): visible(value) if isinstance(value, str) else value for key, value in row.items()}
