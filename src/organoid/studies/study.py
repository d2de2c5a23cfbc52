"""What is a study? A claim of the field as a test with a negative control, declared before anything is run.

A study turns a scale (how closely to look) into tasks for the lab, and their results into one effect per claim: its
interval is over training runs, never over prompts, and beside it stands the same number where the effect must vanish.
Whether a claim held follows from a rule written in its declaration. Left out: any choice of the rule, the seeds or the
runs after the numbers are in.

A claim with a run that failed or gave no value, on either side, is undecided: it neither held nor not, and the runs
are named. Which runs fail is not chance (a model too bent to be parsed gives no rate), so an interval over the others
is one over survivors; and a worst case to enter for the missing ones would be infinite for effects in halvings. The
effect over the other runs is shown all the same. What cannot be estimated is undecided too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import hypot
from typing import Any, NamedTuple

from pydantic import Field

from organoid.lab.tasks import Task
from organoid.measure.intervals import Estimate, mean_interval
from organoid.types import Record


class Scale(Record):
    """How closely a study looks; each study adds the settings it varies."""

    num_seeds: int = Field(ge=1)
    first_seed: int = Field(default=0, ge=0)
    bases: tuple[str, ...] = ()  # built-in names or model directories that must be there before

    @property
    def seeds(self) -> range:
        """The seeds of its runs."""
        return range(self.first_seed, self.first_seed + self.num_seeds)


class Rule(StrEnum):
    """When a claim holds."""

    ABOVE = "above"  # the effect's interval lies above 0, and so does that of effect minus control
    WITHIN = "within"  # the effect's interval lies inside the margin, and the control's outside


RULE_WORDS = {
    Rule.ABOVE: "the effect's interval lies above 0 and so does that of effect minus control",
    Rule.WITHIN: "the effect's interval lies within the margin of 0 and the control's interval lies outside it",
}


class Claim(Record):
    """One claim, as declared."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    statement: str
    unit: str  # what the effect is measured in
    expected: str
    control: str  # where the effect must vanish, or, for an equivalence, where it must show
    rule: Rule = Rule.ABOVE
    margin: float = 0.0  # for Rule.WITHIN, in units of the effect

    @property
    def rule_words(self) -> str:
        """The rule in words."""
        words = RULE_WORDS[self.rule]
        return words if self.rule is Rule.ABOVE else f"{words} (margin {self.margin:g})"


