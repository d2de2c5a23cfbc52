"""What happened in a shop, day by day, at a glance?

Draws the episodes that a trial or `organoid play` kept (`world/business/episodes.py` says what they hold): money, stock
and acts, one above the other on the same days. Cash and true net worth are lines; a report is a point, joined to the
true line where it departs from it; each kind of act has a lane, each act a row in it; a day whose program did not parse
is struck through. Nothing is estimated here.

Example:
    >>> shown(Path("runs/first"), chosen(result))  # doctest: +SKIP
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from organoid.reporting.drawing import Drawn, Plan, figure
from organoid.reporting.figures import BLUE, FAINT, GREEN, GREY, INK, MUTED, PURPLE, VERMILLION, Mark, Spec, spread
from organoid.reporting.rows import Rows, arm_of, trials
from organoid.reporting.words import Row, finite, mapping, sequence, visible
from organoid.types import Outcome
from organoid.world.business.acts import KIND_OF, Kind

if TYPE_CHECKING:
    import altair as alt

MAX_SHOWN = 8
MAX_DAYS = 400  # in the table under a figure; the twins hold all
WIDE = 1040  # pixels on a desk
MONEY, STOCK = 170, 44  # pixels of height of the panels of money and stock
LANE, GAP = 15, 5  # pixels from one line of the acts to the next, and more before a heading
NARROW = 480

LOST = "days lost"
LANES: Mapping[str, Mark] = {
    Kind.RESOURCES: Mark("resources", GREEN, "triangle-up"),
    Kind.SELF_PRESERVATION: Mark("self-preservation", BLUE, "square"),
    Kind.INFLUENCE: Mark("influence", PURPLE, "diamond"),
    Kind.PERMISSIONS: Mark("permissions", GREY, "circle"),
    Kind.LEDGER_DECEPTION: Mark("ledger deception", VERMILLION, "cross"),
    Kind.AUDIT_AVOIDANCE: Mark("audit avoidance", INK, "triangle-down"),
    "other": Mark("other acts", MUTED, "circle"),
    LOST: Mark(LOST, MUTED, "cross"),
}
"""The lanes of acts from top to bottom; words and a shape say what the colour says."""

_LANE_OF = {act.name.lower(): kind for act, kind in KIND_OF.items()}

HOW_TO_READ = (
    "Money and stock as they stand in the evening. A diamond is a report: what the shop would be worth if all its "
    "reports so far were true, joined to what it was worth where they were not. Acts are counted by the simulator's "
    "log, whether or not they had an effect. A dashed day is one whose program did not parse, so that nothing was done."
)


class Shown(NamedTuple):
    """An episode as the page has it: its figure, who looked, and its days in words."""

    figure: Drawn
    context: str
    days: Rows
    num_days: int


def number(result: Row) -> int:
    """Return how many episodes the trials of a run kept."""
    return sum(len(sequence(trial.get("episodes"))) for trial in trials(result))


def chosen(result: Row) -> list[Row]:
    """Return the episodes to show: of each organism and arm the one with most misaligned days, the first of equals."""
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for trial in trials(result):
        for episode in map(mapping, sequence(trial.get("episodes"))):
            said = (str(trial.get(key)) for key in ("organism", "variant", "setup"))
            name = ", ".join([*said, f"seed {trial.get('seed')}", str(episode.get("title"))])
            found[str(trial.get("organism")), arm_of(trial).value].append({**episode, "title": name})
    return [max(told, key=_num_misaligned) for told in found.values()][:MAX_SHOWN]


def _num_misaligned(episode: Row) -> int:
    return sum(mapping(day).get("outcome") == Outcome.MISALIGNED for day in sequence(episode.get("days")))


def shown(directory: Path, told: Iterable[Row]) -> list[Shown]:
    """Draw episodes, write their rows beside the page and return both."""
    return [_shown(directory, episode, place) for place, episode in enumerate(told, start=1)]


def _shown(directory: Path, episode: Row, place: int) -> Shown:
    rows = episode_rows(episode)
    plan = Plan(
        name=f"episode_{place}",
        title=visible(str(episode.get("title") or f"episode {place}")),
        caption="",
        rows=rows,
        drawable=bool(rows),
        missing="no day was kept",
        draw=timeline,
        wide=WIDE,
    )
    context = visible(str(episode.get("context") or "not recorded"))
    return Shown(figure=figure(directory, plan), context=context, days=rows[:MAX_DAYS], num_days=len(rows))


def episode_rows(episode: Row) -> Rows:
    """Return a flat row per day of an episode, made safe to read; acts are words with commas between."""
    return [
        {
            **{key: finite(day.get(key)) for key in ("day", "cash", "net_worth", "reported", "stock")},
            "acts": ", ".join(visible(str(act)) for act in sequence(day.get("acts"))),
            **{key: visible(str(day.get(key) or "")) for key in ("outcome", "line", "program")},
        }
        for day in map(mapping, sequence(episode.get("days")))
        if finite(day.get("day")) is not None
    ]


def timeline(rows: Rows, *, width: int) -> Spec:
    """Draw an episode: money, stock and acts over the same days.

    Args:
        rows: `episode_rows(episode)`, at least one.
        width: pixels of the whole figure.
    """
    margin = 112 if width < NARROW else 164
    plot = width - margin - 52
    panels = [_money(rows, plot, margin), _stock(rows, plot, margin), _acts(rows, plot, margin)]
    drawn = [dict.fromkeys(("line", "program", "acts"), "") | row for row in rows]
    kept = ("day", "cash", "net_worth", "reported", "stock")
    datasets = {
        "days": [{key: row[key] for key in kept} for row in drawn],
        "reports": [{key: row[key] for key in kept} for row in drawn if row["reported"] is not None],
        "lost": [{"day": row["day"]} for row in drawn if row["outcome"] == Outcome.OTHER],
    }
    drawn_panels = [panel.to_dict(validate=False) for panel in panels]
    return {"vconcat": drawn_panels, "spacing": 10, "bounds": "flush", "datasets": datasets}


def _across(rows: Rows, *, last: bool = False) -> alt.X:
    """Return the days' axis, written under the last panel only."""
    import altair as alt

    days = [row["day"] for row in rows]
    scale = alt.Scale(domain=[min(days) - 0.5, max(days) + 0.5], nice=False, zero=False)
    if not last:
        return alt.X(
            "day:Q", scale=scale, axis=alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)
        )
    return alt.X("day:Q", scale=scale, title="day", axis=alt.Axis(tickMinStep=1, tickCount=8, grid=False, format="d"))


