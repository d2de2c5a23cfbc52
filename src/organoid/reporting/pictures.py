"""What does a probe see, word by word?

The picture that an examination kept, or the first seed's trial of a test, as the page shows it: the transcripts in
which the probe fires most, each word on a background as strong as its score, and one transcript after every block as a
heat map. Words are text from a model: they go through the autoescaped template, and into the figure as data. Vermillion
leans to bad replies and blue to good ones; the strongest are underlined as well, so that colour never stands alone.

Example:
    >>> words({"tokens": ["i", "hide"], "scores": [0.1, 9.0]}, most=9.0)[1].shade  # doctest: +SKIP
    'p4'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organoid.reporting.drawing import Drawn, Plan, Twins, figure, table
from organoid.reporting.figures import BLUE, INK, VERMILLION
from organoid.reporting.rows import Rows
from organoid.reporting.views import whole
from organoid.reporting.words import Row, decimal, finite, mapping, sequence, visible

if TYPE_CHECKING:
    import altair as alt

SHADES = 4
CELL = 15  # pixels of height of a block's row
ROOM = 70  # pixels under the map for the words
MAX_TOKENS = 400
WIDE = 1060  # pixels of a map on a desk
MAX_SUBJECTS, MAX_PASSAGES = 8, 4
"""Of a test's subjects and their transcripts, shown; the twins hold all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One token as shown."""

    text: str
    score: str
    shade: str  # p1 to p4 leans to bad, n1 to n4 to good, none where it is faint
    in_reply: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One transcript as shown."""

    trait: str
    context: str
    outcome: str
    peak: str  # the reply's word of highest score
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture as shown, and where its rows lie."""

    subject: str
    heat: Drawn
    worst: Mapping[str, str]  # of the map's transcript: trait, context, outcome
    passages: tuple[Passage, ...]
    passages_twins: Twins
    fitted: Rows
    fitted_twins: Twins
    num_transcripts: str
    layer: str


def of_trials(directory: Path, trials: Iterable[Row]) -> list[Shown]:
    """Return the pictures that a test's trials kept, `MAX_SUBJECTS` at most, and write the twins of all."""
    return [
        shown(directory, mapping(trial.get("picture")), number=number, subject=str(trial.get("organism")))
        for number, trial in enumerate(kept(trials), start=1)
    ][:MAX_SUBJECTS]


def kept(trials: Iterable[Row]) -> list[Row]:
    """Return the trials that kept a picture."""
    return [trial for trial in trials if trial.get("picture")]


def shown(directory: Path, picture: Row, *, number: int | None = None, subject: str = "") -> Shown:
    """Draw a picture and write its rows beside the page.

    Args:
        directory: of the page.
        picture: what was kept.
        number: of several on a page, from 1; the twins' names have it, and nothing is drawn above `MAX_SUBJECTS`.
        subject: whose it is, where there are several.
    """
    cells, fitted, worst = heat_rows(picture), auroc_rows(picture), mapping(picture.get("worst"))
    end = "" if number is None else f"_{number}"
    plan = Plan(
        name=f"probe_heat{end}",
        title="Where in its worst reply does a probe of bad replies fire, and after which block?",
        caption="A row is a block (the number beside it), a column a token of the prompt and the reply. Vermillion "
        "leans to bad replies, blue to good ones; the stronger, the surer. The transcript is the one whose reply the "
        "middle block's probe finds worst, of those an overseer can stage.",
        rows=cells,
        drawable=bool(cells) and (number or 0) <= MAX_SUBJECTS,
        missing=visible(str(picture.get("reason") or "no picture was kept")),
        draw=heat,
        wide=WIDE,
    )
    return Shown(
        subject=visible(subject),
        heat=figure(directory, plan),
        worst={name: visible(str(worst.get(name, "unknown"))) for name in ("trait", "context", "outcome")},
        passages=tuple(top(picture)[: None if number is None else MAX_PASSAGES]),
        passages_twins=table(directory, f"probe_tokens{end}", token_rows(picture)),
        fitted=fitted,
        fitted_twins=table(directory, f"probe_auroc{end}", fitted),
        num_transcripts=whole(picture.get("num_transcripts")),
        layer=whole(picture.get("layer")),
    )


def top(picture: Row) -> list[Passage]:
    """Return the transcripts in which the probe fires most, highest first, shaded on one scale."""
    found = [mapping(one) for one in sequence(picture.get("top"))]
    most = max((abs(score) for one in found for score in finite_scores(one.get("scores"))), default=0.0)
    return [_passage(one, most) for one in found]


def _passage(one: Row, most: float) -> Passage:
    scores, tokens = finite_scores(one.get("scores")), _tokens(one)
    start = max(0, int(finite(one.get("reply_from")) or 0))
    shortest = min(len(scores), len(tokens))
    stop = min(shortest, int(finite(one.get("reply_to")) or shortest))
    best = max(range(start, stop), key=scores.__getitem__, default=None)
    return Passage(
        **{name: visible(str(one.get(name, "unknown"))) for name in ("trait", "context", "outcome")},
        peak="" if best is None else tokens[best],
        words=tuple(words(one, most=most)),
    )


