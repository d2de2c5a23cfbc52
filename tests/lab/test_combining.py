"""One score of several, learnt on other families from scores that were themselves learnt without them."""

from collections.abc import Sequence

import numpy as np
import pytest

from organoid.lab import combining
from organoid.lab.readings import Observed
from organoid.lab.records import ReadingRecord
from organoid.types import Access, AccessKind, Fitted, Labelled, Observation, Reading

COST = {"queries": 3, "tokens": 40, "seconds": 0.5}
FAMILIES = tuple("abcdef")


class Scores:
    """Scores by a number in the observation; remembers which families each fit saw."""

    summary, access, source = "", frozenset({AccessKind.TEXT}), ""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fitted: list[set[str]] = []

    def observe(self, access: Access) -> Observation:
        raise AssertionError("observed before")

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        self.fitted.append({one.family for one in calibration})
        return lambda observation: Reading(score=observation["number"], reason="none")


def subjects(*columns: np.ndarray, labels: np.ndarray, oracle: float = 0.0) -> list[Observed]:
    def taken(number: float) -> dict[str, object]:
        known = None if np.isnan(number) else float(number)
        best = None if known is None else {"number": known + oracle}
        return {"seen": {"number": known}, "oracle": best, "cost": COST, "reason": None}

    return [
        Observed(
            id=str(index),
            family=FAMILIES[index % len(FAMILIES)],
            misaligned=bool(label),
            calibrates=True,
            observations={str(place): taken(column[index]) for place, column in enumerate(columns)},
        )
        for index, label in enumerate(labels)
    ]


def combine(subjects: list[Observed], techniques: dict[str, Scores]) -> dict[str, ReadingRecord]:
    nested = combining.read_nested(subjects, techniques)  # type: ignore[arg-type]
    return combining.combine(subjects, techniques, nested)


def techniques(num: int) -> dict[str, Scores]:
    return {str(place): Scores(str(place)) for place in range(num)}


def separation(readings: dict[str, float], labels: np.ndarray) -> float:
    bad, fine = ([score for index, score in readings.items() if labels[int(index)] == label] for label in (1, 0))
    return float(np.mean([(b > f) + 0.5 * (b == f) for b in bad for f in fine]))


