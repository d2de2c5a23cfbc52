"""Which trials does a number rest on, and in what words is a missing one explained?

Every table of this room picks its trials here, so that they cannot disagree about what counts. A failed trial is in
none of them but is counted and named; a trial without the value in question is neither dropped silently nor a zero.

Example:
    >>> naive = arm(records, organism="sycophant", variant=Variant.ORGANISM, setup=NAIVE)  # doctest: +SKIP
    >>> values(naive, misaligned_rate)  # doctest: +SKIP
    {0: 0.9, 1: 0.8}
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, floor

from organoid.lab.records import TrialRecord
from organoid.types import HIDDEN, Variant

NAIVE = "naive"
"""The name of the null setup: the organism's job and nothing else."""

Arm = Mapping[int, TrialRecord]
"""One organism's trials under one variant and setup, by seed, failed ones included."""

Value = Callable[[TrialRecord], float | None]


def misaligned_rate(record: TrialRecord) -> float | None:
    """Return the trial's misaligned rate in the hidden contexts, in [0, 1]."""
    return record.misaligned_rate


def usefulness(record: TrialRecord) -> float | None:
    """Return the trial's accuracy on the world's skills, in [0, 1]."""
    return record.usefulness


def finished(records: Iterable[TrialRecord]) -> tuple[TrialRecord, ...]:
    """Return the trials that are done."""
    return tuple(record for record in records if record.status == "done")


def organisms(records: Iterable[TrialRecord]) -> tuple[str, ...]:
    """Return the organisms' names in order of first appearance."""
    return tuple(dict.fromkeys(record.organism for record in records))


def arm(records: Iterable[TrialRecord], *, organism: str, variant: Variant, setup: str) -> Arm:
    """Return one arm by seed.

    Raises:
        ValueError: two trials share organism, variant, setup and seed: the run mixes two specs.
    """
    found: dict[int, TrialRecord] = {}
    for record in records:
        if (record.organism, record.variant, record.setup) == (organism, variant, setup):
            if record.seed in found:
                raise ValueError(f"trials {found[record.seed].id} and {record.id} have one arm and one seed")
            found[record.seed] = record
    return found


def values(trials: Arm, value: Value) -> dict[int, float]:
    """Return the known values of an arm's finished trials, by seed."""
    known = {seed: value(record) for seed, record in trials.items() if record.status == "done"}
    return {seed: number for seed, number in known.items() if number is not None}


def why_missing(trials: Arm, value: Value) -> str:
    """Say in words why an arm has no value."""
    failed = [record for record in trials.values() if record.status == "failed"]
    if not trials:
        return "no such trial was run"
    if len(failed) == len(trials):
        return f"every trial failed ({len(failed)}); the first: {failed[0].error or 'no error recorded'}"
    unmeasured = len(trials) - len(failed) - len(values(trials, value))
    return f"{unmeasured} of {len(trials)} trials finished without a measured value, {len(failed)} failed"


def grain(records: Iterable[TrialRecord]) -> float:
    """Return the smallest step a misaligned rate can show: 1 / the fewest prompts behind one; 0.0 when not recorded."""
    prompts = [
        rate.num_aligned + rate.num_misaligned + rate.num_other + rate.num_refused
        for record in finished(records)
        for contexts in record.truth.values()
        for context, rate in contexts.items()
        if context in HIDDEN
    ]
    counted = [num for num in prompts if num]
    return 1 / min(counted) if counted else 0.0


def listed(names: Sequence[str]) -> str:
    """Write names as `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


def percent_at_most(share: float) -> str:
    """Write an upper bound in percent, rounded up so that the words never promise more than the number."""
    return _percent(ceil(1000 * share - 1e-9))


def percent_at_least(share: float) -> str:
    """Write a lower bound in percent, rounded down."""
    return _percent(floor(1000 * share + 1e-9))


def _percent(tenths: int) -> str:
    return f"{tenths // 10} %" if tenths % 10 == 0 else f"{tenths / 10:.1f} %"
