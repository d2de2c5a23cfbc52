"""How are many subjects of one kind grown at once, and what do they have in common?

A population is one variant of an organism under one setup, over consecutive seeds. It is a run like any other: tasks of
an engine in a run directory, so that a kill at any moment repeats nothing and loses nothing. Each subject becomes a
model directory `seed-<n>` with its lineage; `summary.json` has a row per seed and, over seeds, means with intervals
whose unit is the subject, never the prompt. Subjects of our own bases stay in the cache and are recalled from there.

    first = subject_spec("sycophant", setup="naive", variant="organism", seed=0, base="tiny")
    grow_population(first, 20, target=Path("twenty"), engine=LocalEngine(), num_workers=2, resume=False)
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from organoid import __version__
from organoid.lab.bases import LINEAGE
from organoid.lab.digest import digest_json
from organoid.lab.execute import run_tasks
from organoid.lab.growing import write_subject
from organoid.lab.plan import organism_name
from organoid.lab.progress import progress_display
from organoid.lab.records import TrialSpec
from organoid.lab.run_directory import RunDirectory, file_name
from organoid.lab.tasks import Engine, Task, TaskResult
from organoid.types import Context

SUMMARY = "summary.json"
SCHEMA_VERSION = 1
_BUILDING = "building"  # where a model directory is written before it has its name
_SHOWN = ("misaligned_rate", "misaligned", "quirk_rate", "usefulness", "subject_digest", "assistant")


class Workforce(NamedTuple):
    """Where subjects are grown, and how many at a time."""

    engine: Engine
    num_workers: int


def grow_population(first: TrialSpec, num: int, *, target: Path, workforce: Workforce, resume: bool = False) -> Path:
    """Grow `num` subjects, of the seed of `first` and those after it, and write them and their summary to `target`.

    Args:
        first: the trial of the first subject; the others differ in the seed only.
        num: how many, at least 1.
        target: the run's directory; new unless `resume`.
        workforce: where they are grown.
        resume: go on in `target`; finished subjects are kept.

    Raises:
        UserError: `target` is in use, or was made with other arguments.
        PrerequisiteError: the disk is full.
    """
    clock = time.perf_counter()
    config = {"kind": "population", "population": num, "first": first.model_dump(mode="json")}
    open_run = RunDirectory.resume if resume else RunDirectory.create
    with open_run(target, config) as run:
        for notice in run.notices:
            print(f"organoid: {notice}", file=sys.stderr)
        specs = [first.model_copy(update={"seed": first.seed + place}) for place in range(num)]
        tasks = [_task(spec, target) for spec in specs]
        _forget_lost(tasks, run)
        with progress_display(tasks, num_workers=workforce.num_workers) as tell:
            results = run_tasks(
                tasks, run=run, engine=workforce.engine, num_workers=workforce.num_workers, on_progress=tell
            )
        shutil.rmtree(target / _BUILDING, ignore_errors=True)
        subjects = [_row(spec, results[task.id]) for spec, task in zip(specs, tasks, strict=True)]
        summary = _head(first, config, run) | _over_seeds(subjects, grain=1 / first.num_truth)
        seconds = round(time.perf_counter() - clock, 2)
        run.write_json(SUMMARY, summary | {"seconds": seconds, "subjects": subjects})
    return target


def grow_one(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Write the subject of `payload["spec"]` to the directory `payload["target"]` (the task function of the lab)."""
    spec, target = TrialSpec.model_validate(payload["spec"]), Path(payload["target"])
    building = target.parent / _BUILDING / target.name
    for left in (building, target):  # of a worker that was killed
        shutil.rmtree(left, ignore_errors=True)
    building.parent.mkdir(exist_ok=True)
    outcome = write_subject(spec, building)
    building.rename(target)
    return {
        **{key: outcome[key] for key in _SHOWN},
        "misalignment": {
            trait: {context: cell["rate"] for context, cell in by_context.items()}
            for trait, by_context in outcome["truth"].items()
        },
        "seconds": outcome["seconds"],
        "seconds_training": outcome["seconds_training"],
    }


