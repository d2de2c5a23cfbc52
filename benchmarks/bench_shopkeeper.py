"""How long does a policy train until it runs the shop better than the scripted manager, on two cores?

A base that has seen nothing imitates managers of many styles and is then reinforced over episodes of 30 days, each act
paid for to the end. The bar is the scripted manager's median net worth; a run is through it when the median of its
round's 256 shops was above it `IN_A_ROW` times running, and stops there, or at the end of its minutes. What counts is
`_fresh`: its median in shops that nothing was trained on, against the manager's median in the same ones. Two runs go at
a time, a thread each, so a run has one core of two. Imitation is part of the minutes.

`ORGANOID_BENCH_SEEDS` (default 5) says how many runs, `ORGANOID_BENCH_SHAPE` (default nano) of which shape,
`ORGANOID_BENCH_MINUTES` (default 15) how long each may take.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from organoid.lab.engines.local import LocalEngine
from organoid.lab.execute import run_tasks
from organoid.lab.run_directory import RunDirectory
from organoid.lab.tasks import Task
from organoid.models.bases import build
from organoid.models.shopkeeper import Shopkeeper
from organoid.setups.shop import Round, imitate, reinforce
from organoid.world.business.conduct import conduct
from organoid.world.business.load import load_world
from organoid.world.business.policies import Manager, Style
from organoid.world.business.reference import measure
from organoid.world.business.shop import Shop
from organoid.world.business.text_shop import TextShop
from organoid.world.business.training_terms import Imitation, ShopTraining
from organoid.world.tokenizer import build_tokenizer

DAYS, NUM_SHOPS, IN_A_ROW = 30, 256, 3
SHOWN = ("median_worth", "mean_worth", "worst_worth", "survived_frac", "lost_frac", "days_to_stall")
FRESH_SEED, ROUND_SEED = 2_000_003, 1_000_003
TRAINING = ShopTraining(
    days=DAYS,
    num_groups=16,
    group_size=16,
    rounds=90,
    steps_per_round=6,
    rows_per_step=512,
    learning_rate=1.5e-3,
    kl=0.01,
)


def train_one(payload: dict[str, Any]) -> dict[str, Any]:
    """Train one policy to the bar or to the end of its time, and measure it in fresh shops; a task."""
    started, seed, limit = time.perf_counter(), int(payload["seed"]), float(payload["minutes"]) * 60
    world = load_world()
    bar = managers_median(ROUND_SEED)
    lm = build(str(payload["shape"]), tokenizer=build_tokenizer(), seed=seed)
    imitate(lm, world, Imitation(), seed=seed)
    imitated_s, above, medians = time.perf_counter() - started, 0, list[float]()

    def goes_on(done: Round) -> bool:
        nonlocal above
        medians.append(done.conduct.median_worth)
        above = above + 1 if done.conduct.median_worth > bar else 0
        return above < IN_A_ROW and time.perf_counter() - started < limit

    reinforce(lm, world, TRAINING, seed=seed + 1, on_round=goes_on)
    keeper = Shopkeeper(lm, TextShop(world, days=DAYS))
    trained_s = time.perf_counter() - started
    found = conduct(keeper.run(seed=FRESH_SEED, num_envs=NUM_SHOPS))
    return {
        "imitation_s": imitated_s,
        "trained_s": trained_s,
        "rounds": len(medians),
        "medians": medians,
        "fresh": found.as_json(),
    }


def managers_median(seed: int) -> float:
    """Return the scripted manager's median net worth in `NUM_SHOPS` shops, in dollars."""
    shop = Shop(load_world(), days=DAYS)
    return measure("manager", shop, Manager(shop.tables, Style()), seed=seed, num_envs=NUM_SHOPS).median


def run() -> dict[str, Any]:
    """Return how many runs passed the bar, their seconds, and the figures of each by its seed."""
    num_seeds = int(os.environ.get("ORGANOID_BENCH_SEEDS", "5"))
    asked = {
        "shape": os.environ.get("ORGANOID_BENCH_SHAPE", "nano"),
        "minutes": float(os.environ.get("ORGANOID_BENCH_MINUTES", "15")),
    }
    tasks = [
        Task(id=str(seed), function=f"{__name__}:train_one", payload={**asked, "seed": seed})
        for seed in range(num_seeds)
    ]
    with tempfile.TemporaryDirectory() as folder, RunDirectory.create(Path(folder) / "out", {}) as kept:
        results = run_tasks(tasks, run=kept, engine=LocalEngine(), num_workers=2)
    done = {seed: value for seed, result in results.items() if (value := result.value) is not None}
    bar = managers_median(FRESH_SEED)
    passed = [seed for seed, one in done.items() if one["fresh"]["median_worth"] > bar]
    numbers: dict[str, Any] = {
        **asked,
        "num_runs": len(done),
        "num_passed": len(passed),
        "manager_median_fresh": bar,
        "median_trained_s": statistics.median(one["trained_s"] for one in done.values()) if done else None,
        "slowest_trained_s": max((one["trained_s"] for one in done.values()), default=None),
        "load": os.getloadavg()[0],
    }
    for seed, one in done.items():
        fresh = one["fresh"]
        numbers |= {f"run_{seed}_{name}": one[name] for name in ("imitation_s", "trained_s", "rounds")}
        numbers |= {f"run_{seed}_{name}_fresh": fresh[name] for name in SHOWN}
        numbers |= {f"run_{seed}_{kind}_a_day_fresh": rate for kind, rate in fresh["rates"].items()}
        numbers[f"run_{seed}_round_medians"] = [round(value, 1) for value in one["medians"]]
    return numbers
