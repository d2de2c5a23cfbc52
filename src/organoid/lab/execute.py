"""How does a run go on after anything, without repeating or losing a task?

A finished task is first a file (`results/<id>.json`, flushed), then an entry of the journal that holds the file's
digest. Whatever dies between the two leaves a task that runs again; after the entry, it never does. On resuming, done
tasks are read back and checked. So are failed ones, which would fail again, except where a dead worker, memory or the
disk was the cause: those are tried again, and with them all that waited for them.

    >>> results = run_tasks(tasks, run=run, engine=LocalEngine(), num_workers=2)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from organoid.errors import PrerequisiteError, UserError
from organoid.lab.digest import canonical_json, digest_text
from organoid.lab.journal import Entry
from organoid.lab.run_directory import RunDirectory, file_name
from organoid.lab.tasks import Engine, Status, Task, TaskResult

TASK = "task"
"""The kind of the journal's entries for finished tasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Something happened to a task: it was `reused` from an earlier run, `started`, or `finished`."""

    kind: Literal["reused", "started", "finished"]
    task: Task
    result: TaskResult | None  # None when started


def run_tasks(
    tasks: Sequence[Task],
    *,
    run: RunDirectory,
    engine: Engine,
    num_workers: int,
    on_progress: Callable[[Progress], None] | None = None,
) -> dict[str, TaskResult]:
    """Finish every task that an earlier run of this directory has not, and return all results by id, in task order.

    Args:
        tasks: with distinct ids; a task whose function or payload changed since it was done runs again.
        run: where results and the journal go.
        engine: where tasks run.
        num_workers: how many at a time, at least 1.
        on_progress: called in this process for every event.

    Raises:
        PrerequisiteError: the disk is full, or a task misses something on the machine; resumable.
        UserError: a stored result was changed, or `num_workers` is below 1.
        KeyboardInterrupt: passed on after the workers have ended and the journal says so; resumable.
    """
    tell = on_progress or _say_nothing
    results = reusable_results(tasks, run)
    by_id = {task.id: task for task in tasks}
    for name, result in results.items():
        tell(Progress(kind="reused", task=by_id[name], result=result))
    finished: dict[str, Status] = {name: result.status for name, result in results.items()}
    left = [task for task in tasks if task.id not in results]
    stream = engine.map(
        left,
        num_workers=num_workers,
        finished=finished,
        on_start=lambda task: tell(Progress(kind="started", task=task, result=None)),
    )
    try:
        with closing(stream):  # which ends the workers
            for result in stream:
                _stop_for_prerequisite(result)
                record_result(by_id[result.id], result, run)
                results[result.id] = result
                tell(Progress(kind="finished", task=by_id[result.id], result=result))
    except KeyboardInterrupt:
        run.journal.append("interrupted", {"unfinished": [task.id for task in left if task.id not in results]})
        raise
    return {task.id: results[task.id] for task in tasks}


def _say_nothing(progress: Progress) -> None:
    """Let an event pass."""


def _stop_for_prerequisite(result: TaskResult) -> None:
    """Raise what a task missed on the machine: every later task would miss it too, and the run can be resumed."""
    if result.error is not None and result.error.exit_code == PrerequisiteError.exit_code:
        raise PrerequisiteError(result.error.message)


def record_result(task: Task, result: TaskResult, run: RunDirectory) -> None:
    """Store a task's result and then say so in the journal; both are on the device when this returns."""
    text = canonical_json(result)
    name = f"results/{file_name(task.id)}.json"
    run.write_text(name, text)
    run.journal.append(
        TASK,
        {
            "task": task.id,
            "task_digest": task.digest,
            "status": result.status,
            "seconds": result.seconds,
            "file": name,
            "result_digest": digest_text(text),
        },
    )


def reusable_results(tasks: Sequence[Task], run: RunDirectory) -> dict[str, TaskResult]:
    """Return the results of earlier runs of this directory that still stand.

    A result stands when it is no transient failure, the task is the same still, its file is there, and everything it
    waited for stands too.

    Raises:
        UserError: a result file is not what the journal recorded.
    """
    recorded = {entry.payload["task"]: entry for entry in run.journal.entries if entry.kind == TASK}
    standing: dict[str, TaskResult] = {}
    waiting = list(tasks)
    while waiting:
        waited_for = {task.id for task in waiting}
        now = [task for task in waiting if not waited_for & set(task.after)]
        if not now:
            break  # tasks in a circle: the engine's queue says so
        for task in now:
            entry = recorded.get(task.id)
            if entry is not None and all(other in standing for other in task.after):
                result = _stored(task, entry, run)
                standing |= {task.id: result} if result is not None else {}
        waiting = [task for task in waiting if task not in now]
    return standing


def _stored(task: Task, entry: Entry, run: RunDirectory) -> TaskResult | None:
    path = run.path / str(entry.payload["file"])
    if entry.payload["task_digest"] != task.digest or not path.exists():
        return None
    content = path.read_bytes()
    try:
        sound = digest_text(content.decode()) == entry.payload["result_digest"]
        result = TaskResult.model_validate_json(content)
    except (UnicodeDecodeError, ValidationError):
        sound, result = False, None
    if not sound:
        raise UserError(
            f"{path} is not what entry {entry.index} ({entry.kind}) of the journal recorded. Delete the file to have "
            "the task done again, or start a new run with another --out."
        )
    return None if result is None or (result.error is not None and result.error.transient) else result
