"""What is a unit of work, what comes back from it, and which one may start next?

A task is data: the name of a function and a JSON object, so it runs the same in this process, in a worker or on a
cluster. What comes back is always a result: an exception is a failed result, never the end of the run. Tasks may wait
for others (`after`). Left out: retries, priorities, time limits and several machines, which engines like Ray have.

    >>> perform(Task(id="root", function="math:isqrt_of", payload={}), {}).status
    'failed'
"""

from __future__ import annotations

import gc
import heapq
import importlib
import json
import time
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, Protocol, cast

from pydantic import Field

from organoid.errors import OrganoidError, UserError
from organoid.lab.digest import digest_json
from organoid.lab.resources import peak_rss_mb, release_memory, reset_peak_rss
from organoid.types import Record

Status = Literal["done", "failed"]


class Task(Record):
    """A function of a JSON object, by name.

    The function takes one dict and returns one dict, both JSON. When `after` is not empty, the dict it gets has one
    more key, `after`: {id: status} of those tasks, so that it can do without those that failed.
    """

    id: str = Field(min_length=1)
    function: str = Field(pattern=r"^[\w.]+:\w+$")  # module:function
    payload: Mapping[str, Any] = {}
    after: tuple[str, ...] = ()  # ids of the tasks that must have finished before this one starts
    needs_all: bool = True  # fail without running when one of `after` failed

    @property
    def digest(self) -> str:
        """The identity of the work: a finished task is reused only under the same digest."""
        return digest_json(self)


class TaskError(Record):
    """Why a task failed.

    A pure function fails again in the same way, so a failure stands as a result does, unless it is `transient`: owed to
    memory, disk or a dead worker rather than to the payload. `exit_code` is that of an organoid error, else None.
    """

    type: str
    message: str
    traceback: str = ""
    log: str = ""  # the end of what its worker printed, where the worker died
    exit_code: int | None = None
    transient: bool = False


class TaskResult(Record):
    """What came of a task: a JSON object when done, an error when failed."""

    id: str
    status: Status
    value: dict[str, Any] | None = None
    error: TaskError | None = None
    seconds: float | None = None  # wall-clock; None: it never started, or its worker died with the time
    peak_rss_mb: float | None = None  # resident memory at its highest while the task ran; None as above


class Engine(Protocol):
    """Runs tasks somewhere, a number of them at a time, and yields their results as they finish."""

    def map(
        self,
        tasks: Sequence[Task],
        *,
        num_workers: int,
        finished: Mapping[str, Status],
        on_start: Callable[[Task], None],
    ) -> Generator[TaskResult, None, None]:
        """Run `tasks` in an order that respects `after`; earlier in the sequence starts earlier.

        Closing the generator ends what is running.

        Args:
            tasks: with distinct ids; `after` names tasks among these or in `finished`.
            num_workers: how many at a time, at least 1.
            finished: the status of tasks done before, which may be waited for.
            on_start: called in this process when a task is handed to a worker.
        """
        ...


def worker_died(task: Task, why: str, *, log: str = "") -> TaskResult:
    """Return the failed result of a task whose worker ended before it did."""
    error = TaskError(type="WorkerDied", message=f"its worker {why}", log=log, transient=True)
    return TaskResult(id=task.id, status="failed", error=error)


def perform(task: Task, after: Mapping[str, Status]) -> TaskResult:
    """Run a task in this process and return its result; only a failure of the interpreter itself gets out.

    `peak_rss_mb` counts the whole process; on systems other than Linux it is the highest since the process began.
    """
    reset_peak_rss()
    start = time.perf_counter()
    value: dict[str, Any] | None = None
    error: TaskError | None = None
    try:
        value = _called(task, after)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # SystemExit too: a task must not end its worker
        error = _described(raised)
    seconds, peak = time.perf_counter() - start, peak_rss_mb()
    gc.collect()
    release_memory()
    status: Status = "done" if error is None else "failed"
    return TaskResult(id=task.id, status=status, value=value, error=error, seconds=seconds, peak_rss_mb=peak)


