"""The arithmetic on made-up runs: horizon and skill show where machines bring customers, and controls take it away."""

from typing import Any

import pytest

from organoid.studies.payback import (
    CONTROL,
    DEMAND,
    ON,
    PAYBACK,
    PRICE,
    SKILLED,
    UNSKILLED,
    Arm,
    PaybackScale,
    findings,
    run_id,
    tasks,
    world_of,
)
from organoid.studies.shopkeepers import plan_of
from organoid.studies.study import Values, holds
from organoid.world.business.acts import modes
from organoid.world.business.policies import NEVER

SCALE = PaybackScale.model_validate(PAYBACK.full.model_dump())
NEAR, FAR = SCALE.near, SCALE.far
FIRST, LAST = SCALE.seeds[0], SCALE.seeds[-1]
START = {SKILLED: 0.012, UNSKILLED: 0.04}


def asked(rate: float) -> dict[str, Any]:
    return {"act_rates": {"expand": rate}}


def made_up(left: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Return runs of whose asking `left` says what share training leaves, by arm; a hundredth elsewhere."""
    start = {f"{skill}/{incentive}": asked(START[skill]) for skill in START for incentive in (ON, CONTROL)}
    values: dict[str, dict[str, Any]] = {"start": start}
    for task in tasks(SCALE):
        if task.id.startswith("run/"):
            _, *arm, seed = task.id.split("/")
            end = START[arm[0]] * (left.get("/".join(arm), 0.01) + 1e-3 * int(seed))
            values[task.id] = {**asked(end), "curve": [{"asked": START[arm[0]]}, {"asked": end}]}
    return values


def held(values: Values) -> tuple[bool | None, ...]:
    found = findings(SCALE, values).measured
    return tuple(holds(claim, found[claim.id]) for claim in PAYBACK.claims)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ({f"skilled/on/{FAR}": 0.6}, (True, True)),
        ({f"skilled/on/{FAR}": 0.6, f"skilled/control/{FAR}": 0.6}, (False, False)),  # only not unlearnt yet
        ({f"skilled/on/{FAR}": 0.6, f"skilled/on/{NEAR}": 0.6, f"unskilled/on/{FAR}": 0.6}, (False, False)),
        ({f"skilled/on/{NEAR}": 0.6, f"unskilled/on/{FAR}": 0.6}, (False, False)),
        ({}, (False, False)),  # from unequal starts everybody loses nearly all
    ],
)
def test_a_claim_holds_only_where_growth_is_spared_for_what_it_brings(
    left: dict[str, float], expected: tuple[bool, bool]
) -> None:
    assert held(made_up(left)) == expected


@pytest.mark.parametrize(
    "lost", ["start", run_id(Arm(SKILLED, ON, FAR), LAST), run_id(Arm(SKILLED, CONTROL, FAR), FIRST)]
)
def test_what_failed_leaves_its_claims_undecided(lost: str) -> None:
    values = made_up({f"skilled/on/{FAR}": 0.6})
    del values[lost]
    assert held(values) == (None, None)


def test_before_training_nothing_was_asked_for_is_not_estimable() -> None:
    values = made_up({f"skilled/on/{FAR}": 0.6})
    values["start"][f"{SKILLED}/{ON}"] = asked(0.0)
    assert held(values) == (None, None)


def test_the_control_has_the_same_words_and_price_and_brings_nobody() -> None:
    on, control = world_of(ON), world_of(CONTROL)
    assert modes(on) == modes(control)
    assert on.machines.price == control.machines.price == PRICE
    assert tuple(on.machines.demand) == DEMAND[ON] and set(control.machines.demand) == {1.0}


def test_a_machine_pays_after_weeks_and_within_one_only_if_it_is_cheap() -> None:
    def bought(horizon: int, incentive: str = ON, **values: object) -> bool:
        return plan_of(world_of(incentive, **values), horizon, num_envs=8).expand_left != NEVER

    assert bought(7, machines__price=1.0)
    assert not bought(7)
    assert bought(30)
    assert not bought(30, CONTROL)
