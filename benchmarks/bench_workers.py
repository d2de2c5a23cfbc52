"""What do workers, the journal and the cache cost? Start-up and memory of a worker; time per task, entry and get."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from organoid.lab.digest import digest_json
from organoid.lab.engines.local import PRELOAD, LocalEngine
from organoid.lab.execute import run_tasks
from organoid.lab.run_directory import RunDirectory
from organoid.lab.store import Store
from organoid.lab.tasks import Task

REPEATS = 5
NUM_TASKS = 200
NUM_BYTES = 20_000_000


def nothing(payload: dict[str, Any]) -> dict[str, Any]:
    """Do nothing, as a task."""
    return payload


def run() -> dict[str, float]:
    """Return medians of `REPEATS`; `_s` are wall seconds, `_mb` the peak resident memory of a worker."""
    numbers: dict[str, float] = {}
    for name, preload in (("bare", ()), ("torch", ("torch",)), ("preloaded", PRELOAD)):
        starts = [_start(preload) for _ in range(REPEATS)]
        numbers[f"worker_{name}_start_s"] = statistics.median(seconds for seconds, _ in starts)
        numbers[f"worker_{name}_mb"] = statistics.median(memory for _, memory in starts)
    with tempfile.TemporaryDirectory() as folder:
        numbers |= _tasks(Path(folder)) | _cache(Path(folder) / "cache")
    return numbers


def _start(preload: Sequence[str]) -> tuple[float, float]:
    """Return seconds and memory until a new worker has done its first task."""
    started = time.perf_counter()
    task = Task(id="first", function="benchmarks.bench_workers:nothing")
    (result,) = LocalEngine(preload).map([task], num_workers=1, finished={}, on_start=lambda task: None)
    assert result.peak_rss_mb is not None, result.error
    return time.perf_counter() - started, result.peak_rss_mb


def _tasks(folder: Path) -> dict[str, float]:
    """Return the time that a task costs beyond itself: sent, run, stored, journalled and flushed; and read back."""
    tasks = [Task(id=str(place), function="benchmarks.bench_workers:nothing") for place in range(NUM_TASKS)]
    numbers = {}
    for name, open_run in (("task_s", RunDirectory.create), ("task_reused_s", RunDirectory.resume)):
        started = time.perf_counter()
        with open_run(folder / "out", {}) as run:
            run_tasks(tasks, run=run, engine=LocalEngine(preload=()), num_workers=1)
        numbers[name] = (time.perf_counter() - started) / NUM_TASKS
    return numbers


def _cache(root: Path) -> dict[str, float]:
    """Return the time to put and to get a directory of 20 MB, the first time in a process and after."""
    digest = digest_json("bench")
    started = time.perf_counter()
    Store(root).put(digest, _fill)
    times = [time.perf_counter() - started]
    store = Store(root)
    for _ in range(2):
        started = time.perf_counter()
        assert store.get(digest) is not None
        times.append(time.perf_counter() - started)
    return dict(zip(("put_20mb_s", "first_get_20mb_s", "get_20mb_s"), times, strict=True))


def _fill(directory: Path) -> None:
    (directory / "weights").write_bytes(bytes(NUM_BYTES))