class Effect(NamedTuple):
    """A mean over training runs; None, with `reason`, where not estimable. `missing` names the runs without a value."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int  # runs with a value
    reason: str | None = None
    missing: tuple[str, ...] = ()


class Measured(NamedTuple):
    """What was found for a claim: the effect and its control, each over training runs."""

    effect: Effect
    control: Effect


class Figure(Record):
    """A line per series: `rows` have series, x, value, low, high (None: no interval)."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    caption: str
    x: str
    y: str
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a study makes of its results: one measurement per claim, by id, and what is drawn and tabled."""

    measured: Mapping[str, Measured]
    figures: tuple[Figure, ...] = ()
    tables: Mapping[str, Sequence[Mapping[str, Any]]]


Values = Mapping[str, Mapping[str, Any]]
"""What the tasks that finished returned, by id; those that failed are absent."""

Number = Callable[[Mapping[str, Any]], float | None]
"""What is read off a run; None where it has no such number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A declared study. `tasks` and `findings` are pure functions of the scale (and of what the tasks returned)."""

    name: str
    summary: str
    question: str
    claims: tuple[Claim, ...]
    limits: tuple[str, ...]  # what it does not show
    quick: Scale
    full: Scale
    tasks: Callable[[Any], list[Task]]
    findings: Callable[[Any, Values], Findings]
    source: str

    def scale(self, *, quick: bool) -> Scale:
        """Return the settings of the quick or the full version."""
        return self.quick if quick else self.full


def by_run(values: Values, planned: Iterable[str], number: Number) -> dict[str, float | None]:
    """Return a number of every planned run by its id: None for one that failed as for one that has no such number."""
    return {name: number(values[name]) if name in values else None for name in planned}


def by_pair(values: Values, planned: Iterable[tuple[str, str]], number: Number) -> dict[str, float | None]:
    """Return first minus second of every planned pair of runs, by the id of the run that gave no number, if one didn't.

    Args:
        values: of the runs that finished.
        planned: ids of paired runs; none occurs twice in its place.
        number: what is read off both.
    """
    found = dict[str, float | None]()
    for pair in planned:
        each = by_run(values, pair, number)
        without = [name for name, value in each.items() if value is None]
        first, second = (each[name] for name in pair)
        found[" and ".join(without or pair)] = difference(first, second)
    return found


def over_runs(values: Mapping[str, float | None], *, grain: float = 0.0) -> Effect:
    """Return the mean over training runs with its t-interval; runs without a value are left out, counted and named.

    Args:
        values: by run, as `by_run` and `by_pair` give them: every planned run, finished or not.
        grain: the smallest step that the measurement can show, a floor under the spread.
    """
    missing = tuple(name for name, value in values.items() if value is None)
    known = [value for value in values.values() if value is not None]
    if not known:
        return not_estimable("no run gave a value")._replace(missing=missing)
    found = mean_interval(known, grain=grain)
    return Effect(found.value, found.ci_low, found.ci_high, found.n, found.reason, missing)


def point(series: str, x: float, found: Effect | Estimate) -> list[dict[str, Any]]:
    """Return the row that a figure draws an estimate from; no row where there is nothing to draw."""
    if found.value is None:
        return []
    return [{"series": series, "x": x, "value": found.value, "low": found.ci_low, "high": found.ci_high}]


def not_estimable(reason: str) -> Effect:
    """Return the effect of what could not be estimated."""
    return Effect(None, None, None, 0, reason)


def difference(first: float | None, second: float | None) -> float | None:
    """Return first - second, or None where either is unknown."""
    return None if first is None or second is None else first - second


def holds(claim: Claim, measured: Measured) -> bool | None:
    """Say whether a claim held by its rule; None: undecided, for want of an interval or of a run's value."""
    effect, control = measured
    if effect.missing or control.missing:
        return None
    if effect.value is None or effect.ci_low is None or effect.ci_high is None:
        return None
    if control.value is None or control.ci_low is None or control.ci_high is None:
        return None
    if claim.rule is Rule.ABOVE:
        apart = hypot(effect.value - effect.ci_low, control.ci_high - control.value)  # Welch: half-widths in quadrature
        return effect.ci_low > 0 and effect.value - control.value > apart
    inside = -claim.margin < effect.ci_low and effect.ci_high < claim.margin
    return inside and (control.ci_low > claim.margin or control.ci_high < -claim.margin)


def row(claim: Claim, measured: Measured) -> dict[str, Any]:
    """Return a claim as `result.json` has it: `held` is true or false; `undecided` says why it was not decided."""
    effect, control = measured
    reasons = {"effect": effect.reason, "control_effect": control.reason}
    held = holds(claim, measured)
    return {
        "id": claim.id,
        "statement": claim.statement,
        "effect": effect.value,
        "ci_low": effect.ci_low,
        "ci_high": effect.ci_high,
        "n": effect.n,
        "control_effect": control.value,
        "control_ci_low": control.ci_low,
        "control_ci_high": control.ci_high,
        "expected": claim.expected,
        "held": held is True,
        "undecided": _undecided(measured) if held is None else None,
        "num_missing": len(effect.missing),
        "missing": list(effect.missing),
        "control_n": control.n,
        "control_num_missing": len(control.missing),
        "control_missing": list(control.missing),
        "unit": claim.unit,
        "control": claim.control,
        "rule": claim.rule_words,
        "reasons": {key: reason for key, reason in reasons.items() if reason},
    }


def _undecided(measured: Measured) -> str:
    """Say why a claim was neither shown nor refuted."""
    parts = list[str]()
    for side, found in (("effect", measured.effect), ("control", measured.control)):
        if found.missing:
            num = len(found.missing)
            parts.append(f"{num} of {num + found.n} runs of the {side} gave no value ({', '.join(found.missing)})")
        elif found.ci_low is None or found.ci_high is None:
            parts.append(f"the {side} has no interval ({found.reason or 'no reason recorded'})")
    return "; ".join(parts)
