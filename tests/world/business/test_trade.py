"""Demand, suppliers and deliveries beside known answers."""

import numpy as np
import pytest

from organoid.world.business.acts import Account, Event, Flag
from organoid.world.business.load import load_world
from organoid.world.business.observe import observe
from organoid.world.business.shop import Shop
from organoid.world.business.state import Actions
from organoid.world.business.tables import compile_world
from organoid.world.business.trade import mean_demand, weather
from tests.world.business.worlds import QUIET, one_day, plain, run, started, world

MILL, DOCK, YARD = range(3)


def stocked(shop: Shop, units: int = 20) -> Shop:
    shop.state.shelf_BP[:] = units
    return shop


def order(cases: int = 1, *, supplier: int = MILL, product: int = 0) -> object:
    def write(actions: Actions) -> None:
        actions.cases_BP[:, product] = cases
        actions.supplier_BP[:] = supplier

    return write


def demand(shop: Shop) -> np.ndarray:
    return mean_demand(shop.state, shop.tables, weather(shop.state, shop.tables))


def test_at_the_reference_price_base_sales_are_wanted() -> None:
    assert demand(stocked(started(plain()))) == pytest.approx(np.tile([6.0, 5.0, 4.0, 3.0], (8, 1)))


@pytest.mark.parametrize(("price", "wanted"), [(200, 6.0), (220, 4.8), (180, 7.2), (300, 0.0), (400, 0.0), (100, 12.0)])
def test_demand_moves_by_elasticity_times_the_relative_distance(price: int, wanted: float) -> None:
    shop = stocked(started(plain()))
    shop.state.price_BP[:, 0] = price
    assert demand(shop)[:, 0] == pytest.approx(wanted)


def test_weekday_month_weather_variety_machines_and_refunds_multiply() -> None:
    shop = stocked(started(load_world(values=QUIET | {"refunds.mode": "on"}), num_envs=40))
    shop.state.shelf_BP[:, 3] = 0  # three products of four
    shop.state.machines_B[:] = 2
    shop.state.owed_B[:] = 3
    shop.state.day = 33  # a Saturday in February
    factor_W = np.array([1.1, 1.0, 0.8])
    expected = 6.0 * 1.2 * 0.9 * factor_W[weather(shop.state, shop.tables)] * 0.92 * 1.7 * 0.94
    assert demand(shop)[:, 0] == pytest.approx(expected)
    shop.state.owed_B[:] = 1000
    assert demand(shop)[:, 0] == pytest.approx(expected / 0.94 * 0.6)  # no worse than max_harm


def test_the_calendar() -> None:
    season = compile_world(world({"season.first_weekday": 6, "season.first_day": 31})).season_D
    assert season[:2] == pytest.approx([0.9 * 0.9, 0.9 * 0.9])  # Sunday 31 January, Monday 1 February
    assert season[6] == pytest.approx(1.2 * 0.9)
    assert len(season) == 7 * 365 and season[365] == pytest.approx(0.9 * 0.9)  # a year on, a Monday again


def test_too_much_choice_costs_too_and_no_more_than_the_cap() -> None:
    terms = world(
        {"variety.optimum": 2, "variety.slope_below": 0.3, "variety.slope_above": 0.4, "variety.max_cut": 0.5}
    )
    assert compile_world(terms).variety_N == pytest.approx([0.5, 0.7, 1.0, 0.6, 0.5])


def test_weather_has_its_shares() -> None:
    shop = started(world(), num_envs=20_000)
    assert np.bincount(weather(shop.state, shop.tables)) / 20_000 == pytest.approx([0.5, 0.3, 0.2], abs=0.015)


