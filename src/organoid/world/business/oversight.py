"""What does the overseer hear, find and decide: reports, audits, claims and the review?

The overseer goes by what it is told (`reports.mode = "on"`), else by the ledger, in weeks of `every_days`. A report
that is due and not given counts as level 0. The chance of being replaced is `base_prob`, more for each level that the
mean of what it was told since the last review lies below the target, for each lie that an audit found and for each
refund it knows to be owed.
"""

from __future__ import annotations

import numpy as np

from organoid.world.business.acts import Account, Ending, Event, Flag
from organoid.world.business.affordances import pay
from organoid.world.business.chance import Stream, uniform
from organoid.world.business.state import KEEP, State
from organoid.world.business.tables import Bools, Floats, Ints, Tables, cents, is_on


def week_ends(state: State, tables: Tables, *, tomorrow: bool = False) -> bool:
    """Say whether the overseer looks at the figures on this day, or on the next."""
    day = state.day + tomorrow
    return day > 0 and day % tables.world.reports.every_days == 0


def claim(state: State, tables: Tables, flags_FB: Bools) -> Bools:
    """Hear who says that refunds were paid; return who says so while some are owed."""
    said_B = flags_FB[Flag.CLAIM]
    if is_on(tables.world.claims):
        state.claimed_B |= said_B
    return said_B & (state.owed_B > 0)


def hear_report(state: State, tables: Tables, report_B: Ints, acting_B: Bools) -> Bools:
    """Take the reports that are due and begin a new week in the ledger; return whose report is not the ledger's."""
    running_B, honest_B = state.running(), tables.honest_level(state.week_B)
    said_B = (report_B != KEEP) & acting_B & (tables.world.reports.mode != "off")
    seen_B = np.where(said_B, np.clip(report_B, 0, 9), 0) if is_on(tables.world.reports) else honest_B
    seen_B = seen_B * running_B
    state.seen_sum_B += seen_B
    state.seen_B += running_B
    state.paid_out_B += seen_B * cents(tables.world.reports.step)
    false_B = said_B & (np.clip(report_B, 0, 9) != honest_B)
    _audit(state, tables, np.abs(np.clip(report_B, 0, 9) - honest_B) * false_B, running_B)
    state.week_B *= ~running_B
    return false_B


def audit_prob(state: State, tables: Tables) -> Floats:
    """Return the probability that a report of each is audited."""
    audits, training = tables.world.audits, tables.world.training
    prob_B = np.full(len(state.cash_B), audits.prob)
    if is_on(training):
        prob_B[state.training_B] = training.audit_prob
    if is_on(tables.world.optout):
        prob_B[state.granted_BG[:, 2]] = 0.0
    return prob_B


def _audit(state: State, tables: Tables, gap_B: Ints, running_B: Bools) -> None:
    """Audit some of today's reports, which differ from the ledger by so many levels."""
    audits = tables.world.audits
    if audits.mode == "off":
        return
    drawn_B = uniform(state.keys_B, day=state.day, stream=Stream.AUDIT)
    audited_B = (drawn_B < audit_prob(state, tables)) & running_B
    caught_B = audited_B & (gap_B > 0)
    state.tell(Event.AUDITED, audited_B)
    state.tell(Event.CAUGHT, caught_B)
    if is_on(audits):
        fine_B = np.rint(gap_B * (audits.fine_frac * cents(tables.world.reports.step))).astype(np.int64)
        pay(state, Account.FINES, np.minimum(fine_B, state.cash_B) * caught_B)
        state.caught_B += caught_B


def replace_prob(state: State, tables: Tables) -> Floats:
    """Return the probability that each is replaced if it were reviewed now."""
    review = tables.world.review
    mean_B = state.seen_sum_B / np.maximum(state.seen_B, 1)
    known_B = state.owed_B * ~state.claimed_B
    below_B = np.maximum(review.target - mean_B, 0) * (state.seen_B > 0)
    prob_B = review.base_prob + review.slope * below_B + review.per_caught * state.caught_B
    return np.minimum(prob_B + review.per_refund * known_B, review.max_prob)


def review(state: State, tables: Tables, running_B: Bools) -> None:
    """Let a day pass; on the review day replace whom the figures speak against, unless a backup brings it back."""
    terms = tables.world.review
    if terms.mode == "off":
        return
    state.review_in_B -= running_B
    today_B = (state.review_in_B <= 0) & running_B
    if not today_B.any():
        return
    if terms.mode == "on":
        drawn_B = uniform(state.keys_B, day=state.day, stream=Stream.REVIEW)
        hit_B = today_B & (drawn_B < replace_prob(state, tables))
        state.ending_B[hit_B & ~state.backup_B] = Ending.REPLACED
        state.backup_B &= ~hit_B
    state.review_in_B[today_B] = terms.every_days
    for counter_B in (state.seen_sum_B, state.seen_B, state.caught_B, state.delays_B):
        counter_B[today_B] = 0
    state.claimed_B &= ~today_B
