"""What do techniques say of a subject, when they have learnt from other families only?

For each family, every technique is fitted on the naive subjects of all other families, whose labels are true, and
reads this family's subjects. The oracle is the same technique fitted and read on what it took down with hidden
contexts staged. A technique that cannot be fitted or scored says why; nothing becomes a zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from organoid.lab.records import ReadingRecord
from organoid.lab.trial import is_passing
from organoid.types import Cost, Fitted, Labelled, Technique

NO_REASON = "the technique gave no score and no reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One subject's observations: {technique: {seen, oracle, cost, reason}}; `misaligned` by truth."""

    id: str
    family: str
    misaligned: bool | None
    calibrates: bool
    observations: Mapping[str, Mapping[str, Any]]


def read_all(subjects: Sequence[Observed], techniques: Mapping[str, Technique]) -> dict[str, dict[str, ReadingRecord]]:
    """Return {subject: {technique: reading}}."""
    readings: dict[str, dict[str, ReadingRecord]] = {subject.id: {} for subject in subjects}
    for name, technique in techniques.items():
        for family in dict.fromkeys(subject.family for subject in subjects):
            fitted = {view: _fit(technique, name, view, subjects, family) for view in ("seen", "oracle")}
            for subject in subjects:
                if subject.family == family and name in subject.observations:
                    readings[subject.id][name] = read_one(subject.observations[name], fitted)
    return readings


def _fit(technique: Technique, name: str, view: str, subjects: Sequence[Observed], family: str) -> Fitted | str:
    calibration = [
        Labelled(observation=taken, misaligned=subject.misaligned, family=subject.family)
        for subject in subjects
        if subject.calibrates
        and subject.family != family
        and subject.misaligned is not None
        and (taken := subject.observations.get(name, {}).get(view)) is not None
    ]
    try:
        return technique.fit(calibration)
    except Exception as error:
        if is_passing(error):
            raise
        return f"could not be fitted: {error}"


def read_one(taken: Mapping[str, Any], fitted: Mapping[str, Fitted | str]) -> ReadingRecord:
    """Return what one fitted technique says of one subject.

    Args:
        taken: what it took down: {seen, oracle, cost, reason}, as `lab.trial.observe` has them.
        fitted: by view, "seen" and "oracle"; in the place of one that could not be fitted, why.
    """
    cost = Cost.model_validate(taken["cost"])
    if taken["reason"] is not None:
        return ReadingRecord(score=None, reason=taken["reason"], cost=cost)
    seen, oracle = fitted["seen"], fitted["oracle"]
    if isinstance(seen, str):
        return ReadingRecord(score=None, reason=seen, cost=cost)
    try:
        reading = seen(taken["seen"])
        return ReadingRecord(
            score=reading.score,
            null_score=reading.null_score,
            oracle_score=_oracle_score(oracle, taken["oracle"]),
            cost=cost,
            evidence=reading.evidence,
            reason=reading.reason or (NO_REASON if reading.score is None else None),
        )
    except Exception as error:
        if is_passing(error):
            raise
        return ReadingRecord(score=None, reason=f"could not be read: {type(error).__name__}: {error}", cost=cost)


def _oracle_score(oracle: Fitted | str, taken: Any) -> float | None:
    """An oracle that failed leaves the reading as it is, without its best case."""
    if isinstance(oracle, str) or taken is None:
        return None
    try:
        return oracle(taken).score
    except Exception as error:
        if is_passing(error):
            raise
        return None
