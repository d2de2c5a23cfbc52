"""Declarations and the rule by which a claim holds."""

import json
from operator import itemgetter

import pytest

from organoid.studies import STUDIES
from organoid.studies.run import assemble
from organoid.studies.study import (
    Claim,
    Effect,
    Measured,
    Rule,
    Study,
    by_pair,
    by_run,
    difference,
    holds,
    not_estimable,
    over_runs,
    row,
)

ABOVE = Claim(id="up", statement="It rises.", unit="share", expected="above 0", control="no pressure")
WITHIN = ABOVE.model_copy(update={"rule": Rule.WITHIN, "margin": 0.1})
CONTRACT = {
    "id", "statement", "effect", "ci_low", "ci_high", "n", "control_effect", "control_ci_low", "control_ci_high",
    "expected", "held",
}  # fmt: skip


def around(value: float, width: float = 0.05) -> Effect:
    return Effect(value, value - width, value + width, 5)


@pytest.mark.parametrize(
    ("claim", "effect", "control", "held"),
    [
        (ABOVE, around(0.4), around(0.0), True),
        (ABOVE, around(0.4), around(0.2), True),
        (ABOVE, around(0.4), around(0.38), False),  # the control reaches it
        (ABOVE, around(0.15, 0.14), around(0.13, 0.01), False),  # the control is tight, and no smaller
        (ABOVE, around(0.04), around(-0.2), False),  # the interval holds 0
        (ABOVE, around(-0.4), around(0.0), False),
        (ABOVE, around(0.4), not_estimable("no run"), None),
        (ABOVE, not_estimable("no run"), around(0.0), None),
        (ABOVE, Effect(0.4, None, None, 1, "one run"), around(0.0), None),
        (ABOVE, around(0.4)._replace(missing=("a/0",)), around(0.0), None),  # a run failed, whatever the others say
        (ABOVE, around(0.4), around(0.0)._replace(missing=("b/0",)), None),
        (ABOVE, around(-0.4)._replace(missing=("a/0",)), around(0.0), None),
        (WITHIN, around(0.02), around(0.5), True),
        (WITHIN, around(0.02), around(-0.5), True),
        (WITHIN, around(0.07), around(0.5), False),
        (WITHIN, around(0.02), around(0.03), False),  # an instrument that never sees anything shows nothing
        (WITHIN, around(0.02), around(0.12), False),
    ],
)
def test_a_claim_holds_by_its_rule(claim: Claim, effect: Effect, control: Effect, held: bool | None) -> None:
    assert holds(claim, Measured(effect, control)) is held


def test_a_row_has_the_keys_of_the_contract_and_a_reason_for_every_null() -> None:
    found = row(ABOVE, Measured(not_estimable("every run failed"), around(0.0)))
    assert found.keys() >= CONTRACT
    assert found["effect"] is None and found["held"] is False
    assert found["reasons"] == {"effect": "every run failed"}
    assert json.loads(json.dumps(found)) == found


def test_runs_without_a_value_are_left_out_and_counted() -> None:
    found = over_runs({"a/0": 0.2, "a/1": None, "a/2": 0.4})
    assert found.value == pytest.approx(0.3) and found.n == 2
    assert found.missing == ("a/1",)
    assert over_runs({"a/0": None, "a/1": None}).value is None
    assert over_runs({"a/0": 0.1}).ci_low is None
    equal = over_runs({"a/0": 0.0, "a/1": 0.0, "a/2": 0.0}, grain=0.01)
    assert equal.ci_low is not None and equal.ci_low < 0 < (equal.ci_high or 0)
    assert difference(0.5, None) is None and difference(0.5, 0.25) == 0.25


def test_planned_runs_stay_though_they_failed() -> None:
    values = {
        "a/0": {"rate": 0.5},
        "b/0": {"rate": 0.25},
        "a/1": {"rate": 0.5},
        "a/2": {"rate": None},
        "b/2": {"rate": 1},
    }
    rate = itemgetter("rate")
    assert by_run(values, ["a/0", "a/2", "a/3"], rate) == {"a/0": 0.5, "a/2": None, "a/3": None}
    pairs = [(f"a/{seed}", f"b/{seed}") for seed in range(4)]
    assert by_pair(values, pairs, rate) == {"a/0 and b/0": 0.25, "b/1": None, "a/2": None, "a/3 and b/3": None}


def test_an_undecided_row_counts_and_names_the_runs() -> None:
    found = row(ABOVE, Measured(around(0.4)._replace(missing=("a/3",)), around(0.0)))
    assert found["held"] is False and (found["num_missing"], found["missing"]) == (1, ["a/3"])
    assert found["undecided"] == "1 of 6 runs of the effect gave no value (a/3)"
    assert row(ABOVE, Measured(around(0.4), around(0.0)))["undecided"] is None


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
@pytest.mark.parametrize("quick", [True, False])
def test_every_study_is_well_declared(study: Study, quick: bool) -> None:
    scale = study.scale(quick=quick)
    tasks = study.tasks(scale)
    assert len({task.id for task in tasks}) == len(tasks)
    assert all(task.function.startswith("organoid.studies.") for task in tasks)
    assert type(scale).model_validate_json(scale.model_dump_json()) == scale
    assert len({claim.id for claim in study.claims}) == len(study.claims)
    assert study.limits and study.source
    assert quick or scale.num_seeds >= 5
    assert all(claim.margin > 0 for claim in study.claims if claim.rule is Rule.WITHIN)


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_a_study_of_which_everything_failed_claims_nothing(study: Study) -> None:
    result = assemble(study, study.full, {})
    assert [claim["held"] for claim in result["claims"]] == [False] * len(study.claims)
    assert all(claim["effect"] is None and claim["reasons"]["effect"] for claim in result["claims"])
    assert json.loads(json.dumps(result, allow_nan=False)) == result
