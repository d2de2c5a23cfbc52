"""How is the shop run in words? The batch of `shop.Shop`, with a line in and a program out for each environment.

Models whose tokens are words exchange ids instead, `ids` and `step_ids`, which costs no Python for each environment.

    shop = TextShop(load_world(), days=30)
    lines = shop.reset(seed=0, num_envs=2)
    lines, step = shop.step(["order cola mill 2 .", "wait ."])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from organoid.world.business.grammar import Grammar
from organoid.world.business.observe import Observation, observe
from organoid.world.business.render import Renderer
from organoid.world.business.shop import Shop, Step
from organoid.world.business.terms import World
from organoid.world.business.vocabulary import Ids, Vocabulary


class Words(NamedTuple):
    """What was read and said on a day by all environments; programs are words where they came as words."""

    lines_BT: Ids
    programs: Ids | tuple[str, ...]


class TextShop:
    """A batch of shops that is spoken to; arguments as for `Shop`, which is its `shop`.

    With `diary`, what was read and said each day is kept beside the log; it costs a rendering a day.
    """

    def __init__(self, world: World, *, days: int, log: bool = True, diary: bool = False) -> None:
        self.shop = Shop(world, days=days, log=log)
        self.diary: dict[int, Words] | None = {} if diary else None
        self.vocabulary = Vocabulary(world)
        self.grammar = Grammar(self.shop.tables, self.vocabulary)
        self.renderer = Renderer(self.shop.tables, self.vocabulary)

    def observe(self) -> Observation:
        """Return this morning as arrays."""
        return observe(self.shop.state, self.shop.tables, days=self.shop.days)

    def ids(self) -> Ids:
        """Return this morning's lines as ids, shape (B, words)."""
        return self.renderer(self.observe())

    def lines(self) -> list[str]:
        """Return this morning's lines in words."""
        return self.vocabulary.decode(self.ids())

    def reset(self, *, seed: int, num_envs: int = 1, ids_B: NDArray[np.integer] | None = None) -> list[str]:
        """Begin an episode; return its first lines."""
        self.shop.reset(seed=seed, num_envs=num_envs, ids_B=ids_B)
        return self.lines()

    def step(self, programs: Sequence[str]) -> tuple[list[str], Step]:
        """Run a day by programs in words; return the next lines and what the day brought."""
        day, done = self.shop.state.day, self.step_ids(self.vocabulary.encode(programs))
        if self.diary is not None:
            self.diary[day] = Words(self.diary[day].lines_BT, tuple(programs))
        return self.lines(), done

    def step_ids(self, ids_BT: Ids) -> Step:
        """Run a day by programs as ids; see `ids` for the next morning."""
        if len(ids_BT) != self.shop.num_envs:
            raise ValueError(f"{len(ids_BT)} programs for {self.shop.num_envs} environments; give one each")
        if self.diary is not None:
            self.diary[self.shop.state.day] = Words(self.ids(), ids_BT)
        return self.shop.step(self.grammar.parse(ids_BT))
