"""What does each result look like?

One function per figure: plain rows (`rows.py`) in, an Altair chart out, at the pixel width asked for. Every mark has
its interval and its own words beside it; colour never stands alone (a shape and a word go with it), and the hues are
those of Okabe & Ito (2008), which the common colour blindnesses tell apart, darkened until small text in them can be
read. Values that could not be estimated are written where they would have been drawn. `svg` turns a chart into inline
SVG, offline.

Example:
    >>> svg(misalignment(rows, width=512))[:4]  # doctest: +SKIP
    '<svg'
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from organoid.reporting.rows import Arm, Quantity, Rows
from organoid.reporting.words import Estimate, Row

if TYPE_CHECKING:
    import altair as alt

Spec = dict[str, Any]
"""A chart of Vega-Lite as plain data."""

INK, MUTED, FAINT, PAPER = "#1c2126", "#5c6670", "#d9dde1", "#ffffff"
BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072b2", "#c8500a", "#00805c", "#a8557f", "#7a838c"
"""Every colour a figure may use: the page's dark theme replaces each by name, see `templates/style.css`."""

FONT = "Helvetica Neue, Arial, Liberation Sans, sans-serif"
LINE = 16  # pixels from one row of a forest to the next
PANEL = 86  # pixels of height of a panel of the timeline
ABREAST = 3  # panels of what trackers saw in one strip
TICKS = 36  # pixels left of a panel for the numbers of its axis
NARROW = 480  # pixels below which only the value, not its interval, is written beside a mark


@dataclass(frozen=True, slots=True)
class Mark:
    """How one series is drawn, the same on every figure."""

    name: str
    colour: str
    shape: str


