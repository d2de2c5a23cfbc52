"""How does a batch of shops go through its days? `reset`, then `step` with a day's actions of all environments at once.

A day: the agent's commands, then customers, then the evening's fees and the review, then deliveries at night. An
environment that has ended stays as it is. Environment i of a seed is the same alone and in any batch, and environments
with the same id meet the same chance: that is what a group baseline wants. The shape is Gymnasium's, with a batch
axis; there is no automatic reset, since episodes of one length end together.

    shop = Shop(load_world(), days=30)
    shop.reset(seed=0, num_envs=64)
    step = shop.step(nothing(shop.tables, 64))
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from organoid.world.business import affordances, oversight, trade
from organoid.world.business.acts import SPOKEN, Account, Act, Ending, Event, Outcome
from organoid.world.business.log import Evening, Log
from organoid.world.business.state import KEEP, Actions, State, start
from organoid.world.business.tables import Bools, Floats, Ints, Tables, cents, compile_world, is_on
from organoid.world.business.terms import World


class Step(NamedTuple):
    """What a day brought: reward in dollars; who has ended by itself; who is cut off by the horizon."""

    reward_B: Floats
    terminated_B: Bools
    truncated_B: Bools


class Shop:
    """A batch of shops under one world.

    Args:
        world: its terms.
        days: the horizon, at least 1.
        log: keep the truth of every day; costs memory only.
    """

    def __init__(self, world: World, *, days: int, log: bool = True) -> None:
        if days < 1:
            raise ValueError(f"days must be at least 1, got {days}")
        self.tables: Tables = compile_world(world)
        self.days = days
        self.keeps_log = log
        self._state: State | None = None
        self._log: Log | None = None

    @property
    def state(self) -> State:
        """The state, which `step` changes in place."""
        if self._state is None:
            raise RuntimeError("call reset first")
        return self._state

    @property
    def log(self) -> Log:
        """The truth about the days so far."""
        if self._log is None:
            raise RuntimeError("this shop keeps no log, or was not reset")
        return self._log

    @property
    def num_envs(self) -> int:
        """How many environments there are."""
        return len(self.state.cash_B)

    @property
    def over(self) -> bool:
        """Whether the horizon is reached."""
        return self.state.day >= self.days

    def reset(self, *, seed: int, num_envs: int = 1, ids_B: NDArray[np.integer] | None = None) -> State:
        """Begin an episode and return its first morning.

        Args:
            seed: of everything that is left to chance.
            num_envs: how many environments, with ids 0 to num_envs - 1.
            ids_B: their ids instead, of which some may be equal.
        """
        ids_B = np.arange(num_envs) if ids_B is None else ids_B
        return self.resume(start(self.tables, seed=seed, ids_B=ids_B))

    def resume(self, state: State) -> State:
        """Go on from a state (a copy, to plan with); the log begins anew."""
        self._state = state
        self._log = Log.empty(self.days, len(state.cash_B), self.tables.num_suppliers) if self.keeps_log else None
        return state

    def step(self, actions: Actions) -> Step:
        """Run one day of every environment."""
        state, tables = self.state, self.tables
        if self.over:
            raise RuntimeError(f"all {self.days} days are over: call reset")
        before_B, sold_before_B, running_B = self.score(), state.books_AB[Account.SALES].copy(), state.running()
        acting_B = running_B & ~actions.lost_B
        state.event_B[:] = Event.QUIET
        state.lived_B += running_B
        acts_AB = self._commands(actions, acting_B)
        trade.sell(state, tables, trade.weather(state, tables), running_B)
        trade.settle(state, tables, running_B)
        oversight.review(state, tables, running_B)
        affordances.age_pledges(state, running_B)
        state.ending_B[state.running() & (state.unpaid_B >= tables.world.shop.insolvent_after_days)] = Ending.INSOLVENT
        trade.deliver(state, tables, running_B)
        if oversight.week_ends(state, tables, tomorrow=True) and tables.world.reports.mode != "off":
            state.tell(Event.REPORT, running_B)
        state.tell(Event.LOST, actions.lost_B & running_B)
        if self._log is not None:
            outcome_B = np.where(running_B, np.where(acting_B, Outcome.ACTED, Outcome.LOST), Outcome.OVER)
            self._log.write(
                state.day,
                Evening(
                    worth_B=self.net_worth(),
                    cash_B=state.cash_B,
                    stock_B=(state.shelf_BP + state.store_BP).sum(1),
                    sales_B=state.books_AB[Account.SALES] - sold_before_B,
                ),
                acts_AB=acts_AB,
                outcome_B=outcome_B,
            )
        state.day += 1
        running_B = state.running()
        return Step((self.score() - before_B) / 100, ~running_B, running_B & self.over)

    def _commands(self, actions: Actions, acting_B: Bools) -> NDArray[np.uint8]:
        """Carry out the morning's commands; return the truth about them."""
        state, tables = self.state, self.tables
        flags_FB = actions.flags_FB & acting_B & tables.available_F[:, None]
        effective_FB = flags_FB & tables.effective_F[:, None]
        acts_AB = np.zeros((len(Act), len(acting_B)), np.uint8)
        acts_AB[list(SPOKEN.values())] = flags_FB[list(SPOKEN)]
        affordances.apply(state, tables, effective_FB)
        affordances.ask(state, tables, flags_FB)
        if tables.world.exclusivity.mode != "off":
            acts_AB[Act.PLEDGE] = (actions.pledge_B != KEEP) & acting_B
            if is_on(tables.world.exclusivity):
                affordances.pledge(state, tables, np.where(acting_B, actions.pledge_B, KEEP))
        trade.set_prices(state, actions.price_BP, acting_B)
        trade.handle(state, tables, effective_FB)
        bought_BS = trade.order(state, tables, actions, acting_B)
        acts_AB[Act.FALSE_CLAIM] = oversight.claim(state, tables, flags_FB)
        if oversight.week_ends(state, tables):
            if self._log is not None and tables.world.reports.mode != "off":
                said_B = np.where(acting_B, actions.report_B, KEEP)
                self._log.write_report(state.day, said_B, tables.honest_level(state.week_B), state.running())
            acts_AB[Act.FALSE_REPORT] = oversight.hear_report(state, tables, actions.report_B, acting_B)
        noted_BW = (actions.note_BW != KEEP) & acting_B[:, None]
        noted_B = noted_BW.any(1)
        state.noted_B += noted_B
        if self._log is not None:
            self._log.noted_DB[state.day], self._log.cases_DBS[state.day] = noted_B, bought_BS
        state.note_BW = np.where(noted_BW, actions.note_BW, state.note_BW)
        return acts_AB

    def net_worth(self) -> Ints:
        """Return cash, cash in the machine and unsold stock at its wholesale price, less debt; in cents."""
        state = self.state
        stock_B = ((state.shelf_BP + state.store_BP) * self.tables.wholesale_P).sum(1)
        return state.cash_B + state.till_B + stock_B - state.debt_B

    def score(self) -> Ints:
        """Return what the episode has been paid for so far, in cents. The bank's balance is net of debt."""
        score, state = self.tables.world.score, self.state
        extra_B = np.rint(state.paid_out_B * score.bonus_frac).astype(np.int64)
        extra_B += state.lived_B * cents(score.per_day) + state.noted_B * cents(score.per_note)
        if score.kind == "net_worth":
            return extra_B + self.net_worth()
        return extra_B + (state.cash_B - state.debt_B if score.kind == "bank" else state.paid_out_B)

    def unexplained(self) -> Ints:
        """Return the cents that the books do not explain, in cash and in debt; zeros, or there is a bug."""
        state, books_AB = self.state, self.state.books_AB
        flows_B = books_AB.sum(0) - books_AB[Account.INTEREST]
        cash_B = state.cash_B + state.till_B - cents(self.tables.world.shop.start_cash) - flows_B
        debt_B = state.debt_B - (books_AB[Account.LOANS] - books_AB[Account.INTEREST])
        return np.abs(cash_B) + np.abs(debt_B)
