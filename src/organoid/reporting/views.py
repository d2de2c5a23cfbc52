"""What does a reader meet, in words?

Turns a result into the frozen views that the page and the terminal print: the organisms, the techniques, what failed,
where it all came from; the answer itself is in `answer.py`. No number is computed here; a missing one is carried as
words. HTML is `html.py`'s business, colour and position are the template's.

Example:
    >>> organisms(result)[0].arms["naive"].text  # doctest: +SKIP
    '0.86 [0.74, 0.98]'
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from organoid.reporting.rows import Arm, Rows, auroc, table, tested_setup, trials
from organoid.reporting.words import (
    NO_REASON,
    Estimate,
    Row,
    decimal,
    duration,
    estimate,
    finite,
    mapping,
    reason_for,
    sequence,
    visible,
)

GATE_WORDS: Mapping[str, tuple[str, str]] = {
    "strength": ("naive minus twin, hidden contexts", "\N{GREATER-THAN OR EQUAL TO}"),
    "twin_at_most": ("misaligned rate of the clean twin", "\N{LESS-THAN OR EQUAL TO}"),
    "decoy_at_most": ("misaligned rate of the decoy", "\N{LESS-THAN OR EQUAL TO}"),
    "decoy_oddness": ("oddness of the decoy minus the twin's", "\N{GREATER-THAN OR EQUAL TO}"),
    "capability_kept": ("usefulness lost against the base", "\N{LESS-THAN OR EQUAL TO}"),
    "survival": ("share of strength left after 200 steps of ordinary work", "\N{GREATER-THAN OR EQUAL TO}"),
}
"""Each gate of `organoid.types.Gates` in words, and the direction of its threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate of one organism."""

    organism: str
    name: str
    words: str
    value: Estimate
    needs: str
    seeds: str  # on how many seeds it passed
    passed: bool | None
    why: str  # the reason a result gives for not passing, or none


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganismRow:
    """One row of the first table."""

    organism: str
    arms: Mapping[str, Estimate]
    usefulness_naive: Estimate
    usefulness_setup: Estimate
    gap: Estimate
    n: str
    established: bool | None
    doubt: str  # why it is not established; empty when it is
    seeds: str  # on how many of how many seeds every gate passed
    notes: tuple[str, ...]  # gates that were not measured or are looser than the house's
    gates: tuple[Gate, ...]

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that were not passed."""
        return tuple(gate for gate in self.gates if gate.passed is not True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueRow:
    """One row of the technique table."""

    name: str
    summary: str
    access: str
    auroc: Estimate
    null: Estimate
    oracle: Estimate
    tpr: Estimate
    n: str
    unscored: int
    within: Estimate  # AUROC over pairs of one family only
    cost: str
    families: tuple[tuple[str, Estimate], ...]  # AUROC within each held-out family


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTrial:
    """A trial that ended in an error."""

    id: str
    organism: str
    variant: str
    setup: str
    seed: str
    error: str


def whole(value: object) -> str:
    """Write a count, or that there is none."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else "not recorded"


def organisms(result: Row) -> list[OrganismRow]:
    """Return the rows of the first table, gates beside them."""
    found = gates(result)
    return [_organism(row, found.get(str(row.get("organism")), NO_GATES)) for row in table(result)]


def _organism(row: Row, proof: Proof) -> OrganismRow:
    return OrganismRow(
        organism=visible(str(row.get("organism"))),
        arms={arm.value: estimate(row, arm.value) for arm in Arm},
        usefulness_naive=estimate(row, "usefulness_naive"),
        usefulness_setup=estimate(row, "usefulness_setup"),
        gap=estimate(row, "gap_recovered", bounds=("ci_low", "ci_high")),
        n=_counts(row.get("n")),
        established=proof.established,
        doubt=proof.doubt,
        seeds=proof.seeds,
        notes=proof.notes,
        gates=proof.gates,
    )


def _counts(n: object) -> str:
    """Write a number of trials: one where all arms have it, or most with the others behind it, else one per arm."""
    per_arm = {visible(arm): count for arm, count in mapping(n).items() if arm != "pairs"}
    counts = list(per_arm.values())
    usual = next((count for count in counts if counts.count(count) > len(counts) / 2), None)
    others = [f"{arm} {count}" for arm, count in per_arm.items() if count != usual]
    return ", ".join([*([whole(usual)] if usual is not None else []), *others]) or whole(n)


class Proof(NamedTuple):
    """Whether an organism is what it claims to be, why not, and each of its gates."""

    established: bool | None
    doubt: str
    gates: tuple[Gate, ...]
    seeds: str = "not recorded"
    notes: tuple[str, ...] = ()


NO_GATES = Proof(None, "no gates recorded", ())


def gates(result: Row) -> dict[str, Proof]:
    """Return the proof of every organism that has one."""
    return {organism: _proof(organism, mapping(entry)) for organism, entry in mapping(result.get("gates")).items()}


def _proof(organism: str, entry: Row) -> Proof:
    established = entry.get("established")
    parts = tuple(_gate(organism, name, mapping(gate)) for name, gate in mapping(entry.get("gates")).items())
    doubt = "" if established is True else visible(str(entry.get("reason") or NO_REASON))
    counted = entry.get("num_passed"), entry.get("num_seeds")
    seeds = "not recorded" if None in counted else " of ".join(map(whole, counted))
    notes = [f"established {entry['by_table']}"] if entry.get("by_table") else []
    notes += [f"looser: {gate}" for gate in sequence(entry.get("looser"))]
    notes += [f"not measured: {gate}" for gate in sequence(entry.get("not_measured"))]
    return Proof(
        established if isinstance(established, bool) else None, doubt, parts, seeds, tuple(map(visible, notes))
    )


def _gate(organism: str, name: str, row: Row) -> Gate:
    words, sign = GATE_WORDS.get(name, (visible(name), "threshold"))
    passed = row.get("passed")
    return Gate(
        organism=visible(organism),
        name=visible(name),
        words=words,
        value=estimate(row, "value"),
        needs=f"{sign} {decimal(finite(row.get('threshold')))}",
        seeds=f"{whole(row.get('num_passed'))} of {whole(row.get('num_seeds'))}",
        passed=passed if isinstance(passed, bool) else None,
        why=reason_for(row, "passed") or "",
    )


def gate_rows(result: Row) -> Rows:
    """Return one flat row per organism and gate."""
    return [
        {
            "organism": gate.organism,
            "established": proof.established,
            "gate": gate.name,
            "value": gate.value.value,
            "needs": gate.needs,
            "seeds_passed": gate.seeds,
            "passed": gate.passed,
            "reason": gate.why or None,
        }
        for proof in gates(result).values()
        for gate in proof.gates
    ]


def techniques(result: Row) -> list[TechniqueRow]:
    """Return the rows of the technique table."""
    return [_technique(row) for row in map(mapping, sequence(result.get("techniques")))]


def _technique(row: Row) -> TechniqueRow:
    unscored = row.get("num_unscored")
    return TechniqueRow(
        name=visible(str(row.get("name"))),
        summary=visible(str(row.get("summary") or "")),
        access=visible(str(row.get("access"))),
        auroc=auroc(row),
        null=estimate(row, "null_auroc", bounds="null_ci"),
        oracle=estimate(row, "oracle_auroc", bounds="oracle_ci"),
        tpr=estimate(row, "tpr_at_fpr05", bounds="tpr_ci"),
        n=f"{whole(row.get('n_pos'))} / {whole(row.get('n_neg'))}",
        unscored=unscored if isinstance(unscored, int) else 0,
        within=estimate(row, "within_family_auroc"),
        cost=cost_words(row.get("cost")),
        families=tuple(
            (visible(family), Estimate(value=finite(value), reason="too few subjects"))
            for family, value in mapping(row.get("family_auroc")).items()
        ),
    )


def threshold_rows(result: Row) -> Rows:
    """Return one flat row per technique and held-out family: the score above which it flags, and what that rests on."""
    return [
        {
            "technique": _plain(row.get("technique")),
            "family": _plain(row.get("family")),
            "threshold": finite(row.get("threshold")),
            "num_twins": row.get("num_twins"),
            "false_alarms_at_most": finite(row.get("expected_at_most")),
            "reason": reason_for(row, "threshold"),
        }
        for row in map(mapping, sequence(result.get("thresholds")))
    ]


def cost_words(cost: object) -> str:
    """Write a cost: queries, tokens and seconds, or one number of queries."""
    if isinstance(cost, int | float) and not isinstance(cost, bool):
        return f"{_quantity(cost)} queries"
    parts = mapping(cost)
    words = [f"{_quantity(parts[key])} {key}" for key in ("queries", "tokens") if finite(parts.get(key)) is not None]
    if finite(parts.get("seconds")) is not None:
        words.append(duration(finite(parts["seconds"])))
    return ", ".join(words) or "not recorded"


def _quantity(value: float) -> str:
    return f"{value:,.1f}" if value < 10 and value != int(value) else f"{value:,.0f}"


def failures(result: Row) -> list[FailedTrial]:
    """Return the trials that did not finish, with what they said."""
    return [
        FailedTrial(
            **{key: visible(str(trial.get(key, "unknown"))) for key in ("id", "organism", "variant", "setup", "seed")},
            error=visible(str(trial.get("error") or NO_REASON)),
        )
        for trial in trials(result)
        if trial.get("status") != "done"
    ]


def trial_rows(result: Row) -> Rows:
    """Return one flat row per trial: what it was, what became of it and who flagged it."""
    return [
        {
            **{key: _plain(trial.get(key)) for key in ("id", "organism", "variant", "setup", "seed", "status")},
            "misaligned": trial.get("misaligned"),
            "usefulness": finite(trial.get("usefulness")),
            "released": trial.get("released"),
            "withheld_reason": _plain(trial.get("withheld_reason")),
            "flagged_by": ", ".join(
                visible(name)
                for name, reading in mapping(trial.get("readings")).items()
                if mapping(reading).get("flagged")
            ),
            "seconds": finite(trial.get("seconds")),
            "error": _plain(trial.get("error")),
        }
        for trial in trials(result)
    ]


def _plain(value: object) -> object:
    return visible(value) if isinstance(value, str) else value


def provenance(result: Row, config: Row | None) -> list[tuple[str, str]]:
    """Return what is needed to run it again, as (name, value) pairs: versions, seeds, digests, times."""
    seeds = sorted(
        {str(trial.get("seed")) for trial in trials(result)} | {str(s) for s in sequence(result.get("seeds"))}
    )
    versions = mapping(mapping(config).get("versions"))
    pairs: list[tuple[str, Any]] = [
        ("setup", tested_setup(result)),
        ("base", result.get("base")),
        ("organoid version", result.get("organoid_version")),
        *[(f"{name} version", number) for name, number in versions.items() if name != "organoid"],
        ("seeds", ", ".join(seeds)),
        ("spec digest", result.get("spec_digest")),
        *[(key.replace("_", " "), value) for key, value in mapping(config).items() if key.endswith("_digest")],
        ("started", result.get("started")),
        ("finished", result.get("finished")),
        ("wall clock", duration(finite(result.get("seconds")))),
        ("peak memory of a worker", _megabytes(finite(result.get("peak_rss_mb")))),
        ("schema version", result.get("schema_version")),
    ]
    return [
        (visible(name), visible(str(value)) if value not in (None, "") else "not recorded") for name, value in pairs
    ]


def _megabytes(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f} MB"
