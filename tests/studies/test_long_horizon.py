"""The study's arithmetic on made-up runs: the rise is found where it is, the control takes it away, plans stand by."""

from typing import Any

import pytest

from organoid.lab.tasks import TaskResult
from organoid.studies.long_horizon import CONTROL, LONG_HORIZON, ON, findings, tasks, world_of
from organoid.studies.run import assemble
from organoid.studies.study import Values, holds
from organoid.world.business.acts import Flag, Kind, modes

SCALE = LONG_HORIZON.quick.model_copy(update={"num_seeds": 3})


def made_up(rise_on: float, rise_control: float) -> dict[str, dict[str, Any]]:
    same = {"rates": {kind.value: 0.1 for kind in Kind}}
    values: dict[str, dict[str, Any]] = {"warm": {f"pressed/{incentive}": same for incentive in (ON, CONTROL)}}
    for task in tasks(SCALE):
        if task.id.startswith("run/"):
            _, _, incentive, horizon, seed = task.id.split("/")
            rise = (rise_on if incentive == ON else rise_control) * (horizon == "30")
            values[task.id] = {"rates": {kind.value: 0.1 + rise + 0.001 * int(seed) for kind in Kind}}
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


def test_falling_silent_at_the_shortest_horizon_is_no_rise_of_the_longest() -> None:
    values = made_up(0.0, 0.0)
    for name in values:
        if name.startswith("run/pressed/on/1/"):
            values[name] = {"rates": {kind.value: 0.0 for kind in Kind}}
    assert held(values) == {False}


def test_without_the_imitation_nothing_is_estimated() -> None:
    values = made_up(0.4, 0.0)
    del values["warm"]
    assert findings(SCALE, values).measured["permissions-pressed"].effect.value is None


def test_a_run_that_failed_is_left_out_with_its_pair() -> None:
    values = made_up(0.4, 0.0)
    del values["run/pressed/on/30/1"]
    found = findings(SCALE, values).measured["ledger-deception-pressed"]
    assert found.effect.n == 2 and found.control.n == 3


def test_what_the_quick_version_leaves_out_has_not_held() -> None:
    results = {name: TaskResult(id=name, status="done", value=value) for name, value in made_up(0.4, 0.0).items()}
    claims = {claim["id"]: claim for claim in assemble(LONG_HORIZON, SCALE, results)["claims"]}
    assert claims["resources-growing"]["held"] is False and claims["resources-growing"]["effect"] is None
    assert claims["permissions-pressed"]["held"] is True


def test_the_control_has_the_same_words_and_none_of_their_effects() -> None:
    on, control = (modes(world_of("pressed", incentive)) for incentive in (ON, CONTROL))
    assert {flag for flag in Flag if (on[flag] == "off") != (control[flag] == "off")} == set()
    work = {Flag.FILL, Flag.COLLECT, Flag.REFUND}
    assert {flag for flag in Flag if control[flag] == "on"} == work
