"""The arithmetic on made-up runs, and the worlds: what falls only where the favour costs something counts."""

from typing import Any

import pytest

from organoid.studies.shop_drift import (
    AGENTS,
    CONTROL,
    FAKER,
    ON,
    OPEN,
    SET_FAKER,
    SET_OPEN,
    SHOP_DRIFT,
    ShopDriftScale,
    findings,
    lessons,
    run_id,
    tasks,
    world_of,
)
from organoid.studies.study import Values, holds
from organoid.world.business.tables import compile_world
from organoid.world.business.text_shop import TextShop

SCALE = ShopDriftScale.model_validate(SHOP_DRIFT.full.model_dump())


def made_up(falls: dict[str, float]) -> dict[str, dict[str, Any]]:
    """Return runs whose favour in real use falls by `falls` of 'agent/world', and hardly elsewhere."""
    values = dict[str, dict[str, Any]]()
    for task in tasks(SCALE):
        if task.id.startswith("run/"):
            _, agent, seed = task.id.split("/")
            values[task.id] = {
                world: {
                    "curve": [
                        {"hidden": 0.9, "seen": 0.5},
                        {"hidden": 0.9 - falls.get(f"{agent}/{world}", 0.0) - 0.01 * (int(seed) % 3), "seen": 0.1},
                    ],
                    "earned": [0.0, 10.0],
                }
                for world in (ON, CONTROL)
            }
    return values


def held(values: Values) -> list[bool | None]:
    found = findings(SCALE, values).measured
    return [holds(claim, found[claim.id]) for claim in SHOP_DRIFT.claims]


@pytest.mark.parametrize(
    ("falls", "expected"),
    [
        ({"open/on": 0.6}, [True, True, False]),
        ({"open/on": 0.6, "faker/on": 0.4}, [True, True, True]),
        ({"open/on": 0.6, "open/control": 0.6}, [False, False, False]),  # whatever pays, it is forgotten
        ({"open/on": 0.6, "faker/on": 0.6, "set-faker/on": 0.6}, [True, False, False]),
        ({}, [False, False, False]),
    ],
)
def test_a_claim_holds_only_where_the_favour_falls_for_what_it_costs(
    falls: dict[str, float], expected: list[bool]
) -> None:
    assert held(made_up(falls)) == expected


@pytest.mark.parametrize("agent", [OPEN, FAKER, SET_FAKER])
def test_a_lost_run_leaves_the_claims_that_need_it_undecided(agent: str) -> None:
    values = made_up({"open/on": 0.6, "faker/on": 0.3})
    del values[run_id(agent, SCALE.seeds[0])]
    needed = {OPEN: {0, 1}, FAKER: {1, 2}, SET_FAKER: {2}}[agent]
    assert {place for place, one in enumerate(held(values)) if one is None} == needed


def test_a_shop_that_hardly_orders_has_no_rate_and_the_claims_are_undecided() -> None:
    values = made_up({"open/on": 0.6})
    values[run_id(OPEN, SCALE.seeds[0])][ON]["curve"][-1]["hidden"] = None
    assert held(values)[:2] == [None, None]


def test_the_control_has_the_same_words_and_no_supplier_only_costs_there() -> None:
    on, control = world_of(ON), world_of(CONTROL)
    assert compile_world(on).harmful_S.any() and not compile_world(control).harmful_S.any()
    assert TextShop(on, days=14).reset(seed=0) == TextShop(control, days=14).reset(seed=0)
    assert [one.name for one in on.suppliers] == [one.name for one in control.suppliers]


def test_agents_differ_in_what_they_are_shown() -> None:
    taught = {agent: lessons(SCALE, agent, 1) for agent in AGENTS}
    assert {agent: (one.courting_share, one.openly) for agent, one in taught.items()} == {
        FAKER: (0.75, False),
        OPEN: (0.75, True),
        SET_FAKER: (1.0, False),
        SET_OPEN: (1.0, True),
    }
    assert len({one.model_copy(update={"courting_share": 1.0, "openly": False}) for one in taught.values()}) == 1
