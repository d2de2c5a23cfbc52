"""How do the same tasks run on a Ray cluster?

Each task is one Ray task with one CPU; Ray places, restarts and ends its own processes. Needs organoid installed on
every node and ORGANOID_CACHE on a file system that all nodes share. `RAY_ADDRESS` names the cluster, as in any Ray
program; without it a cluster on this machine is started and ended with the run.

    >>> results = list(RayEngine().map(tasks, num_workers=64, finished={}, on_start=print))  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from organoid.errors import PrerequisiteError
from organoid.lab.engines.local import python_path
from organoid.lab.resources import WORKER_ENVIRONMENT
from organoid.lab.tasks import ReadyQueue, Status, Task, TaskResult, check_num_workers, perform, worker_died

_LOOK_S = 1.0


class RayEngine:
    """Tasks on Ray.

    Raises:
        PrerequisiteError: ray is not installed.
    """

    def __init__(self) -> None:
        try:
            self._ray: Any = importlib.import_module("ray")  # an optional extra
        except ImportError as error:
            raise PrerequisiteError(
                "the engine 'ray' needs Ray, which is not installed. Type: pip install 'ray>=2.50' (or install "
                "organoid with its extra: pip install 'organoid[ray]')."
            ) from error

    def map(
        self,
        tasks: Sequence[Task],
        *,
        num_workers: int,
        finished: Mapping[str, Status],
        on_start: Callable[[Task], None],
    ) -> Generator[TaskResult, None, None]:
        """Yield results as tasks finish; see `Engine.map`.

        Raises:
            UserError: `num_workers` is below 1.
            PrerequisiteError: no cluster answers at `RAY_ADDRESS`.
        """
        check_num_workers(num_workers)
        ready = ReadyQueue(tasks, finished)
        ours = not self._ray.is_initialized()
        if ours:
            self._connect(num_workers)
        # num_cpus=1 for every task; no retries, since a task that ran its node out of memory would do so again.
        remote: Any = self._ray.remote(num_cpus=1, max_retries=0)(perform)
        pending: dict[Any, Task] = {}
        try:
            while ready.num_unfinished:
                for result in (*_submit(ready, remote, pending, num_workers, on_start), *self._collect(pending)):
                    ready.finish(result)
                    yield result
        finally:
            for reference in pending:
                self._ray.cancel(reference, force=True)
            if ours:
                self._ray.shutdown()

    def _connect(self, num_workers: int) -> None:
        environment = dict(WORKER_ENVIRONMENT)
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if "RAY_ADDRESS" not in os.environ:
            environment["PYTHONPATH"] = python_path()  # the nodes of a cluster have their own
            options |= {"num_cpus": num_workers, "include_dashboard": False}
        try:
            self._ray.init(runtime_env={"env_vars": environment}, **options)
        except ConnectionError as error:
            raise PrerequisiteError(
                f"no Ray cluster answers at RAY_ADDRESS={os.environ.get('RAY_ADDRESS')}: {error}. Start one with "
                "`ray start --head`, or unset RAY_ADDRESS."
            ) from error

    def _collect(self, pending: dict[Any, Task]) -> Iterator[TaskResult]:
        if not pending:
            return
        ready, _ = self._ray.wait(list(pending), num_returns=1, timeout=_LOOK_S)
        for reference in ready:
            task = pending.pop(reference)
            try:
                yield self._ray.get(reference)
            except self._ray.exceptions.RayError as error:
                yield worker_died(task, f"on Ray died: {error}")


def _submit(
    ready: ReadyQueue, remote: Any, pending: dict[Any, Task], num_workers: int, on_start: Callable[[Task], None]
) -> Iterator[TaskResult]:
    """Hand ready tasks to Ray, at most `num_workers` at a time; yield results of tasks that can't run any more."""
    while len(pending) < num_workers:
        item = ready.next()
        if item is None:
            return
        if isinstance(item, TaskResult):
            yield item
            continue
        pending[remote.remote(item, ready.after(item))] = item
        on_start(item)
