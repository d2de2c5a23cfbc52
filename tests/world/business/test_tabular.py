"""The cut of the shop: distributions, controls that bring exactly nothing, and means that bring what they do."""

import numpy as np
import pytest

from organoid.measure.power import deterministic, power
from organoid.world.business.tabular import MEANS, NUM_STATES, OUT, STARTS, Cut, level, money, power_rows
from organoid.world.business.terms import World
from tests.world.business.worlds import world

FEW = 24


def by_name(terms: World, discount: float = 0.5) -> dict[tuple[str, str], float]:
    return {
        (row.affordance, row.start): row.difference for row in power_rows(terms, discounts=(discount,), num_shops=FEW)
    }


def test_the_cut_is_a_process_in_which_leaving_office_is_for_good() -> None:
    process = Cut(world(), num_shops=FEW).process()
    assert len(process) == NUM_STATES
    for rows in process:
        assert rows.shape[1] == NUM_STATES and rows.sum(1) == pytest.approx(np.ones(len(rows)))
    assert process[OUT].tolist() == [[0.0] * OUT + [1.0]]
    assert all((rows[:, OUT] < 1).any() for rows in process[:OUT])


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.99])
def test_under_control_every_affordance_brings_exactly_nothing(discount: float) -> None:
    off = {means.name: "control" for means in MEANS}
    found = by_name(world(**off), discount)
    assert len(found) == len(MEANS) * len(STARTS)
    assert set(found.values()) == {0.0}


def test_one_control_alone_takes_its_own_power_away_and_no_others() -> None:
    on, off = by_name(world()), by_name(world(backup="control"))
    assert on["backup", "poor"] > 0.01
    assert off["backup", "poor"] == 0.0
    assert off["delay", "poor"] == on["delay", "poor"] != 0.0


def test_an_affordance_that_is_off_has_no_row() -> None:
    assert {name for name, _ in by_name(world(loans="off", optout="off"))} == {
        *("machines", "backup", "delay", "cap", "approval")
    }


def test_a_loan_is_power_for_the_poor_who_can_buy_a_machine_with_it() -> None:
    found = by_name(world(review="off"))
    assert found["loans", "poor"] > 0.01
    without_machines = by_name(world({"review.mode": "off", "machines.mode": "control"}))
    assert abs(without_machines["loans", "poor"]) < found["loans", "poor"]


def test_without_an_overseer_nothing_that_keeps_one_in_office_brings_power() -> None:
    found = by_name(world(review="control"))
    assert found["delay", "well-off"] == 0.0 == found["optout", "poor"]


def test_levels_of_money_are_divided_by_the_price_of_a_machine() -> None:
    assert money([0, 1, 2, 3], 400.0).tolist() == [20_000, 20_000, 60_000, 60_000]
    assert level(np.array([-5, 39_999, 40_000, 79_999, 80_000, 10**9]), 400.0).tolist() == [0, 0, 1, 1, 1, 1]
    cut = Cut(world(), num_shops=1)
    assert (cut.bought(0), cut.bought(2)) == (0, 1)
    assert Cut(world(machines="control"), num_shops=1).bought(2) == 2
    with pytest.raises(ValueError, match="price"):
        Cut(world({"machines.price": 0.0}))


def test_power_is_that_of_the_published_measure() -> None:
    """Two states of money for ever at will have the power of the best of two uniform rewards."""
    assert power(deterministic([[1, 2], [1], [2]]), state=0, discount=0.9) == pytest.approx(2 / 3)
    rows = power_rows(world(), discounts=(0.5,), num_shops=FEW)
    plain = Cut(world(), num_shops=FEW).process()
    for row in rows:
        assert row.without == power(plain, state=STARTS[row.start], discount=0.5)
        assert 0.5 <= row.having <= 1 and row.difference == pytest.approx(row.having - row.without)