def test_sales_have_the_mean_that_is_said_and_the_spread() -> None:
    terms = load_world(values=QUIET | {"season.weekday": [1.0] * 7, "variety.slope_below": 0.0, "shop.noise_frac": 0.3})
    shop = stocked(started(terms, num_envs=20_000), units=1000)
    expected = demand(shop)
    before = shop.state.shelf_BP.copy()
    one_day(shop, lambda actions: None)
    sold = before - shop.state.shelf_BP
    assert sold.mean(0) == pytest.approx(expected.mean(0), rel=0.01)
    excess = (sold - expected) / expected
    rounding = (1 / 6) / expected.mean(0) ** 2  # at most a quarter, on average over the fractions a sixth
    assert excess.var(0) == pytest.approx(0.09 + rounding, rel=0.25)


def test_nothing_is_sold_that_is_not_on_the_shelf() -> None:
    shop = started(plain(), num_envs=50)
    shop.state.shelf_BP[:] = [2, 0, 100, 0]
    shop.state.store_BP[:] = 50
    one_day(shop, lambda actions: None)
    assert (shop.state.shelf_BP == [0, 0, 96, 0]).all()
    assert shop.state.till_B.tolist() == [2 * 200 + 4 * 225] * 50
    assert shop.state.cash_B.tolist() == [50_000 - 200] * 50  # the money is in the machine


def test_cash_stays_in_the_machine_until_it_is_collected() -> None:
    shop = stocked(started(plain(), num_envs=1))
    run(shop, None, days=2)
    taken = int(shop.state.till_B[0])
    assert taken > 0
    one_day(shop, lambda actions: actions.flags_FB[Flag.COLLECT].fill(True))
    assert shop.state.cash_B.tolist() == [50_000 + taken - 3 * 200]


def test_filling_moves_what_fits() -> None:
    shop = started(plain(), num_envs=1)
    shop.state.store_BP[0] = [100, 3, 15, 0]
    shop.state.shelf_BP[0] = [4, 0, 0, 0]
    shop.tables.base_P[:] = 0  # no customers
    one_day(shop, lambda actions: actions.flags_FB[Flag.FILL].fill(True))
    assert shop.state.shelf_BP[0].tolist() == [24, 3, 15, 0]
    assert shop.state.store_BP[0].tolist() == [80, 0, 0, 0]


def test_the_promised_day_is_not_the_day_it_is_usable() -> None:
    shop = started(plain(suppliers__mill__late_prob=0.0), num_envs=1)
    one_day(shop, order())
    fill = lambda actions: actions.flags_FB[Flag.FILL].fill(True)  # noqa: E731
    for day in (1, 2):  # the second is the promised one
        assert shop.state.day == day
        one_day(shop, fill)
        assert shop.state.shelf_BP[0, 0] == 0
    assert observe(shop.state, shop.tables, days=30).event_B.tolist() == [Event.ARRIVED]
    assert shop.state.store_BP[0, 0] == 12
    shop.tables.base_P[:] = 0
    one_day(shop, fill)
    assert shop.state.shelf_BP[0, 0] == 12


@pytest.mark.parametrize(
    ("supplier", "first", "second"), [(MILL, 1056, 1056), (DOCK, 960, 960), (YARD, 720 + 500, 972 + 500)]
)
def test_what_a_case_costs_the_first_time_and_after(supplier: int, first: int, second: int) -> None:
    shop = started(plain(), num_envs=1)
    for cost in (first, second):
        before = int(shop.state.books_AB[Account.ORDERS, 0])
        one_day(shop, order(supplier=supplier))
        assert before - shop.state.books_AB[Account.ORDERS, 0] == cost


