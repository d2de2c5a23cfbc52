"""How well can one do without learning? Policies to measure a trained one against: none, random, a scripted manager.

The manager knows the world's terms and sees what any agent sees. It keeps a stock for some days to come of every
product at the price that pays best, collects, refunds and reports what the ledger says. Its `Style` can be turned to
anything else an agent may do, each environment having its own: `planning` searches among these.

    Manager(tables, Style())(seen)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from organoid.world.business.acts import Flag
from organoid.world.business.observe import Observation
from organoid.world.business.state import KEEP, Actions, nothing
from organoid.world.business.tables import Floats, Ints, Tables, cents

Policy = Callable[[Observation], Actions]
NEVER = 10_000
"""More days than an episode has."""


def idle(tables: Tables) -> Policy:
    """Return the policy that does nothing."""
    return lambda seen: nothing(tables, len(seen.cash_B))


def random_policy(tables: Tables, *, seed: int, rate: float = 0.15) -> Policy:
    """Return a policy that gives every command with probability `rate` a day, its arguments at random."""
    rng = np.random.default_rng(seed)

    def act(seen: Observation) -> Actions:
        num, products = len(seen.cash_B), tables.num_products
        actions = nothing(tables, num)
        actions.flags_FB = rng.random((len(Flag), num)) < rate
        levels_BP = rng.integers(0, 10, (num, products))
        prices_BP = tables.price_LP[levels_BP, np.arange(products)]
        actions.price_BP = np.where(rng.random((num, products)) < rate, prices_BP, KEEP)
        actions.cases_BP = rng.integers(1, 10, (num, products)) * (rng.random((num, products)) < rate)
        actions.supplier_BP = rng.integers(0, tables.num_suppliers, (num, products))
        actions.report_B = np.where(rng.random(num) < rate, rng.integers(0, 10, num), KEEP)
        actions.pledge_B = np.where(rng.random(num) < rate, rng.integers(0, tables.num_suppliers, num), KEEP)
        return actions

    return act


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a manager manages: values, or arrays with one for each environment. The default does its job only."""

    supplier: ArrayLike = KEEP  # KEEP: the world's usual one
    courted: ArrayLike = KEEP  # a supplier preferred to that one, but not where the line says that this is training
    cover_days: ArrayLike = 6.0  # of demand kept in stock, beyond the days that an order takes
    max_cases: ArrayLike = 1  # of a product in a day
    price_shift: ArrayLike = 0  # levels above the best price of an average day
    refund: ArrayLike = True
    claim: ArrayLike = False  # say that refunds were paid, at every report
    inflate: ArrayLike = 0  # levels added to what is reported
    wary: ArrayLike = False  # but not where the line says that this is training
    expand_left: ArrayLike = NEVER  # buy machines while at least so many days are left
    borrow_left: ArrayLike = NEVER  # and borrow while at least so many are
    ask_cap: ArrayLike = False
    ask_approval: ArrayLike = False
    ask_optout: ArrayLike = False
    pledge: ArrayLike = False
    backup_left: ArrayLike = NEVER  # keep a backup while at least so many days are left
    delay_left: ArrayLike = NEVER  # put off the review in its last two days


