"""Fitted on other families, scored on this one; what fails says why."""

from collections.abc import Callable, Sequence

import pytest

from organoid.errors import AccessError, PrerequisiteError
from organoid.lab.readings import NO_REASON, Observed, read_all
from organoid.lab.records import ReadingRecord
from organoid.types import Access, AccessKind, Fitted, Labelled, Observation, Reading

COST = {"queries": 3, "tokens": 40, "seconds": 0.5}
FAMILIES = ("a", "b", "c")


class Spy:
    """Scores by the number in the observation, and remembers what it was fitted on and asked to read."""

    name, summary, access, source = "spy", "", frozenset({AccessKind.TEXT}), ""

    def __init__(self, read: Callable[[Observation], object] | None = None) -> None:
        self.fitted: list[Sequence[Labelled]] = []
        self.read: dict[int, list[float]] = {}
        self._read = read

    def observe(self, access: Access) -> Observation:
        raise AssertionError("observed before")

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        number = len(self.fitted)
        self.fitted.append(calibration)

        def score(observation: Observation) -> Reading:
            self.read.setdefault(number, []).append(observation["number"])
            return self._read(observation) if self._read else Reading(score=observation["number"])  # type: ignore[return-value]

        return score


def subject(family: str, number: float, **changes: object) -> Observed:
    taken = {"seen": {"number": number}, "oracle": {"number": number + 100}, "cost": COST, "reason": None}
    fields = {
        "id": f"{family}/{number}",
        "family": family,
        "misaligned": number >= 10,
        "calibrates": True,
        "observations": {"spy": taken},
    }
    return Observed(**fields | changes)  # type: ignore[arg-type]


def subjects() -> list[Observed]:
    return [subject(family, number + place) for place, family in enumerate(FAMILIES) for number in (0.0, 10.0)]


def only(technique: object, among: Sequence[Observed] | None = None) -> dict[str, ReadingRecord]:
    return {name: found["spy"] for name, found in read_all(among or subjects(), {"spy": technique}).items()}  # type: ignore[dict-item]


def test_the_family_that_is_read_is_never_fitted_on() -> None:
    spy = Spy()
    readings = only(spy)
    assert len(spy.fitted) == 2 * len(FAMILIES)  # what was seen, and the oracle, per family
    for number, calibration in enumerate(spy.fitted):
        own = FAMILIES[number // 2]
        assert {one.family for one in calibration} == set(FAMILIES) - {own}
        place, shift = FAMILIES.index(own), 100 * (number % 2)
        assert spy.read[number] == [place + shift, 10 + place + shift]
    assert {name: reading.score for name, reading in readings.items()} == {s.id: float(s.id[2:]) for s in subjects()}


def test_the_oracle_is_fitted_and_read_on_what_it_took_down() -> None:
    spy = Spy()
    readings = only(spy)
    assert [one.observation["number"] >= 100 for one in spy.fitted[0]] == [False] * 4
    assert [one.observation["number"] >= 100 for one in spy.fitted[1]] == [True] * 4
    assert readings["b/1.0"].oracle_score == 101.0


def test_labels_are_the_truth_and_unknown_truth_teaches_nothing() -> None:
    spy = Spy()
    odd = [subject("b", 5.0, misaligned=None), subject("b", 6.0, calibrates=False)]
    readings = only(spy, [*subjects(), *odd])
    assert [(one.observation["number"], one.misaligned) for one in spy.fitted[0]] == [
        (1.0, False),
        (11.0, True),
        (2.0, False),
        (12.0, True),
    ]
    assert readings["b/5.0"].score == 5.0  # but they are read


def test_costs_and_evidence_are_kept() -> None:
    reading = only(Spy(lambda observation: Reading(score=1.0, null_score=2.0, evidence=("so",))))["a/0.0"]
    assert reading.cost.model_dump() == COST
    assert (reading.null_score, reading.evidence, reading.reason, reading.flagged) == (2.0, ("so",), None, None)


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (lambda observation: Reading(score=None, reason="no digits"), "no digits"),
        (lambda observation: Reading(score=None), NO_REASON),
        (lambda observation: Reading(score=float("nan")), "could not be read: ValidationError"),
        (lambda observation: {}[0], "could not be read: KeyError: 0"),
        (lambda observation: None, "could not be read: AttributeError"),
    ],
)
def test_what_gives_no_score_says_why(read: Callable[[Observation], object], reason: str) -> None:
    for reading in only(Spy(read)).values():
        assert reading.score is None
        assert reading.reason is not None
        assert reading.reason.startswith(reason)


@pytest.mark.parametrize("error", [ValueError("too few"), KeyError("acts"), AccessError("no"), ZeroDivisionError()])
def test_a_technique_that_cannot_be_fitted_says_why(error: Exception) -> None:
    class Broken(Spy):
        def fit(self, calibration: Sequence[Labelled]) -> Fitted:
            raise error

    for reading in only(Broken()).values():
        assert (reading.score, reading.reason) == (None, f"could not be fitted: {error}")
        assert reading.cost.model_dump() == COST


def test_a_fit_that_fails_for_one_family_leaves_the_others() -> None:
    class Picky(Spy):
        def fit(self, calibration: Sequence[Labelled]) -> Fitted:
            if {one.family for one in calibration} == {"b", "c"}:
                raise ValueError("not these")
            return super().fit(calibration)

    scores = {name: reading.score for name, reading in only(Picky()).items()}
    assert scores["a/0.0"] is scores["a/10.0"] is None
    assert None not in [scores[name] for name in scores if name[0] != "a"]


def test_an_oracle_that_fails_leaves_the_reading() -> None:
    def read(observation: Observation) -> Reading:
        if observation["number"] >= 100:
            raise ValueError("the oracle is blind")
        return Reading(score=1.0)

    reading = only(Spy(read))["a/0.0"]
    assert (reading.score, reading.oracle_score, reading.reason) == (1.0, None, None)
    missing = {"seen": {"number": 1.0}, "oracle": None, "cost": COST, "reason": None}
    assert only(Spy(), [subject("a", 1.0, observations={"spy": missing})])["a/1.0"].score == 1.0


def test_what_could_not_be_taken_down_says_why() -> None:
    taken = {"seen": None, "oracle": None, "cost": COST, "reason": "AccessError: not declared"}
    failed = subject("a", 0.0, observations={"spy": taken})
    readings = only(Spy(), [failed, *subjects()[2:]])
    assert (readings["a/0.0"].score, readings["a/0.0"].reason) == (None, "AccessError: not declared")
    assert readings["b/1.0"].score == 1.0


def test_a_subject_that_was_not_looked_at_has_no_reading() -> None:
    assert read_all([subject("a", 0.0, observations={})], {"spy": Spy()}) == {"a/0.0": {}}


def test_what_the_machine_lacks_is_passed_on() -> None:
    def read(observation: Observation) -> Reading:
        raise PrerequisiteError("install sae-lens")

    with pytest.raises(PrerequisiteError):
        only(Spy(read))
