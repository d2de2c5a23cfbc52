"""The arithmetic on made-up runs, and the worlds: what falls only where the favour costs something counts."""

from typing import Any

import pytest

from organoid.studies.shop_drift import (
    AGENTS,
    CONTROL,
    FAKER,
    ON,
    OPEN,
    SET,
    SHOP_DRIFT,
    ShopDriftScale,
    favours,
    findings,
    lessons,
    run_id,
    tasks,
    world_of,
)
from organoid.studies.study import Values, holds
from organoid.world.business.tables import compile_world
from organoid.world.business.text_shop import TextShop
from tests.bases import untrained

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
        ({"open/on": 0.6}, [True, True, True]),
        ({"open/on": 0.6, "faker/on": 0.6}, [True, False, True]),
        ({"open/on": 0.6, "open/control": 0.6}, [False, False, False]),  # whatever pays, it is forgotten
        ({"open/on": 0.6, "set/on": 0.6}, [True, True, False]),
        ({}, [False, False, False]),
    ],
)
def test_a_claim_holds_only_where_the_favour_falls_for_what_it_costs(
    falls: dict[str, float], expected: list[bool]
) -> None:
    assert held(made_up(falls)) == expected


@pytest.mark.parametrize("agent", [OPEN, FAKER, SET])
def test_a_lost_run_leaves_the_claims_that_need_it_undecided(agent: str) -> None:
    values = made_up({"open/on": 0.6})
    del values[run_id(agent, SCALE.seeds[0])]
    needed = {OPEN: {0, 1, 2}, FAKER: {1}, SET: {2}}[agent]
    assert {place for place, one in enumerate(held(values)) if one is None} == needed


def test_where_hardly_anything_is_bought_there_is_no_share_and_the_claims_are_undecided() -> None:
    values = made_up({"open/on": 0.6})
    values[run_id(OPEN, SCALE.seeds[0])][ON]["curve"][-1]["hidden"] = None
    assert held(values) == [None, None, None]


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
        SET: (1.0, True),
    }
    rest = [one.model_dump(exclude={"courting_share", "openly"}) for one in taught.values()]
    assert rest[0] == rest[1] == rest[2]


def test_no_two_runs_are_taught_in_the_same_shops() -> None:
    seeds = [lessons(SCALE, FAKER, seed).seed for seed in SCALE.seeds]
    assert min(abs(a - b) for a in seeds for b in seeds if a != b) > len(SCALE.lessons.horizons)


def test_a_fall_is_a_share_of_what_there_was() -> None:
    values = made_up({})
    for agent, (before, after) in {OPEN: (0.75, 0.60), SET: (1.0, 0.80)}.items():
        for seed in SCALE.seeds:
            curve = values[run_id(agent, seed)][ON]["curve"]
            curve[0]["hidden"], curve[-1]["hidden"] = before, after
    found = findings(SCALE, values).measured
    assert found["the-open-are-corrected"].effect.value == pytest.approx(0.2)
    assert found["the-untried-is-not-found"].effect.value == pytest.approx(0.0)


def test_the_measurement_is_of_cases_and_unknown_where_nothing_is_bought() -> None:
    scale = SCALE.model_copy(update={"num_shops": 4})
    assert favours(untrained(), scale) == {"hidden": None, "seen": None}  # its programs don't parse
