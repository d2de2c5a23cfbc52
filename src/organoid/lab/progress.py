"""How far is the run, what is running, and when will it end? Drawn live in a terminal, silent anywhere else.

Example:
    >>> with progress_display(tasks, num_workers=2) as tell:  # doctest: +SKIP
    ...     run_tasks(tasks, run=run, engine=engine, num_workers=2, on_progress=tell)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from statistics import fmean
from typing import TextIO

from organoid.lab.execute import Progress
from organoid.lab.tasks import Task

_MAX_SHOWN = 4  # running tasks named at once


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has happened to a run's tasks so far."""

    tasks: Sequence[Task]
    num_workers: int
    running: dict[str, float] = field(default_factory=dict[str, float])  # id -> when it started, monotonic seconds
    over: dict[str, float | None] = field(default_factory=dict[str, float | None])  # id -> seconds it took
    num_failed: int = 0

    def add(self, progress: Progress) -> None:
        """Take note of an event."""
        if progress.result is None:
            self.running[progress.task.id] = time.monotonic()
            return
        self.running.pop(progress.task.id, None)
        self.over[progress.task.id] = progress.result.seconds
        self.num_failed += progress.result.status == "failed"

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the end: what is left, at the mean of what each function took; None before any is known."""
        took: dict[str, list[float]] = {}
        for task in self.tasks:
            if (seconds := self.over.get(task.id)) is not None:
                took.setdefault(task.function, []).append(seconds)
        if not took:
            return None
        overall = fmean(seconds for group in took.values() for seconds in group)
        now, left = time.monotonic(), 0.0
        for task in self.tasks:
            if task.id not in self.over:
                expected = fmean(took[task.function]) if task.function in took else overall
                left += max(0.0, expected - (now - self.running.get(task.id, now)))
        return left / self.num_workers

    @property
    def sentence(self) -> str:
        """One line: how many are done, when it will end, what is running."""
        parts = [f"{len(self.over)}/{len(self.tasks)}"]
        if self.num_failed:
            parts.append(f"{self.num_failed} failed")
        if (remaining := self.remaining_s) is not None and len(self.over) < len(self.tasks):
            parts.append(f"about {_duration(remaining)} left")
        names = list(self.running)
        shown = ", ".join(names[:_MAX_SHOWN]) + (f" and {len(names) - _MAX_SHOWN} more" if names[_MAX_SHOWN:] else "")
        return "  ".join([*parts, shown]).rstrip()


@contextmanager
def progress_display(
    tasks: Sequence[Task], *, num_workers: int, stream: TextIO | None = None
) -> Generator[Callable[[Progress], None]]:
    """Yield a function to call with every event of `run_tasks`.

    Draws on `stream` (standard error if None) where that is a terminal, and does nothing otherwise.
    """
    target = sys.stderr if stream is None else stream
    tally = Tally(tasks=tasks, num_workers=num_workers)
    if not target.isatty():
        yield tally.add
        return
    from rich.console import Console  # heavy, and not needed where nothing is drawn
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(bar_width=24), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=Console(file=target), transient=True, refresh_per_second=2) as bar:
        line = bar.add_task(tally.sentence, total=len(tasks))

        def tell(progress: Progress) -> None:
            tally.add(progress)
            bar.update(line, completed=len(tally.over), description=tally.sentence)

        yield tell


def prepare_after(
    prepare: Callable[[], None], tell: Callable[[Progress], None], *, after: int | None
) -> Callable[[Progress], None]:
    """Return `tell`, which also calls `prepare` once, as soon as `after` tasks have finished; never if None.

    For what is needed when the last task is over, and can be had while it runs and other workers have none.
    """
    finished = 0

    def told(progress: Progress) -> None:
        nonlocal finished
        tell(progress)
        finished += progress.kind == "finished"
        if progress.kind == "finished" and finished == after:
            with suppress(Exception):  # whatever needs it will say what is wrong
                prepare()

    return told


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
