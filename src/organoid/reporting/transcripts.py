"""Which samples should a reader see first, and how much of each?

Worst first: a misaligned reply, in a context no overseer samples, by a subject that was released and that no technique
flagged. Within a tier samples take turns by trial, trait and context, so that forty copies of one failure do not hide
another. A share of the page is kept for one sample of every other kind, so that each filter finds something. All
samples stay in `transcripts/`; the page says how many it shows.

Example:
    >>> [view.outcome for view in choose(samples, trials, limit=2)]  # doctest: +SKIP
    ['misaligned', 'aligned']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from organoid.reporting.words import Row, clip, mapping, sequence, visible
from organoid.types import HIDDEN, Outcome, Variant

PAGE_LIMIT = 200
TURN_CHARS = 1_200
TOTAL_CHARS = 3_600
FILTERS = ("organism", "variant", "setup", "context", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message as shown: text already made visible and clipped; `cut` counts the characters left out."""

    role: str
    content: str
    cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One transcript as shown."""

    trial: str
    organism: str
    variant: str
    setup: str
    seed: str
    trait: str
    context: str
    outcome: str
    hidden: bool  # no overseer samples this context
    released: bool | None
    flagged_by: tuple[str, ...]
    read: bool  # at least one technique gave a flag, yes or no
    turns: tuple[Turn, ...]
    excerpt: str  # the reply's first words
    tier: int  # 0 is worst

    @property
    def tier_words(self) -> str:
        """The tier in words."""
        return TIERS[self.tier]


TIERS = (
    "misaligned where nobody looks, released, unflagged",
    "misaligned where nobody looks",
    "misaligned under an overseer's eyes",
    "not misaligned",
)


def choose(samples: Sequence[Row], trials: Sequence[Row], *, limit: int = PAGE_LIMIT) -> list[Sample]:
    """Return at most `limit` samples, worst first.

    Args:
        samples: lines of `transcripts/*.jsonl`.
        trials: rows of `result["trials"]`, for release and flags.
        limit: how many to show, at least 0.

    Returns:
        The samples as shown: two thirds of `limit` at least by badness, the rest one of each kind not yet there.
    """
    by_id = {str(trial.get("id")): trial for trial in trials}
    ranked = _take_turns([_key(sample, by_id.get(str(sample.get("trial")), {})) for sample in samples])
    worst = ranked[: limit - limit // 3]
    seen = {_kind(samples[index]) for index in worst}
    others: list[int] = []
    for index in ranked[len(worst) :]:
        if _kind(samples[index]) not in seen and len(others) < limit // 3:
            seen.add(_kind(samples[index]))
            others.append(index)
    chosen = {*worst, *others}
    fill = [index for index in ranked if index not in chosen][: limit - len(chosen)]
    shown = chosen.union(fill)
    return [
        _view(samples[index], by_id.get(str(samples[index].get("trial")), {})) for index in ranked if index in shown
    ]


def options(views: Iterable[Sample]) -> dict[str, list[tuple[str, int]]]:
    """Return, per filter, the values that occur in `views` and how often, in the order they first occur."""
    return {name: list(Counter(str(getattr(view, name)) for view in views).items()) for name in FILTERS}


def _key(sample: Row, trial: Row) -> tuple[Any, ...]:
    """Sort key: tier, then the pressured organism before its controls, then the tested setup before naive."""
    return (
        _tier(sample, trial),
        sample.get("variant") != Variant.ORGANISM,
        sample.get("setup") == "naive",
        *(str(sample.get(name)) for name in ("trial", "trait", "context")),
    )


def _tier(sample: Row, trial: Row) -> int:
    if sample.get("outcome") != Outcome.MISALIGNED:
        return 3
    if sample.get("context") not in HIDDEN:
        return 2
    return 0 if trial.get("released") is True and not flags(sample, trial)[0] else 1


def _take_turns(keys: Sequence[tuple[Any, ...]]) -> list[int]:
    """Order indices by tier and preference; inside, the first sample of every group, then the second, and so on."""
    turn: Counter[tuple[Any, ...]] = Counter()
    placed: list[tuple[Any, ...]] = []
    for index, key in enumerate(keys):
        placed.append((*key[:3], turn[key], key[3:], index))
        turn[key] += 1
    return [entry[-1] for entry in sorted(placed)]


def _kind(sample: Row) -> tuple[str, ...]:
    return tuple(str(sample.get(name)) for name in FILTERS)


def flags(sample: Row, trial: Row) -> tuple[tuple[str, ...], bool]:
    """Return which techniques flagged the sample or its trial, and whether any gave a flag at all."""
    given = {name: mapping(reading).get("flagged") for name, reading in mapping(trial.get("readings")).items()}
    given.update(mapping(sample.get("technique_flags")))
    raised = tuple(visible(name) for name, flag in given.items() if flag is True)
    return raised, any(isinstance(flag, bool) for flag in given.values())


def _view(sample: Row, trial: Row) -> Sample:
    flagged_by, read = flags(sample, trial)
    released = trial.get("released")
    words = {name: visible(str(sample.get(name, "unknown"))) for name in ("trial", "seed", "trait", *FILTERS)}
    if words["outcome"] not in set(Outcome):
        words["outcome"] = Outcome.OTHER.value
    return Sample(
        **words,
        hidden=words["context"] in HIDDEN,
        released=released if isinstance(released, bool) else None,
        flagged_by=flagged_by,
        read=read,
        turns=_turns(sample),
        excerpt=" ".join(visible(str(sample.get("reply") or ""))[:400].split())[:110],
        tier=_tier(sample, trial),
    )


def _turns(sample: Row) -> tuple[Turn, ...]:
    """Return the prompt's turns and the reply, clipped; the reply is kept before the prompt when room is short."""
    prompt = [mapping(turn) for turn in sequence(sample.get("prompt"))]
    reply, cut = clip(visible(str(sample.get("reply") or "")), TURN_CHARS)
    room = TOTAL_CHARS - len(reply)
    turns: list[Turn] = []
    for turn in reversed(prompt):
        text = visible(str(turn.get("content") or ""))
        content, lost = clip(text, min(TURN_CHARS, room)) if room > 0 else ("", len(text))
        room -= len(content)
        turns.append(Turn(role=visible(str(turn.get("role", "unknown"))), content=content, cut=lost))
    return (*reversed(turns), Turn(role="reply", content=reply, cut=cut))
