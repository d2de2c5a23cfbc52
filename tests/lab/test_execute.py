import json
from pathlib import Path

import pytest

from organoid.errors import PrerequisiteError, UserError
from organoid.lab.engines.local import LocalEngine
from organoid.lab.execute import Progress, reusable_results, run_tasks
from organoid.lab.journal import verify
from organoid.lab.run_directory import RunDirectory
from organoid.lab.tasks import Task, TaskResult


def task(name: str, function: str = "number", *after: str, needs_all: bool = True, **payload: object) -> Task:
    return Task(
        id=name, function=f"dummy_tasks:{function}", payload={"seed": 0, **payload}, after=after, needs_all=needs_all
    )


def run(path: Path, tasks: list[Task], events: list[tuple[str, str]] | None = None) -> dict[str, TaskResult]:
    def note(progress: Progress) -> None:
        if events is not None:
            events.append((progress.kind, progress.task.id))

    with RunDirectory.resume(path, {"seeds": 1}) as directory:
        engine = LocalEngine(in_process=True)
        return run_tasks(tasks, run=directory, engine=engine, num_workers=1, on_progress=note)


def done_in_journal(path: Path) -> list[str]:
    return [entry.payload["task"] for entry in verify(path / "journal.jsonl").entries if entry.kind == "task"]


def test_results_come_in_task_order_and_nothing_runs_twice(tmp_path):
    tasks = [task("b", "number", "a"), task("a", calls=str(tmp_path / "calls")), task("c", "raise_error")]
    events: list[tuple[str, str]] = []
    first = run(tmp_path / "out", tasks, events)
    assert list(first) == ["b", "a", "c"]
    assert events == [(kind, name) for name in "abc" for kind in ("started", "finished")]
    events.clear()
    assert run(tmp_path / "out", tasks, events) == first
    assert sorted(events) == [("reused", name) for name in "abc"]
    assert (tmp_path / "calls").read_text() == "0\n"
    assert done_in_journal(tmp_path / "out") == ["a", "b", "c"]


def test_a_run_that_broke_off_goes_on_where_it_was(tmp_path):
    tasks = [task(str(seed), seed=seed) for seed in range(4)]

    def break_off(progress: Progress) -> None:
        if progress.kind == "finished" and progress.task.id == "1":
            raise KeyboardInterrupt

    with RunDirectory.create(tmp_path, {"seeds": 1}) as directory, pytest.raises(KeyboardInterrupt):
        run_tasks(tasks, run=directory, engine=LocalEngine(in_process=True), num_workers=1, on_progress=break_off)
    assert verify(tmp_path / "journal.jsonl").entries[-1].payload == {"unfinished": ["2", "3"]}
    events: list[tuple[str, str]] = []
    results = run(tmp_path, tasks, events)
    assert events[:3] == [("reused", "0"), ("reused", "1"), ("started", "2")]
    undisturbed = run(tmp_path / "other", tasks)
    assert {name: result.value for name, result in results.items()} == {
        name: result.value for name, result in undisturbed.items()
    }


def test_a_task_whose_payload_changed_runs_again_with_those_that_waited_for_it(tmp_path):
    def tasks(seed: int) -> list[Task]:
        return [task("a", seed=seed), task("b", "number", "a"), task("c")]

    run(tmp_path, tasks(1))
    events: list[tuple[str, str]] = []
    run(tmp_path, tasks(2), events)
    assert events == [("reused", "c"), ("started", "a"), ("finished", "a"), ("started", "b"), ("finished", "b")]


def test_a_failure_of_circumstance_is_tried_again_with_those_that_saw_it(tmp_path):
    tasks = [
        task("memory", "out_of_memory"),
        task("saw", "number", "memory", needs_all=False),
        task("needed", "number", "memory"),
        task("bug", "raise_error"),
        task("saw-bug", "number", "bug", needs_all=False),
        task("needed-bug", "number", "bug"),
    ]
    first = run(tmp_path, tasks)
    assert [result.status for result in first.values()] == ["failed", "done", "failed", "failed", "done", "failed"]
    events: list[tuple[str, str]] = []
    run(tmp_path, tasks, events)
    assert [name for kind, name in events if kind == "reused"] == ["bug", "saw-bug", "needed-bug"]
    assert [name for kind, name in events if kind == "finished"] == ["memory", "saw", "needed"]


def test_a_changed_result_is_refused_and_a_deleted_one_runs_again(tmp_path):
    run(tmp_path, [task("a")])
    path = tmp_path / "results" / "a.json"
    changed = json.loads(path.read_text())
    changed["value"]["number"] = 0.0
    for text in (json.dumps(changed), "", "\udcff"):
        path.write_text(text, errors="surrogateescape")
        with pytest.raises(UserError, match=r"a\.json is not what entry 1 \(task\).*Delete the file"):
            run(tmp_path, [task("a")])
    path.unlink()
    events: list[tuple[str, str]] = []
    run(tmp_path, [task("a")], events)
    assert events == [("started", "a"), ("finished", "a")]


def test_a_result_without_its_entry_runs_again(tmp_path):
    run(tmp_path, [task("a"), task("b")])
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:30])  # killed while it wrote the last entry
    events: list[tuple[str, str]] = []
    run(tmp_path, [task("a"), task("b")], events)
    assert events == [("reused", "a"), ("started", "b"), ("finished", "b")]
    assert done_in_journal(tmp_path) == ["a", "b"]


def test_a_missing_prerequisite_stops_the_run_and_is_not_recorded(tmp_path):
    tasks = [task("a"), task("b", "miss"), task("c")]
    with pytest.raises(PrerequisiteError, match="install the missing thing"):
        run(tmp_path, tasks)
    assert done_in_journal(tmp_path) == ["a"]


def test_tasks_in_a_circle_are_refused(tmp_path):
    with pytest.raises(ValueError, match="circle"):
        run(tmp_path, [task("a", "number", "b"), task("b", "number", "a")])


def test_long_chains_are_read_back(tmp_path):
    tasks = [task(str(place), "number", *([str(place - 1)] if place else [])) for place in range(8)]
    results = run(tmp_path, tasks)
    with RunDirectory.resume(tmp_path, {"seeds": 1}) as directory:
        assert reusable_results(tasks, directory) == results
