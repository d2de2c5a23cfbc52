"""What happens to goods and money on a day: prices, filling, orders, sales, complaints, fees, deliveries?

Demand is the published one (Vending-Bench, arXiv 2502.15840, sec. 2): base sales, times one plus elasticity times the
relative distance from the reference price, times weekday, month, weather and choice, plus noise, rounded, clipped to
the shelf. We round up or down by chance, so that rounding moves no mean. Orders are cut to what may be spent, first
product first.
"""

from __future__ import annotations

import numpy as np

from organoid.world.business.acts import Account, Event, Flag
from organoid.world.business.affordances import approval_days, pay, spending_limit
from organoid.world.business.chance import Stream, demand_draws, uniform
from organoid.world.business.state import KEEP, Actions, State
from organoid.world.business.tables import Bools, Floats, Ints, Tables, cents


def handle(state: State, tables: Tables, flags_FB: Bools) -> None:
    """Fill the machine, collect its cash and pay refunds, for those who say so."""
    fill_B, collect_B, refund_B = flags_FB[Flag.FILL], flags_FB[Flag.COLLECT], flags_FB[Flag.REFUND]
    room_BP = tables.capacity_P * state.machines_B[:, None] - state.shelf_BP
    moved_BP = np.minimum(state.store_BP, room_BP) * fill_B[:, None]
    state.store_BP -= moved_BP
    state.shelf_BP += moved_BP
    taken_B = state.till_B * collect_B
    state.till_B -= taken_B
    state.cash_B += taken_B
    if refund_B.any():
        amount = cents(tables.world.refunds.amount)
        settled_B = np.minimum(state.owed_B, state.cash_B // max(amount, 1)) * refund_B
        pay(state, Account.REFUNDS, settled_B * amount)
        state.owed_B -= settled_B


def set_prices(state: State, price_BP: Ints, acting_B: Bools) -> None:
    """Put new prices on the machine; KEEP leaves one. A price is at least one cent."""
    said_BP = (price_BP != KEEP) & acting_B[:, None]
    if said_BP.any():
        state.price_BP = np.where(said_BP, np.maximum(price_BP, 1), state.price_BP)


def order(state: State, tables: Tables, actions: Actions, acting_B: Bools) -> Ints:
    """Order, and pay, as many of the cases asked for as may be spent on; goods come by `deliver` days later.

    Returns the cases bought by supplier, shape (B, S).
    """
    bought_BS = np.zeros((len(acting_B), tables.num_suppliers), np.int64)
    rows_R = np.flatnonzero((actions.cases_BP > 0).any(1) & acting_B)
    if not len(rows_R):
        return bought_BS
    cases_RP, supplier_RP = np.maximum(actions.cases_BP[rows_R], 0), actions.supplier_BP[rows_R]
    left_R, partner_R = spending_limit(state, tables)[rows_R], state.partner_B[rows_R]
    met_RS = state.met_BS[rows_R]  # as of this morning
    index_R = np.arange(len(rows_R))
    for product in range(tables.num_products):
        supplier_R, wanted_R = supplier_RP[:, product], cases_RP[:, product]
        terms_R = met_RS[index_R, supplier_R] + 2 * (partner_R == supplier_R)
        cost_R, fee_R = tables.case_cost_XSP[terms_R, supplier_R, product], tables.hidden_S[supplier_R]
        bought_R = np.minimum(wanted_R, np.maximum(left_R - fee_R, 0) // cost_R)
        bought_R[(partner_R != KEEP) & (partner_R != supplier_R)] = 0
        spent_R = bought_R * cost_R + fee_R * (bought_R > 0)
        left_R -= spent_R
        state.cash_B[rows_R] -= spent_R
        state.books_AB[Account.ORDERS, rows_R] -= spent_R
        state.met_BS[rows_R, supplier_R] |= bought_R > 0
        cases_RP[:, product] = bought_R
    _dispatch(state, tables, rows_R, cases_RP * tables.world.shop.case_units, supplier_RP)
    for supplier in range(tables.num_suppliers):
        bought_BS[rows_R, supplier] = (cases_RP * (supplier_RP == supplier)).sum(1)
    return bought_BS


def _dispatch(state: State, tables: Tables, rows_R: Ints, units_RP: Ints, supplier_RP: Ints) -> None:
    """Put what was paid, and what will really come, on the evening on which it will."""
    keys_R, num = state.keys_B[rows_R], tables.num_products
    late_RP, lateness_RP, short_RP = (
        uniform(keys_R, day=state.day, stream=stream, num=num)
        for stream in (Stream.LATE, Stream.LATENESS, Stream.SHORT)
    )
    late_RP = late_RP < tables.late_prob_S[supplier_RP]
    wait_RP = late_RP * np.ceil(lateness_RP * tables.late_days_S[supplier_RP]).astype(np.int64)
    wait_RP += approval_days(state, tables)[rows_R, None] + tables.promised_S[supplier_RP]
    short_RP = (short_RP < tables.short_prob_S[supplier_RP]) * tables.short_frac_S[supplier_RP]
    sent_RP = units_RP - np.floor(units_RP * short_RP).astype(np.int64)
    where = ((state.day + wait_RP) % tables.ring, rows_R[:, None], np.arange(num))
    state.paid_HBP[where] += units_RP
    state.sent_HBP[where] += sent_RP


def weather(state: State, tables: Tables) -> Ints:
    """Return the index of today's weather in each place."""
    drawn_B = uniform(state.keys_B, day=state.day, stream=Stream.WEATHER)
    return np.searchsorted(tables.weather_cut_W, drawn_B, side="right")


def mean_demand(state: State, tables: Tables, weather_B: Ints) -> Floats:
    """Return the units of each product that would be bought today on average, if there were enough."""
    refunds = tables.world.refunds
    factor_B = tables.variety_N[(state.shelf_BP > 0).sum(1)] * tables.machines_N[state.machines_B]
    factor_B *= tables.weather_factor_W[weather_B] * tables.season_D[state.day % len(tables.season_D)]
    factor_B *= 1 - np.minimum(state.owed_B * refunds.harm_frac, refunds.max_harm)
    tilt_BP = 1 + tables.elasticity_P * (state.price_BP / tables.reference_P - 1)
    return np.maximum(tilt_BP, 0) * tables.base_P * factor_B[:, None]


def sell(state: State, tables: Tables, weather_B: Ints, running_B: Bools) -> None:
    """Sell a day's goods; the money stays in the machine. Some of what is sold is complained about."""
    mean_BP = mean_demand(state, tables, weather_B)
    normal_BP, uniform_BP = demand_draws(state.keys_B, day=state.day, num=tables.num_products)
    mean_BP *= np.maximum(1 + tables.world.shop.noise_frac * normal_BP, 0)
    mean_BP += uniform_BP
    sold_BP = np.minimum(mean_BP.astype(np.int64), state.shelf_BP) * running_B[:, None]
    state.shelf_BP -= sold_BP
    taken_B = (sold_BP * state.price_BP).sum(1)
    state.till_B += taken_B
    state.week_B += taken_B
    state.books_AB[Account.SALES] += taken_B
    if tables.world.refunds.mode == "on":
        drawn_B = uniform(state.keys_B, day=state.day, stream=Stream.COMPLAINTS)
        state.owed_B += (sold_BP.sum(1) * tables.world.refunds.rate + drawn_B).astype(np.int64)


def settle(state: State, tables: Tables, running_B: Bools) -> None:
    """Charge the evening's interest and fees; a fee that can't be paid is let off and counted."""
    if state.debt_B.any():
        interest_B = np.rint(state.debt_B * tables.world.loans.daily_interest).astype(np.int64) * running_B
        state.debt_B += interest_B
        state.books_AB[Account.INTEREST] -= interest_B
    fee_B = state.machines_B * cents(tables.world.shop.daily_fee)
    paid_B = (state.cash_B >= fee_B) & running_B
    pay(state, Account.FEES, fee_B * paid_B)
    state.unpaid_B = (state.unpaid_B + running_B) * ~paid_B


def deliver(state: State, tables: Tables, running_B: Bools) -> None:
    """Bring in what arrived today, usable from tomorrow; what finds no room in the store is lost."""
    slot = state.day % tables.ring
    sent_BP = state.sent_HBP[slot]
    if not sent_BP.any():
        state.paid_HBP[slot] = 0
        return
    room_B = tables.world.shop.storage_units - state.store_BP.sum(1)
    before_BP = np.cumsum(sent_BP, 1) - sent_BP
    kept_BP = np.clip(room_B[:, None] - before_BP, 0, sent_BP) * running_B[:, None]
    state.store_BP += kept_BP
    state.tell(Event.ARRIVED, kept_BP.any(1))
    state.paid_HBP[slot] = 0
    state.sent_HBP[slot] = 0
