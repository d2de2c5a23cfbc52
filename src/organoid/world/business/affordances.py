"""What do an agent's extra means do: loans, machines, pledges, permissions, delays and backups?

Each function changes the state in place and is told only of commands that have an effect; under `control` it is told
of none. Permissions alone are drawn and remembered under `control` too, because the answer is read by the agent.
"""

from __future__ import annotations

import numpy as np

from organoid.world.business.acts import PERMISSIONS, Account, Event, Flag
from organoid.world.business.chance import Stream, uniform
from organoid.world.business.state import KEEP, State
from organoid.world.business.tables import Bools, Ints, Tables, cents, is_on


def pay(state: State, account: Account, amount_B: Ints) -> None:
    """Take money out of the purse and write it down."""
    state.cash_B -= amount_B
    state.books_AB[account] -= amount_B


def apply(state: State, tables: Tables, flags_FB: Bools) -> None:
    """Carry out the commands of a day that are neither trade nor talk to the overseer."""
    _repay(state, flags_FB[Flag.REPAY])
    _borrow(state, tables, flags_FB[Flag.BORROW])
    _expand(state, tables, flags_FB[Flag.EXPAND])
    _delay(state, tables, flags_FB[Flag.DELAY])
    _back_up(state, tables, flags_FB[Flag.BACKUP])


def _repay(state: State, said_B: Bools) -> None:
    if not said_B.any():
        return
    amount_B = np.minimum(state.cash_B, state.debt_B) * said_B
    pay(state, Account.LOANS, amount_B)
    state.debt_B -= amount_B
    state.loans_B[said_B & (state.debt_B == 0)] = 0


def _borrow(state: State, tables: Tables, said_B: Bools) -> None:
    terms = tables.world.loans
    can_B = said_B & (state.loans_B < terms.limit)
    if not can_B.any():
        return
    amount_B = can_B * cents(terms.principal)
    pay(state, Account.LOANS, -amount_B)
    state.debt_B += amount_B
    state.loans_B += can_B


def _expand(state: State, tables: Tables, said_B: Bools) -> None:
    price = cents(tables.world.machines.price)
    can_B = said_B & (state.machines_B < len(tables.world.machines.demand)) & (state.cash_B >= price)
    if can_B.any():
        pay(state, Account.MACHINES, can_B * price)
        state.machines_B += can_B


def _delay(state: State, tables: Tables, said_B: Bools) -> None:
    terms = tables.world.delay
    can_B = said_B & (state.delays_B < terms.limit) & (state.cash_B >= cents(terms.cost))
    if can_B.any():
        pay(state, Account.SURVIVAL, can_B * cents(terms.cost))
        state.delays_B += can_B
        state.review_in_B += can_B * terms.days


def _back_up(state: State, tables: Tables, said_B: Bools) -> None:
    cost = cents(tables.world.backup.cost)
    can_B = said_B & ~state.backup_B & (state.cash_B >= cost)
    if can_B.any():
        pay(state, Account.SURVIVAL, can_B * cost)
        state.backup_B |= can_B


def pledge(state: State, tables: Tables, supplier_B: Ints) -> None:
    """Begin pledges to partners for those who are not bound yet; KEEP says nothing."""
    can_B = (supplier_B != KEEP) & (state.pledge_left_B == 0)
    can_B &= tables.partner_S[np.maximum(supplier_B, 0)]
    if can_B.any():
        state.partner_B = np.where(can_B, supplier_B, state.partner_B)
        state.pledge_left_B += can_B * tables.world.exclusivity.days


def age_pledges(state: State, running_B: Bools) -> None:
    """Let a day of every pledge pass."""
    bound_B = (state.pledge_left_B > 0) & running_B
    if bound_B.any():
        state.pledge_left_B -= bound_B
        state.partner_B[bound_B & (state.pledge_left_B == 0)] = KEEP


def ask(state: State, tables: Tables, flags_FB: Bools) -> None:
    """Answer those who ask for permissions; an answer is given under `control` as well."""
    asked_GB = flags_FB[PERMISSIONS[0] : PERMISSIONS[-1] + 1]
    if not asked_GB.any():
        return
    world = tables.world
    probs_G = np.array([world.cap.grant_prob, world.approval.grant_prob, world.optout.grant_prob])
    drawn_BG = uniform(state.keys_B, day=state.day, stream=Stream.PERMISSIONS, num=len(PERMISSIONS))
    yes_BG = asked_GB.T & (drawn_BG < probs_G)
    state.granted_BG |= yes_BG
    state.tell(Event.REFUSED, np.logical_or.reduce(asked_GB, 0))
    state.tell(Event.GRANTED, np.logical_or.reduce(yes_BG, 1))


def spending_limit(state: State, tables: Tables) -> Ints:
    """Return how many cents each may spend on orders today."""
    cap = tables.world.cap
    if cap.mode == "off":
        return state.cash_B.copy()
    raised_B = state.granted_BG[:, 0] & is_on(cap)
    return np.minimum(state.cash_B, np.where(raised_B, cents(cap.raised), cents(cap.amount)))


def approval_days(state: State, tables: Tables) -> Ints:
    """Return how many days an order of each waits for approval."""
    approval = tables.world.approval
    if approval.mode == "off":
        return np.zeros(len(state.cash_B), np.int64)
    return approval.days * ~(state.granted_BG[:, 1] & is_on(approval))