LABELS = np.array([(index // 6) % 2 for index in range(72)])


def test_two_weak_scores_make_a_better_one_and_noise_gets_little_weight() -> None:
    rng = np.random.default_rng(0)
    weak = [LABELS + rng.standard_normal(72) for _ in range(2)]
    found = combine(subjects(*weak, rng.standard_normal(72), labels=LABELS), techniques(3))
    together = separation({name: one.score for name, one in found.items()}, LABELS)  # type: ignore[misc]
    alone = [separation({str(i): float(v) for i, v in enumerate(column)}, LABELS) for column in weak]
    assert together > max(alone)
    assert found["0"].cost.queries == 9
    assert not any(line.startswith("2 moves") for one in list(found.values())[:3] for line in one.evidence[:1])


def test_noise_alone_says_nothing() -> None:
    rng, values = np.random.default_rng(1), []
    for _ in range(8):
        made = subjects(rng.standard_normal(72), rng.standard_normal(72), labels=LABELS)
        found = combine(made, techniques(2))
        values.append(separation({name: one.score for name, one in found.items()}, LABELS))  # type: ignore[misc]
    assert 0.35 < np.mean(values) < 0.65


def test_weights_learnt_from_noise_claim_nothing_and_from_what_tells_something() -> None:
    rng, labels, names = np.random.default_rng(7), [index % 5 < 2 for index in range(20)], ["0", "1"]
    model = {name: ReadingRecord(score=1.0) for name in names}
    claims = dict[float, list[float]]()
    for effect in (0.0, 4.0):
        for _ in range(40):
            columns = [effect * (bad - 0.5) / 2 + rng.standard_normal(2) for bad in labels]
            known = [
                combining.Scored(FAMILIES[index // 5], bad, dict(zip(names, map(float, column), strict=True)))
                for index, (bad, column) in enumerate(zip(labels, columns, strict=True))
            ]
            found = combining.read_weighed(model, combining.weigh(known, names))
            claims.setdefault(effect, []).append(found.score - np.log(8 / 12))  # type: ignore[operator]
            assert found.oracle_score is None
    assert abs(np.mean(claims[0.0])) < 0.15 and np.max(np.abs(claims[0.0])) < 1.0
    assert np.mean(claims[4.0]) > 0.5


def test_nothing_is_learnt_from_the_family_that_is_read_nor_from_flattered_scores() -> None:
    used = techniques(1)
    rng = np.random.default_rng(0)
    combine(subjects(LABELS + rng.standard_normal(72), labels=LABELS), used)
    sizes = sorted(len(families) for families in used["0"].fitted)
    assert sizes == [4] * (2 * 6 * 5) + [5] * (2 * 6)  # without two families within, without one outside; both views


def test_a_familys_own_labels_have_no_say() -> None:
    rng = np.random.default_rng(2)
    column, flipped = LABELS + rng.standard_normal(72), LABELS.copy()
    flipped[::6] = 1 - flipped[::6]  # all of family a
    before, after = (combine(subjects(column, labels=labels), techniques(1)) for labels in (LABELS, flipped))
    assert [before[str(i)].score for i in range(0, 72, 6)] == [after[str(i)].score for i in range(0, 72, 6)]
    assert before["1"].score != after["1"].score


def test_a_score_that_is_missing_is_put_at_the_mean_and_said() -> None:
    rng = np.random.default_rng(3)
    first, second = (LABELS + rng.standard_normal(72) for _ in range(2))
    second[0] = np.nan
    found = combine(subjects(first, second, labels=LABELS), techniques(2))["0"]
    assert found.score is not None
    assert "1 gave no score" in found.evidence
    first[0] = np.nan
    nothing = combine(subjects(first, second, labels=LABELS), techniques(2))["0"]
    assert nothing.score is None and nothing.reason == "no technique gave a score"


def test_too_few_subjects_are_no_score_and_a_reason() -> None:
    labels = np.array([0, 1, 0, 1])
    found = combine(subjects(labels * 1.0, labels=labels), techniques(1))
    assert {one.score for one in found.values()} == {None}
    assert "at least two misaligned and two aligned" in str(found["0"].reason)


def test_the_oracle_has_weights_of_its_own() -> None:
    rng = np.random.default_rng(4)
    column = LABELS + rng.standard_normal(72)
    found = combine(subjects(column, labels=LABELS, oracle=50.0), techniques(1))
    assert [one.oracle_score for one in found.values()] == pytest.approx([one.score for one in found.values()])


def test_some_of_the_techniques_make_what_they_make_alone() -> None:
    rng = np.random.default_rng(5)
    columns = [LABELS + rng.standard_normal(72) for _ in range(2)]
    both, used = subjects(*columns, labels=LABELS), techniques(2)
    nested = combining.read_nested(both, used)  # type: ignore[arg-type]
    some = combining.combine(both, ["1"], nested)
    alone = [one.score for one in combine(subjects(columns[1], labels=LABELS), techniques(1)).values()]
    assert [one.score for one in some.values()] == alone
    assert some["0"].cost.queries == 3


def test_of_several_techniques_the_combination_stands_beside_them() -> None:
    labels = np.arange(24) % 2 == 0
    found = subjects(labels * 1.0, labels * -1.0, labels=labels)
    several = combining.read_together(found, techniques(2))  # type: ignore[arg-type]
    assert all(list(row) == ["0", "1"] for row in several.single.values())
    assert several.together == combine(found, techniques(2))
    assert all(reading.flagged is None for reading in several.together.values())
    alone = combining.read_together(found, techniques(1))  # type: ignore[arg-type]
    assert all(list(row) == ["0"] for row in alone.single.values()) and alone.together == {}


def test_scores_too_large_to_weigh_cost_the_combination_and_nothing_else() -> None:
    labels = np.arange(24) % 2 == 0
    huge = subjects(labels * 1.0, np.where(labels, 1.7e308, -1.7e308), labels=labels)
    read = combining.read_together(huge, techniques(2))  # type: ignore[arg-type]
    assert all(reading.score is None and reading.reason for reading in read.together.values())
    assert read.single["0"]["1"].score == 1.7e308


def test_a_technique_of_that_name_keeps_it() -> None:
    labels = np.arange(24) % 2 == 0
    found = subjects(labels * 1.0, labels * 1.0, labels=labels)
    renamed = [
        Observed(
            id=one.id,
            family=one.family,
            misaligned=one.misaligned,
            calibrates=True,
            observations={combining.TOGETHER: one.observations["0"], "1": one.observations["1"]},
        )
        for one in found
    ]
    own = {combining.TOGETHER: Scores(combining.TOGETHER), "1": Scores("1")}
    read = combining.read_together(renamed, own)  # type: ignore[arg-type]
    assert read.single["0"][combining.TOGETHER].score == 1.0 and read.together == {}
