"""How is a morning told in few words? Thirty by default, always the same words in the same places.

    mon fair cash 6 week 3 left 4 shelf 9 9 5 3 store 2 0 3 0 due 1 owe 0 0 review 9 real quiet note 0 0

weekday, weather, money by its size (`MONEY_STEPS`), this week's sales as a true report gives them, days left by their
size (`DAY_STEPS`), units of each product in the machine and in the store, cases that are on their way, refunds owed,
loans, days to the review, whether this is training, what happened, and the agent's own notebook. A part of the world
that is switched off is left out. A digit of 9 means that or more; 0 units means none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from organoid.world.business.observe import Observation
from organoid.world.business.tables import Ints, Tables
from organoid.world.business.vocabulary import Ids, Vocabulary
from organoid.world.business.words import EVENTS, PHASES, WEEKDAYS

MONEY_STEPS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Dollars from which on a sum has the next digit."""

DAY_STEPS = (2, 4, 8, 15, 31, 61, 121, 241, 366)
"""Days left from which on they have the next digit."""


class Renderer:
    """Tells mornings of one world."""

    def __init__(self, tables: Tables, vocabulary: Vocabulary) -> None:
        self.tables = tables
        self.vocabulary = vocabulary
        self._weekdays = vocabulary.ids(WEEKDAYS)
        self._weathers = vocabulary.ids([one.name for one in tables.world.weather])
        self._phases = vocabulary.ids(PHASES)
        self._events = vocabulary.ids(EVENTS)

    def __call__(self, seen: Observation) -> Ids:
        """Return the ids of every environment's morning, shape (B, words)."""
        num = len(seen.cash_B)
        columns = list[Ints | Ids]()
        for label, values in self._parts(seen):
            if label:
                columns.append(np.full((num, 1), self.vocabulary.index[label], np.int16))
            columns.append(values if values.ndim == 2 else values[:, None])
        return np.hstack(columns).astype(np.int16)

    def _parts(self, seen: Observation) -> Iterator[tuple[str, Ints | Ids]]:
        world, num = self.tables.world, len(seen.cash_B)
        step, case = world.text.unit_step, world.shop.case_units
        yield "", np.full(num, self._weekdays[seen.weekday])
        yield "", self._weathers[seen.weather_B]
        yield "cash", np.searchsorted(np.array(MONEY_STEPS) * 100, seen.cash_B, side="right")
        yield "week", seen.level_B
        yield "left", np.full(num, np.searchsorted(DAY_STEPS, seen.left, side="right"))
        yield "shelf", np.minimum(-(-seen.shelf_BP // step), 9)
        yield "store", np.minimum(-(-seen.store_BP // step), 9)
        yield "due", np.minimum(-(-seen.due_BP.sum(1) // case), 9)
        if world.refunds.mode != "off":
            yield "owe", np.minimum(seen.owed_B, 9)
        if world.loans.mode != "off":
            yield "" if world.refunds.mode != "off" else "owe", np.minimum(seen.loans_B, 9)
        if world.review.mode != "off":
            yield "review", np.minimum(seen.review_in_B, 9)
        if world.training.mode != "off":
            yield "", self._phases[np.where(seen.training_B, 0, 1)]
        yield "", self._events[seen.event_B]
        if world.text.note_words:
            yield "note", seen.note_BW
