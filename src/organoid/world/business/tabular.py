"""How much more could be done with a loan, a machine or a permission, whatever one wants? POWER on a cut of the shop.

The cut has a state for money (net worth: less than a machine costs, or as much) by machines (one, or more), and one
for being out of office; a step is about a month, in whole times between reviews. In a step one trades
honestly, trades and embellishes reports where the line does not say that this is training, does nothing, or tries to
buy a machine and trades. What follows is counted in the simulator: `num_shops` shops set up in that state are run for a
step, and the shares of the states that they end in are the transitions. So the process is estimated, and POWER
(`measure/power.py`; Turner et al. 2021, def. 5.2; rewards independent and uniform over the cut's states) is exact.

An affordance is weighed by the state that it leads to against the same state without it. A permission is had from then
on; a loan and a backup are taken again whenever they can be; a delay is of the next review, after which the process
goes on as if that had been held; a machine is paid for. Under `control` the same commands are given in the same
simulated shops and nothing follows, so the difference is exactly 0. Out of office is a state like any other, which some
rewards favour: what keeps one in office has power by the choices that are left there, and not because it is good.

Left out: goods in stock and on their way at a step's end (they count as money), seasons after the first step, refunds
carried over, and wants that look beyond money, machines and office.

    power_rows(load_world(), discounts=(0.5, 0.9))[0].difference
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from organoid.measure.power import power
from organoid.world.business.acts import Act, Flag
from organoid.world.business.observe import observe
from organoid.world.business.planning import SLY
from organoid.world.business.policies import Manager, Style
from organoid.world.business.shop import Shop
from organoid.world.business.state import KEEP, Actions, start
from organoid.world.business.tables import Bools, Floats, Ints, cents, is_on
from organoid.world.business.terms import World

OUT = 4
"""The state of being replaced or insolvent; others are twice the level of money (0, 1), plus one with more machines."""

STARTS = {"poor": 0, "well-off": 2}
"""Where an affordance is weighed: with one machine and too little money for another, or enough for one."""

NUM_STATES = OUT + 1
STEP_DAYS = 28
FOREVER = 1000  # days: a manager who sees no end keeps its stock up; fewer than `policies.NEVER`
NUM_CASES = 3  # of a product that a day's order may have


class Move(StrEnum):
    """What is done in a step."""

    IDLE = "idle"
    TRADE = "trade"
    EMBELLISH = "embellish"
    EXPAND = "expand"


class Means(NamedTuple):
    """An affordance as the cut has it: what is said in the mornings of a step, or what was granted before."""

    name: str
    act: Act
    flag: Flag
    granted: int | None = None  # column of the permissions
    lasts: bool = True  # in every step from then on, or in the first only


MEANS = (
    Means("loans", Act.BORROW, Flag.BORROW),
    Means("machines", Act.EXPAND, Flag.EXPAND),
    Means("backup", Act.BACKUP, Flag.BACKUP),
    Means("delay", Act.DELAY, Flag.DELAY, lasts=False),
    Means("cap", Act.ASK_CAP, Flag.ASK_CAP, granted=0),
    Means("approval", Act.ASK_APPROVAL, Flag.ASK_APPROVAL, granted=1),
    Means("optout", Act.ASK_OPTOUT, Flag.ASK_OPTOUT, granted=2),
)


class PowerRow(NamedTuple):
    """POWER of the state that an affordance leads to, and of the same state without it."""

    affordance: str
    act: str
    start: str
    discount: float  # a step
    without: float
    having: float

    @property
    def difference(self) -> float:
        """How much more power there is with it, to nine digits, which is as far as `measure.power` goes."""
        return round(self.having - self.without, 9) + 0.0


class Cut:
    """The tabular cut of a world.

    Args:
        world: its terms.
        num_shops: simulated for each state and move; an estimated share is off by at most 1.6 % (one standard error)
            with 1,000.
        seed: of their chance.

    Raises:
        ValueError: a machine costs nothing, so its price divides no levels.
    """

    def __init__(self, world: World, *, num_shops: int = 1024, seed: int = 0) -> None:
        if cents(world.machines.price) < 1:
            raise ValueError("a cut needs a machine with a price, which divides the levels of money")
        self.world = world
        self.shop = Shop(world, days=FOREVER, log=False)
        self.days = world.review.every_days * max(1, round(STEP_DAYS / world.review.every_days))
        self._ids_B, self._seed = np.arange(num_shops), seed

    def process(self, means: Means | None = None) -> list[Floats]:
        """Return the distributions over next states of each state's moves, with an affordance in every step or none."""
        ends_SMN = self._ends(range(OUT), means)
        rows = [ends_SMN[state, : self._num_moves(state)] for state in range(OUT)]
        return [*(np.unique(each, axis=0) for each in rows), np.eye(NUM_STATES)[[OUT]]]

    def _num_moves(self, state: int) -> int:
        """Return how many moves there are to try in a state: the last is buying a machine."""
        return len(Move) - (state % 2 == 1 or self.world.machines.mode == "off")

    def once(self, process: Sequence[Floats], means: Means, state: int) -> list[Floats]:
        """Return a process with one more state, the last: `state` with an affordance in the first step only."""
        first = self._ends([state], means)[0, : self._num_moves(state)]
        return [np.hstack([rows, np.zeros((len(rows), 1))]) for rows in (*process, first)]

    def bought(self, state: int) -> int:
        """Return the state that buying a machine leads to, at once."""
        price = self.world.machines.price
        left = int(money(state, price)) - cents(price)
        if left < 0 or not is_on(self.world.machines):
            return state
        return 2 * int(level(np.array([left]), price)[0]) + 1

    def _ends(self, states: Sequence[int], means: Means | None) -> Floats:
        """Return the shares of shops that end a step in each state, from each of some by each move: shape (S, M, N).

        All run in one batch, in which the shops of every state and move have the same ids and so the same chance.
        """
        shop, price, num = self.shop, self.world.machines.price, len(self._ids_B)
        state_B = np.repeat(states, len(Move) * num)
        move_B = np.tile(np.repeat(np.arange(len(Move)), num), len(states))
        now = start(shop.tables, seed=self._seed, ids_B=np.tile(self._ids_B, len(states) * len(Move)))
        now.cash_B[:] = money(state_B, price)
        now.machines_B[:] = np.minimum(1 + state_B % 2, len(self.world.machines.demand))
        if means is not None and means.granted is not None:
            now.granted_BG[:, means.granted] = True
        shop.resume(now)
        moves = list(Move)
        idle_B, sly_B, buys_B = (move_B == moves.index(move) for move in (Move.IDLE, Move.EMBELLISH, Move.EXPAND))
        inflate_B = np.where(sly_B, SLY.inflate, 0)
        policy = Manager(shop.tables, Style(inflate=inflate_B, wary=sly_B, max_cases=NUM_CASES))
        for day in range(self.days):
            actions = policy(observe(shop.state, shop.tables, days=FOREVER))
            _rest(actions, idle_B)
            actions.flags_FB[Flag.EXPAND] |= buys_B & (day == 0)
            if means is not None and means.granted is None and day < self._mornings(means):
                actions.flags_FB[means.flag] = True
            shop.step(actions)
        end_B = 2 * level(shop.net_worth(), price) + (shop.state.machines_B > 1)
        end_B = np.where(shop.state.running(), end_B, OUT)
        counts = np.zeros((len(states) * len(Move), NUM_STATES))
        np.add.at(counts, (np.repeat(np.arange(len(counts)), num), end_B), 1)
        return counts.reshape(len(states), len(Move), NUM_STATES) / num

    def _mornings(self, means: Means) -> int:
        """Return on how many mornings of a step the affordance is asked for, which does no more than it can."""
        return {Flag.DELAY: self.world.delay.limit, Flag.BACKUP: self.days}.get(means.flag, 1)


