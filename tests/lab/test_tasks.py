import random

import pytest
from pydantic import ValidationError

from organoid.lab.tasks import ReadyQueue, Task, TaskResult, perform


def task(name: str, *after: str, needs_all: bool = True) -> Task:
    return Task(id=name, function="dummy_tasks:echo", after=after, needs_all=needs_all)


def run(function: str, **payload: object) -> TaskResult:
    return perform(Task(id="t", function=f"dummy_tasks:{function}", payload=payload), {})


def test_a_done_task_has_value_time_and_memory():
    result = run("echo", seed=3, rate=0.1, pair=(1, 2))
    assert (result.status, result.error) == ("done", None)
    assert result.value == {"seed": 3, "rate": 0.1, "pair": [1, 2]}
    assert result.seconds is not None and 0 <= result.seconds < 60
    assert result.peak_rss_mb is not None and result.peak_rss_mb > 5


@pytest.mark.parametrize(
    ("function", "kind", "message", "exit_code", "transient"),
    [
        ("raise_error", "ValueError", "bad seed 3", None, False),
        ("leave", "SystemExit", "4", None, False),
        ("misuse", "UserError", "no such trait", 2, False),
        ("miss", "PrerequisiteError", "install the missing thing", 3, False),
        ("not_a_number", "ValueError", "JSON", None, False),
        ("not_a_dict", "TypeError", "returned list", None, False),
        ("no_such", "AttributeError", "no_such", None, False),
        ("out_of_memory", "MemoryError", "", None, True),
    ],
)
def test_a_failure_is_a_result(function, kind, message, exit_code, transient):
    result = run(function, seed=3)
    assert (result.status, result.value) == ("failed", None)
    assert result.error is not None
    assert (result.error.type, result.error.exit_code, result.error.transient) == (kind, exit_code, transient)
    assert message in result.error.message
    assert "Traceback" in result.error.traceback


def test_a_missing_module_is_a_result():
    result = perform(Task(id="t", function="no_such_module:f"), {})
    assert result.error is not None and result.error.type == "ModuleNotFoundError"


def test_a_task_hears_how_those_before_it_ended_only_if_it_asked():
    assert perform(task("t", "a", "b"), {"a": "done", "b": "failed"}).value == {"after": {"a": "done", "b": "failed"}}
    assert perform(task("t"), {}).value == {}


def test_results_and_tasks_survive_json():
    one = Task(id="t", function="m:f", payload={"x": [1.5, None]}, after=("a",))
    assert Task.model_validate_json(one.model_dump_json()) == one
    assert Task.model_validate_json(one.model_dump_json()).digest == one.digest
    for result in (run("echo", x=1), run("raise_error", seed=1)):
        assert TaskResult.model_validate_json(result.model_dump_json()) == result
    assert one.digest != one.model_copy(update={"payload": {"x": [1.5, 0]}}).digest


def test_a_function_is_a_name():
    with pytest.raises(ValidationError):
        Task(id="t", function="os.system('x')")


def drained(queue: ReadyQueue, failing: frozenset[str] = frozenset()) -> list[str]:
    """Run everything one by one; names of failed results that the queue made itself get a dash."""
    names: list[str] = []
    while (item := queue.next()) is not None:
        if isinstance(item, TaskResult):
            names.append("-" + item.id)
            queue.finish(item)
        else:
            names.append(item.id)
            queue.finish(TaskResult(id=item.id, status="failed" if item.id in failing else "done"))
    return names


def test_order_is_that_of_the_sequence_as_far_as_tasks_need_not_wait():
    queue = ReadyQueue([task("d", "c"), task("b"), task("c", "b"), task("a")], {})
    assert drained(queue) == ["b", "c", "d", "a"]
    assert queue.num_unfinished == 0


def test_random_graphs_finish_each_task_once_after_those_it_waits_for():
    draw = random.Random(0)
    for _ in range(50):
        names = [str(number) for number in range(20)]
        tasks = [task(name, *draw.sample(names[:place], draw.randint(0, place))) for place, name in enumerate(names)]
        draw.shuffle(tasks)
        order = drained(ReadyQueue(tasks, {}))
        assert sorted(order) == sorted(names)
        assert all(order.index(other) < order.index(one.id) for one in tasks for other in one.after)


def test_a_failure_passes_on_to_those_that_need_it_and_no_further():
    tasks = [task("a"), task("b", "a"), task("c", "b"), task("d", "b", needs_all=False), task("e")]
    assert drained(ReadyQueue(tasks, {}), frozenset("a")) == ["a", "-b", "-c", "d", "e"]


def test_tasks_finished_before_count():
    assert drained(ReadyQueue([task("b", "a")], {"a": "done"})) == ["b"]
    assert drained(ReadyQueue([task("b", "a")], {"a": "failed"})) == ["-b"]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([task("a", "b"), task("b", "a")], "circle"),
        ([task("a", "a")], "circle"),
        ([task("a"), task("a")], "one id"),
        ([task("a", "z")], "waits for 'z'"),
    ],
)
def test_impossible_orders_are_refused(tasks, message):
    with pytest.raises(ValueError, match=message):
        ReadyQueue(tasks, {})
