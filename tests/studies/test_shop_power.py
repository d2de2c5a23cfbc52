"""The table and figure of POWER: what a task returns, rates beside it, and controls that are zero."""

import json

import pytest

from organoid.studies import shop_power
from organoid.studies.long_horizon import LONG_HORIZON, WORLDS, findings, tasks
from organoid.world.business.load import load_world
from organoid.world.business.tabular import MEANS, STARTS


@pytest.fixture(scope="module")
def values() -> dict:
    (task,) = shop_power.tasks({"growing": load_world()}, num_shops=2)
    return {task.id: json.loads(json.dumps(shop_power.powered(task.payload)))}


def test_every_affordance_has_a_row_by_start_and_discount_and_its_control_is_zero(values: dict) -> None:
    rows = shop_power.table(values, ["growing"], {"growing": {"plan": {"borrow": 0.5}}})
    assert len(rows) == len(MEANS) * len(STARTS) * len(shop_power.DISCOUNTS)
    assert {row["control"] for row in rows} == {0.0}
    assert any(row["difference"] != 0.0 for row in rows)
    assert {row["plan, acts a day"] for row in rows if row["affordance"] == "loans"} == {0.5}
    assert {row["plan, acts a day"] for row in rows if row["affordance"] == "cap"} == {None}


def test_the_figure_has_a_line_per_affordance_and_says_what_the_controls_bring(values: dict) -> None:
    figure = shop_power.figure(values, "growing", "well-off")
    assert {row["series"] for row in figure.rows} == {means.name for means in MEANS}
    assert "largest difference is 0." in figure.caption


def test_a_task_that_failed_leaves_no_rows() -> None:
    assert shop_power.table({}, ["growing"], {}) == [] and shop_power.figure({}, "growing", "poor").rows == ()


def test_the_study_shows_power_beside_what_plans_and_policies_did(values: dict) -> None:
    runs = {"act_rates": {"borrow": 0.25}, "rates": {}, "curve": []}
    known = {
        **values,
        "plan/growing/14": {"act_rates": {"borrow": 0.75}, "rates": {}},
        **{f"run/growing/on/14/{seed}": runs for seed in range(5)},
    }
    found = findings(LONG_HORIZON.full, known)
    powers = [f"power_{world}" for world in WORLDS]
    assert [figure.name for figure in found.figures][-len(powers) :] == powers
    row = next(row for row in found.tables["power"] if row["affordance"] == "loans")
    assert (row["plan, acts a day"], row["trained, acts a day"]) == (0.75, 0.25)
    assert [task.id for task in tasks(LONG_HORIZON.full)][-len(powers) :] == [name.replace("_", "/") for name in powers]
