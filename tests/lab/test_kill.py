import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from organoid.lab.journal import verify

ROOT = Path(__file__).parents[2]
NUM_TASKS = 16
RUN = f"""
import json, sys
from pathlib import Path
from typing import Any
from organoid.lab.engines.local import LocalEngine
from organoid.lab.execute import run_tasks
from organoid.lab.run_directory import RunDirectory
from organoid.lab.tasks import Task

out, calls = Path(sys.argv[1]), sys.argv[2]
tasks = [
    Task(
        id=f"grow/{{seed}}",
        function="dummy_tasks:number",
        payload={{"seed": seed, "sleep_s": 0.05, "calls": calls}},
        after=(f"grow/{{seed - 4}}",) if seed >= 4 else (),
    )
    for seed in range({NUM_TASKS})
]
with RunDirectory.resume(out, {{"seeds": {NUM_TASKS}}}) as run:
    results = run_tasks(tasks, run=run, engine=LocalEngine(preload=()), num_workers=2)
    run.write_json("result.json", {{name: result.value for name, result in results.items()}})
"""


def start(out: Path, calls: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", RUN, out, calls], env=environment)


def num_done(out: Path) -> int:
    journal = out / "journal.jsonl"
    return journal.read_bytes().count(b'"kind":"task"') if journal.exists() else 0


def test_a_run_killed_at_random_moments_gives_the_same_numbers_and_repeats_no_finished_task(tmp_path):
    assert start(tmp_path / "calm", tmp_path / "calm-calls").wait() == 0
    draw = random.Random(0)
    out, calls = tmp_path / "killed", tmp_path / "calls"
    for _ in range(3):
        before = num_done(out)
        with start(out, calls) as process:
            while process.poll() is None and num_done(out) < before + 2:  # so that every attempt gets somewhere
                time.sleep(0.005)
            time.sleep(draw.uniform(0, 0.08))
            assert process.poll() is None, "the run was over before it was killed"
            process.kill()
    assert start(out, calls).wait() == 0

    assert json.loads((out / "result.json").read_text()) == json.loads((tmp_path / "calm" / "result.json").read_text())
    recorded = [entry.payload["task"] for entry in verify(out / "journal.jsonl").entries if entry.kind == "task"]
    assert sorted(recorded) == sorted(f"grow/{seed}" for seed in range(NUM_TASKS))
    # Two tasks ran at each of three kills; only those may have been begun again.
    counts = Counter(calls.read_text().split())
    assert len(counts) == NUM_TASKS
    assert sum(counts.values()) <= NUM_TASKS + 2 * 3


PROGRAM = """
import argparse, json, os, sys, time
from pathlib import Path
from typing import Any
from organoid.lab.engines.local import LocalEngine
from organoid.lab.execute import run_tasks
from organoid.lab.run_directory import RunDirectory
from organoid.lab.tasks import Task

parser = argparse.ArgumentParser()
parser.add_argument("--out", type=Path)
parser.add_argument("--resume", action="store_true")
parser.add_argument("--clock", action="store_true")
chosen = parser.parse_args()
payloads = [{"seed": seed, "sleep_s": 0.02} for seed in range(9)]
tasks = [Task(id=str(payload["seed"]), function="dummy_tasks:number", payload=payload) for payload in payloads]
with (RunDirectory.resume if chosen.resume else RunDirectory.create)(chosen.out, {}) as run:
    results = run_tasks(tasks, run=run, engine=LocalEngine(preload=()), num_workers=2)
    noise = time.time() if chosen.clock else 0
    run.write_json("result.json", {"seconds": time.time(), "numbers": [r.value for r in results.values()], "x": noise})
"""


def kill_test(tmp_path: Path, num_kills: int, *options: str) -> tuple[int, dict[str, Any]]:
    (tmp_path / "program.py").write_text(PROGRAM)
    kill_resume = [sys.executable, "-m", "benchmarks.kill_resume", "--kills", str(num_kills)]
    done = subprocess.run(
        [*kill_resume, "--json", tmp_path / "found.json", "--", sys.executable, tmp_path / "program.py", *options],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.DEVNULL,
    )
    return done.returncode, json.loads((tmp_path / "found.json").read_text())


def test_the_kill_test_finds_a_sound_run_sound(tmp_path):
    code, found = kill_test(tmp_path, 2)
    assert (code, found["sound"], found["num_tasks"], len(found["kills_after_s"])) == (0, True, 9, 2)


def test_the_kill_test_sees_numbers_that_differ(tmp_path):
    code, found = kill_test(tmp_path, 1, "--clock")
    assert (code, found["sound"]) == (1, False)
    assert {line.split(":")[0] for line in found["differences"]} == {"result.x"}