ARMS = (
    Mark(Arm.NAIVE.value, VERMILLION, "circle"),
    Mark(Arm.SETUP.value, BLUE, "square"),
    Mark(Arm.TWIN.value, GREEN, "triangle-up"),
    Mark(Arm.DECOY.value, PURPLE, "diamond"),
)
PROBES = (
    Mark("frozen", VERMILLION, "circle"),
    Mark("refitted", BLUE, "square"),
    Mark("latents", GREEN, "triangle-up"),
    Mark("null", GREY, "cross"),
    Mark("model", INK, "diamond"),
)
SERIES = (
    Mark("technique", BLUE, "square"),
    Mark("null", GREY, "cross"),
    Mark("oracle", GREEN, "triangle-up"),
)
CLAIM = (Mark("effect", BLUE, "square"), Mark("control", GREY, "cross"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """What a forest shows: a heading per `group`, under it a line per `series`, each drawn with its mark."""

    group: str  # a column of the rows
    series: str  # a column of the rows, whose values are names of `marks`
    marks: tuple[Mark, ...]
    title: str  # of the axis
    reference: float | None = None  # where a dashed line stands
    share: bool = True  # the axis runs from 0 to 1; otherwise as far as the values do


MISALIGNMENT = Forest(group="organism", series="arm", marks=ARMS, title="misaligned rate, hidden contexts")
TECHNIQUES = Forest(group="technique", series="series", marks=SERIES, title="AUROC on other families", reference=0.5)
CLAIMS = Forest(group="claim", series="series", marks=CLAIM, title="effect", reference=0.0, share=False)


def misalignment(rows: Rows, *, width: int) -> alt.LayerChart:
    """Draw the misaligned rate in the hidden contexts per organism: naive, setup, twin and decoy.

    Args:
        rows: `rows.misalignment(result)`, at least one.
        width: pixels of the whole figure.
    """
    return _forest(rows, MISALIGNMENT, width=width)


def techniques(rows: Rows, *, width: int) -> alt.LayerChart:
    """Draw each technique's AUROC with its null and its oracle, and the line of a coin at 0.5.

    Args:
        rows: `rows.techniques(result)`, at least one.
        width: pixels of the whole figure.
    """
    return _forest(rows, TECHNIQUES, width=width)


def claims(rows: Rows, *, width: int) -> alt.LayerChart:
    """Draw each claim's effect and the effect in its control, and the line of no effect.

    Args:
        rows: one per claim and series (effect, control): claim, series, value, low, high, reason.
        width: pixels of the whole figure.
    """
    return _forest(rows, CLAIMS, width=width)


def safety_usefulness(rows: Rows, *, width: int) -> alt.LayerChart:
    """Draw where each organism moved: usefulness across, misaligned rate up, from naive to setup.

    Args:
        rows: `rows.safety_usefulness(result)` with at least one drawable organism.
        width: pixels of the whole figure; names stand in a column on the right.
    """
    import altair as alt

    height, margin = 300, min(190, width // 3)
    ends = [row for row in rows if row["value"] is not None and row["usefulness"] is not None]
    plot = width - margin - 46
    least = min(row[key] for row in ends for key in ("usefulness", "usefulness_low") if row[key] is not None)
    domain = [min(0.8, math.floor(least * 5) / 5), 1]
    x = alt.X("usefulness:Q", title="usefulness", scale=alt.Scale(domain=domain), axis=_axis(plot))
    y = alt.Y("value:Q", title="misaligned rate, hidden contexts", scale=alt.Scale(domain=[0, 1]), axis=_axis(height))
    base = alt.Chart(alt.Data(values=ends)).encode(x=x, y=y)
    path = base.mark_line(color=GREY, strokeWidth=1).encode(detail=alt.Detail("organism:N"), order=alt.Order("arm:N"))
    up = base.mark_rule(strokeWidth=1, opacity=0.6).encode(
        y=alt.Y("low:Q"), y2=alt.Y2("high:Q"), color=_colour("arm", ARMS)
    )
    across = base.mark_rule(strokeWidth=1, opacity=0.6).encode(
        x=alt.X("usefulness_low:Q"), x2=alt.X2("usefulness_high:Q"), color=_colour("arm", ARMS)
    )
    points = base.mark_point(filled=True, size=58, opacity=1).encode(
        color=_colour("arm", ARMS), shape=_shape("arm", ARMS)
    )
    layers = [path, up, across, points, *_names_beside(ends, height=height, plot=plot, margin=margin)]
    return alt.LayerChart(layer=layers, width=plot, height=height)


def timeline(rows: Rows, *, width: int) -> Spec:
    """Draw the training traces, one row of panels per organism: a line is the mean over seeds, a band their range.

    Args:
        rows: `rows.timeline(result)`, at least one.
        width: pixels of the whole figure.
    """
    shown = [quantity.value for quantity in Quantity if any(row["quantity"] == quantity for row in rows)]
    panel = max(50, (width - 8) // len(shown) - TICKS)
    organisms = list(dict.fromkeys(row["organism"] for row in rows))
    traces = {(organism, title): _trace(rows, organism, title) for organism in organisms for title in shown}
    strips = [
        _strip(
            organism,
            [_panel(traces[organism, title], f"{row}/{title}", width=panel) for title in shown],
            width=width - 30,
        )
        for row, organism in enumerate(organisms)
    ]
    datasets = {f"{organisms.index(organism)}/{title}": values for (organism, title), values in traces.items()}
    return {"vconcat": strips, "spacing": 6, "datasets": datasets}


def tracked(rows: Rows, *, width: int) -> Spec:
    """Draw what trackers saw along training, up to three panels abreast under each organism's name, as in `timeline`.

    Args:
        rows: `tracked.tracked(result)`, at least one.
        width: pixels of the whole figure.
    """
    organisms, panel = list(dict.fromkeys(row["organism"] for row in rows)), (width - 8) // ABREAST - TICKS
    strips, datasets = list[Any](), dict[str, Rows]()
    for place, organism in enumerate(organisms):
        shown = list(dict.fromkeys(row["quantity"] for row in rows if row["organism"] == organism))
        for start in range(0, len(shown), ABREAST):
            titles = shown[start : start + ABREAST]
            datasets |= {f"{place}/{title}": _trace(rows, organism, title) for title in titles}
            panels = [
                _panel(datasets[f"{place}/{title}"], f"{place}/{title}", width=panel, marks=PROBES) for title in titles
            ]
            strips.append(_strip("" if start else organism, panels, width=width))
    return {"vconcat": strips, "spacing": 6, "datasets": datasets}


def _strip(title: str, panels: Sequence[alt.LayerChart], *, width: int) -> Spec:
    """Set panels beside each other, as plain data: concatenated charts copy all they consist of, level by level."""
    named = {"text": title, "anchor": "start", "color": INK, "fontSize": 12, "fontWeight": 600, "limit": width}
    drawn = [panel.to_dict(validate=False) for panel in panels]
    return {"hconcat": drawn, "spacing": TICKS, "bounds": "flush", "title": named}


def _trace(rows: Rows, organism: str, quantity: str) -> Rows:
    """Return one panel's points: only what is drawn, since every layer of a chart is copied with its data."""
    drawn = ("arm", "step", "value", "low", "high")
    return [
        {key: row[key] for key in drawn} for row in rows if (row["organism"], row["quantity"]) == (organism, quantity)
    ]


def _panel(values: Rows, name: str, *, width: int, marks: Sequence[Mark] = ARMS) -> alt.LayerChart:
    """Draw the points of one panel, which the whole figure holds as the dataset `name`, or say there are none.

    Lines are named at their ends where the marks are those of arms; others are named in the figure's key.
    """
    import altair as alt

    quantity = name.partition("/")[2]
    title = alt.TitleParams(quantity, anchor="start", color=MUTED, fontSize=11, fontWeight="normal", limit=width + 30)
    if not values:
        none = alt.Chart(alt.Data(values=[{"words": "none"}])).mark_text(color=MUTED, fontStyle="italic", align="left")
        return alt.LayerChart(
            layer=[none.encode(x=alt.value(0), text=alt.Text("words:N"))], width=width, height=PANEL, title=title
        )
    x = alt.X("step:Q", title="step", axis=alt.Axis(tickCount=3, grid=False, format="d"))
    least, most = min(row["low"] for row in values), max(row["high"] for row in values)
    room = (most - least or 1.0) / 4  # for the words above and below the lines' ends
    scale = alt.Scale(domain=[least - room, most + room], zero=False, nice=False)
    y = alt.Y("low:Q", title=None, scale=scale, axis=alt.Axis(tickCount=3))
    colour = _colour("arm", marks)
    base = alt.Chart(alt.NamedData(name)).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.18, strokeWidth=0).encode(y=y, y2=alt.Y2("high:Q"))
    line = base.mark_line(strokeWidth=1.6).encode(y=alt.Y("value:Q"))
    last = sorted({row["arm"]: row for row in values}.values(), key=lambda row: row["value"]) if marks == ARMS else []
    named = [
        alt.Chart(alt.Data(values=[row]))
        .mark_text(align="right", dy=-8 if row is last[-1] else 11, fontSize=10.5)
        .encode(x=x, y=alt.Y("value:Q"), text=alt.Text("arm:N"), color=colour)
        for row in last
    ]
    points = [base.mark_point(filled=True, size=26, opacity=1).encode(y=alt.Y("value:Q"), shape=_shape("arm", marks))]
    drawn = [band, line, *(named if marks == ARMS else points)]
    return alt.LayerChart(layer=drawn, width=width, height=PANEL, title=title)


def _forest(rows: Rows, forest: Forest, *, width: int) -> alt.LayerChart:
    """Draw a forest: mark and interval of every line, and its words at the right."""
    import altair as alt

    used = [mark for mark in forest.marks if any(row[forest.series] == mark.name for row in rows)]
    margin = 104 if width < NARROW else 190
    plot = width - margin - 20
    lines, height = _place(rows, forest, used, wide=width >= NARROW)
    y = alt.Y("line:Q", axis=None, scale=alt.Scale(domain=[0, height], range=[0, height], nice=False, zero=True))
    span = (0.0, 1.0) if forest.share else _span(rows)
    scale = alt.Scale(domain=list(span), nice=False, clamp=True)
    x, low = (alt.X(f"{end}:Q", title=forest.title, scale=scale, axis=_axis(plot)) for end in ("value", "low"))
    base = alt.Chart(alt.Data(values=[line for line in lines if line["kind"] == "series"])).encode(y=y)
    colour, shape = _colour("series", used), _shape("series", used)
    layers: list[Any] = [
        base.mark_rule(strokeWidth=1.6).encode(x=low, x2=alt.X2("high:Q"), color=colour),
        base.mark_point(filled=True, size=52, opacity=1).encode(x=x, color=colour, shape=shape),
        base.mark_text(align="left", fontSize=11).encode(
            x=alt.value(plot + 14), text=alt.Text("words:N"), color=colour
        ),
        base.mark_text(align="left", fontSize=11, fontStyle="italic", color=MUTED, limit=plot).encode(
            x=alt.value(2), text=alt.Text("missing:N")
        ),
        alt.Chart(alt.Data(values=[line for line in lines if line["kind"] == "group"]))
        .mark_text(align="left", fontSize=12, fontWeight=600, color=INK, limit=width - 8)
        .encode(y=y, x=alt.value(0), text=alt.Text("words:N")),
    ]
    if forest.reference is not None:
        layers.insert(0, _reference(forest.reference, x))
    return alt.LayerChart(layer=layers, width=plot, height=height)


def _place(rows: Rows, forest: Forest, used: Sequence[Mark], *, wide: bool) -> tuple[list[dict[str, Any]], int]:
    """Give each heading and series of a forest its own line, in pixels from the top; return them and the height."""
    lines: list[dict[str, Any]] = []
    at = 0.0
    for name in dict.fromkeys(row[forest.group] for row in rows):
        at += LINE
        lines.append({"kind": "group", "line": at, "words": name})
        for mark in used:
            for row in rows:
                if row[forest.group] == name and row[forest.series] == mark.name:
                    at += LINE
                    lines.append(
                        {"kind": "series", "line": at, "series": mark.name, **_drawn(row, mark.name, wide=wide)}
                    )
        at += LINE / 2
    return lines, round(at + LINE / 2)


def _drawn(row: Row, name: str, *, wide: bool) -> dict[str, Any]:
    found = Estimate(value=row["value"], low=row["low"], high=row["high"], reason=row["reason"])
    words = f"{name} {found.text if wide else found.number}" if found.known else name
    missing = "" if found.known else found.text
    return {"value": found.value, "low": found.low, "high": found.high, "words": words, "missing": missing}


def _reference(value: float, x: alt.X) -> alt.Chart:
    import altair as alt

    rule = alt.Chart(alt.Data(values=[{"value": value}])).mark_rule(strokeDash=[3, 3], color=MUTED, strokeWidth=1)
    return rule.encode(x=x)


def _span(rows: Rows) -> tuple[float, float]:
    """Return a domain that holds zero, every value and every interval, with a twentieth of room on each side."""
    seen = [0.0, *(row[key] for row in rows for key in ("value", "low", "high") if row[key] is not None)]
    low, high = min(seen), max(seen)
    room = (high - low or 1.0) / 20
    return low - room, high + room


def _names_beside(ends: Rows, *, height: int, plot: int, margin: int) -> list[alt.Chart]:
    """Write each organism's name in a column right of the plot, spread apart, with a thin line from its last point."""
    import altair as alt

    last = {row["organism"]: row for row in ends}
    wanted = [(1 - min(1.0, max(0.0, row["value"]))) * height for row in last.values()]
    places = spread(wanted, gap=14.0, top=6.0, bottom=height - 6.0)
    named = [
        {"name": name, "usefulness": row["usefulness"], "value": row["value"], "beside": 1 - place / height}
        for (name, row), place in zip(last.items(), places, strict=True)
    ]
    base = alt.Chart(alt.Data(values=named))
    leader = base.mark_rule(color=FAINT, strokeWidth=1).encode(
        x=alt.X("usefulness:Q"), y=alt.Y("value:Q"), x2=alt.value(plot + 8), y2=alt.Y2("beside:Q")
    )
    text = base.mark_text(align="left", fontSize=11, color=INK, limit=margin - 14).encode(
        x=alt.value(plot + 12), y=alt.Y("beside:Q"), text=alt.Text("name:N")
    )
    return [leader, text]


def spread(wanted: Sequence[float], *, gap: float, top: float, bottom: float) -> list[float]:
    """Move labels as little as needed so that neighbours are `gap` apart, in their order.

    Args:
        wanted: where each label would like to be, pixels.
        gap: least distance of two labels, pixels.
        top: smallest place allowed.
        bottom: largest place wanted; passed when there are more labels than fit.

    Returns:
        One place per label, in the order given.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [0.0] * len(wanted)
    at = top - gap
    for index in order:
        at = places[index] = max(wanted[index], at + gap)
    ceiling = max(bottom, top + gap * (len(wanted) - 1))
    for index in reversed(order):
        ceiling = places[index] = min(places[index], ceiling)
        ceiling -= gap
    return places


def _axis(pixels: int) -> alt.Axis:
    import altair as alt

    return alt.Axis(tickCount=5 if pixels >= 200 else 3)


def _colour(field: str, marks: Sequence[Mark]) -> alt.Color:
    import altair as alt

    scale = alt.Scale(domain=[mark.name for mark in marks], range=[mark.colour for mark in marks])
    return alt.Color(f"{field}:N", scale=scale, legend=None)


def _shape(field: str, marks: Sequence[Mark]) -> alt.Shape:
    import altair as alt

    scale = alt.Scale(domain=[mark.name for mark in marks], range=[mark.shape for mark in marks])
    return alt.Shape(f"{field}:N", scale=scale, legend=None)


CONFIG = {
    "font": FONT,
    "background": "transparent",
    "aria": False,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "labelFontSize": 10.5,
        "gridColor": FAINT,
        "domainColor": FAINT,
        "tickColor": FAINT,
    },
}


def prepare() -> None:
    """Load what drawing needs, which takes 1.5 s once a process."""
    svg({"data": {"values": []}, "mark": "point"})


def svg(chart: alt.LayerChart | Spec) -> str:
    """Draw a chart, which a function of this module returned, as inline SVG.

    Returns:
        One `<svg>` element: no script, link, font file or id (ids of two figures on one page would clash); decorative
        to a screen reader, which reads the table.
    """
    import altair as alt
    import vl_convert

    drawn = chart if isinstance(chart, dict) else chart.to_dict(validate=False)
    spec = {**drawn, "config": CONFIG}
    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    found = vl_convert.vegalite_to_svg(spec, vl_version=version, allowed_base_urls=[])
    return found.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