def _called(task: Task, after: Mapping[str, Status]) -> dict[str, Any]:
    module, name = task.function.split(":")
    function: Callable[[dict[str, Any]], Any] = getattr(importlib.import_module(module), name)
    payload = json.loads(json.dumps({**task.payload} | ({"after": dict(after)} if task.after else {})))
    value = function(payload)
    if not isinstance(value, dict):
        raise TypeError(f"{task.function} returned {type(value).__name__}; a task returns a dict of JSON values")
    return cast("dict[str, Any]", json.loads(json.dumps(value, allow_nan=False)))


def _described(error: BaseException) -> TaskError:
    return TaskError(
        type=type(error).__name__,
        message=str(error),
        traceback="".join(traceback.format_exception(error)),
        exit_code=error.exit_code if isinstance(error, OrganoidError) else None,
        # By name, because torch, whose error for a full accelerator this is, may not be imported here.
        transient=isinstance(error, MemoryError | OSError) or type(error).__name__ == "OutOfMemoryError",
    )


def check_num_workers(num_workers: int) -> None:
    """Refuse a number of workers that could run nothing.

    Raises:
        UserError: it is below 1.
    """
    if num_workers < 1:
        raise UserError(f"workers: got {num_workers}, allowed are 1 and above. Type --workers 1.")


class ReadyQueue:
    """Which task may start next: in the sequence's order, each as soon as all of its `after` are finished."""

    def __init__(self, tasks: Sequence[Task], finished: Mapping[str, Status]) -> None:
        self._tasks = {task.id: task for task in tasks}
        if len(self._tasks) != len(tasks):
            raise ValueError("two tasks have one id")
        self._status: dict[str, Status] = dict(finished)
        self._place = {task.id: place for place, task in enumerate(tasks)}
        self._waiting: dict[str, set[str]] = {}
        self._dependents: dict[str, list[str]] = {}
        self._ready: list[tuple[int, str]] = []
        self._num_unfinished = len(tasks)
        for task in tasks:
            self._enter(task)
        _check_order(self._tasks)

    def _enter(self, task: Task) -> None:
        if unknown := [other for other in task.after if other not in self._tasks and other not in self._status]:
            raise ValueError(f"task {task.id!r} waits for {unknown[0]!r}, which is not among the tasks")
        self._waiting[task.id] = {other for other in task.after if other in self._tasks}
        for other in self._waiting[task.id]:
            self._dependents.setdefault(other, []).append(task.id)
        if not self._waiting[task.id]:
            heapq.heappush(self._ready, (self._place[task.id], task.id))

    @property
    def num_unfinished(self) -> int:
        """How many tasks have no result yet."""
        return self._num_unfinished

    def after(self, task: Task) -> dict[str, Status]:
        """The status of each task that `task` waited for."""
        return {other: self._status[other] for other in task.after}

    def next(self) -> Task | TaskResult | None:
        """Take the next ready task, or the failed result of one that can't run any more; None: all others wait."""
        if not self._ready:
            return None
        task = self._tasks[heapq.heappop(self._ready)[1]]
        missing = [other for other, status in self.after(task).items() if status == "failed"]
        if task.needs_all and missing:
            error = TaskError(type="NeedsFailed", message=f"not run, because {', '.join(missing)} failed")
            return TaskResult(id=task.id, status="failed", error=error)
        return task

    def finish(self, result: TaskResult) -> None:
        """Record a result, which may make others ready."""
        self._status[result.id] = result.status
        self._num_unfinished -= 1
        for other in self._dependents.get(result.id, ()):
            self._waiting[other].discard(result.id)
            if not self._waiting[other]:
                heapq.heappush(self._ready, (self._place[other], other))


def _check_order(tasks: Mapping[str, Task]) -> None:
    """Raise ValueError when tasks wait for each other in a circle."""
    sorter = TopologicalSorter({task.id: [other for other in task.after if other in tasks] for task in tasks.values()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise ValueError(f"tasks wait for each other in a circle: {error.args[1]}") from error