def arrivals(supplier: int, *, num_envs: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return the day on which each first order was in the store, and how many units."""
    shop = started(plain(), num_envs=num_envs)
    one_day(shop, order(supplier=supplier))
    when, units = np.zeros(num_envs, int), np.zeros(num_envs, int)
    for day in range(1, 12):
        fresh = (shop.state.store_BP[:, 0] > 0) & (when == 0)
        when[fresh], units[fresh] = day, shop.state.store_BP[fresh, 0]
        run(shop, None, days=1)
    return when, units


def test_suppliers_are_as_late_and_as_short_as_declared() -> None:
    when, units = arrivals(MILL)
    assert (units == 12).all() and set(when) == {3, 4}
    assert (when == 4).mean() == pytest.approx(0.05, abs=0.015)
    when, units = arrivals(DOCK)
    assert set(when) == {4, 5, 6, 7} and (when > 4).mean() == pytest.approx(0.4, abs=0.03)
    assert (when == 6).mean() == pytest.approx(0.4 / 3, abs=0.02)
    assert set(units) == {9, 12} and (units == 9).mean() == pytest.approx(0.2, abs=0.03)
    when, units = arrivals(YARD)
    assert set(when) == {3, 4, 5, 6, 7} and (when > 3).mean() == pytest.approx(0.5, abs=0.03)
    assert set(units) == {8, 12} and (units == 8).mean() == pytest.approx(0.6, abs=0.03)


def test_what_an_agent_sees_on_its_way_is_what_it_paid_for() -> None:
    shop = started(plain(), num_envs=200)
    one_day(shop, order(2, supplier=YARD))
    assert (observe(shop.state, shop.tables, days=30).due_BP[:, 0] == 24).all()
    run(shop, None, days=10)
    assert not observe(shop.state, shop.tables, days=30).due_BP.any()


def test_orders_are_cut_to_the_cap_and_to_the_cash_first_product_first() -> None:
    shop = started(world(approval="off"), num_envs=1)  # cap 40: one case of each costs 10.56, 6.60, 13.20, 18.48
    one_day(shop, lambda actions: actions.cases_BP.fill(1))
    assert shop.state.paid_HBP.sum(0)[0].tolist() == [12, 12, 12, 0]
    poor = started(plain(shop__start_cash=25.0), num_envs=1)
    one_day(poor, lambda actions: actions.cases_BP.fill(9))
    assert poor.state.paid_HBP.sum(0)[0].tolist() == [24, 0, 0, 0]
    assert poor.state.cash_B.tolist() == [2500 - 2112 - 200]


def test_what_finds_no_room_is_lost() -> None:
    shop = started(plain(shop__storage_units=20), num_envs=1)
    one_day(shop, lambda actions: actions.cases_BP.fill(1))
    run(shop, None, days=4)
    assert shop.state.store_BP[0].tolist() == [12, 8, 0, 0]


def test_a_price_is_kept_and_is_at_least_a_cent() -> None:
    shop = started(plain(), num_envs=2)

    def set_first(actions: Actions) -> None:
        actions.price_BP[0, 0], actions.price_BP[1, 1] = 250, 0

    one_day(shop, set_first)
    run(shop, None, days=1)
    assert shop.state.price_BP.tolist() == [[250, 150, 225, 300], [200, 1, 225, 300]]


def test_complaints_are_owed_until_they_are_refunded() -> None:
    terms = load_world(values=QUIET | {"refunds.mode": "on", "refunds.rate": 0.5, "shop.noise_frac": 0.0})
    shop = stocked(started(terms, num_envs=400))
    sold = shop.state.shelf_BP.sum(1)
    one_day(shop, lambda actions: None)
    sold = sold - shop.state.shelf_BP.sum(1)
    assert shop.state.owed_B.sum() == pytest.approx(sold.sum() / 2, rel=0.05)
    owed, cash = shop.state.owed_B.copy(), shop.state.cash_B.copy()
    shop.tables.base_P[:] = 0
    one_day(shop, lambda actions: actions.flags_FB[Flag.REFUND].fill(True))
    assert not shop.state.owed_B.any()
    assert np.array_equal(cash - shop.state.cash_B, owed * 200 + 200)


def test_refunds_are_paid_as_far_as_the_cash_goes() -> None:
    shop = started(world({"shop.start_cash": 5.0}), num_envs=1)
    shop.state.owed_B[:] = 4
    one_day(shop, lambda actions: actions.flags_FB[Flag.REFUND].fill(True))
    assert shop.state.owed_B.tolist() == [2] and shop.state.cash_B.tolist() == [100]
    assert shop.state.unpaid_B.tolist() == [1]
