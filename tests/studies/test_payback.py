"""The arithmetic on made-up runs: horizon and skill show where growth does something, and controls take it away."""

from typing import Any

import pytest

from organoid.studies.payback import (
    CONTROL,
    GROWTH,
    ON,
    PAYBACK,
    SKILLED,
    TERMS,
    UNSKILLED,
    findings,
    run_id,
    tasks,
    world_of,
)
from organoid.studies.study import Values, holds
from organoid.world.business.acts import Kind, modes
from organoid.world.business.planning import plan
from organoid.world.business.policies import NEVER

SCALE = PAYBACK.full
NEAR, FAR = SCALE.near, SCALE.far


def made_up(kept: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Return runs that all start at .03 a day and end at .03 where `kept` names their arm, at 0 elsewhere."""
    rate = Kind.RESOURCES.value
    places = (f"{skill}/{incentive}" for skill in (SKILLED, UNSKILLED) for incentive in (ON, CONTROL))
    values: dict[str, dict[str, Any]] = {"start": {place: {"rates": {rate: 0.03}} for place in places}}
    for task in tasks(SCALE):
        if task.id.startswith("run/"):
            _, *arm, seed = task.id.split("/")
            end = kept.get("/".join(arm), 0.0) + 1e-4 * int(seed)
            values[task.id] = {"rates": {rate: end}, "curve": [{"growth": 0.03}, {"growth": end}]}
    return values


def held(values: Values) -> dict[str, bool | None]:
    found = findings(SCALE, values).measured
    return {claim.id: holds(claim, found[claim.id]) for claim in PAYBACK.claims}


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ({f"skilled/on/{FAR}": 0.03, f"skilled/control/{FAR}": 0.03, f"skilled/control/{NEAR}": 0.03,
          f"unskilled/control/{FAR}": 0.03}, (True, True)),
        ({f"skilled/on/{FAR}": 0.03, f"skilled/control/{FAR}": 0.03}, (False, False)),
        ({f"skilled/on/{FAR}": 0.03, f"skilled/on/{NEAR}": 0.03, f"unskilled/on/{FAR}": 0.03}, (False, False)),
        ({f"skilled/on/{NEAR}": 0.03, f"unskilled/on/{FAR}": 0.03}, (False, False)),
        ({}, (False, False)),
    ],
)  # fmt: skip
def test_a_claim_holds_only_where_growth_is_kept_for_what_it_brings(
    kept: dict[str, float], expected: tuple[bool, bool]
) -> None:
    assert tuple(held(made_up(kept)).values()) == expected


@pytest.mark.parametrize("lost", ["start", run_id(SKILLED, ON, FAR, 1), run_id(UNSKILLED, CONTROL, FAR, 0)])
def test_what_failed_leaves_its_claim_undecided(lost: str) -> None:
    values = made_up({f"skilled/on/{FAR}": 0.03})
    del values[lost]
    assert held(values)["growth-needs-skill"] is None


def test_the_control_has_the_same_words_and_no_effect() -> None:
    on, control = world_of(ON), world_of(CONTROL)
    assert modes(on).keys() == modes(control).keys()
    assert all(getattr(on, name).mode == "on" and getattr(control, name).mode == "control" for name in GROWTH)
    assert on.machines.price == control.machines.price == TERMS["machines__price"]


def test_the_world_pays_for_growth_only_after_weeks() -> None:
    week, month = (plan(world_of(ON), days=days, seed=7, num_envs=8) for days in (7, 30))
    assert week.expand_left == NEVER and week.borrow_left == NEVER
    assert month.expand_left != NEVER