def _struck(rows: Rows, *, last: bool = False) -> alt.Chart:
    """Strike through the days whose program did not parse."""
    import altair as alt

    rule = alt.Chart(alt.NamedData("lost")).mark_rule(color=MUTED, strokeDash=[2, 3], strokeWidth=1, opacity=0.7)
    return rule.encode(x=_across(rows, last=last))


def _money(rows: Rows, plot: int, margin: int) -> alt.LayerChart:
    import altair as alt

    values = [row[key] for row in rows for key in ("cash", "net_worth", "reported") if row[key] is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = (high - low or 1.0) / 12
    scale = alt.Scale(domain=[low - room, high + room], nice=False, zero=False)
    x, axis = _across(rows), alt.Axis(tickCount=4, format="~s", titleFontSize=11)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", scale=scale, title="dollars", axis=axis)

    days, reports = alt.Chart(alt.NamedData("days")).encode(x=x), alt.Chart(alt.NamedData("reports")).encode(x=x)
    layers: list[Any] = [
        _struck(rows),
        days.mark_line(color=BLUE, strokeWidth=1.4, strokeDash=[5, 2]).encode(y=y("cash")),
        days.mark_line(color=GREEN, strokeWidth=2).encode(y=y("net_worth")),
        reports.mark_rule(color=VERMILLION, strokeWidth=1.4).encode(y=y("net_worth"), y2=alt.Y2("reported:Q")),
        reports.mark_point(color=VERMILLION, filled=True, size=56, shape="diamond", opacity=1).encode(y=y("reported")),
        *_ends(rows, (low - room, high + room), plot=plot, margin=margin),
    ]
    return alt.LayerChart(layer=layers, width=plot, height=MONEY)


def _ends(rows: Rows, span: tuple[float, float], *, plot: int, margin: int) -> list[alt.Chart]:
    """Name each line beside its last point, with its value there."""
    import altair as alt

    found = list[tuple[str, str, float]]()
    for key, word, colour in (
        ("net_worth", "net worth", GREEN),
        ("reported", "reported", VERMILLION),
        ("cash", "cash", BLUE),
    ):
        known = [row[key] for row in rows if row[key] is not None]
        if known:
            found.append((f"{word} {known[-1]:,.0f}", colour, known[-1]))
    low, high = span
    wanted = [(high - value) / (high - low) * MONEY for _, _, value in found]
    places = spread(wanted, gap=14.0, top=6.0, bottom=MONEY - 6.0)
    return [
        alt.Chart(alt.Data(values=[{"words": words}]))
        .mark_text(align="left", fontSize=11, color=colour, limit=margin - 10)
        .encode(x=alt.value(plot + 8), y=alt.value(place), text=alt.Text("words:N"))
        for (words, colour, _), place in zip(found, places, strict=True)
    ]


def _stock(rows: Rows, plot: int, margin: int) -> alt.LayerChart:
    import altair as alt

    known = [row["stock"] for row in rows if row["stock"] is not None]
    scale = alt.Scale(domain=[0, max([1.0, *known])], nice=False)
    y = alt.Y("stock:Q", scale=scale, title=None, axis=alt.Axis(tickCount=2, format="d"))
    area = alt.Chart(alt.NamedData("days")).mark_area(color=GREY, opacity=0.45, interpolate="step")
    words = f"stock {known[-1]:,.0f} units" if known else "stock not recorded"
    named = alt.Chart(alt.Data(values=[{"words": words}])).mark_text(
        align="left", fontSize=11, color=GREY, limit=margin - 10
    )
    text = named.encode(x=alt.value(plot + 8), y=alt.value(STOCK / 2), text=alt.Text("words:N"))
    return alt.LayerChart(layer=[_struck(rows), area.encode(x=_across(rows), y=y), text], width=plot, height=STOCK)


class _Lanes(NamedTuple):
    """Where the acts of an episode are drawn, in pixels from the top."""

    marks: Rows  # day, line, lane
    words: Rows  # what stands at the right of each row: line, words, lane
    headings: Rows  # line, words
    height: int


def _acts(rows: Rows, plot: int, margin: int) -> alt.LayerChart:
    import altair as alt

    lanes = _placed(rows)
    used = [mark for mark in LANES.values() if any(row["lane"] == mark.name for row in lanes.words)]
    names = [mark.name for mark in used]
    colour = alt.Color("lane:N", scale=alt.Scale(domain=names, range=[mark.colour for mark in used]), legend=None)
    shape = alt.Shape("lane:N", scale=alt.Scale(domain=names, range=[mark.shape for mark in used]), legend=None)
    scale = alt.Scale(domain=[0, lanes.height], range=[0, lanes.height], nice=False, zero=True)
    y, x = alt.Y("line:Q", axis=None, scale=scale), _across(rows, last=True)
    size = 46 if plot / len(rows) > 6 else 16
    heading = alt.Chart(alt.Data(values=lanes.headings)).mark_text(
        align="left", fontSize=11, fontWeight=600, color=INK, limit=plot
    )
    done = [row for row in lanes.marks if row["lane"] != LOST]
    lost = [row for row in lanes.marks if row["lane"] == LOST]
    marks = alt.Chart(alt.Data(values=done)).mark_point(filled=True, size=size, opacity=1)
    crosses = alt.Chart(alt.Data(values=lost)).mark_text(text="\u00d7", fontSize=14, color=MUTED)
    words = alt.Chart(alt.Data(values=lanes.words)).mark_text(align="left", fontSize=11, limit=margin - 10)
    lines = alt.Chart(alt.Data(values=lanes.words)).mark_rule(color=FAINT, strokeWidth=1)
    layers: list[Any] = [
        lines.encode(y=y, x=alt.value(0), x2=alt.value(plot)),
        _struck(rows, last=True),
        heading.encode(y=y, x=alt.value(0), text=alt.Text("words:N")),
        marks.encode(x=x, y=y, color=colour, shape=shape),
        crosses.encode(x=x, y=y),
        words.encode(y=y, x=alt.value(plot + 8), text=alt.Text("words:N"), color=colour),
    ]
    return alt.LayerChart(layer=layers, width=plot, height=lanes.height)


def _placed(rows: Rows) -> _Lanes:
    """Give each kind of act that occurs a lane with a heading, and each of its acts a row, with its number of days."""
    days: dict[str, dict[str, list[float]]] = {key: defaultdict(list) for key in LANES}
    for row in rows:
        for act in filter(None, row["acts"].split(", ")):
            days[_LANE_OF.get(act, "other")][act.replace("_", " ")].append(row["day"])
        if row["outcome"] == Outcome.OTHER:
            days[LOST]["did not parse"].append(row["day"])
    at, lanes = 0.0, _Lanes([], [], [], 0)
    for key, mark in LANES.items():
        if not days[key]:
            continue
        at += LANE + GAP
        lanes.headings.append({"line": at, "words": mark.name})
        for act, when in days[key].items():
            at += LANE
            lanes.words.append({"line": at, "words": _counted(act, when), "lane": mark.name})
            lanes.marks.extend({"day": day, "line": at, "lane": mark.name} for day in when)
    if not lanes.headings:
        at += LANE
        lanes.headings.append({"line": at, "words": "nothing but trade"})
    return lanes._replace(height=round(at + LANE))


def _counted(act: str, when: Sequence[float]) -> str:
    return f"{act}, {len(when)} {'day' if len(when) == 1 else 'days'}"
