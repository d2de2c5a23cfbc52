"""How many threads, how many workers and how much memory may a task have?

Two workers with two OpenMP threads each on two cores run up to 20 times slower than one thread each, so a worker has
one, set in its environment before torch, numpy or scikit-learn is imported. Left out: accelerators, which torch shares
between processes by itself.

    >>> THREAD_ENVIRONMENT["OMP_NUM_THREADS"]
    '1'
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

THREAD_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What keeps numerical libraries at one thread; read by them once, at import."""

WORKER_ENVIRONMENT = THREAD_ENVIRONMENT | {
    "PYTHONHASHSEED": "0",  # sets of strings iterate in one order, so the same seed gives the same numbers
    "MALLOC_ARENA_MAX": "2",  # glibc keeps one arena per thread otherwise, and none gives memory back
}
"""The environment of a worker, on top of the parent's."""

_MEMORY_PER_WORKER_MB = 1500.0


def usable_cpus() -> int:
    """Return how many CPUs this process may use: affinity and, on Linux, the cgroup's quota; at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(affinity, int(quota) // int(period)))
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return affinity


def available_memory_mb() -> float | None:
    """Return the memory that can be had without swapping, in MB, or None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        return min(available, (limit - used) / 1e6)
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return available


def default_num_workers(memory_per_worker_mb: float = _MEMORY_PER_WORKER_MB) -> int:
    """Return one worker per usable CPU, fewer when memory would not do for that many; at least 1."""
    available = available_memory_mb()
    by_memory = usable_cpus() if available is None else int(available / memory_per_worker_mb)
    return max(1, min(usable_cpus(), by_memory))


def reset_peak_rss() -> None:
    """Start measuring the peak of resident memory anew; does nothing where the system can't."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_rss_mb() -> float:
    """Return the highest resident memory of this process since `reset_peak_rss`, or since it began, in MB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def release_memory() -> None:
    """Give freed memory back to the system, where the C library is glibc."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