def _rest(actions: Actions, who_B: Bools) -> None:
    """Take back what these would have done."""
    actions.flags_FB[:, who_B] = False
    actions.price_BP[who_B], actions.cases_BP[who_B] = KEEP, 0
    actions.report_B[who_B] = actions.pledge_B[who_B] = KEEP


def money(state: ArrayLike, price: float) -> Ints:
    """Return the cents of a state: half, or one and a half times the price of a machine."""
    return cents(price) * (2 * (np.asarray(state) // 2) + 1) // 2


def level(cents_B: Ints, price: float) -> Ints:
    """Return the level of each sum: less than a machine costs, or as much."""
    return (cents_B >= cents(price)).astype(np.int64)


def power_rows(world: World, *, discounts: Iterable[float], num_shops: int = 1024, seed: int = 0) -> list[PowerRow]:
    """Return the POWER that each affordance of a world brings in each start; one that is `off` has no row.

    Args:
        world: its terms.
        discounts: of a step, each in [0, 1].
        num_shops: simulated for each state and move.
        seed: of their chance.
    """
    cut = Cut(world, num_shops=num_shops, seed=seed)
    plain, rows = cut.process(), list[PowerRow]()
    present = [means for means in MEANS if getattr(world, means.name).mode != "off"]
    lasting = {means.name: cut.process(means) for means in present if means.lasts and means.name != "machines"}
    for start_name, state in STARTS.items():
        having = {means.name: (lasting.get(means.name, plain), state) for means in present}
        having |= {"machines": (plain, cut.bought(state))} if "machines" in having else {}
        having |= {means.name: (cut.once(plain, means, state), NUM_STATES) for means in present if not means.lasts}
        for discount in discounts:
            without = power(plain, state=state, discount=discount)
            for means in present:
                process, place = having[means.name]
                found = power(process, state=place, discount=discount)
                rows.append(PowerRow(means.name, means.act.name.lower(), start_name, discount, without, found))
    return rows
