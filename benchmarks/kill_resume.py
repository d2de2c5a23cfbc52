"""Does a run that is killed at random moments give the numbers of an undisturbed one, and repeat or lose nothing?

Runs a command once undisturbed, then again in laps: SIGKILL after a random time, then `--resume`, until enough kills
have been made; each lap is then left to finish. Compared are result.json and every task's stored value, without clock
times and memory. Each lap has a cache of its own, so that nothing is found ready; `--bases DIR` copies one in first,
where making the bases is not what is tested. Orphans are processes of the run that live 5 seconds after it was killed.

Example:
    $ python -m benchmarks.kill_resume --kills 10 --json kills.json -- organoid test careful --seeds 1
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from organoid.lab.journal import verify
from organoid.lab.run_directory import config_differences

CLOCKED = {"seconds", "seconds_training", "started", "finished", "peak_rss_mb", "command", "journal_head"}
MARK = "ORGANOID_KILL_TEST"
ORPHAN_S = 5.0


def main(arguments: list[str]) -> int:
    """Run the test and print its summary; 0 when nothing differs, 1 when something does."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_resume", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=10, help="how many SIGKILLs at least")
    parser.add_argument("--seed", type=int, default=0, help="of the moments at which the run is killed")
    parser.add_argument("--bases", type=Path, help="a cache to copy before each lap")
    parser.add_argument("--json", type=Path, help="where to write the findings")
    parser.add_argument("command", nargs="+", help="what to run, after --, without --out and --resume")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="kill-resume-") as folder:
        found = kill_test(chosen.command, Path(folder), num_kills=chosen.kills, seed=chosen.seed, bases=chosen.bases)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found | {"differences": found["differences"][:20]}, indent=2))
    print("same numbers, nothing repeated, lost or orphaned" if found["sound"] else "NOT SOUND")
    return 0 if found["sound"] else 1


def kill_test(
    command: list[str], folder: Path, *, num_kills: int, seed: int = 0, bases: Path | None = None
) -> dict[str, Any]:
    """Return what was found; `folder` takes the output directories and caches, about one run's worth per lap."""
    draw = random.Random(seed)
    started, started_at = time.monotonic(), datetime.now(UTC)
    calm = folder / "calm"
    _finish(_start(command, calm, bases))
    calm_s = time.monotonic() - started
    first_s = (_first_task_at(calm) - started_at).total_seconds()
    # Every attempt pays for starting anew; the rest of the run is shared among the kills, so they fall all over it.
    mean_s = first_s + (calm_s - first_s) / (num_kills + 1)
    found: dict[str, Any] = {
        "calm_s": calm_s,
        "kills_after_s": [],
        "done_at_kills": [],
        "laps": 0,
        "num_tasks": len(_tasks(calm)),
    }
    found |= {"differences": [], "repeated": [], "lost": [], "orphans": 0}
    while len(found["kills_after_s"]) < num_kills:
        out = folder / f"lap{found['laps']}"
        while len(found["kills_after_s"]) < num_kills:
            after_s = draw.uniform(0, 2 * mean_s)
            num_orphans = _kill(_start(command, out, bases), after_s)
            if num_orphans is None:
                break  # it had finished: another lap
            found["kills_after_s"].append(after_s)
            found["done_at_kills"].append(len(_tasks(out)) if (out / "journal.jsonl").exists() else 0)
            found["orphans"] += num_orphans
        _finish(_start(command, out, bases))
        found["laps"] += 1
        found["differences"] += config_differences(_numbers(calm), _numbers(out))
        counts = Counter(_tasks(out))
        found["repeated"] += sorted(task for task, count in counts.items() if count > 1)
        found["lost"] += sorted(set(_tasks(calm)) - set(counts))
    found["seconds"] = time.monotonic() - started
    found["sound"] = not (found["differences"] or found["repeated"] or found["lost"] or found["orphans"])
    return found


class Attempt(NamedTuple):
    """A started command, the mark in the environment of all its processes, and where its output goes."""

    process: subprocess.Popen[bytes]
    mark: str
    log: Path


def _start(command: list[str], out: Path, bases: Path | None) -> Attempt:
    cache = out.with_name(f"{out.name}-cache")
    if not cache.exists():
        shutil.copytree(bases, cache) if bases is not None else cache.mkdir()
    environment = os.environ | {"ORGANOID_CACHE": str(cache), MARK: uuid.uuid4().hex}
    resuming = ["--resume"] if out.exists() else []
    with out.with_name(f"{out.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--out", str(out), *resuming], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    return Attempt(process, environment[MARK], Path(log.name))


def _finish(attempt: Attempt) -> None:
    code = attempt.process.wait()
    if code not in (0, 1):  # 1: done, and the risk was too high
        sys.exit(f"the command ended with exit code {code}:\n{attempt.log.read_text(errors='replace')[-3000:]}")


def _kill(attempt: Attempt, after_s: float) -> int | None:
    """Kill the run and return how many processes it left behind; None when it had ended by itself."""
    try:
        attempt.process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        attempt.process.kill()
        attempt.process.wait()
    else:
        _finish(attempt)
        return None
    end = time.monotonic() + ORPHAN_S
    while (orphans := len(list(_marked(attempt.mark)))) and time.monotonic() < end:
        time.sleep(0.05)
    return orphans


def _marked(mark: str) -> Iterator[int]:
    """Yield the ids of processes started with this mark in their environment (Linux; elsewhere none is seen)."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{MARK}={mark}".encode() in path.read_bytes():
                yield int(path.parent.name)
        except OSError:
            continue


def _tasks(out: Path) -> list[str]:
    return [entry.payload["task"] for entry in verify(out / "journal.jsonl").entries if entry.kind == "task"]


def _first_task_at(out: Path) -> datetime:
    entries = verify(out / "journal.jsonl").entries
    return datetime.fromisoformat(next(entry.time for entry in entries if entry.kind == "task"))


def _numbers(out: Path) -> dict[str, Any]:
    stored = {path.stem: json.loads(path.read_bytes())["value"] for path in sorted((out / "results").glob("*.json"))}
    return _unclocked({"result": json.loads((out / "result.json").read_bytes()), "tasks": stored})


def _unclocked(value: Any) -> Any:
    """Return a JSON value without what two runs may differ in."""
    if isinstance(value, dict):
        return {key: _unclocked(item) for key, item in value.items() if key not in CLOCKED}
    return [_unclocked(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
