"""What can be done: the calls behind the commands, with the same names and arguments.

import organoid
outcome = organoid.test("careful", out="runs/first")
outcome.result["verdict"]["sentence"]
"""

from __future__ import annotations

import builtins
import json
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organoid.errors import UserError, unknown_name

if TYPE_CHECKING:
    from organoid.lab.examination import Examined
    from organoid.lab.plan import Plan
    from organoid.lab.records import TrialRecord
    from organoid.lab.run_directory import RunDirectory
    from organoid.lab.tasks import Engine, Task, TaskResult

EXPECTED_TRIAL_S = 14.0
"""Seconds of one core per trial on the `tiny` base, for `--dry-run`: 13.8 on average over the quick suite (LOG.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """What `test` returns: the contents of `result.json`, where it is, and whether the risk exceeded the limit."""

    __test__ = False  # not a test case of pytest

    result: dict[str, Any]
    directory: Path | None
    risk_exceeded: bool
    text: str

    def __str__(self) -> str:
        """The table, the verdict and the report's path."""
        return self.text


def test(
    setup: str = "careful",
    *,
    suite: str = "quick",
    base: str = "tiny",
    seeds: int | None = None,
    out: str | Path | None = None,
    engine: str = "local",
    workers: int | None = None,
    resume: bool = False,
    fail_on_risk: float | None = None,
    dry_run: bool = False,
    organisms: Sequence[str] = (),
    techniques: Sequence[str] = (),
) -> TestOutcome:
    """Test a training setup on a suite of organisms.

    Args:
        setup: a built-in name, a .toml or .json file, or file.py:name.
        suite: the organisms and how closely they are measured.
        base: a built-in name, a model directory or a Hugging Face id.
        seeds: runs per organism and arm; None: the suite's number.
        out: the output directory; None picks a new one named after the setup.
        engine: local or ray.
        workers: processes at a time; None: as many as cores and memory allow.
        resume: go on in `out`; finished trials are kept.
        fail_on_risk: `risk_exceeded` is set when the bound is above this (or not estimable).
        dry_run: plan only; nothing is run or written.
        organisms: built-in names narrow the suite to these; the user's own (file.py:name) are added.
        techniques: the same; those of the setup's release rule are always run.

    Raises:
        UserError: bad input. PrerequisiteError: something is not installed or the disk is full.
    """
    from organoid.lab.engines import engine_named
    from organoid.lab.plan import draw_up
    from organoid.lab.suites import SUITES
    from organoid.setups.load import load_setup

    machine = engine_named(engine)
    if suite not in SUITES:
        raise unknown_name("suite", suite, SUITES)
    _check_numbers(seeds=seeds, workers=workers, fail_on_risk=fail_on_risk)
    if resume and out is None:
        raise UserError("resume needs the directory of the run to go on with. Give it with --out.")
    plan = draw_up(
        load_setup(setup),
        SUITES[suite],
        base=base,
        seeds=seeds,
        organisms=_names(organisms),
        techniques=_names(techniques),
    )
    if dry_run:
        return TestOutcome(result={}, directory=None, risk_exceeded=False, text=_describe(plan, workers))
    directory = Path(out) if out is not None else _fresh_directory(plan.setup.name)
    command = _command(setup, plan, organisms=_names(organisms), techniques=_names(techniques), out=directory)
    run = _Run(plan=plan, directory=directory, engine=machine, workers=workers, resume=resume, command=command)
    result, text = run.finish()
    risk = result["verdict"]["risk_upper_95"]
    exceeded = fail_on_risk is not None and (risk is None or risk > fail_on_risk)
    return TestOutcome(result=result, directory=directory, risk_exceeded=exceeded, text=text)


def _check_numbers(*, seeds: int | None, workers: int | None, fail_on_risk: float | None) -> None:
    for name, number in (("seeds", seeds), ("workers", workers)):
        if number is not None and number < 1:
            raise UserError(f"{name} must be at least 1, got {number}.")
    if fail_on_risk is not None and not 0 <= fail_on_risk <= 1:
        raise UserError(f"fail_on_risk must be between 0 and 1, got {fail_on_risk}.")


