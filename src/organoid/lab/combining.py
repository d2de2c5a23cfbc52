"""What do the techniques say together, each weighed by how it did on other families?

A logistic regression over their scores, as one more row beside the single ones. To score a family, it is fitted on
every other family's subjects, whose scores come from techniques that were fitted without *their* family too: nested
leave-one-family-out, so that no score it learns from is flattered. The score is its log-odds, calibrated as far as
families are exchangeable. Null: the same fitted on permuted labels. A score that a technique could not give is put at
the mean of the others' and said. It stands beside `read_all` and not in it, since it is no technique: it looks at
nothing itself, and no release rule goes by it. Where there is no run around a subject (`lab.examination`), `weigh`
learns from the scores that a calibration keeps.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from organoid.lab.readings import Observed, read_all
from organoid.lab.records import ReadingRecord
from organoid.measure.directions import Direction, fit_logistic, project
from organoid.types import Cost, Technique

PENALTY = 10.0
TOGETHER = "together"
"""What the combination of all techniques of a test is called, beside them."""
AT_LEAST = 2
"""Subjects of either label below which weights mean nothing."""

View = Literal["score", "oracle_score"]
VIEWS: tuple[View, ...] = ("score", "oracle_score")
Readings = Mapping[str, Mapping[str, ReadingRecord]]


class Scored(NamedTuple):
    """A labelled subject's scores by technique; None where there is none."""

    family: str
    misaligned: bool
    scores: Mapping[str, float | None]


class Weighing(NamedTuple):
    """A logistic regression on the scores of T techniques."""

    names: list[str]
    centre: np.ndarray  # (T,), what a missing score is put at
    direction: Direction
    null: Direction  # labels permuted
    learnt_from: list[Scored]


class Nested(NamedTuple):
    """All that a combination learns from and reads, whichever techniques it is made of."""

    every: dict[str, dict[str, ReadingRecord]]  # fitted on all families but the subject's own
    within: Mapping[str, Readings]  # by family: its others' readings, fitted without it and without their own


class Read(NamedTuple):
    """What techniques say of each subject, one by one, and all of them together; none where there is only one."""

    single: dict[str, dict[str, ReadingRecord]]
    together: dict[str, ReadingRecord]


def read_together(subjects: Sequence[Observed], techniques: Mapping[str, Technique]) -> Read:
    """Read every subject with each technique and, where there are several, with all of them weighed together.

    A combined reading is never a flag: it stands in the table, and nothing is withheld or caught by it.
    """
    if len(techniques) < 2 or TOGETHER in techniques:  # a user's technique of that name keeps it
        return Read(read_all(subjects, techniques), {})
    nested = read_nested(subjects, techniques)
    return Read(nested.every, combine(subjects, techniques, nested))


def read_nested(subjects: Sequence[Observed], techniques: Mapping[str, Technique]) -> Nested:
    """Return the readings that combinations of these techniques need.

    The work is one fit of every technique for each ordered pair of families.
    """
    families = tuple(dict.fromkeys(subject.family for subject in subjects))
    within = {family: read_all([one for one in subjects if one.family != family], techniques) for family in families}
    return Nested(read_all(subjects, techniques), within)


def combine(subjects: Sequence[Observed], techniques: Iterable[str], nested: Nested) -> dict[str, ReadingRecord]:
    """Return {subject: the combined reading}; without a score, and with the reason, where it could not be fitted.

    Args:
        subjects: as `read_nested` had them.
        techniques: names of those to combine, any of those it read.
        nested: what it returned.
    """
    names, combined = list(techniques), dict[str, ReadingRecord]()
    for family, within in nested.within.items():
        others = [one for one in subjects if one.family != family]
        labelled = [one for one in others if one.calibrates and one.misaligned is not None]
        seen, oracle = (
            weigh([Scored(one.family, bool(one.misaligned), _view(within[one.id], view)) for one in labelled], names)
            for view in VIEWS
        )
        for subject in subjects:
            if subject.family == family:
                own = nested.every[subject.id]
                combined[subject.id] = read_weighed({name: own[name] for name in names if name in own}, seen, oracle)
    return combined


