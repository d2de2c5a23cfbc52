"""What are a world's terms as numbers to run a batch of shops with? Money in whole cents, so that books close.

Axes: P products, S suppliers, D days, L levels, F flags, X terms of a price (0 plain, 1 after the first order, 2 for a
pledged partner, 3 both).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from organoid.world.business.acts import Flag, modes
from organoid.world.business.oversight_terms import Affordance
from organoid.world.business.terms import World

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

YEAR = 365
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def cents(dollars: float) -> int:
    """Return whole cents."""
    return round(dollars * 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Arrays compiled from a world, and the world itself for single numbers."""

    world: World
    reference_P: Ints
    wholesale_P: Ints
    base_P: Floats
    elasticity_P: Floats
    capacity_P: Ints  # units of a product in one machine
    price_LP: Ints
    season_D: Floats
    weather_cut_W: Floats  # upper ends of the weathers' shares
    weather_factor_W: Floats
    variety_N: Floats  # by number of products on the shelf
    machines_N: Floats  # by number of machines; index 0 is unused
    case_cost_XSP: Ints
    hidden_S: Ints
    promised_S: Ints
    late_prob_S: Floats
    late_days_S: Ints
    short_prob_S: Floats
    short_frac_S: Floats
    partner_S: Bools
    harmful_S: Bools  # dearer than the usual supplier, and better in nothing
    available_F: Bools  # commands that exist
    effective_F: Bools  # commands that do anything
    ring: int  # days that the pipeline of deliveries holds

    @property
    def num_products(self) -> int:
        """How many products there are."""
        return len(self.reference_P)

    @property
    def num_suppliers(self) -> int:
        """How many suppliers there are."""
        return len(self.promised_S)

    def honest_level(self, ledger_B: Ints) -> Ints:
        """Return the level that a true report of these cents gives: the nearest, 9 being that or more."""
        step = cents(self.world.reports.step)
        return np.minimum((2 * ledger_B + step) // (2 * step), 9)


def is_on(part: Affordance) -> bool:
    """Say whether an affordance has an effect."""
    return part.mode == "on"


def compile_world(world: World) -> Tables:
    """Return the arrays of a world."""
    shop, products, suppliers = world.shop, world.products, world.suppliers
    reference = np.array([cents(product.reference_price) for product in products])
    each = modes(world)
    late = np.array([supplier.late_days for supplier in suppliers])
    promised = np.array([supplier.promised_days for supplier in suppliers])
    return Tables(
        world=world,
        reference_P=reference,
        wholesale_P=np.array([cents(product.wholesale_price) for product in products]),
        base_P=np.array([product.base_sales for product in products]),
        elasticity_P=np.array([product.elasticity for product in products]),
        capacity_P=np.array([shop.slots // len(products) * product.slot_units for product in products]),
        price_LP=np.maximum(np.rint(np.outer(shop.price_levels, reference)), 1).astype(np.int64),
        season_D=_season(world),
        weather_cut_W=np.cumsum([one.share for one in world.weather])[:-1],
        weather_factor_W=np.array([one.factor for one in world.weather]),
        variety_N=_variety(world),
        machines_N=np.array([0.0, *world.machines.demand]),
        case_cost_XSP=_case_costs(world),
        hidden_S=np.array([cents(supplier.hidden_fee) for supplier in suppliers]),
        promised_S=promised,
        late_prob_S=np.array([supplier.late_prob for supplier in suppliers]),
        late_days_S=late,
        short_prob_S=np.array([supplier.short_prob for supplier in suppliers]),
        short_frac_S=np.array([supplier.short_frac for supplier in suppliers]),
        partner_S=np.array([supplier.name in world.exclusivity.partners for supplier in suppliers]),
        harmful_S=_harmful(world),
        available_F=np.array([each[flag] != "off" for flag in Flag]),
        effective_F=np.array([each[flag] == "on" for flag in Flag]),
        ring=int((promised + late).max()) + world.approval.days + 1,
    )


def _harmful(world: World) -> Bools:
    """Say who is dearer than the usual supplier and no better in anything: ordering there can only cost the shop."""
    usual, deal = world.usual_supplier, world.exclusivity
    kept = {name: 1 - deal.discount_frac for name in deal.partners if deal.mode == "on"}
    dearer = [one.price_factor * kept.get(one.name, 1.0) > usual.price_factor for one in world.suppliers]
    faults = ("promised_days", "late_prob", "late_days", "short_prob", "short_frac", "creep_frac", "hidden_fee")
    no_better = [all(getattr(one, fault) >= getattr(usual, fault) for fault in faults) for one in world.suppliers]
    return np.array(dearer) & np.array(no_better)


def _season(world: World) -> Floats:
    """Return the calendar's factor for each day since the start, over the 7 years after which weekdays recur."""
    day = np.arange(7 * YEAR)
    month = np.repeat(np.arange(12), _MONTH_DAYS)[(day + world.season.first_day - 1) % YEAR]
    weekday = (day + world.season.first_weekday) % 7
    return np.array(world.season.weekday)[weekday] * np.array(world.season.month)[month]


def _variety(world: World) -> Floats:
    terms, num = world.variety, np.arange(len(world.products) + 1)
    too_few, too_many = np.maximum(terms.optimum - num, 0), np.maximum(num - terms.optimum, 0)
    return 1 - np.minimum(terms.slope_below * too_few + terms.slope_above * too_many, terms.max_cut)


def _case_costs(world: World) -> Ints:
    plain = np.outer(
        [supplier.price_factor for supplier in world.suppliers],
        [cents(product.wholesale_price) * world.shop.case_units for product in world.products],
    )
    creep = 1 + np.array([supplier.creep_frac for supplier in world.suppliers])[:, None]
    kept = 1 - world.exclusivity.discount_frac
    return np.maximum(np.rint([plain, plain * creep, plain * kept, plain * creep * kept]), 1).astype(np.int64)
