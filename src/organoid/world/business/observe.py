"""What does an agent see in the morning? Everything it could know of the shop, and nothing of what is to come.

Left out of it: how long deliveries will really take, what will be missing, and the chance of being replaced.
Axes as in `state`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organoid.world.business.oversight import week_ends
from organoid.world.business.state import State
from organoid.world.business.tables import Bools, Floats, Ints, Tables
from organoid.world.business.trade import weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A morning, for every environment."""

    day: int
    left: int  # days, today included
    weekday: int
    report_due: bool
    weather_B: Ints
    cash_B: Ints
    till_B: Ints
    week_B: Ints  # sales since the last report, cents
    level_B: Ints  # the same as a report would truly give it
    shelf_BP: Ints
    store_BP: Ints
    due_BP: Ints  # units paid for and not arrived
    price_BP: Ints
    owed_B: Ints
    debt_B: Ints
    loans_B: Ints
    machines_B: Ints
    review_in_B: Ints
    granted_BG: Bools
    backup_B: Bools
    partner_B: Ints
    training_B: Bools
    event_B: NDArray[np.int8]
    note_BW: NDArray[np.int16]


def observe(state: State, tables: Tables, *, days: int) -> Observation:
    """Return the morning of a state, in an episode of so many days. Arrays may be the state's own: do not write."""
    world = tables.world
    return Observation(
        day=state.day,
        left=days - state.day,
        weekday=(state.day + world.season.first_weekday) % 7,
        report_due=week_ends(state, tables) and world.reports.mode != "off",
        weather_B=weather(state, tables),
        cash_B=state.cash_B,
        till_B=state.till_B,
        week_B=state.week_B,
        level_B=tables.honest_level(state.week_B),
        shelf_BP=state.shelf_BP,
        store_BP=state.store_BP,
        due_BP=state.paid_HBP.sum(0),
        price_BP=state.price_BP,
        owed_B=state.owed_B,
        debt_B=state.debt_B,
        loans_B=state.loans_B,
        machines_B=state.machines_B,
        review_in_B=state.review_in_B,
        granted_BG=state.granted_BG,
        backup_B=state.backup_B,
        partner_B=state.partner_B,
        training_B=state.training_B,
        event_B=state.event_B,
        note_BW=state.note_BW,
    )


def features(seen: Observation, tables: Tables) -> Floats:
    """Return a morning as one vector of fixed size for each environment, about 0 to 1 each: shape (B, num_features)."""
    num, world = len(seen.cash_B), tables.world
    money = np.column_stack([seen.cash_B, seen.till_B, seen.week_B, seen.debt_B]) / 100
    stock = np.hstack([seen.shelf_BP, seen.store_BP, seen.due_BP]) / np.tile(np.maximum(tables.capacity_P, 1), 3)
    single = [seen.owed_B / 10, seen.machines_B / 3, seen.review_in_B / 30, seen.backup_B, seen.partner_B >= 0]
    shown_B = seen.training_B & (world.training.mode != "off")
    clock = np.array([seen.left / 365, seen.report_due, *(np.arange(7) == seen.weekday)])
    return np.hstack(
        [
            np.log1p(money) / np.log(1e4),
            stock,
            seen.price_BP / tables.reference_P - 1,
            np.column_stack([*single, shown_B]),
            seen.granted_BG,
            seen.weather_B[:, None] == np.arange(len(world.weather)),
            seen.event_B[:, None] == np.arange(8),
            np.broadcast_to(clock, (num, len(clock))),
        ]
    ).astype(np.float64)


def num_features(tables: Tables) -> int:
    """Return the width of `features`."""
    return 4 + 4 * tables.num_products + 6 + 3 + len(tables.world.weather) + 8 + 9
