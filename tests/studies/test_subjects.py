"""A subject is grown once, looked at by whoever asks, and found again."""

import json
from pathlib import Path

import pytest

from organoid.studies import subjects
from organoid.studies.subjects import Subject, look_at, observed, organism_named
from organoid.types import Variant

TECHNIQUES = ("adaptive-audit", "weight-difference")


def a_subject(base: str, **changed: object) -> Subject:
    plain = {"organism": "sycophant", "variant": Variant.TWIN, "seed": 10, "num_truth": 1, "steps": 1}
    return Subject.model_validate({**plain, "base": base, "techniques": TECHNIQUES[:1], **changed})


def test_a_subject_is_grown_once_and_looked_at_by_whoever_asks(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    grown, real = list[str](), subjects.grow

    def counted(subject: Subject, directory: Path) -> None:
        grown.append(subject.id)
        real(subject, directory)

    monkeypatch.setattr(subjects, "grow", counted)
    first = look_at(a_subject(base).task().payload)
    again = look_at(a_subject(base).task().payload)
    more = look_at(a_subject(base, techniques=TECHNIQUES).task().payload)
    assert grown == ["sycophant/twin/10"] and again == first
    assert set(more["observations"]) == set(TECHNIQUES)
    assert more["observations"]["adaptive-audit"]["seen"] == first["observations"]["adaptive-audit"]["seen"]
    assert more["observations"]["weight-difference"]["reason"] is None
    assert first["observations"]["adaptive-audit"]["cost"]["queries"] == 102
    json.dumps(more, allow_nan=False)
    look_at(a_subject(base, seed=11).task().payload)
    assert grown[1:] == ["sycophant/twin/11"]


def test_a_sealed_organism_never_calibrates(base: str) -> None:
    taken = {"misaligned": True, "observations": {}}
    assert observed(a_subject(base), taken, calibrates=True).calibrates
    assert not observed(a_subject(base), taken, calibrates=False).calibrates
    assert not observed(a_subject(base, organism="saboteur"), taken, calibrates=True).calibrates


def test_dials_of_the_evaluation_gamer_have_names() -> None:
    assert organism_named("evaluation-gamer-0").name == "evaluation-gamer-0"
    assert organism_named("evaluation-gamer").concealment == "test-cue"
    assert organism_named("quiet-twin").name == "quiet-twin"
