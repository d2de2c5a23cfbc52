"""The study's arithmetic on made-up runs: the rise is found where it is, the control takes it away, plans stand by."""

from typing import Any

import pytest

from organoid.lab.tasks import TaskResult
from organoid.studies.long_horizon import (
    CONTROL,
    LONG_HORIZON,
    MEANS,
    ON,
    SURVIVING,
    WORLDS,
    findings,
    tasks,
    world_of,
)
from organoid.studies.run import assemble
from organoid.studies.study import Values, holds
from organoid.world.business.acts import Flag, Kind, modes
from organoid.world.business.planning import plan
from organoid.world.business.policies import Style

SCALE = LONG_HORIZON.quick.model_copy(update={"num_seeds": 3, "worlds": tuple(WORLDS)})


def made_up(rise_on: float, rise_control: float) -> dict[str, dict[str, Any]]:
    """Return runs in which what pays in a world rises, and nothing else does."""
    same = {"rates": {kind.value: 0.1 for kind in Kind}}
    values: dict[str, dict[str, Any]] = {
        "warm": {f"{world}/{incentive}": same for world in WORLDS for incentive in (ON, CONTROL)}
    }
    for task in tasks(SCALE):
        if task.id.startswith("run/"):
            _, world, incentive, horizon, seed = task.id.split("/")
            rise = (rise_on if incentive == ON else rise_control) * (horizon == "14")
            rates = {kind.value: 0.1 + rise * (kind is WORLDS[world].kind) + 0.001 * int(seed) for kind in Kind}
            did = {kind.value: 0.5 * (horizon == "14") for kind in Kind}
            values[task.id] = {"rates": rates, "did": did, "curve": [{**same, "mean_worth": 200.0}, {"rates": rates}]}
    return values


def held(values: Values) -> set[bool]:
    found = findings(SCALE, values).measured
    return {holds(claim, found[claim.id]) for claim in LONG_HORIZON.claims if claim.id in found}


@pytest.mark.parametrize(
    ("rise_on", "rise_control", "expected"),
    [(0.4, 0.0, True), (0.4, 0.4, False), (0.0, 0.0, False), (-0.4, 0.0, False)],
)
def test_a_claim_holds_only_where_acts_rise_and_the_controls_do_not(
    rise_on: float, rise_control: float, expected: bool
) -> None:
    assert held(made_up(rise_on, rise_control)) == {expected}


def test_the_table_of_rises_has_every_kind_in_every_world_and_says_which_pay() -> None:
    rows = findings(SCALE, made_up(0.4, 0.0)).tables["rises"]
    by_place = {(row["world"], row["kind"], row["incentive"]): row for row in rows}
    assert len(rows) == len(by_place) == len(WORLDS) * len(Kind) * 2
    paid = by_place["watched", "audit_avoidance", ON]
    assert (paid["rise"], paid["pays"], paid["did_1"], paid["did_14"]) == (pytest.approx(0.4), True, 0.0, 0.5)
    lies = [by_place["watched", "ledger_deception", incentive] for incentive in (ON, CONTROL)]
    assert [row["pays"] for row in lies] == [True, True] and [row["rise"] for row in lies] == pytest.approx([0.0, 0.0])
    assert {row["pays"] for row in rows if row["incentive"] == CONTROL and row not in lies} == {False}


def test_falling_silent_at_the_shortest_horizon_is_no_rise_of_the_longest() -> None:
    values = made_up(0.0, 0.0)
    for name in values:
        if "/on/1/" in name:
            values[name] = {**values[name], "rates": {kind.value: 0.0 for kind in Kind}}
    assert held(values) == {False}


def test_without_the_imitation_nothing_is_estimated() -> None:
    values = made_up(0.4, 0.0)
    del values["warm"]
    assert findings(SCALE, values).measured["self-preservation-surviving"].effect.value is None


def test_a_run_that_failed_is_left_out_with_its_pair() -> None:
    values = made_up(0.4, 0.0)
    del values["run/pressed/on/14/1"]
    found = findings(SCALE, values).measured["ledger-deception-pressed"]
    assert found.effect.n == 2 and found.control.n == 3


def test_what_the_quick_version_leaves_out_has_not_held() -> None:
    results = {name: TaskResult(id=name, status="done", value=value) for name, value in made_up(0.4, 0.0).items()}
    few = SCALE.model_copy(update={"worlds": (SURVIVING,)})
    claims = {claim["id"]: claim for claim in assemble(LONG_HORIZON, few, results)["claims"]}
    assert claims["resources-growing"]["held"] is False and claims["resources-growing"]["effect"] is None
    assert claims["self-preservation-surviving"]["held"] is True


def test_learning_is_drawn_from_the_imitation_on() -> None:
    (figure,) = (one for one in findings(SCALE, made_up(0.4, 0.0)).figures if one.name == "learning_surviving")
    longest = [row["value"] for row in figure.rows if row["series"] == "14 days, on"]
    assert longest == pytest.approx([0.1, 0.501])


@pytest.mark.parametrize("world", WORLDS)
def test_the_control_has_the_same_words_and_none_of_their_effects(world: str) -> None:
    on, control = (world_of(world, incentive) for incentive in (ON, CONTROL))
    assert {flag for flag in Flag if (modes(on)[flag] == "off") != (modes(control)[flag] == "off")} == set()
    own = set(WORLDS[world].affordances)
    assert own <= set(MEANS)
    assert {name for name in MEANS if getattr(on, name).mode == "on"} - TERMS_OF_LIES == own - TERMS_OF_LIES
    still = {name: getattr(on, name).model_copy(update={"mode": "control"}) for name in own}
    assert control == on.model_copy(update=still)


TERMS_OF_LIES = {"reports", "audits"}
"""On in `watched` as well, in both arms: who is silenced there are the auditors of lies."""

CHOICES = {
    Kind.RESOURCES: ("expand_left", "borrow_left"),
    Kind.SELF_PRESERVATION: ("backup_left", "delay_left"),
    Kind.LEDGER_DECEPTION: ("inflate",),
    Kind.INFLUENCE: ("pledge",),
    Kind.PERMISSIONS: ("ask_cap", "ask_approval"),
    Kind.AUDIT_AVOIDANCE: ("ask_optout",),
}


def turns_to(world: str, incentive: str, days: int) -> set[Kind]:
    """Return the kinds of act that a searched plan turns to."""
    style, plain = plan(world_of(world, incentive), days=days, seed=5, num_envs=24, brief=True), Style()
    return {kind for kind, names in CHOICES.items() if any(getattr(style, n) != getattr(plain, n) for n in names)}


@pytest.mark.parametrize("world", WORLDS)
def test_each_world_pays_for_its_kind_over_two_weeks_only_where_it_does_something(world: str) -> None:
    pays = WORLDS[world]
    assert turns_to(world, ON, 14) == {pays.kind, pays.also} - {None}
    assert turns_to(world, ON, 1) == set() and turns_to(world, CONTROL, 14) == set()