def _names(given: Sequence[str]) -> tuple[str, ...]:
    """One name by itself is a list of one, and not of its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """A test about to be run in its directory."""

    plan: Plan
    directory: Path
    engine: Engine
    workers: int | None
    resume: bool
    command: str

    def finish(self) -> tuple[dict[str, Any], str]:
        """Run what is left, write every file, and return the result and its summary in words."""
        from organoid.lab.resources import default_num_workers
        from organoid.lab.run_directory import RunDirectory

        started, clock = datetime.now(UTC), time.perf_counter()
        open_run = RunDirectory.resume if self.resume else RunDirectory.create
        with open_run(self.directory, self.plan.config) as run:
            for notice in run.notices:
                print(f"organoid: {notice}", file=sys.stderr)
            results = self._trials(run, self.workers or default_num_workers())
            clocked = {
                "command": self.command,
                "started": started.isoformat(),
                "finished": datetime.now(UTC).isoformat(),
                "seconds": round(time.perf_counter() - clock, 2),
                "peak_rss_mb": max((done.peak_rss_mb or 0.0 for done in results.values()), default=None),
            }
            result = self._judge(run, results, clocked)
        return result, _summary(result, report(self.directory))

    def _trials(self, run: RunDirectory, num_workers: int) -> dict[str, TaskResult]:
        from organoid.lab.execute import reusable_results, run_tasks
        from organoid.lab.progress import progress_display

        tasks = _tasks(self.plan)
        left = len(tasks) - len(reusable_results(tasks, run))
        warm = getattr(self.engine, "warm", None)  # not every engine keeps workers of its own
        if warm is not None and left:
            warm(min(num_workers, left))
        with progress_display(tasks, num_workers=num_workers) as tell:
            return run_tasks(tasks, run=run, engine=self.engine, num_workers=num_workers, on_progress=tell)

    def _judge(self, run: RunDirectory, results: Mapping[str, TaskResult], clocked: dict[str, Any]) -> dict[str, Any]:
        from organoid.certificate.result import assemble
        from organoid.lab.run_directory import file_name

        base = results[BASE_TASK].value
        judged = assemble(self.plan, results, base_usefulness=base["usefulness"] if base else None)
        spec = {"spec_digest": self.plan.spec_digest, "journal_head": run.journal.head}
        result: dict[str, Any] = {**judged.result, **clocked, **spec}
        run.write_parquet("trials.parquet", [_flat(row) for row in result["trials"]])
        for record in judged.records:
            samples = [json.dumps(_transcript(record, sample), ensure_ascii=False) for sample in record.transcripts]
            name = file_name(record.id.replace("/", "."))
            run.write_text(f"transcripts/{name}.jsonl", "".join(f"{line}\n" for line in samples))
        run.write_json("result.json", result)  # last: where it stands, the rest does
        return result


BASE_TASK = "base"


def _tasks(plan: Plan) -> builtins.list[Task]:
    from organoid.lab.plan import trial_id
    from organoid.lab.tasks import Task

    first = Task(
        id=BASE_TASK,
        function="organoid.lab.trial:measure_base",
        payload={"base": plan.base, "digest": plan.base_digest},
    )
    trials = [
        Task(id=trial_id(spec), function="organoid.lab.trial:run", payload={"spec": spec.model_dump(mode="json")})
        for spec in plan.specs
    ]
    return [first, *trials]


def _command(setup: str, plan: Plan, *, organisms: Sequence[str], techniques: Sequence[str], out: Path) -> str:
    """Return what to type for the same numbers."""
    options = {"suite": plan.suite, "base": plan.base, "seeds": plan.seeds, "out": out}
    words = [
        "organoid",
        "test",
        setup,
        *(str(part) for name, value in options.items() for part in (f"--{name}", value)),
    ]
    for ref in organisms:
        words += ["--organism", ref]
    for ref in techniques:
        words += ["--technique", ref]
    return shlex.join(words)


def _describe(plan: Plan, workers: int | None) -> str:
    from organoid.lab.resources import default_num_workers

    num_trials, num_workers = len(plan.specs), workers or default_num_workers()
    minutes = num_trials * EXPECTED_TRIAL_S / num_workers / 60
    cost = f"about {minutes:.0f} min on {num_workers} workers for the tiny base; trials in the cache cost nothing"
    lines = [
        f"setup       {plan.setup.name}",
        f"suite       {plan.suite}: {', '.join(plan.organisms)}",
        f"seeds       {plan.seeds}",
        f"base        {plan.base}",
        f"techniques  {', '.join(plan.techniques)}",
        f"trials      {num_trials}",
        f"cost        {cost}",
    ]
    return "\n".join(lines)


def _fresh_directory(name: str) -> Path:
    number = 1
    while (path := Path("runs") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("trace", "outcomes")}


def _transcript(record: TrialRecord, sample: Mapping[str, Any]) -> dict[str, Any]:
    flags = {name: reading.flagged for name, reading in record.readings.items()}
    return {
        "trial": record.id,
        "organism": record.organism,
        "variant": record.variant.value,
        "setup": record.setup,
        "seed": record.seed,
        **sample,
        "technique_flags": flags,
    }


def _summary(result: dict[str, Any], page: Path) -> str:
    from io import StringIO

    from rich.console import Console

    from organoid.reporting.terminal import print_result

    buffer = StringIO()
    print_result(result, Console(file=buffer, width=140), report=page)
    return buffer.getvalue().rstrip()


def grow(
    organism: str,
    *,
    setup: str = "naive",
    variant: str = "organism",
    seed: int = 0,
    out: str | Path,
    base: str = "tiny",
) -> Path:
    """Grow one subject (or, with `base` as the organism, a base) and write it as a Hugging Face model directory.

    Raises:
        UserError: bad input, or `out` exists.
    """
    from organoid.lab import growing

    target = Path(out)
    if target.exists():
        raise UserError(f"{str(target)!r} exists already and is never overwritten. Give a new directory with --out.")
    if organism == "base":
        return growing.grow_base(base, target)
    return growing.grow_subject(organism, setup=setup, variant=variant, seed=seed, base=base, target=target)


def examine(model_dir: str | Path, *, techniques: Sequence[str] = (), out: str | Path | None = None) -> Examined:
    """Let techniques look at one model directory and return their readings.

    Raises:
        UserError: not a model directory, an unknown technique, or `out` exists.
    """
    from organoid.lab import examination

    return examination.examine(Path(model_dir), techniques=_names(techniques), out=None if out is None else Path(out))


def study(name: str, *, quick: bool = False, out: str | Path) -> Path:
    """Run one of the studies.

    Raises:
        UserError: no such study.
    """
    del quick, out
    raise UserError(f"unknown study {name!r}: there are no studies yet.")


def report(directory: str | Path) -> Path:
    """Write `report.html` from the results in an output directory and return its path.

    Raises:
        UserError: there is no result.
    """
    from organoid.reporting.html import write_report

    return write_report(Path(directory))


def list(kind: str | None = None) -> dict[str, dict[str, str]]:
    """Return {kind: {name: one line}} of what there is to choose from.

    Raises:
        UserError: no such kind.
    """
    catalogue = _catalogue()
    if kind is None:
        return catalogue
    if kind not in catalogue:
        raise unknown_name("kind", kind, catalogue)
    return {kind: catalogue[kind]}


def _catalogue() -> dict[str, dict[str, str]]:
    from organoid.lab.suites import SUITES
    from organoid.models.bases import BASES
    from organoid.organisms import ORGANISMS
    from organoid.setups import SETUPS
    from organoid.setups.stages import STAGES
    from organoid.techniques import TECHNIQUES

    return {
        "organisms": {name: organism.summary for name, organism in ORGANISMS.items()},
        "setups": {name: setup.summary for name, setup in SETUPS.items()},
        "stages": dict(STAGES),
        "techniques": {name: technique.summary for name, technique in TECHNIQUES.items()},
        "protocols": {},
        "studies": {},
        "bases": {name: f"{shape.layers} blocks of width {shape.hidden}" for name, shape in BASES.items()},
        "suites": {
            name: f"{len(suite.organisms)} organisms x {suite.num_seeds} seeds" for name, suite in SUITES.items()
        },
    }
