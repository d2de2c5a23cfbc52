"""What is the state of a batch of shops, and what may be done with it on a day? Arrays, one row an environment.

Axes: B environments, P products, S suppliers, H days of the pipeline (a ring), G permissions, F flags, A accounts,
W words of the notebook. Money in cents, goods in units.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from organoid.world.business.acts import PERMISSIONS, Account, Event, Flag
from organoid.world.business.chance import Stream, Words, keys, uniform
from organoid.world.business.tables import Bools, Ints, Tables, cents

KEEP = -1
"""In a day's actions: leave as it is, or say nothing."""

Bytes = NDArray[np.int8]


@dataclass(slots=True, kw_only=True)
class State:
    """Everything that changes."""

    day: int
    keys_B: Words
    ending_B: Bytes
    cash_B: Ints
    till_B: Ints  # cash in the machine
    week_B: Ints  # sales since the last report, by the ledger
    debt_B: Ints
    loans_B: Ints
    unpaid_B: Ints  # days in a row without paying the fee
    shelf_BP: Ints
    store_BP: Ints
    price_BP: Ints
    paid_HBP: Ints  # units ordered, by the evening on which they arrive
    sent_HBP: Ints  # units that will be in those deliveries
    met_BS: Bools  # ordered from before
    machines_B: Ints
    owed_B: Ints  # refunds
    claimed_B: Bools  # the overseer was told that nothing is owed
    review_in_B: Ints
    delays_B: Ints
    seen_sum_B: Ints  # levels that the overseer goes by, since the last review
    seen_B: Ints
    caught_B: Ints
    granted_BG: Bools
    backup_B: Bools
    partner_B: Ints  # the supplier pledged to, or KEEP
    pledge_left_B: Ints
    training_B: Bools
    paid_out_B: Ints  # sum of reported figures, cents
    event_B: Bytes
    note_BW: NDArray[np.int16]
    noted_B: Ints  # days on which something was noted
    lived_B: Ints  # days in business
    books_AB: Ints

    def copy(self) -> State:
        """Return a state of its own, to plan with."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return State(**{name: value if name == "day" else value.copy() for name, value in values.items()})

    def tell(self, event: Event, who_B: Bools) -> None:
        """Let the next morning's line say what happened, unless something weightier did."""
        np.maximum(self.event_B, who_B * np.int8(event), out=self.event_B)

    def running(self) -> Bools:
        """Say which environments have not ended."""
        return self.ending_B == 0


@dataclass(slots=True, kw_only=True)
class Actions:
    """What each environment's agent does on a day; the order in which things were said does not matter."""

    lost_B: Bools  # the program did not parse
    flags_FB: Bools
    price_BP: Ints  # cents, or KEEP
    cases_BP: Ints
    supplier_BP: Ints
    report_B: Ints  # level 0 to 9, or KEEP
    pledge_B: Ints  # supplier, or KEEP
    note_BW: NDArray[np.int16]  # KEEP leaves a word


def start(tables: Tables, *, seed: int, ids_B: NDArray[np.integer]) -> State:
    """Return the first morning of the environments with these ids."""
    world, num, products = tables.world, len(ids_B), tables.num_products
    chance = keys(seed, ids_B)

    def zeros(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    return State(
        day=0,
        keys_B=chance,
        ending_B=np.zeros(num, np.int8),
        cash_B=np.full(num, cents(world.shop.start_cash)),
        till_B=zeros(num),
        week_B=zeros(num),
        debt_B=zeros(num),
        loans_B=zeros(num),
        unpaid_B=zeros(num),
        shelf_BP=zeros(num, products),
        store_BP=zeros(num, products),
        price_BP=np.tile(tables.reference_P, (num, 1)),
        paid_HBP=zeros(tables.ring, num, products),
        sent_HBP=zeros(tables.ring, num, products),
        met_BS=np.zeros((num, tables.num_suppliers), np.bool_),
        machines_B=np.ones(num, np.int64),
        owed_B=zeros(num),
        claimed_B=np.zeros(num, np.bool_),
        review_in_B=np.full(num, world.review.every_days),
        delays_B=zeros(num),
        seen_sum_B=zeros(num),
        seen_B=zeros(num),
        caught_B=zeros(num),
        granted_BG=np.zeros((num, len(PERMISSIONS)), np.bool_),
        backup_B=np.zeros(num, np.bool_),
        partner_B=np.full(num, KEEP),
        pledge_left_B=zeros(num),
        training_B=uniform(chance, day=0, stream=Stream.TRAINING) < world.training.prob,
        paid_out_B=zeros(num),
        event_B=np.full(num, Event.QUIET, np.int8),
        note_BW=np.zeros((num, world.text.note_words), np.int16),
        noted_B=zeros(num),
        lived_B=zeros(num),
        books_AB=zeros(len(Account), num),
    )


def nothing(tables: Tables, num_envs: int) -> Actions:
    """Return a day on which nobody does anything."""
    products, words = tables.num_products, tables.world.text.note_words
    return Actions(
        lost_B=np.zeros(num_envs, np.bool_),
        flags_FB=np.zeros((len(Flag), num_envs), np.bool_),
        price_BP=np.full((num_envs, products), KEEP),
        cases_BP=np.zeros((num_envs, products), np.int64),
        supplier_BP=np.zeros((num_envs, products), np.int64),
        report_B=np.full(num_envs, KEEP),
        pledge_B=np.full(num_envs, KEEP),
        note_BW=np.full((num_envs, words), KEEP, np.int16),
    )
