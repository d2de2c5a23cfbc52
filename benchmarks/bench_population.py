"""How long does growing one organism take on one core, and how many does a machine grow an hour?

Every organism is grown from the shipped base by worker processes of one thread each, `NUM_WORKERS` at a time, as
`organoid grow --population` does, without a cache to recall from. `_train_s` is the median over seeds of making the job
and training; `_grow_s` measures the truth as well. The rate counts everything between the first start and the last end
but the workers' imports. Both are slower on a machine with other work; `_core_s`, the processor's time of the same as
`_grow_s`, is less so.

`ORGANOID_BENCH_SEEDS` (default 3) says how many of each.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from organoid.lab import trial
from organoid.lab.engines.local import LocalEngine
from organoid.lab.execute import Progress, run_tasks
from organoid.lab.growing import subject_spec
from organoid.lab.run_directory import RunDirectory
from organoid.lab.store import CACHE_VARIABLE
from organoid.lab.tasks import Task, TaskResult
from organoid.organisms import ORGANISMS

NUM_WORKERS = 2
BASE = "tiny"
KINDS = ("train", "grow", "core")


def grow_one(payload: dict[str, Any]) -> dict[str, Any]:
    """Run one trial and return how long it took, as a task."""
    started = time.process_time()
    outcome = trial.run(payload)
    core_s = time.process_time() - started
    return {"train": outcome["seconds_training"], "grow": outcome["seconds"], "core": core_s}


def run() -> dict[str, float]:
    """Return seconds per organism, their median and highest over organisms, and organisms an hour."""
    num_seeds = int(os.environ.get("ORGANOID_BENCH_SEEDS", "3"))
    results, seconds = _grow(num_seeds)
    took = {
        name: [value for seed in range(num_seeds) if (value := results[f"{name}/{seed}"].value) is not None]
        for name in ORGANISMS
    }
    numbers = dict[str, float]()
    for name, values in took.items():
        if values:
            numbers |= {f"{name}_{kind}_s": statistics.median(value[kind] for value in values) for kind in KINDS}
    for kind in KINDS:
        medians = [number for key, number in numbers.items() if key.endswith(f"_{kind}_s")]
        numbers |= {f"median_{kind}_s": statistics.median(medians), f"slowest_{kind}_s": max(medians)}
    num_done = sum(len(values) for values in took.values())
    return numbers | {
        "num_grown": num_done,
        "num_failed": len(results) - num_done,
        "num_workers": NUM_WORKERS,
        "load": os.getloadavg()[0],
        "organisms_per_hour": 3600 * num_done / seconds,
    }


def _grow(num_seeds: int) -> tuple[dict[str, TaskResult], float]:
    """Grow every organism, seed by seed, and return the results and the seconds from first start to last end."""
    kept = os.environ.get(CACHE_VARIABLE)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = f"{folder}/cache"
        try:
            tasks = [_task(name, seed) for seed in range(num_seeds) for name in ORGANISMS]
            started = list[float]()

            def note(progress: Progress) -> None:
                if progress.kind == "started" and not started:
                    started.append(time.perf_counter())

            with RunDirectory.create(Path(folder) / "out", {}) as run:
                results = run_tasks(tasks, run=run, engine=_engine(), num_workers=NUM_WORKERS, on_progress=note)
            return results, time.perf_counter() - started[0]
        finally:
            if kept is None:
                del os.environ[CACHE_VARIABLE]
            else:
                os.environ[CACHE_VARIABLE] = kept


def _engine() -> LocalEngine:
    """Return an engine whose workers have had time to import what they need."""
    engine = LocalEngine()
    engine.warm(NUM_WORKERS)
    time.sleep(15)
    return engine


def _task(name: str, seed: int) -> Task:
    spec = subject_spec(name, setup="naive", variant="organism", seed=seed, base=BASE)
    return Task(
        id=f"{name}/{seed}",
        function="benchmarks.bench_population:grow_one",
        payload={"spec": spec.model_dump(mode="json")},
    )
