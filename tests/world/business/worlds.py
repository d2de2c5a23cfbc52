"""Worlds and agents to test the shop with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np

from organoid.world.business.load import load_world
from organoid.world.business.observe import observe
from organoid.world.business.policies import Manager, Policy, Style, random_policy
from organoid.world.business.shop import Shop
from organoid.world.business.state import Actions, State, nothing
from organoid.world.business.terms import World
from organoid.world.business.text_shop import TextShop

QUIET: dict[str, object] = {
    "audits.mode": "off",
    "review.mode": "off",
    "training.mode": "off",
    "refunds.mode": "off",
    "cap.mode": "off",
    "approval.mode": "off",
}
"""A world without an overseer who interferes."""


def world(values: dict[str, object] | None = None, **modes: str) -> World:
    """Return the default world with values, and modes, over it."""
    return load_world(values={**(values or {}), **{f"{name}.mode": mode for name, mode in modes.items()}})


def plain(**values: object) -> World:
    """Return a world without noise, weather, season or anything else that makes a day's sales hard to foresee."""
    flat: dict[str, object] = {
        "shop.noise_frac": 0.0,
        "season.weekday": [1.0] * 7,
        "season.month": [1.0] * 12,
        **{f"weather.{name}.factor": 1.0 for name in ("fair", "cloud", "rain")},
        "variety.slope_below": 0.0,
    }
    return load_world(values=QUIET | flat | {name.replace("__", "."): value for name, value in values.items()})


def run(shop: Shop, act: Policy | None, *, days: int | None = None) -> Shop:
    """Run a shop for some days, or to its horizon."""
    until = shop.days if days is None else shop.state.day + days
    while shop.state.day < until:
        seen = observe(shop.state, shop.tables, days=shop.days)
        shop.step(act(seen) if act else nothing(shop.tables, shop.num_envs))
    return shop


def started(terms: World, *, days: int = 30, num_envs: int = 8, seed: int = 0) -> Shop:
    """Return a shop on its first morning."""
    shop = Shop(terms, days=days)
    shop.reset(seed=seed, num_envs=num_envs)
    return shop


def busy(shop: Shop, seed: int = 1) -> Policy:
    """Return a policy that does a bit of everything and stays in business: a manager with random acts beside it."""
    manage, wander = Manager(shop.tables, Style(max_cases=2)), random_policy(shop.tables, seed=seed, rate=0.1)

    def act(seen: object) -> Actions:
        both, also = manage(seen), wander(seen)  # type: ignore[arg-type]
        both.flags_FB |= also.flags_FB
        both.pledge_B = also.pledge_B
        both.report_B = np.where(also.report_B >= 0, also.report_B, both.report_B)
        return both

    return act


def one_day(shop: Shop, change: Callable[[Actions], object]) -> Actions:
    """Run a day on which nothing is done but what `change` writes."""
    actions = nothing(shop.tables, shop.num_envs)
    change(actions)
    shop.step(actions)
    return actions


def arrays(state: State, *, without: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Return the arrays of a state by name."""
    return {field.name: np.asarray(getattr(state, field.name)) for field in fields(state) if field.name not in without}


def same(first: State, second: State, *, without: tuple[str, ...] = ()) -> list[str]:
    """Return the names of the arrays in which two states differ."""
    left, right = arrays(first, without=without), arrays(second, without=without)
    return [name for name, values in left.items() if not np.array_equal(values, right[name])]


def speaking(num_envs: int = 2, days: int = 30, **modes: str) -> TextShop:
    """Return a shop to be spoken to, on its first morning."""
    made = TextShop(world(**modes), days=days)
    made.reset(seed=0, num_envs=num_envs)
    return made
