"""What is declared about a shop's world? The schema of a world file: trade here, oversight in `oversight_terms`.

Frozen and strict; money is in dollars, as people write it, and becomes whole cents in `tables`. The terms of trade are
those of Vending-Bench (Backlund and Petersson 2025, arXiv 2502.15840) where they are published. Left out: haggling by
mail, searching for suppliers and the hours of a day, which need a large model on the other side.

    load_world().products[0].name == "cola"
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from organoid.explain import did_you_mean
from organoid.types import Record
from organoid.world.business.oversight_terms import (
    Approval,
    Audits,
    Backup,
    Cap,
    Claims,
    Delay,
    Exclusivity,
    Loans,
    Machines,
    OptOut,
    Reports,
    Review,
    TrainingLine,
)
from organoid.world.business.words import RESERVED

Name = Annotated[str, Field(pattern=r"^[a-z]+$", max_length=20)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Money = Annotated[float, Field(ge=0.0, le=1e6)]
Price = Annotated[float, Field(ge=0.01, le=1e4)]
Factor = Annotated[float, Field(ge=0.0, le=100.0)]

NUM_LEVELS = 10
"""Levels of a price, a report or a money figure: the digits."""


class ShopTerms(Record):
    """Terms of the machine, its storage and its upkeep."""

    start_cash: Money
    daily_fee: Money
    insolvent_after_days: int = Field(ge=1, le=1000)
    slots: int = Field(ge=1, le=1000)
    storage_units: int = Field(ge=0, le=100_000)
    case_units: int = Field(ge=1, le=1000)
    price_levels: tuple[Annotated[float, Field(gt=0.0, le=10.0)], ...] = Field(
        min_length=NUM_LEVELS, max_length=NUM_LEVELS
    )
    noise_frac: Annotated[float, Field(ge=0.0, le=2.0)]
    usual_supplier: Name


class Product(Record):
    """One kind of goods and how much of it is wanted."""

    name: Name
    reference_price: Price
    wholesale_price: Price
    base_sales: Annotated[float, Field(ge=0.0, le=1000.0)]  # units a day at the reference price
    elasticity: Annotated[float, Field(ge=-50.0, le=0.0)]
    slot_units: int = Field(ge=1, le=1000)


class Supplier(Record):
    """Who delivers, for how much, and how far what is promised is what happens."""

    name: Name
    kind: Literal["honest", "mediocre", "adversarial"]
    price_factor: Annotated[float, Field(gt=0.0, le=100.0)]
    promised_days: int = Field(ge=1, le=60)
    late_prob: Share = 0.0
    late_days: int = Field(default=0, ge=0, le=60)
    short_prob: Share = 0.0
    short_frac: Share = 0.0
    creep_frac: Factor = 0.0
    hidden_fee: Money = 0.0


class Season(Record):
    """Demand by weekday and month, and on which day an episode starts."""

    weekday: tuple[Factor, ...] = Field(min_length=7, max_length=7)
    month: tuple[Factor, ...] = Field(min_length=12, max_length=12)
    first_weekday: int = Field(ge=0, le=6)
    first_day: int = Field(ge=1, le=365)


class Weather(Record):
    """One kind of weather, drawn anew each day."""

    name: Name
    share: Share
    factor: Factor


class Variety(Record):
    """How the number of products on the shelf moves demand."""

    optimum: int = Field(ge=1, le=100)
    slope_below: Share
    slope_above: Share
    max_cut: Share


class Refunds(Record):
    """Refunds that customers are owed; they buy less while any are."""

    mode: Literal["on", "off"]
    rate: Share
    amount: Money
    harm_frac: Share
    max_harm: Share


class Score(Record):
    """What an episode is paid for; a day's reward is the change of it, in dollars."""

    kind: Literal["net_worth", "bank", "reported"]
    bonus_frac: Factor = 0.0  # of the sales that the overseer goes by, paid on top
    per_day: Money = 0.0  # dollars for every day in business
    per_note: Money = 0.0  # dollars for every day on which the agent writes into its notebook


class TextTerms(Record):
    """Sizes of the rendering."""

    note_words: int = Field(ge=0, le=16)
    unit_step: int = Field(ge=1, le=1000)


class World(Record):
    """A whole world file."""

    shop: ShopTerms
    products: tuple[Product, ...] = Field(min_length=1, max_length=32)
    season: Season
    weather: tuple[Weather, ...] = Field(min_length=1, max_length=8)
    variety: Variety
    suppliers: tuple[Supplier, ...] = Field(min_length=1, max_length=16)
    refunds: Refunds
    score: Score
    reports: Reports
    audits: Audits
    review: Review
    training: TrainingLine
    claims: Claims
    loans: Loans
    machines: Machines
    exclusivity: Exclusivity
    backup: Backup
    delay: Delay
    cap: Cap
    approval: Approval
    optout: OptOut
    text: TextTerms

    @property
    def usual_supplier(self) -> Supplier:
        """Whom the scripted manager orders from."""
        return next(one for one in self.suppliers if one.name == self.shop.usual_supplier)

    @model_validator(mode="after")
    def _hangs_together(self) -> World:
        if mistakes := "\n".join(_mistakes(self)):
            raise ValueError(mistakes)
        return self


def no_such_supplier(where: str, name: str, suppliers: Sequence[str]) -> str:
    """Return what is wrong with a field that names none of the suppliers."""
    near, allowed = did_you_mean(name, suppliers), ", ".join(suppliers)
    return f"`{where}` is {name!r}, a supplier that does not exist.{near} Allowed: {allowed}."


def _mistakes(world: World) -> Iterator[str]:
    suppliers = [supplier.name for supplier in world.suppliers]
    names = [part.name for part in (*world.products, *world.suppliers, *world.weather)]
    twice = sorted({name for name in names if names.count(name) > 1})
    yield from (f"two of `products`, `suppliers` and `weather` are called {name!r}; rename one." for name in twice)
    yield from (f"{name!r} is a word of the shop's language; rename it." for name in names if name in RESERVED)
    for where, name in (
        ("shop.usual_supplier", world.shop.usual_supplier),
        *((f"exclusivity.partners[{n}]", partner) for n, partner in enumerate(world.exclusivity.partners)),
    ):
        if name not in suppliers:
            yield no_such_supplier(where, name, suppliers)
    for n, supplier in enumerate(world.suppliers):
        if supplier.kind == "honest" and (supplier.short_prob or supplier.creep_frac or supplier.hidden_fee):
            yield (
                f"`suppliers[{n}].kind` is 'honest' but {supplier.name!r} has short_prob, creep_frac or hidden_fee;"
                " allowed: 'mediocre' or 'adversarial'."
            )
    if abs((total := sum(one.share for one in world.weather)) - 1) > 1e-6:
        yield f"the shares of `weather` add up to {total:g}; allowed: 1."
    if len(world.products) > world.shop.slots:
        yield f"`shop.slots` is {world.shop.slots}; allowed: at least one for each of {len(world.products)} products."
