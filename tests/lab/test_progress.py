import io

import pytest

from organoid.lab import progress
from organoid.lab.execute import Progress
from organoid.lab.progress import Tally, prepare_after, progress_display
from organoid.lab.tasks import Task, TaskResult

TASKS = [Task(id=f"{kind}{place}", function=f"m:{kind}") for kind in ("grow", "examine") for place in range(3)]


def finished(task: Task, seconds: float | None, status: str = "done") -> Progress:
    result = TaskResult.model_validate({"id": task.id, "status": status, "seconds": seconds})
    return Progress(kind="finished", task=task, result=result)


def test_what_is_left_is_expected_by_kind_of_task(monkeypatch):
    now = 100.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    tally = Tally(tasks=TASKS, num_workers=2)
    assert tally.remaining_s is None
    tally.add(finished(TASKS[0], 40.0))
    assert tally.remaining_s == 5 * 40 / 2  # nothing is known of examine yet
    tally.add(finished(TASKS[3], 4.0))
    assert tally.remaining_s == (2 * 40 + 2 * 4) / 2
    tally.add(Progress(kind="started", task=TASKS[1], result=None))
    now = 130.0
    assert tally.remaining_s == (10 + 40 + 2 * 4) / 2
    now = 1000.0  # late, but never less than nothing
    assert tally.remaining_s == (0 + 40 + 2 * 4) / 2


def test_the_sentence_names_what_runs_and_what_failed():
    tally = Tally(tasks=TASKS, num_workers=5)
    assert tally.sentence == "0/6"
    for task in TASKS[:5]:
        tally.add(Progress(kind="started", task=task, result=None))
    assert tally.sentence == "0/6  grow0, grow1, grow2, examine0 and 1 more"
    tally.add(finished(TASKS[0], None, "failed"))
    assert tally.sentence == "1/6  1 failed  grow1, grow2, examine0, examine1"
    for task in TASKS[1:]:
        tally.add(finished(task, 1.0))
    assert tally.sentence == "6/6  1 failed"


def test_silent_where_nobody_looks():
    stream = io.StringIO()
    with progress_display(TASKS, num_workers=1, stream=stream) as tell:
        tell(finished(TASKS[0], 3600.0))
    assert stream.getvalue() == ""


def test_drawn_in_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with progress_display(TASKS, num_workers=1, stream=stream) as tell:
        tell(Progress(kind="started", task=TASKS[1], result=None))
        tell(finished(TASKS[0], 3600.0))
    assert "1/6" in stream.getvalue()
    assert "about 5 h 0 min left" in stream.getvalue()
    assert "grow1" in stream.getvalue()


@pytest.mark.parametrize(("after", "expected"), [(1, [1]), (2, [2]), (None, [])])
def test_what_follows_is_prepared_once_when_so_many_have_finished(after, expected):
    told, called = [], []

    def prepare():
        called.append(sum(event.kind == "finished" for event in told))
        raise RuntimeError  # whoever needs it says so

    tell = prepare_after(prepare, told.append, after=after)
    for task in TASKS[:3]:
        tell(Progress(kind="started", task=task, result=None))
        tell(finished(task, 1.0))
    assert called == expected and len(told) == 6
