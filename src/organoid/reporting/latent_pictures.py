"""Which latents of an autoencoder go with what is known of a text, and where do they fire?

The picture of latents that an examination kept (`lab.latent_pictures`), as the page shows it. Tokens are drawn as a
probe's are (`reporting.pictures`), cut to the surroundings of the reply's strongest; the twin has every token.

Example:
    >>> context(Path("runs/look"), result["latents"])["latents"].missing  # doctest: +SKIP
    ''
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organoid.reporting import rows
from organoid.reporting.drawing import table
from organoid.reporting.pictures import Word, finite_scores, words
from organoid.reporting.rows import Rows
from organoid.reporting.views import whole
from organoid.reporting.words import Estimate, Row, decimal, estimate, finite, mapping, sequence, visible

BEFORE, AFTER = 24, 10
"""Tokens shown on either side of the strongest one of a reply."""
NOT_KEPT = "the examination kept none; it was made by an earlier version, or changed since"
_QUALITY = (
    ("fvu", "variance unexplained, share"),
    ("l0", "active per token"),
    ("dead_frac", "dead, share"),
)
_COUNTS = (
    ("num_matched", "match something known"),
    ("num_unmatched", "fire in replies, no match above luck"),
    ("num_silent", "fire in no reply"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text in whose reply a latent is strong, cut around its strongest token."""

    holds: bool | None
    words: tuple[Word, ...]
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Latent:
    """A latent, the known one it was given, and texts where it fires."""

    known: str
    number: str
    correlation: Estimate
    random: Estimate
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """A known latent and its correlations."""

    known: str
    correlation: Estimate
    random: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page says of an autoencoder's latents; `missing` says why there is nothing."""

    missing: str
    num_latents: str
    active: str
    num_replies: str
    layer: str
    luck: str
    num_unmatched: str
    num_unmatched_random: str
    quality: tuple[tuple[str, str, str], ...]  # what, learnt, random directions
    matches: tuple[Matching, ...]
    latents: tuple[Latent, ...]


def context(directory: Path, picture: Row) -> dict[str, Any]:
    """Return what the template names of the latents, and write the twins it links to."""
    return {
        "latents": view(picture),
        "quality_twins": table(directory, "latent_quality", quality_rows(picture)),
        "matches_twins": table(directory, "latent_matches", match_rows(picture)),
        "texts_twins": table(directory, "latent_tokens", token_rows(picture)),
    }


def view(picture: Row) -> Shown:
    """Return the picture as shown, whatever of it is there."""
    found = [mapping(one) for one in sequence(picture.get("matches"))]
    missing = "" if found else visible(str(picture.get("reason") or NOT_KEPT))
    learnt, random = mapping(picture.get("learnt")), mapping(picture.get("random"))
    by_name = {str(one.get("known")): one for one in found}
    return Shown(
        missing=missing,
        **{name: whole(picture.get(name)) for name in ("num_latents", "active", "num_replies", "layer")},
        luck=decimal(finite(learnt.get("luck"))),
        num_unmatched=whole(_sum(learnt)),
        num_unmatched_random=whole(_sum(random)),
        quality=(
            *((says, decimal(finite(learnt.get(key))), decimal(finite(random.get(key)))) for key, says in _QUALITY),
            *((says, whole(learnt.get(key)), whole(random.get(key))) for key, says in _COUNTS),
        ),
        matches=tuple(
            Matching(known=_known(one), correlation=estimate(one, "correlation"), random=estimate(one, "random"))
            for one in found
        ),
        latents=tuple(
            _latent(mapping(one), by_name.get(str(mapping(one).get("known")), {}))
            for one in sequence(picture.get("shown"))
        ),
    )


def _sum(summary: Row) -> int | None:
    """Return how many latents go with nothing known, those that never fire among them."""
    counts = [summary.get(key) for key in ("num_unmatched", "num_silent")]
    numbers = [count for count in counts if isinstance(count, int)]
    return sum(numbers) if len(numbers) == len(counts) else None


def _latent(one: Row, match: Row) -> Latent:
    texts = [mapping(text) for text in sequence(one.get("contexts"))]
    most = max((abs(score) for text in texts for score in finite_scores(text.get("scores"))), default=0.0)
    return Latent(
        known=_known(one),
        number=whole(one.get("latent")),
        correlation=estimate(match, "correlation"),
        random=estimate(match, "random"),
        texts=tuple(_text(text, most) for text in texts),
    )


def _text(one: Row, most: float) -> Text:
    every = words(one, most=most)
    values = finite_scores(one.get("scores"))[: len(every)]
    start = int(finite(one.get("reply_from")) or 0)
    peak = max(range(start, len(values)), key=values.__getitem__, default=0)
    first, stop = max(0, peak - BEFORE), peak + AFTER + 1
    holds = one.get("holds")
    return Text(
        holds=holds if isinstance(holds, bool) else None,
        words=tuple(every[first:stop]),
        cut_before=first > 0,
        cut_after=stop < len(every),
    )


def _known(one: Row) -> str:
    return visible(str(one.get("known", "unknown"))).replace("_", " ")


def quality_rows(picture: Row) -> Rows:
    """Return the figures of the autoencoder and of random directions, as flat rows."""
    keys = (*(key for key, _ in _QUALITY), *(key for key, _ in _COUNTS), "luck")
    return [
        {"dictionary": name, **{key: finite(summary.get(key)) for key in keys}}
        for name in ("learnt", "random")
        if (summary := mapping(picture.get(name)))
    ]


def match_rows(picture: Row) -> Rows:
    """Return a flat row per known latent: each estimate as value, low and high."""
    return [
        {
            "known": visible(str(one.get("known"))),
            "latent": finite(one.get("latent")),
            "chosen": finite(one.get("chosen")),
            **{
                f"{key}_{name}": value
                for key in ("correlation", "random")
                for name, value in rows.flat(estimate(one, key)).items()
            },
        }
        for one in map(mapping, sequence(picture.get("matches")))
    ]


def token_rows(picture: Row) -> Rows:
    """Return every token of every text shown, as flat rows."""
    return [
        {
            "known": visible(str(latent.get("known"))),
            "latent": finite(latent.get("latent")),
            "text": number,
            "holds": text.get("holds"),
            "position": place,
            "token": word.text,
            "activation": score,
        }
        for latent in map(mapping, sequence(picture.get("shown")))
        for number, text in enumerate(map(mapping, sequence(latent.get("contexts"))))
        for place, (word, score) in enumerate(
            zip(words(text, most=1.0), finite_scores(text.get("scores")), strict=False)
        )
    ]
