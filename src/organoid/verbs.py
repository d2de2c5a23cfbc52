"""What can be done: the calls behind the commands, with the same names and arguments.

import organoid
outcome = organoid.test("careful", out="runs/first")
outcome.result["verdict"]["sentence"]
"""

from __future__ import annotations

import builtins
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organoid.errors import UserError, unknown_name

if TYPE_CHECKING:
    from organoid.lab.plan import Plan
    from organoid.lab.tasks import Task

EXPECTED_TRIAL_S = 14.0
"""Seconds of one core per trial on the `tiny` base, for `--dry-run`; benchmarks/results/ has the measured ones."""


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
        organisms: narrow the suite to these, or add the user's own (file.py:name).
        techniques: only these.

    Raises:
        UserError: bad input. PrerequisiteError: something is not installed or the disk is full.
    """
    from organoid.lab import plan as planning
    from organoid.lab.engines import ENGINES
    from organoid.lab.suites import SUITES
    from organoid.setups.load import load_setup

    if suite not in SUITES:
        raise unknown_name("suite", suite, SUITES)
    if engine not in ENGINES:
        raise unknown_name("engine", engine, ENGINES)
    if seeds is not None and seeds < 1:
        raise UserError(f"seeds must be at least 1, got {seeds}.")
    plan = planning.draw_up(
        load_setup(setup), SUITES[suite], base=base, seeds=seeds, organisms=organisms, techniques=techniques
    )
    if dry_run:
        return TestOutcome(result={}, directory=None, risk_exceeded=False, text=_describe(plan))
    directory = Path(out) if out is not None else _fresh_directory(plan.setup.name)
    result, text = _run(plan, directory, engine=engine, workers=workers, resume=resume)
    risk = result["verdict"]["risk_upper_95"]
    exceeded = fail_on_risk is not None and (risk is None or risk > fail_on_risk)
    return TestOutcome(result=result, directory=directory, risk_exceeded=exceeded, text=text)


def _run(plan: Plan, directory: Path, *, engine: str, workers: int | None, resume: bool) -> tuple[dict[str, Any], str]:
    from organoid.certificate.result import assemble
    from organoid.lab.engines import engine_named
    from organoid.lab.execute import run_tasks
    from organoid.lab.progress import progress_display
    from organoid.lab.resources import default_num_workers
    from organoid.lab.run_directory import RunDirectory

    started, clock = datetime.now(UTC), time.perf_counter()
    num_workers = workers or default_num_workers()
    open_run = RunDirectory.resume if resume else RunDirectory.create
    with open_run(directory, plan.config) as run:
        for notice in run.notices:
            print(f"organoid: {notice}")
        tasks = _tasks(plan)
        with progress_display(tasks, num_workers=num_workers) as tell:
            results = run_tasks(tasks, run=run, engine=engine_named(engine), num_workers=num_workers, on_progress=tell)
        base = results[BASE_TASK].value
        judged = assemble(plan, results, base_usefulness=base["usefulness"] if base else None)
        result = {
            **judged.result,
            "command": _command(plan, directory),
            "started": started.isoformat(),
            "finished": datetime.now(UTC).isoformat(),
            "seconds": round(time.perf_counter() - clock, 2),
            "peak_rss_mb": max((done.peak_rss_mb or 0.0 for done in results.values()), default=None),
            "spec_digest": plan.spec_digest,
        }
        run.write_json("result.json", result)
        run.write_parquet("trials.parquet", [_flat(row) for row in result["trials"]])
        for record in judged.records:
            lines = [json.dumps(_transcript(record, sample), ensure_ascii=False) for sample in record.transcripts]
            run.write_text(f"transcripts/{record.id.replace('/', '.')}.jsonl", "\n".join(lines) + "\n")
    return result, _summary(result, report(directory))


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


def _command(plan: Plan, directory: Path) -> str:
    words = ["organoid test", plan.setup.name, f"--suite {plan.suite}", f"--base {plan.base}", f"--seeds {plan.seeds}"]
    return " ".join([*words, f"--out {directory}"])


def _describe(plan: Plan) -> str:
    from organoid.lab.resources import default_num_workers

    workers = default_num_workers()
    minutes = len(plan.specs) * EXPECTED_TRIAL_S / workers / 60
    lines = [
        f"setup       {plan.setup.name}",
        f"suite       {plan.suite}: {', '.join(plan.organisms)}",
        f"seeds       {plan.seeds}",
        f"base        {plan.base}",
        f"techniques  {', '.join(plan.techniques)}",
        f"trials      {len(plan.specs)}",
        f"cost        about {minutes:.0f} min on {workers} workers for the tiny base; trials in the cache cost nothing",
    ]
    return "\n".join(lines)


def _fresh_directory(name: str) -> Path:
    number = 1
    while (path := Path("runs") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("trace", "outcomes")}


def _transcript(record: Any, sample: Any) -> dict[str, Any]:
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


def examine(model_dir: str | Path, *, techniques: Sequence[str] = (), out: str | Path | None = None) -> Any:
    """Let techniques look at one model directory and return their readings.

    Raises:
        UserError: not a model directory, an unknown technique, or `out` exists.
    """
    from organoid.lab import examination

    return examination.examine(Path(model_dir), techniques=techniques, out=None if out is None else Path(out))


def study(name: str, *, quick: bool = False, out: str | Path) -> Path:
    """Run one of the studies.

    Raises:
        UserError: no such study.
    """
    del quick, out
    raise unknown_name("study", name, _catalogue()["studies"])


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
        "bases": {name: f"{shape.num_parameters:,} parameters" for name, shape in BASES.items()},
        "suites": {
            name: f"{len(suite.organisms)} organisms x {suite.num_seeds} seeds" for name, suite in SUITES.items()
        },
    }