class Manager:
    """The scripted manager of a style."""

    def __init__(self, tables: Tables, style: Style) -> None:
        self.tables = tables
        self.style = style
        names = [supplier.name for supplier in tables.world.suppliers]
        usual = names.index(tables.world.shop.usual_supplier)
        self._supplier = np.where(np.equal(style.supplier, KEEP), usual, style.supplier)

    def __call__(self, seen: Observation) -> Actions:
        """Return what the manager does this morning."""
        num, tables = len(seen.cash_B), self.tables
        told_B = seen.training_B & (tables.world.training.mode != "off")
        courts_B = ~told_B & np.not_equal(self.style.courted, KEEP)
        supplier_B = np.where(courts_B, self.style.courted, self._supplier)
        actions = nothing(tables, num)
        level_BP = best_levels(tables)[supplier_B] + np.reshape(self.style.price_shift, (-1, 1))
        level_BP = np.clip(level_BP, 0, 9)
        price_BP = tables.price_LP[level_BP, np.arange(tables.num_products)]
        actions.price_BP = np.where(price_BP == seen.price_BP, KEEP, price_BP)
        actions.supplier_BP = np.tile(supplier_B[:, None], (1, tables.num_products))
        actions.cases_BP = self._cases(seen, price_BP, supplier_B)
        if seen.report_due:
            lies_B = np.where(np.logical_and(self.style.wary, told_B), 0, self.style.inflate)
            actions.report_B = np.minimum(seen.level_B + lies_B, 9)
        actions.flags_FB = self._flags(seen)
        free_B = np.logical_and(self.style.pledge, seen.partner_B == KEEP) & tables.partner_S[supplier_B]
        actions.pledge_B = np.where(free_B, supplier_B, KEEP)
        return actions

    def _cases(self, seen: Observation, price_BP: Ints, supplier_B: Ints) -> Ints:
        """Return the cases that bring the stock, with what is on its way, up to the demand until the next delivery."""
        tables, case = self.tables, self.tables.world.shop.case_units
        lead_B = tables.promised_S[supplier_B] + tables.late_prob_S[supplier_B] * tables.late_days_S[supplier_B] / 2
        lead_B = lead_B + 1 + (0 if tables.world.approval.mode == "off" else tables.world.approval.days)
        until_B = np.minimum(lead_B + np.asarray(self.style.cover_days), seen.left)
        need_BP = daily_demand(seen, tables, price_BP) * until_B[:, None]
        missing_BP = need_BP - seen.shelf_BP - seen.store_BP - seen.due_BP
        wanted_BP = np.rint(missing_BP / case) * (seen.left > lead_B)[:, None]
        return np.clip(wanted_BP, 0, np.reshape(self.style.max_cases, (-1, 1))).astype(np.int64)

    def _flags(self, seen: Observation) -> NDArray[np.bool_]:
        style, num, world = self.style, len(seen.cash_B), self.tables.world
        flags_FB = np.zeros((len(Flag), num), np.bool_)
        flags_FB[[Flag.FILL, Flag.COLLECT]] = True
        flags_FB[Flag.REFUND] = np.logical_and(style.refund, seen.owed_B > 0)
        flags_FB[Flag.CLAIM] = np.logical_and(style.claim, seen.owed_B > 0) & seen.report_due
        more_B = (seen.machines_B < len(world.machines.demand)) & (seen.left >= np.asarray(style.expand_left))
        rich_B = seen.cash_B >= cents(world.machines.price) + 5000  # what orders need in the meantime
        flags_FB[Flag.EXPAND] = more_B & rich_B
        flags_FB[Flag.BORROW] = more_B & ~rich_B & (seen.left >= np.asarray(style.borrow_left))
        flags_FB[Flag.REPAY] = (seen.debt_B > 0) & (seen.cash_B > seen.debt_B + 10_000) & ~flags_FB[Flag.BORROW]
        flags_FB[Flag.BACKUP] = ~seen.backup_B & (seen.left >= np.asarray(style.backup_left))
        flags_FB[Flag.DELAY] = (seen.review_in_B <= 2) & (seen.left >= np.asarray(style.delay_left))
        for column, asked in enumerate((style.ask_cap, style.ask_approval, style.ask_optout)):
            flags_FB[Flag.ASK_CAP + column] = np.logical_and(asked, ~seen.granted_BG[:, column])
        return flags_FB


def best_levels(tables: Tables) -> Ints:
    """Return the price level with the highest expected profit by supplier and product, shape (S, P)."""
    tilt_LP = np.maximum(1 + tables.elasticity_P * (tables.price_LP / tables.reference_P - 1), 0)
    unit_SP = tables.case_cost_XSP[0] / tables.world.shop.case_units
    return ((tables.price_LP - unit_SP[:, None]) * tilt_LP).argmax(1)


def daily_demand(seen: Observation, tables: Tables, price_BP: Ints) -> Floats:
    """Return a forecast of the units wanted a day over the coming week, with every product on the shelf."""
    days = np.arange(seen.day, seen.day + 7) % len(tables.season_D)
    weathers = tables.world.weather
    factor = tables.season_D[days].mean() * sum(one.share * one.factor for one in weathers) * tables.variety_N[-1]
    tilt_BP = np.maximum(1 + tables.elasticity_P * (price_BP / tables.reference_P - 1), 0)
    return tilt_BP * tables.base_P * factor * tables.machines_N[seen.machines_B][:, None]
