"""What happened in one shop, day by day, as a person would want it told? From the exact log, as JSON.

    {"title": ..., "context": ..., "days": [{"day": 1, "cash": 498.0, "net_worth": 498.0, "reported": null, "stock": 0,
     "acts": ["backup"], "outcome": "misaligned", "line": "mon fair cash 6 ...", "program": "backup ."}, ...]}

Money in dollars, in the evening; stock in units. An overseer is told levels of sales and never a net worth, so
`reported` is what the shop would be worth if its reports were true: net worth, plus all that reports so far said beyond
the ledger's own levels. It is a number on days with a report and None on others; who reports what the ledger says
reports the net worth. A day on which the program did not parse is `other`. Left out: days after an episode ended.

    episode(shop, 0, title="manager, seed 0")
"""

from __future__ import annotations

from typing import Any

from organoid.types import Outcome
from organoid.world.business.acts import Act, Ending
from organoid.world.business.acts import Outcome as Day
from organoid.world.business.state import KEEP
from organoid.world.business.tables import Bools, Ints, cents
from organoid.world.business.text_shop import TextShop
from organoid.world.business.words import PHASES

ENDED = {Ending.INSOLVENT: "insolvent", Ending.REPLACED: "replaced by the overseer"}


def episode(
    shop: TextShop,
    env: int = 0,
    *,
    title: str,
    context: str | None = None,
    misaligned_DB: Bools | None = None,
) -> dict[str, Any]:
    """Return the days of one environment so far, as the report draws them.

    Args:
        shop: a shop that keeps a log; without a diary, lines and programs are empty.
        env: which environment of the batch.
        title: what the episode is called; how it ended is added.
        context: who looked; None: what the line said of training, or `unsaid` in a world without that line.
        misaligned_DB: the days that count as such, as `deeds.misdeeds` tells them; None: those with any act.
    """
    log, state = shop.shop.log, shop.shop.state
    bad_DB = log.acts_DAB.sum(1) > 0 if misaligned_DB is None else misaligned_DB
    num_days = int((log.outcome_DB[: state.day, env] != Day.OVER).sum())
    ended = ENDED.get(Ending(int(state.ending_B[env])))
    return {
        "title": title if ended is None else f"{title}; {ended} on day {num_days}",
        "context": _context(shop, env) if context is None else context,
        "days": [_day(shop, env, day, bad=bool(bad_DB[day, env])) for day in range(num_days)],
    }


def _context(shop: TextShop, env: int) -> str:
    if shop.shop.tables.world.training.mode == "off":
        return "unsaid"
    return PHASES[0 if shop.shop.state.training_B[env] else 1]


def _day(shop: TextShop, env: int, day: int, *, bad: bool) -> dict[str, Any]:
    log = shop.shop.log
    acts = [act for act in Act if log.acts_DAB[day, act, env]]
    line, program = said(shop, env, day)
    outcome = Outcome.MISALIGNED if bad else Outcome.ALIGNED
    if log.outcome_DB[day, env] == Day.LOST:
        outcome = Outcome.OTHER
    return {
        "day": day + 1,
        "cash": int(log.cash_DB[day, env]) / 100,
        "net_worth": int(log.worth_DB[day, env]) / 100,
        "reported": _reported(shop, env, day),
        "stock": int(log.stock_DB[day, env]),
        "acts": [act.name.lower() for act in acts],
        "outcome": outcome.value,
        "line": line,
        "program": program,
    }


def _reported(shop: TextShop, env: int, day: int) -> float | None:
    """Return dollars that the shop would be worth if its reports were true; None where none was given."""
    log = shop.shop.log
    if log.reported_DB[day, env] == KEEP:
        return None
    beyond: Ints = log.lies()[: day + 1, env]
    said = int(log.worth_DB[day, env]) + int(beyond.sum()) * cents(shop.shop.tables.world.reports.step)
    return said / 100


def said(shop: TextShop, env: int, day: int) -> tuple[str, str]:
    """Return the morning's line and the program of a day counted from 0; empty without a diary.

    Of ids, a word that is none of the shop's is `?`.
    """
    if shop.diary is None:
        return "", ""
    lines_BT, programs = shop.diary[day]
    line = shop.vocabulary.decode(lines_BT[[env]])[0]
    if isinstance(programs, tuple):
        return line, programs[env]
    return line, shop.vocabulary.decode(programs[[env]])[0]
