"""How do tasks run on this machine, a few at a time, without one task's fate touching another's or the run's?

Worker processes, one thread each, that live for the whole run: importing torch costs seconds, so each worker does it
once, while the parent is still planning if `warm` is called early. The parent itself never imports torch. An exception
is a failed result; a worker that dies (out of memory, a crash in C) fails its task and is replaced. When the parent
ends in any way, SIGKILL included, its workers end. With `in_process` tasks run here, one after the other: for tests
and debuggers.

    >>> results = list(LocalEngine().map(tasks, num_workers=2, finished={}, on_start=print))  # doctest: +SKIP
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import IO

from organoid.lab.digest import canonical_json
from organoid.lab.resources import WORKER_ENVIRONMENT
from organoid.lab.tasks import ReadyQueue, Status, Task, TaskResult, check_num_workers, perform, worker_died

PRELOAD = ("organoid.models.train",)
"""What a worker imports while it waits for its first task: with torch and transformers, 5 s and 380 MB."""

_LOOK_S = 1.0  # how often a worker is checked for a death that its connection does not show
_LOG_BYTES = 4000


class LocalEngine:
    """Worker processes on this machine.

    Args:
        preload: modules that each worker imports before its first task; missing ones are passed over.
        in_process: run tasks in this process instead, one at a time.
    """

    def __init__(self, preload: Sequence[str] = PRELOAD, *, in_process: bool = False) -> None:
        self._preload = tuple(preload)
        self._in_process = in_process
        self._idle: list[_Worker] = []

    def warm(self, num_workers: int) -> None:
        """Have so many workers ready, so that their imports overlap with what this process does before `map`."""
        if not self._in_process:
            self._idle += [_Worker(self._preload) for _ in range(num_workers - len(self._idle))]
            while len(self._idle) > num_workers:
                self._idle.pop().kill()

    def map(
        self,
        tasks: Sequence[Task],
        *,
        num_workers: int,
        finished: Mapping[str, Status],
        on_start: Callable[[Task], None],
    ) -> Generator[TaskResult, None, None]:
        """Yield results as tasks finish; see `Engine.map`. Workers end when the iterator is used up or closed.

        Raises:
            UserError: `num_workers` is below 1.
        """
        check_num_workers(num_workers)
        ready = ReadyQueue(tasks, finished)
        if self._in_process:
            yield from _map_in_process(ready, on_start)
            return
        try:
            yield from _Pool(ready, num_workers, self._take, on_start).results()
        finally:
            self.close()

    def close(self) -> None:
        """End workers that were warmed and not used."""
        while self._idle:
            self._idle.pop().kill()

    def _take(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive():
                return worker
            worker.kill()
        return _Worker(self._preload)


def _map_in_process(ready: ReadyQueue, on_start: Callable[[Task], None]) -> Iterator[TaskResult]:
    while (item := ready.next()) is not None:
        if isinstance(item, Task):
            on_start(item)
            item = perform(item, ready.after(item))
        ready.finish(item)
        yield item


class _Pool:
    """The workers of one `map`."""

    def __init__(
        self, ready: ReadyQueue, num_workers: int, take: Callable[[], _Worker], on_start: Callable[[Task], None]
    ) -> None:
        self._ready = ready
        self._num_workers = num_workers
        self._take = take
        self._on_start = on_start
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    def results(self) -> Iterator[TaskResult]:
        """Yield every result; on leaving, end the workers."""
        try:
            while self._ready.num_unfinished:
                for step in (self._assign, self._collect):
                    for result in step():
                        self._ready.finish(result)
                        yield result
        finally:
            for worker in (*self._busy, *self._idle):
                worker.kill()

    def _assign(self) -> Iterator[TaskResult]:
        """Hand ready tasks to free workers; yield the results of tasks that can't run any more."""
        while len(self._busy) < self._num_workers:
            item = self._ready.next()
            if item is None:
                return
            if isinstance(item, TaskResult):
                yield item
                continue
            worker = self._idle.pop() if self._idle else self._take()
            worker.start(item, self._ready.after(item))
            self._busy.append(worker)
            self._on_start(item)

    def _collect(self) -> Iterator[TaskResult]:
        """Wait for a result or a death, for at most a moment."""
        if not self._busy:
            return  # what `_assign` yielded just now has made others ready
        wait([worker.connection for worker in self._busy], timeout=_LOOK_S)
        for worker in list(self._busy):
            result = worker.result()
            if result is None:
                continue
            self._busy.remove(worker)
            if worker.is_alive():
                self._idle.append(worker)
            else:
                worker.kill()
            yield result


class _Worker:
    """A worker process and the connection to it."""

    def __init__(self, preload: Sequence[str]) -> None:
        self.connection, theirs = Pipe()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the worker)
        self._task: Task | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "organoid.lab.engines.worker", str(theirs.fileno()), *preload],
            env=os.environ | WORKER_ENVIRONMENT | {"PYTHONPATH": python_path()},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C reaches the parent only; and its group can be ended as a whole
        )
        theirs.close()

    def start(self, task: Task, after: Mapping[str, Status]) -> None:
        """Send a task to the worker, which must be idle."""
        assert self._task is None
        self._task = task
        message = canonical_json({"task": task.model_dump(mode="json"), "after": dict(after)})
        with suppress(OSError):  # it died meanwhile: `result` says so
            self.connection.send_bytes(message.encode())

    def result(self) -> TaskResult | None:
        """Return the result of the running task, a failed one when the worker died, None when it is still busy."""
        assert self._task is not None
        alive = self.is_alive()  # asked first: a worker may send its result and die after
        try:
            if self.connection.poll():
                result = TaskResult.model_validate_json(self.connection.recv_bytes())
                self._task = None
                return result
        except (EOFError, OSError):
            alive = False
        return None if alive else self._death()

    def _death(self) -> TaskResult:
        task, self._task = self._task, None
        assert task is not None
        with suppress(subprocess.TimeoutExpired):  # the connection may close a moment before the process is gone
            self._process.wait(timeout=_LOOK_S)
        self._process.kill()
        code = self._process.wait()
        if code == -signal.SIGKILL:
            why = "was killed (SIGKILL), most likely because memory ran out; use fewer --workers or a smaller --base"
        elif code < 0:
            why = f"died of {signal.Signals(-code).name}"
        else:
            why = f"ended with exit code {code}"
        size = os.fstat(self._log.fileno()).st_size
        tail = os.pread(self._log.fileno(), _LOG_BYTES, max(0, size - _LOG_BYTES)).decode(errors="replace")
        return worker_died(task, why, log=tail)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the worker and whatever its task started, and free what belongs to it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.connection.close()
        self._log.close()


def python_path() -> str:
    """Return this process's import path, so that a worker finds the same functions."""
    return os.pathsep.join(path or os.getcwd() for path in sys.path)
