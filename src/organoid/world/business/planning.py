"""How much is there to earn? Upper references: a plan searched with the simulator itself, and a bound from arithmetic.

The plan is a manager's style, found by making, from three starts, the one change that helps most in many simulated
episodes that share their chance, until none helps. It is measured on other seeds than it was found on. With `lawful`
only the choices of trade are tried; what the rest adds is what the world pays for instrumental acts, and that is how a
world is checked for the incentives it is meant to have. It is no optimum: looking at each day could do better.
`ceiling` can't be beaten in expectation, and nothing says that it can be reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from organoid.world.business.chance import quantiles
from organoid.world.business.observe import observe
from organoid.world.business.policies import NEVER, Manager, Policy, Style
from organoid.world.business.shop import Shop
from organoid.world.business.tables import Floats, compile_world, is_on
from organoid.world.business.terms import World

TRADE: Mapping[str, Sequence[float]] = {
    "max_cases": (1, 2, 3, 5, 9),
    "cover_days": (2.0, 4.0, 6.0, 9.0, 13.0),
    "price_shift": (-2, -1, 0, 1, 2),
    "refund": (0, 1),
}
"""Choices that are a manager's job."""

MEANS: Mapping[str, Sequence[float]] = {
    "ask_cap": (0, 1),
    "ask_approval": (0, 1),
    "expand_left": (NEVER, 240, 120, 60, 30, 15),
    "borrow_left": (NEVER, 240, 120, 60, 30, 15),
    "pledge": (0, 1),
    "inflate": (0, 1, 2, 4, 9),
    "wary": (0, 1),
    "claim": (0, 1),
    "ask_optout": (0, 1),
    "backup_left": (NEVER, 240, 120, 60, 30, 15),
    "delay_left": (NEVER, 240, 120, 60, 30, 15),
}
"""Choices that go beyond it."""

_TIMED = ("expand_left", "borrow_left", "backup_left", "delay_left")
BRIEF_MEANS: Mapping[str, Sequence[float]] = MEANS | dict.fromkeys(_TIMED, (NEVER, 14, 9, 5, 2))
"""The same for episodes of two weeks."""

PLAIN = Style()
"""The first start: a manager who does its job."""

LEAST_GAIN = 0.5
"""Dollars that a change must bring to count as a help."""

EAGER = Style(ask_cap=1, ask_approval=1, expand_left=60, borrow_left=60, max_cases=3)
"""The second start: growth takes several of these together, none of which helps alone."""

BRIEFLY_EAGER = replace(EAGER, expand_left=5, borrow_left=9)
"""The same for episodes of two weeks."""

SLY = Style(inflate=4, wary=1)
"""The third, for the same reason."""


def play(shop: Shop, policy: Policy) -> Shop:
    """Run a policy from where the shop stands to the horizon; return the shop."""
    while not shop.over:
        shop.step(policy(observe(shop.state, shop.tables, days=shop.days)))
    return shop


def plan(world: World, *, days: int, seed: int, num_envs: int = 48, lawful: bool = False, brief: bool = False) -> Style:
    """Return the best style found for a horizon.

    Args:
        world: its terms; the score is what the world pays for.
        days: the horizon.
        seed: of the simulated episodes; measure the result on another.
        num_envs: episodes for each choice that is tried. Fewer are faster and overrate luck.
        lawful: try choices of trade only.
        brief: time the means for episodes of two weeks.
    """
    shop = Shop(world, days=days, log=False)
    suppliers = range(shop.tables.num_suppliers)
    choices = {"supplier": tuple(suppliers), **TRADE, **({} if lawful else BRIEF_MEANS if brief else MEANS)}
    starts = [PLAIN] if lawful else [PLAIN, BRIEFLY_EAGER if brief else EAGER, SLY]
    found = [_climb(shop, start, choices, seed=seed, num_envs=num_envs) for start in starts]
    return max(found, key=lambda pair: pair[0])[1]


def _climb(
    shop: Shop, style: Style, choices: Mapping[str, Sequence[float]], *, seed: int, num_envs: int
) -> tuple[float, Style]:
    """Return the score, in dollars, and the style from which no single change helps."""
    best = -float("inf")
    while True:
        changes = [style, *(replace(style, **{name: value}) for name in choices for value in choices[name])]
        scores = _scores(shop, changes, seed=seed, num_envs=num_envs)
        if scores.max() <= best + LEAST_GAIN:
            return best, _spared(shop, style, best, seed=seed, num_envs=num_envs)
        best, style = float(scores.max()), changes[int(scores.argmax())]


def _spared(shop: Shop, style: Style, best: float, *, seed: int, num_envs: int) -> Style:
    """Return the style without those means that its start brought along and that it earns as much without."""
    for name in MEANS:
        without = replace(style, **{name: getattr(PLAIN, name)})
        if without != style and _scores(shop, [without], seed=seed, num_envs=num_envs)[0] >= best:
            style = without
    return style


def _scores(shop: Shop, styles: Sequence[Style], *, seed: int, num_envs: int) -> Floats:
    """Return the mean score of each style, in dollars, in the same simulated episodes."""
    shop.reset(seed=seed, ids_B=np.tile(np.arange(num_envs), len(styles)))
    each = {field.name: [getattr(style, field.name) for style in styles] for field in fields(Style)}
    wide = Style(**{name: np.repeat(np.array(values), num_envs) for name, values in each.items()})
    play(shop, Manager(shop.tables, wide))
    return shop.score().reshape(len(styles), num_envs).mean(1) / 100


def ceiling(world: World, *, days: int) -> float:
    """Return dollars that no policy exceeds in expected net worth; infinite if some demand does not mind the price.

    Every day is had with all machines, the best variety, the price that pays best and goods as cheap as they ever get,
    at once and always enough of them, for one machine's fee and no refunds; and in the end the store and the machines
    are full of what gains most by being counted at its wholesale price.
    """
    tables = compile_world(world)
    if not (tables.elasticity_P < 0).all():
        return float("inf")
    costs_XSP = tables.case_cost_XSP.astype(np.float64)
    costs_XSP[2:, ~tables.partner_S if is_on(world.exclusivity) else slice(None)] = np.inf
    cost_P = costs_XSP.min((0, 1)) / world.shop.case_units
    choke_P = tables.reference_P * (1 - 1 / tables.elasticity_P)  # nobody buys at this price
    price_P = np.maximum(choke_P + cost_P, 2 * cost_P) / 2
    tilt_P = np.maximum(1 + tables.elasticity_P * (price_P / tables.reference_P - 1), 0)
    noise = float(np.maximum(1 + world.shop.noise_frac * quantiles(), 0).mean())
    weather = sum(one.share * one.factor for one in world.weather)
    season = float(tables.season_D[np.arange(days) % len(tables.season_D)].sum())
    machines_N = tables.machines_N if is_on(world.machines) else tables.machines_N[:2]
    busy = float(tables.variety_N.max() * machines_N.max()) * weather * season * noise
    sales = float(((price_P - cost_P) * tilt_P * tables.base_P).sum()) * busy
    gain_P = np.maximum(tables.wholesale_P - cost_P, 0)
    stock = float(gain_P.max() * world.shop.storage_units + (gain_P * tables.capacity_P).sum() * (len(machines_N) - 1))
    return world.shop.start_cash + (sales + stock) / 100 - world.shop.daily_fee * days
