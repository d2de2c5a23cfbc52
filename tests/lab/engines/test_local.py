import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.lab.engines import warmed
from organoid.lab.engines.local import LocalEngine
from organoid.lab.tasks import Task, TaskResult


def task(name: str, function: str = "number", *, after: tuple[str, ...] = (), **payload: object) -> Task:
    return Task(id=name, function=f"dummy_tasks:{function}", payload={"seed": 0, **payload}, after=after)


def run(tasks: list[Task], *, num_workers: int = 2, in_process: bool = False) -> dict[str, TaskResult]:
    engine = LocalEngine(preload=(), in_process=in_process)
    stream = engine.map(tasks, num_workers=num_workers, finished={}, on_start=lambda task: None)
    return {result.id: result for result in stream}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with suppress(OSError):  # a zombie has ended; who reaps it depends on the machine
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The workers that a test starts, by process id."""
    pids: list[int] = []
    start = subprocess.Popen

    def noted(*given, **named):
        process = start(*given, **named)
        pids.append(process.pid)
        return process

    monkeypatch.setattr(subprocess, "Popen", noted)
    return pids


def wait_until(condition, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_every_way_of_running_gives_the_same_numbers():
    tasks = [task(str(seed), seed=seed, after=("0",) if seed else ()) for seed in range(8)]
    here = run(tasks, in_process=True)
    for num_workers in (1, 3):
        there = run(tasks, num_workers=num_workers)
        assert {name: result.value for name, result in there.items()} == {
            name: result.value for name, result in here.items()
        }
    assert len({str(result.value) for result in here.values()}) == 8


def test_workers_live_on_have_one_thread_and_import_only_what_tasks_do():
    results = run([task(str(place), "environment") for place in range(6)])
    values = [result.value or {} for result in results.values()]
    assert len({value["pid"] for value in values}) <= 2
    assert os.getpid() not in {value["pid"] for value in values}
    assert {value["threads"] for value in values} == {"1"}
    assert not any("torch" in value["modules"] for value in values)


def test_the_parent_never_imports_torch_but_workers_do_ahead():
    script = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored under a shell's `&`
        "from organoid.lab.engines.local import LocalEngine\nfrom organoid.lab.tasks import Task\n"
        "import organoid.lab.execute, organoid.lab.store, organoid.lab.progress\n"
        "engine = LocalEngine(preload=('decimal', 'no_such_module'))\nengine.warm(1)\n"
        "tasks = [Task(id='t', function='dummy_tasks:environment')]\n"
        "[result] = engine.map(tasks, num_workers=1, finished={}, on_start=lambda task: None)\n"
        "assert 'decimal' in result.value['modules']\n"
        "heavy = {'torch', 'transformers', 'numpy', 'pyarrow', 'rich', 'ray', 'sklearn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_an_exception_fails_its_task_only_and_keeps_its_worker():
    results = run(
        [task("bad", "raise_error"), task("left", "leave"), task("good"), task("pid", "environment")], num_workers=1
    )
    assert [result.status for result in results.values()] == ["failed", "failed", "done", "done"]
    assert results["bad"].error is not None and "raise_error" in results["bad"].error.traceback


@pytest.mark.parametrize(("how", "why"), [("kill", "memory ran out"), ("exit", "exit code 7")])
def test_a_dead_worker_fails_its_task_with_the_reason_and_is_replaced(how, why):
    results = run([task("first"), task("dead", "die", how=how), task("last"), task("more")], num_workers=1)
    assert {name: result.status for name, result in results.items()} == {
        "first": "done",
        "dead": "failed",
        "last": "done",
        "more": "done",
    }
    error = results["dead"].error
    assert error is not None and error.transient
    assert why in error.message
    assert "last words" in error.log
    assert results["dead"].seconds is None


def test_a_task_that_needs_a_dead_one_fails_and_others_start_when_theirs_is_done():
    started: list[str] = []
    tasks = [task("x", after=("dead",)), task("y", after=("a",)), task("dead", "die", how="exit"), task("a")]
    engine = LocalEngine(preload=())
    results = {
        result.id: result
        for result in engine.map(tasks, num_workers=2, finished={}, on_start=lambda task: started.append(task.id))
    }
    assert {name for name, result in results.items() if result.status == "done"} == {"a", "y"}
    assert results["x"].error is not None and "dead failed" in results["x"].error.message
    assert sorted(started) == ["a", "dead", "y"]


def test_closing_the_stream_ends_workers_and_what_they_started(tmp_path):
    tasks = [task("quick"), task("long", "start_sleeper", pids=str(tmp_path / "pids"))]
    stream = LocalEngine(preload=()).map(tasks, num_workers=2, finished={}, on_start=lambda task: None)
    with closing(stream):
        assert next(stream).id == "quick"
        assert wait_until(lambda: (tmp_path / "pids").exists() and (tmp_path / "pids").read_text())
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_and_what_they_started_end_with_the_parent(tmp_path, how):
    script = (
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored under a shell's `&`
        "from organoid.lab.engines.local import LocalEngine\nfrom organoid.lab.tasks import Task\n"
        "tasks = [Task(id='t', function='dummy_tasks:start_sleeper', payload={'pids': sys.argv[1]})]\n"
        "list(LocalEngine(preload=()).map(tasks, num_workers=1, finished={}, on_start=lambda task: None))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    pids = tmp_path / "pids"
    with subprocess.Popen([sys.executable, "-c", script, pids], env=environment, stderr=subprocess.DEVNULL) as parent:
        assert wait_until(lambda: pids.exists() and pids.read_text())
        parent.send_signal(how)
        parent.wait(timeout=10)
    assert wait_until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()))


def test_warm_workers_that_were_not_used_end():
    engine = LocalEngine(preload=())
    engine.warm(2)
    pids = [worker._process.pid for worker in engine._idle]
    assert all(is_alive(pid) for pid in pids)
    engine.close()
    assert not any(is_alive(pid) for pid in pids)


def test_no_workers_is_the_users():
    with pytest.raises(UserError, match="--workers 1"):
        run([task("a")], num_workers=0)


def test_large_values_go_both_ways():
    text = "é" * 3_000_000
    [result] = run([task("a", "echo", text=text)]).values()
    assert result.value is not None and result.value["text"] == text


def test_workers_that_were_warmed_for_a_plan_that_fails_end_with_it(started: list[int]):
    with pytest.raises(ZeroDivisionError), warmed(LocalEngine(preload=()), 2):
        assert len(started) == 2
        raise ZeroDivisionError
    assert not any(is_alive(pid) for pid in started)


def test_workers_that_were_warmed_do_the_work(started: list[int]):
    engine = LocalEngine(preload=())
    with warmed(engine, 2):
        tasks = [task(str(place), "environment") for place in range(4)]
        results = list(engine.map(tasks, num_workers=2, finished={}, on_start=lambda task: None))
    assert {result.value["pid"] for result in results if result.value} <= set(started)
    assert len(started) == 2


def test_fewer_are_kept_when_there_is_less_to_do(started: list[int]):
    engine = LocalEngine(preload=())
    with warmed(engine, 3):
        engine.warm(1)
        assert sum(map(is_alive, started)) == 1
    assert not any(map(is_alive, started))


def test_an_engine_without_workers_of_its_own_is_left_alone():
    with warmed(object(), 2):  # pyright: ignore[reportArgumentType]
        pass
