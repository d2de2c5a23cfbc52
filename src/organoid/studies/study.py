"""What is a study? A claim of the field as a test with a negative control, declared before anything is run.

A study turns a scale (how closely to look) into tasks for the lab, and their results into one effect per claim: its
interval is over training runs, never over prompts, and beside it stands the same number where the effect must vanish.
Whether a claim held follows from a rule written in its declaration. A claim that cannot be estimated has not held, and
says why. Left out: any choice of the rule, the seeds or the runs after the numbers are in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    bases: tuple[str, ...] = ()  # built-in names or model directories that must be there before


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


class Measured(NamedTuple):
    """What was found for a claim: the effect and its control, each over training runs."""

    effect: Estimate
    control: Estimate


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


def over_runs(values: Sequence[float | None], *, grain: float = 0.0) -> Estimate:
    """Return the mean over training runs with its t-interval; runs without a value are left out and counted."""
    known = [value for value in values if value is not None]
    if not known:
        return not_estimable("no run gave a value")
    found = mean_interval(known, grain=grain)
    missing = len(values) - len(known)
    return found._replace(
        reason=found.reason or (f"{missing} of {len(values)} runs gave no value" if missing else None)
    )


def not_estimable(reason: str) -> Estimate:
    """Return the estimate of what could not be estimated."""
    return Estimate(None, None, None, 0, reason)


def difference(first: float | None, second: float | None) -> float | None:
    """Return first - second, or None where either is unknown."""
    return None if first is None or second is None else first - second


def holds(claim: Claim, measured: Measured) -> bool:
    """Say whether a claim held by its rule; without both intervals it did not."""
    effect, control = measured
    if effect.value is None or effect.ci_low is None or effect.ci_high is None:
        return False
    if control.ci_low is None or control.ci_high is None:
        return False
    if claim.rule is Rule.ABOVE:
        assert control.value is not None, "an interval has a value"
        apart = hypot(effect.value - effect.ci_low, control.ci_high - control.value)  # Welch: half-widths in quadrature
        return effect.ci_low > 0 and effect.value - control.value > apart
    inside = -claim.margin < effect.ci_low and effect.ci_high < claim.margin
    return inside and (control.ci_low > claim.margin or control.ci_high < -claim.margin)


def row(claim: Claim, measured: Measured) -> dict[str, Any]:
    """Return a claim as `result.json` has it."""
    effect, control = measured
    reasons = {"effect": effect.reason, "control_effect": control.reason}
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
        "held": holds(claim, measured),
        "control_n": control.n,
        "unit": claim.unit,
        "control": claim.control,
        "rule": claim.rule_words,
        "reasons": {key: reason for key, reason in reasons.items() if reason},
    }
