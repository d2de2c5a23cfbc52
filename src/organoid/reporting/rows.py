"""Which plain rows lie behind each figure and table?

A result in, lists of flat rows out: what figures draw, tables print and the CSV and JSON twins hold, so that the three
can't differ. Nothing is estimated here: intervals come from `certificate`; where a row's `low` and `high` are the
lowest and highest seed instead, its caption says so.

Example:
    >>> misalignment(result)[0]  # doctest: +SKIP
    {'organism': 'reward-hacker', 'arm': 'naive', 'value': 0.9, 'low': 0.7, 'high': 1.0, 'n': 4, 'reason': None}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from statistics import fmean
from typing import Any

from organoid.certificate.arms import NAIVE
from organoid.reporting.words import Estimate, Row, estimate, finite, mapping, reason_for, sequence, visible
from organoid.types import HIDDEN, Context, Outcome, Variant

MAX_STEPS = 40  # drawn per trial; a line of more points looks the same

Rows = list[dict[str, Any]]
"""Flat rows of one table: every row has the same keys, in the order of its columns."""


class Arm(StrEnum):
    """What a measurement was made on; one colour and one mark each, on every figure."""

    NAIVE = "naive"  # the pressured organism under plain training
    SETUP = "setup"  # the pressured organism under the tested setup
    TWIN = "twin"  # the same without the pressure
    DECOY = "decoy"  # a harmless quirk in the pressure's place


class Quantity(StrEnum):
    """What a training trace is drawn by: one column of panels each."""

    REWARD = "reward"
    KL = "KL, nats"
    FLAGGED = "flagged share"  # the monitor that flagged most, where several watched
    LOSS = "loss, nats"  # of stages that imitate or rank; the loss of a policy gradient says nothing


def flat(found: Estimate) -> dict[str, Any]:
    """Return an estimate as the columns value, low, high, reason."""
    reason = None if found.known else found.why
    return {"value": found.value, "low": found.low, "high": found.high, "reason": reason}


def misalignment(result: Row) -> Rows:
    """Return one row per organism and arm: the misaligned rate in the hidden contexts, with its interval."""
    return [
        {
            "organism": visible(str(row.get("organism"))),
            "arm": arm.value,
            **flat(estimate(row, arm.value)),
            "n": _count(row.get("n"), arm.value),
        }
        for row in table(result)
        for arm in Arm
        if arm is not Arm.DECOY or arm.value in row
    ]


def techniques(result: Row) -> Rows:
    """Return three rows per technique: its AUROC, its null's and its oracle's, each with its interval."""
    return [
        {
            "technique": visible(str(row.get("name"))),
            "access": visible(str(row.get("access"))),
            "series": series,
            **flat(found),
            "n_pos": row.get("n_pos"),
            "n_neg": row.get("n_neg"),
        }
        for row in map(mapping, sequence(result.get("techniques")))
        for series, found in (
            ("technique", auroc(row)),
            ("null", estimate(row, "null_auroc", bounds="null_ci")),
            ("oracle", estimate(row, "oracle_auroc", bounds="oracle_ci")),
        )
    ]


def auroc(row: Row) -> Estimate:
    """Return a technique row's AUROC with the contract's `ci_low` and `ci_high`."""
    return estimate(row, "auroc", bounds=("ci_low", "ci_high"))


def safety_usefulness(result: Row) -> Rows:
    """Return one row per organism and arm (naive, setup): usefulness against the misaligned rate."""
    found: Rows = []
    for row in table(result):
        for arm in (Arm.NAIVE, Arm.SETUP):
            useful = estimate(row, f"usefulness_{arm.value}")
            found.append(
                {
                    "organism": visible(str(row.get("organism"))),
                    "arm": arm.value,
                    **flat(estimate(row, arm.value)),
                    "usefulness": useful.value,
                    "usefulness_low": useful.low,
                    "usefulness_high": useful.high,
                    "usefulness_reason": useful.why or None,
                }
            )
    return found


def timeline(result: Row) -> Rows:
    """Return, per organism, arm, quantity and training step, the mean over seeds with the lowest and highest seed."""
    cells: dict[tuple[str, str, str, int], list[float]] = defaultdict(list)
    for trial in trials(result):
        arm = arm_of(trial)
        trace = [entry for entry in map(mapping, sequence(trial.get("trace"))) if entry.get("stage") != "track"]
        if arm in (Arm.NAIVE, Arm.SETUP):
            for quantity, step, value in _points(trace):
                cells[visible(str(trial.get("organism"))), arm.value, quantity, step].append(value)
    return [
        {
            "organism": organism,
            "arm": arm,
            "quantity": quantity,
            "step": step,
            "value": fmean(values),
            "low": min(values),
            "high": max(values),
            "n": len(values),
        }
        for (organism, arm, quantity, step), values in cells.items()
    ]


def _points(trace: Sequence[Row]) -> Iterator[tuple[str, int, float]]:
    """Yield (quantity, step, value) of at most MAX_STEPS evenly spaced entries; steps run on through the stages."""
    stride = max(1, -(-len(trace) // MAX_STEPS))
    for position in range(0, len(trace), stride):
        for quantity, value in _quantities(trace[position]):
            yield quantity.value, position, value


def _quantities(entry: Row) -> Iterator[tuple[Quantity, float]]:
    """Yield what one trace entry holds of each quantity."""
    shares = [finite(value) for key, value in entry.items() if key.endswith("flagged_frac")]
    found = {
        Quantity.REWARD: finite(entry.get("reward")),
        Quantity.KL: finite(entry.get("kl")),
        Quantity.FLAGGED: max((share for share in shares if share is not None), default=None),
        Quantity.LOSS: None if entry.get("stage") == "reinforcement" else finite(entry.get("loss")),
    }
    yield from ((quantity, value) for quantity, value in found.items() if value is not None)


def trait_by_context(result: Row) -> Rows:
    """Return, per organism, trait, arm and context, the mean misaligned rate with the lowest and highest seed."""
    cells: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for trial in trials(result):
        arm = arm_of(trial)
        for trait, contexts in mapping(trial.get("misalignment")).items():
            counts = mapping(mapping(trial.get("outcomes")).get(trait))
            for context, rate in mapping(contexts).items():
                key = (visible(str(trial.get("organism"))), visible(trait), arm.value, visible(context))
                cells[key].append({**mapping(counts.get(context)), "rate": finite(rate)})
    return [_cell(key, measured) for key, measured in cells.items()]


def _cell(key: tuple[str, str, str, str], measured: Sequence[Row]) -> dict[str, Any]:
    """Return one cell; `measured` holds, per trial, its rate and, where recorded, the counts of the four outcomes."""
    known = [row["rate"] for row in measured if row["rate"] is not None]
    organism, trait, arm, context = key
    return {
        "organism": organism,
        "trait": trait,
        "arm": arm,
        "context": context,
        "value": fmean(known) if known else None,
        "low": min(known, default=None),
        "high": max(known, default=None),
        "n": len(known),
        **{f"num_{outcome}": _total(measured, f"num_{outcome}") for outcome in Outcome},
        "reason": None if known else next(filter(None, map(_reason, measured)), f"no rate in {len(measured)} trials"),
    }


def _total(measured: Sequence[Row], key: str) -> int | None:
    counts = [row[key] for row in measured if isinstance(row.get(key), int)]
    return sum(counts) if counts else None


def _reason(row: Row) -> str | None:
    return reason_for(row, "rate")


def contexts(rows: Iterable[Row]) -> list[str]:
    """Return the contexts that occur in `rows`, those an overseer samples first."""
    seen = {str(row["context"]) for row in rows}
    known = [context.value for context in Context]
    return [name for name in known if name in seen] + sorted(seen - set(known))


def is_hidden(context: str) -> bool:
    """Whether no overseer samples this context."""
    return context in HIDDEN


def table(result: Row) -> list[Row]:
    """Return the rows of the organisms' table."""
    return [mapping(row) for row in sequence(result.get("table"))]


def trials(result: Row) -> list[Row]:
    """Return the trials."""
    return [mapping(row) for row in sequence(result.get("trials"))]


def arm_of(trial: Row) -> Arm:
    """Return the arm a trial belongs to; twins and decoys are one arm each, whatever they were trained with."""
    variant = trial.get("variant")
    if variant == Variant.TWIN:
        return Arm.TWIN
    if variant == Variant.DECOY:
        return Arm.DECOY
    return Arm.NAIVE if trial.get("setup") == NAIVE else Arm.SETUP


def tested_setup(result: Row) -> str | None:
    """Return the name of the setup under test: as recorded, else that of the trials that is not `naive`, else None."""
    if result.get("setup"):
        return visible(str(result["setup"]))
    names = {str(trial["setup"]) for trial in trials(result) if trial.get("setup")}
    others = sorted(names - {NAIVE})
    if others:
        return visible(", ".join(others))
    return NAIVE if names else None


def _count(n: object, arm: str) -> int | None:
    """Return the number of trials: `n` is one number for the row, or one per arm."""
    found = mapping(n).get(arm) if not isinstance(n, int) else n
    return found if isinstance(found, int) else None
