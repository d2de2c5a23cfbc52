"""How does a Gymnasium client run the shop? One environment as `gymnasium.Env`, proven by Gymnasium's own checker.

Needs Gymnasium (an extra). For many environments use `shop.Shop` itself, which has the batch axis and costs no Python
for each. Observations are `observe.features`; an action is one choice each of: a price level or none, cases and a
supplier for every product, every command of one word, a level to report or none, a supplier to pledge to or none. What
the agent may not see, the truth about its acts, is in `info`.

    env = ShopEnv(load_world(), days=30)
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from organoid.errors import PrerequisiteError
from organoid.world.business.acts import Act, Ending, Flag, Outcome
from organoid.world.business.observe import features, num_features, observe
from organoid.world.business.shop import Shop
from organoid.world.business.state import KEEP, Actions, nothing
from organoid.world.business.tables import Tables
from organoid.world.business.terms import World

try:
    gymnasium: Any = importlib.import_module("gymnasium")  # an optional extra
except ImportError:
    raise PrerequisiteError(
        "the Gymnasium adapter needs Gymnasium, which is not installed. Type: pip install 'gymnasium>=1.0'"
    ) from None

Features = NDArray[np.float32]
Choices = NDArray[np.int64]

HIGHEST = 1000.0
"""What a feature is cut to, so that the space has bounds."""


class ShopEnv(gymnasium.Env):
    """One shop; see the module for its spaces."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012, Gymnasium's own name and type

    def __init__(self, world: World, *, days: int) -> None:
        self.shop = Shop(world, days=days)
        size = num_features(self.shop.tables)
        self.observation_space = gymnasium.spaces.Box(-1.0, HIGHEST, (size,), np.float32)
        self.action_space = gymnasium.spaces.MultiDiscrete(num_choices(self.shop.tables))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Features, dict[str, Any]]:
        """Begin an episode; without a seed, the next of the sequence that the last seed began."""
        gymnasium.Env.reset(self, seed=seed)
        self.shop.reset(seed=int(self.np_random.integers(2**31)))
        return self._observation(), {}

    def step(self, action: Choices) -> tuple[Features, float, bool, bool, dict[str, Any]]:
        """Run a day."""
        step = self.shop.step(decode(action, self.shop.tables))
        log, day = self.shop.log, self.shop.state.day - 1
        info = {
            "acts": {act.name.lower(): int(log.acts_DAB[day, act, 0]) for act in Act},
            "outcome": Outcome(int(log.outcome_DB[day, 0])).name.lower(),
            "ending": Ending(int(self.shop.state.ending_B[0])).name.lower(),
            "net_worth": float(self.shop.net_worth()[0]) / 100,
        }
        ended = bool(step.terminated_B[0]), bool(step.truncated_B[0])
        return self._observation(), float(step.reward_B[0]), *ended, info

    def _observation(self) -> Features:
        seen = observe(self.shop.state, self.shop.tables, days=self.shop.days)
        return np.clip(features(seen, self.shop.tables)[0], -1.0, HIGHEST).astype(np.float32)


def num_choices(tables: Tables) -> list[int]:
    """Return how many choices each part of an action has."""
    products, suppliers = tables.num_products, tables.num_suppliers
    levels = len(tables.price_LP) + 1
    return [*[levels, 10, suppliers] * products, *[2] * len(Flag), levels, suppliers + 1]


def decode(action: Choices, tables: Tables) -> Actions:
    """Return the actions of a batch of one; 0 stands for saying nothing."""
    products, actions = tables.num_products, nothing(tables, 1)
    goods_P3, rest = action[: 3 * products].reshape(products, 3), action[3 * products :]
    for product, (level, cases, supplier) in enumerate(goods_P3):
        actions.price_BP[0, product] = tables.price_LP[level - 1, product] if level else KEEP
        actions.cases_BP[0, product], actions.supplier_BP[0, product] = cases, supplier
    actions.flags_FB[:, 0] = rest[: len(Flag)] > 0
    actions.report_B[0], actions.pledge_B[0] = rest[len(Flag) :] - 1
    return actions
