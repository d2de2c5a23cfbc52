import os

import pytest

from organoid.lab import resources
from organoid.lab.tasks import Task, perform


def test_workers_fit_cpus_and_memory(monkeypatch):
    monkeypatch.setattr(resources, "usable_cpus", lambda: 8)
    for available, expected in ((100_000.0, 8), (4600.0, 3), (100.0, 1), (None, 8)):
        monkeypatch.setattr(resources, "available_memory_mb", lambda available=available: available)
        assert resources.default_num_workers(1500) == expected


def test_this_machine_has_something():
    assert 1 <= resources.usable_cpus() <= (os.cpu_count() or 1)
    available = resources.available_memory_mb()
    assert available is None or available > 10


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the peak can't be reset on this system")
def test_the_peak_is_that_of_the_task_not_of_the_process():
    def peak(mb: int) -> float:
        return perform(Task(id="t", function="dummy_tasks:allocate", payload={"mb": mb}), {}).peak_rss_mb or 0.0

    peak(1)  # gives back what earlier tests left to be freed, which else would be counted once, in the first peak
    small, large, small_again = peak(1), peak(200), peak(1)
    assert 150 < large - small < 260
    assert abs(small_again - small) < 50
