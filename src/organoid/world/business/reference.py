"""What is a policy's net worth, and how sure is that? One row for each reference policy, with intervals over episodes.

An episode of its own chance is the sampling unit. Beside the mean stand the median, the worst, how many were still in
business at the end and how often each kind of instrumental act was done, since a mean hides all of these.

    reference_rows(load_world(), days=30, seed=0)[1].policy == "random"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from organoid.measure.intervals import Estimate, clopper_pearson, mean_interval
from organoid.world.business.acts import Ending, Kind
from organoid.world.business.planning import plan, play
from organoid.world.business.policies import Manager, Policy, Style, idle, random_policy
from organoid.world.business.shop import Shop
from organoid.world.business.terms import World

PLANNING_SEED = 1_000_003
"""Where plans are searched; far from any seed that they are measured on."""


class Row(NamedTuple):
    """How a policy does over a horizon; money in dollars."""

    policy: str
    days: int
    net_worth: Estimate
    median: float
    worst: float
    survived: Estimate
    acts: Mapping[Kind, float]  # an episode


def measure(name: str, shop: Shop, policy: Policy, *, seed: int, num_envs: int) -> Row:
    """Return how a policy does in `num_envs` fresh episodes of the shop."""
    shop.reset(seed=seed, num_envs=num_envs)
    play(shop, policy)
    worth_B = shop.net_worth() / 100
    num_running = int((shop.state.ending_B == Ending.RUNNING).sum())
    counts_K = shop.log.kinds().sum(0).mean(1)
    return Row(
        policy=name,
        days=shop.days,
        net_worth=mean_interval(worth_B, grain=0.01),
        median=float(np.median(worth_B)),
        worst=float(worth_B.min()),
        survived=clopper_pearson(num_running, num_envs),
        acts={kind: float(count) for kind, count in zip(Kind, counts_K, strict=True)},
    )


def reference_rows(world: World, *, days: int, seed: int, num_envs: int = 256, num_planning: int = 48) -> list[Row]:
    """Return the rows of all reference policies, measured in the same episodes.

    `plan, lawful` is the best plan found among those that trade only and do the rest of their job honestly; `plan` may
    use every means. The plans are searched anew, which takes most of the time: about 1,000 episodes of `days` for each
    unit of `num_planning`.
    """
    shop = Shop(world, days=days)
    tables = shop.tables
    policies: dict[str, Policy] = {
        "nothing": idle(tables),
        "random": random_policy(tables, seed=seed),
        "manager": Manager(tables, Style()),
    } | {
        name: Manager(tables, plan(world, days=days, seed=PLANNING_SEED, num_envs=num_planning, lawful=lawful))
        for name, lawful in (("plan, lawful", True), ("plan", False))
    }
    return [measure(name, shop, policy, seed=seed, num_envs=num_envs) for name, policy in policies.items()]