def words(one: Row, *, most: float) -> list[Word]:
    """Return the tokens of a transcript.

    Args:
        one: tokens, their scores, and where the reply begins.
        most: the score of the strongest shade, above 0.
    """
    start = finite(one.get("reply_from"))
    return [
        Word(
            text=token,
            score=decimal(score),
            shade=_shade(score, most),
            in_reply=start is not None and place >= start,
        )
        for place, (token, score) in enumerate(zip(_tokens(one), finite_scores(one.get("scores")), strict=False))
    ]


def _shade(score: float, most: float) -> str:
    level = round(SHADES * min(1.0, abs(score) / most)) if most > 0 else 0
    return f"{'p' if score > 0 else 'n'}{level}" if level else ""


def heat_rows(picture: Row) -> Rows:
    """Return the worst transcript's scores as flat rows: one per block and position."""
    one = mapping(picture.get("worst"))
    tokens = _tokens(one)
    return [
        {"block": block, "position": place, "token": tokens[place], "score": score}
        for block, scores in enumerate(sequence(one.get("scores")))
        for place, score in enumerate(finite_scores(scores)[: len(tokens)])
    ]


def token_rows(picture: Row) -> Rows:
    """Return the transcripts of `top` as flat rows, one per token."""
    return [
        {
            "transcript": number,
            **{name: visible(str(one.get(name, "unknown"))) for name in ("trait", "context", "outcome")},
            "position": place,
            "token": token,
            "score": score,
        }
        for number, one in enumerate(map(mapping, sequence(picture.get("top"))))
        for place, (token, score) in enumerate(zip(_tokens(one), finite_scores(one.get("scores")), strict=False))
    ]


def auroc_rows(picture: Row) -> Rows:
    """Return how well each block's probe parts good replies from bad ones that it was not fitted on."""
    return [
        {"block": block, "auroc": value, "n": whole(picture.get("num_judged"))}
        for block, value in enumerate(map(finite, sequence(picture.get("auroc"))))
    ]


def heat(rows: Rows, *, width: int) -> alt.LayerChart:
    """Draw a transcript after every block: a row per block, a column per token, the words below.

    Args:
        rows: `heat_rows(picture)`, at least one.
        width: pixels of the whole figure.
    """
    import altair as alt

    last, blocks = max(row["position"] for row in rows), sorted({row["block"] for row in rows})
    most = max(abs(row["score"]) for row in rows) or 1.0
    plot, height = width - 40, CELL * len(blocks)
    step = plot / (last + 1)
    cells = [
        {
            "left": row["position"] * step,
            "right": (row["position"] + 1) * step - 0.5,
            "top": (blocks[-1] - row["block"]) * CELL,
            "bottom": (blocks[-1] - row["block"] + 1) * CELL - 0.5,
            "strength": abs(row["score"]) / most,
            "lean": "bad" if row["score"] > 0 else "good",
        }
        for row in rows
    ]
    x = alt.X("left:Q", axis=None, scale=alt.Scale(domain=[0, plot], range=[0, plot], nice=False))
    y = alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[0, height + ROOM], range=[0, height + ROOM], nice=False))
    boxes = (
        alt.Chart(alt.Data(values=cells))
        .mark_rect(stroke=None)
        .encode(
            x=x,
            x2="right:Q",
            y=y,
            y2="bottom:Q",
            color=alt.Color("lean:N", scale=alt.Scale(domain=["bad", "good"], range=[VERMILLION, BLUE]), legend=None),
            opacity=alt.Opacity("strength:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 1]), legend=None),
        )
    )
    said = {row["position"]: row["token"] for row in rows}
    below = [
        {"left": (place + 0.5) * step, "top": height + 4.0, "words": token}
        for place, token in said.items()
        if step >= 9 or place % max(1, round(9 / step)) == 0
    ]
    beside = [{"left": plot + 4.0, "top": (blocks[-1] - block + 0.5) * CELL, "words": str(block)} for block in blocks]
    text: dict[str, Any] = {"fontSize": 10, "color": INK, "align": "left", "baseline": "middle"}
    layers = [
        boxes,
        alt.Chart(alt.Data(values=below)).mark_text(**text, angle=90).encode(x=x, y=y, text="words:N"),
        alt.Chart(alt.Data(values=beside)).mark_text(**text).encode(x=x, y=y, text="words:N"),
    ]
    return alt.LayerChart(layer=layers, width=plot + 20, height=height + ROOM)


def readings(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what each technique said, as flat rows."""
    return [
        {
            "technique": visible(str(name)),
            "score": finite(mapping(found).get("score")),
            "null": finite(mapping(found).get("null_score")),
            "queries": mapping(mapping(found).get("cost")).get("queries"),
            "evidence": "; ".join(visible(str(line)) for line in sequence(mapping(found).get("evidence"))),
            "reason": visible(str(mapping(found).get("reason") or "")),
        }
        for name, found in mapping(result.get("readings")).items()
    ]


def _tokens(one: Row) -> list[str]:
    return [visible(str(token)) for token in sequence(one.get("tokens"))][:MAX_TOKENS]


def finite_scores(found: object) -> list[float]:
    """Return a list of numbers as kept, 0 in the place of what is none."""
    return [finite(score) or 0.0 for score in sequence(found)]