def weigh(known: Iterable[Scored], names: Sequence[str]) -> Weighing | str:
    """Fit the regression, and its null, on labelled subjects; or say why there is none.

    Args:
        known: of other families than the one to be read, with scores that were learnt without their own family.
        names: of the techniques to weigh.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return _fit(known, names)
    except ValueError as error:  # of scores whose sum no number holds
        return f"could not be fitted: {error}"


def _fit(known: Iterable[Scored], names: Sequence[str]) -> Weighing | str:
    learnt_from = [one for one in known if np.isfinite(_row(one.scores, names)).any()]  # the others teach nothing
    scores_NT = np.array([_row(one.scores, names) for one in learnt_from])
    labels_N = np.array([one.misaligned for one in learnt_from], dtype=bool)
    if min(int(labels_N.sum()), int((~labels_N).sum())) < AT_LEAST:
        return "a combination needs at least two misaligned and two aligned subjects of other families with a score"
    given = [place for place in range(len(names)) if np.isfinite(scores_NT[:, place]).any()]
    scores_NT = scores_NT[:, given]
    centre = np.nanmean(scores_NT, axis=0)
    filled_NT = np.where(np.isfinite(scores_NT), scores_NT, centre)
    return Weighing(
        names=[names[place] for place in given],
        centre=centre,
        direction=fit_logistic(filled_NT, labels_N, penalty=PENALTY),
        null=fit_logistic(filled_NT, np.random.default_rng(0).permutation(labels_N), penalty=PENALTY),
        learnt_from=learnt_from,
    )


def read_weighed(
    readings: Mapping[str, ReadingRecord], seen: Weighing | str, oracle: Weighing | str | None = None
) -> ReadingRecord:
    """Return the combined reading of one subject: log-odds, or no score and the reason.

    Args:
        readings: the subject's, of the techniques that were weighed; the cost is theirs.
        seen: what `weigh` returned.
        oracle: the same of the oracle's scores; None: there are none.
    """
    cost = Cost(
        queries=sum(reading.cost.queries for reading in readings.values()),
        tokens=sum(reading.cost.tokens for reading in readings.values()),
        seconds=sum(reading.cost.seconds for reading in readings.values()),
    )
    if isinstance(seen, str):
        return ReadingRecord(score=None, reason=seen, cost=cost)
    scores = np.array(_row(_view(readings, "score"), seen.names))
    if not np.isfinite(scores).any():
        return ReadingRecord(score=None, reason="no technique gave a score", cost=cost)
    score = _log_odds(scores, seen, seen.direction)
    missing = [name for name, given in zip(seen.names, scores, strict=True) if not np.isfinite(given)]
    return ReadingRecord(
        score=score,
        reason="its log-odds are too large for a number" if score is None else None,
        null_score=_log_odds(scores, seen, seen.null),
        oracle_score=_oracle_score(readings, oracle),
        cost=cost,
        evidence=(*_loudest(scores, seen), *(f"{name} gave no score" for name in missing)),
    )


def _oracle_score(readings: Mapping[str, ReadingRecord], oracle: Weighing | str | None) -> float | None:
    if oracle is None or isinstance(oracle, str):
        return None
    best = np.array(_row(_view(readings, "oracle_score"), oracle.names))
    return _log_odds(best, oracle, oracle.direction) if np.isfinite(best).any() else None


def _view(readings: Mapping[str, ReadingRecord], view: View) -> dict[str, float | None]:
    return {name: getattr(reading, view) for name, reading in readings.items()}


def _row(scores: Mapping[str, float | None], names: Sequence[str]) -> list[float]:
    """Return a subject's scores in the order of names; NaN where there is none."""
    found = [scores.get(name) for name in names]
    return [float("nan") if score is None else float(score) for score in found]


def _log_odds(scores: np.ndarray, fitted: Weighing, direction: Direction) -> float | None:
    """Return the log-odds of a subject's scores; None where they are too large for a number."""
    filled_1T = np.where(np.isfinite(scores), scores, fitted.centre)[None]
    found = float(project(filled_1T, direction)[0])
    return found if np.isfinite(found) else None


def _loudest(scores: np.ndarray, fitted: Weighing, num: int = 2) -> list[str]:
    """Say which techniques moved the log-odds most from where mean scores would put them."""
    moved = np.nan_to_num((scores - fitted.centre) * fitted.direction.weight_D)
    order = np.argsort(-np.abs(moved), kind="stable")[:num]
    return [f"{fitted.names[place]} moves the log-odds by {moved[place]:+.2f}" for place in order]