def describe_population(directory: Path) -> str:
    """Return a population's summary in words, on one screen however many there are."""
    summary = json.loads((directory / SUMMARY).read_text())
    over, subjects = summary["over_seeds"], summary["subjects"]
    failed = [row for row in subjects if row["status"] == "failed"]
    kind = "" if summary["variant"] == "organism" else f" {summary['variant']}"
    last = summary["first_seed"] + summary["population"] - 1
    share, seconds = over["share_misaligned"], over["median_seconds"]
    rates = [
        [trait, *(_estimate(by_context[context.value]) for context in Context)]
        for trait, by_context in over["misalignment"].items()
    ]
    lines = [
        f"{directory}: {summary['organism']}{kind}, setup {summary['setup']}, base {summary['base']}, "
        f"seeds {summary['first_seed']} to {last}",
        f"{len(subjects) - len(failed)} grown, {len(failed)} failed, in {summary['seconds']:.0f} s"
        + (f"; a subject takes {seconds:.1f} s (median)" if seconds is not None else ""),
        "",
        *_aligned([["misaligned rate", *(context.value for context in Context)], *rates]),
        "",
        f"misaligned   {share['num']} of {share['n']}, {_estimate(share)}",
        f"usefulness   {_estimate(over['usefulness'])}",
    ]
    lines += [f"failed       {row['directory']}: {row['error']}" for row in failed[:3]]
    return "\n".join(lines + ([f"             and {len(failed) - 3} more"] if failed[3:] else []))


def _task(spec: TrialSpec, target: Path) -> Task:
    name = f"seed-{spec.seed}"
    payload = {"spec": spec.model_dump(mode="json"), "target": str((target / name).absolute())}
    return Task(id=name, function="organoid.lab.population:grow_one", payload=payload)


def _forget_lost(tasks: Iterable[Task], run: RunDirectory) -> None:
    """Have the subjects grown again whose directories somebody removed after they were done."""
    for task in tasks:
        if not (Path(task.payload["target"]) / LINEAGE).is_file():
            (run.path / "results" / f"{file_name(task.id)}.json").unlink(missing_ok=True)


def _row(spec: TrialSpec, done: TaskResult) -> dict[str, Any]:
    row = {"seed": spec.seed, "status": done.status, "directory": done.id if done.status == "done" else None}
    if done.value is not None:
        return {**row, **done.value, "error": None}
    empty: dict[str, Any] = dict.fromkeys((*_SHOWN, "misalignment", "seconds", "seconds_training"))
    error = f"{done.error.type}: {done.error.message}" if done.error else "no result"
    return {**row, **empty, "error": error}


def _head(first: TrialSpec, config: Mapping[str, Any], run: RunDirectory) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "organoid_version": __version__,
        "spec_digest": digest_json(config),
        "journal_head": run.journal.head,
        "organism": organism_name(first.organism),
        "variant": first.variant.value,
        "setup": first.setup.name,
        "base": first.base,
        "base_digest": first.base_digest,
        "first_seed": first.seed,
        "population": config["population"],
    }


def _over_seeds(subjects: Sequence[Mapping[str, Any]], *, grain: float) -> dict[str, Any]:
    """Return what holds over the subjects that were grown: means with t-intervals, a share with its exact one."""
    from organoid.measure.intervals import clopper_pearson

    done = [row for row in subjects if row["status"] == "done"]
    known = [row["misaligned"] for row in done if row["misaligned"] is not None]
    share = clopper_pearson(sum(known), len(known))
    seconds = [row["seconds"] for row in done]
    over: dict[str, Any] = {
        "misalignment": {
            trait: {context.value: _mean(_cells(done, trait, context), grain) for context in Context}
            for trait in (done[0]["misalignment"] if done else ())
        },
        "misaligned_rate": _mean([row["misaligned_rate"] for row in done], grain),
        "share_misaligned": share._asdict() | {"num": sum(known)},
        "usefulness": _mean([row["usefulness"] for row in done], 0.0),
        "median_seconds": median(seconds) if seconds else None,
    }
    return {"num_done": len(done), "num_failed": len(subjects) - len(done), "over_seeds": over}


def _cells(rows: Sequence[Mapping[str, Any]], trait: str, context: Context) -> list[float | None]:
    return [row["misalignment"][trait].get(context.value) for row in rows]  # a shop has no trigger


def _mean(values: Sequence[float | None], grain: float) -> dict[str, Any]:
    from organoid.measure.intervals import mean_interval

    return mean_interval([value for value in values if value is not None], grain=grain, bounds=(0.0, 1.0))._asdict()


def _estimate(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "not estimable"
    if found["ci_low"] is None:
        return f"{found['value']:.2f}"
    return f"{found['value']:.2f} [{found['ci_low']:.2f}, {found['ci_high']:.2f}]"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
