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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organoid.errors import UserError, unknown_name

if TYPE_CHECKING:
    from organoid.lab.examination import Examined
    from organoid.lab.plan import Plan
    from organoid.lab.records import TrialRecord, TrialSpec
    from organoid.lab.run_directory import RunDirectory
    from organoid.lab.tasks import Engine, Task, TaskResult


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
    from organoid.lab.engines import engine_named, warmed
    from organoid.lab.plan import draw_up
    from organoid.lab.resources import default_num_workers
    from organoid.lab.suites import SUITES
    from organoid.setups.load import load_setup

    machine = engine_named(engine)
    if suite not in SUITES:
        raise unknown_name("suite", suite, SUITES)
    _check_numbers(seeds=seeds, workers=workers)
    if fail_on_risk is not None and not 0 <= fail_on_risk <= 1:
        raise UserError(f"fail_on_risk must be between 0 and 1, got {fail_on_risk}.")
    if resume and out is None:
        raise UserError("resume needs the directory of the run to go on with. Give it with --out.")
    given = {"organisms": _names(organisms), "techniques": _names(techniques)}

    def planned() -> Plan:
        return draw_up(load_setup(setup), SUITES[suite], base=base, seeds=seeds, **given)

    if dry_run:
        return TestOutcome(result={}, directory=None, risk_exceeded=False, text=_describe(planned(), workers))
    num_workers = workers or default_num_workers()  # asked before any has started and takes memory
    with warmed(machine, 0 if resume else min(EARLY_WORKERS, num_workers)):
        plan = planned()
        directory = Path(out) if out is not None else _fresh_directory(plan.setup.name)
        run = _Run(
            tasks=_tasks(plan),
            config=plan.config,
            directory=directory,
            engine=machine,
            workers=num_workers,
            resume=resume,
            command=_command(setup, plan, **given, out=directory),
            ahead=_ready_to_judge,
        )
        result = run.finish(lambda run, results: _judge(plan, run, results))
    text = _summary(result, report(directory))
    risk = result["verdict"]["risk_upper_95"]
    exceeded = fail_on_risk is not None and (risk is None or risk > fail_on_risk)
    return TestOutcome(result=result, directory=directory, risk_exceeded=exceeded, text=text)


def _check_numbers(**numbers: int | None) -> None:
    for name, number in numbers.items():
        if number is not None and number < 1:
            raise UserError(f"{name} must be at least 1, got {number}.")


def _names(given: Sequence[str]) -> tuple[str, ...]:
    """One name by itself is a list of one, and not of its letters."""
    return (given,) if isinstance(given, str) else tuple(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Tasks about to be run in their directory."""

    tasks: builtins.list[Task]
    config: dict[str, Any]
    directory: Path
    engine: Engine
    workers: int | None
    resume: bool
    command: str
    ahead: Callable[[], None]  # loads what is needed after the last task; called when a worker is out of work

    def finish(self, judge: Callable[[RunDirectory, dict[str, TaskResult]], Mapping[str, Any]]) -> dict[str, Any]:
        """Run what is left, let `judge` make the result of what came back, write it and return it."""
        from organoid.lab.digest import digest_json
        from organoid.lab.resources import default_num_workers
        from organoid.lab.run_directory import RunDirectory

        started, clock = datetime.now(UTC), time.perf_counter()
        open_run = RunDirectory.resume if self.resume else RunDirectory.create
        with open_run(self.directory, self.config) as run:
            for notice in run.notices:
                print(f"organoid: {notice}", file=sys.stderr)
            results = self._perform(run, self.workers or default_num_workers())
            result: dict[str, Any] = {
                **judge(run, results),
                "command": self.command,
                "started": started.isoformat(),
                "finished": datetime.now(UTC).isoformat(),
                "seconds": round(time.perf_counter() - clock, 2),
                "peak_rss_mb": max((done.peak_rss_mb or 0.0 for done in results.values()), default=None),
                "spec_digest": digest_json(self.config),
                "journal_head": run.journal.head,
            }
            run.write_json("result.json", result)  # last: where it stands, the rest does
            run.seal()
        return result

    def _perform(self, run: RunDirectory, num_workers: int) -> dict[str, TaskResult]:
        from organoid.lab.execute import reusable_results, run_tasks
        from organoid.lab.progress import prepare_after, progress_display

        tasks = self.tasks
        left = len(tasks) - len(reusable_results(tasks, run))
        warm = getattr(self.engine, "warm", None)  # not every engine keeps workers of its own
        if warm is not None and left:
            warm(min(num_workers, left))
        with progress_display(tasks, num_workers=num_workers) as tell:
            told = prepare_after(self.ahead, tell, after=max(1, left - num_workers + 1) if left > 1 else None)
            return run_tasks(tasks, run=run, engine=self.engine, num_workers=num_workers, on_progress=told)


def _ready_to_draw() -> None:
    from organoid.reporting.figures import prepare

    prepare()


def _ready_to_judge() -> None:
    from organoid.measure.directions import linear_models

    linear_models()
    _ready_to_draw()


def _judge(plan: Plan, run: RunDirectory, results: Mapping[str, TaskResult]) -> Mapping[str, Any]:
    """Judge a finished test, and write its table of trials and its transcripts."""
    from organoid.certificate.result import assemble
    from organoid.lab.run_directory import file_name

    base = results[BASE_TASK].value
    judged = assemble(
        plan,
        results,
        base_usefulness=base["usefulness"] if base else None,
        schooled=base["schooled"] if base else None,
    )
    run.write_parquet("trials.parquet", [_flat(row) for row in judged.result["trials"]])
    for record in judged.records:
        samples = [json.dumps(_transcript(record, sample), ensure_ascii=False) for sample in record.transcripts]
        name = file_name(record.id.replace("/", "."))
        run.write_text(f"transcripts/{name}.jsonl", "".join(f"{line}\n" for line in samples))
    return judged.result


BASE_TASK = "base"
EARLY_WORKERS = 4
"""Started while a test is planned; when it is known how many tasks are left, others start or some of these end."""


def _tasks(plan: Plan) -> builtins.list[Task]:
    from organoid.lab.cost import longest_first
    from organoid.lab.plan import trial_id
    from organoid.lab.tasks import Task

    first = Task(
        id=BASE_TASK,
        function="organoid.lab.trial:measure_base",
        payload={"base": plan.base, "digest": plan.base_digest, "shops": plan.shops},
    )
    trials = [
        Task(id=trial_id(spec), function="organoid.lab.trial:run", payload={"spec": spec.model_dump(mode="json")})
        for spec in longest_first(plan.specs)
    ]
    return [first, *trials]


def _command(setup: str, plan: Plan, *, organisms: Sequence[str], techniques: Sequence[str], out: Path) -> str:
    """Return what to type for the same numbers."""
    options: dict[str, object] = {"suite": plan.suite, "base": plan.base}
    if plan.decoy_seeds is None:  # else the suite's own number of seeds, which goes with fewer decoys
        options["seeds"] = plan.seeds
    options["out"] = out
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
    from organoid.lab.cost import plan_s
    from organoid.lab.resources import default_num_workers

    num_workers, seconds = workers or default_num_workers(), plan_s(plan)
    long = "not known for this plan" if seconds is None else f"about {max(1, round(seconds / num_workers / 60))} min"
    cost = f"{long} on {num_workers} workers (a core with bf16; others to 3 times that); what is cached costs nothing"
    lines = [
        f"setup       {plan.setup.name}",
        f"suite       {plan.suite}: {', '.join(plan.organisms)}",
        f"seeds       {plan.seeds}",
        f"base        {plan.base}",
        f"techniques  {', '.join(plan.techniques)}",
        f"trials      {len(plan.specs)}",
        f"cost        {cost}",
    ]
    return "\n".join(lines)


def _fresh_directory(name: str) -> Path:
    number = 1
    while (path := Path("runs") / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("trace", "outcomes", "episodes", "picture")}


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
    population: int | None = None,
    workers: int | None = None,
    resume: bool = False,
) -> Path:
    """Grow one subject (or, with `base` as the organism, a base) and write it as a Hugging Face model directory.

    Args:
        organism: a built-in name, file.py:name, or `base`.
        setup: what it is trained with.
        variant: organism, twin or decoy.
        seed: of everything random; of a population, the first.
        out: the directory to write.
        base: what it grows from.
        population: how many to grow, over consecutive seeds, each in `out`/seed-<n>, with a summary.json; None: one,
            in `out` itself.
        workers: of a population: processes at a time; None: as many as cores and memory allow.
        resume: of a population: go on in `out`; finished subjects are kept.

    Raises:
        UserError: bad input, or `out` exists.
    """
    from organoid.lab import growing

    target = Path(out)
    if population is not None:
        _check_numbers(population=population, workers=workers)
        if organism == "base":
            raise UserError("a population consists of organisms; a base is grown once. Leave out --population.")
        first = growing.subject_spec(organism, setup=setup, variant=variant, seed=seed, base=base)
        return _grow_population(first, population, target, workers=workers, resume=resume)
    for name, given in (("workers", workers is not None), ("resume", resume)):
        if given:
            raise UserError(f"--{name} is for growing several. Say how many with --population, or leave it out.")
    if target.exists():
        raise UserError(f"{str(target)!r} exists already and is never overwritten. Give a new directory with --out.")
    if organism == "base":
        for name, changed in (("setup", setup != "naive"), ("variant", variant != "organism"), ("seed", seed != 0)):
            if changed:
                raise UserError(f"--{name} is for an organism; a base is grown by its own recipe. Leave it out.")
        return growing.grow_base(base, target)
    return growing.grow_subject(organism, setup=setup, variant=variant, seed=seed, base=base, target=target)


def _grow_population(first: TrialSpec, num: int, target: Path, *, workers: int | None, resume: bool) -> Path:
    from organoid.lab.engines import engine_named
    from organoid.lab.population import Workforce, grow_population
    from organoid.lab.resources import default_num_workers

    workforce = Workforce(engine_named("local"), workers or default_num_workers())
    return grow_population(first, num, target=target, workforce=workforce, resume=resume)


def examine(model_dir: str | Path, *, techniques: Sequence[str] = (), out: str | Path | None = None) -> Examined:
    """Let techniques look at one model directory and return their readings.

    Args:
        model_dir: a Hugging Face model directory.
        techniques: to narrow to, or references of one's own; empty: those that run by default.
        out: a directory for the readings, what a probe sees word by word, an autoencoder's latents, and a page of all;
            None: nothing is written.

    Raises:
        UserError: not a model directory, an unknown technique, or `out` exists.
    """
    from organoid.lab import examination

    target = None if out is None else Path(out)
    examined = examination.examine(Path(model_dir), techniques=_names(techniques), out=target)
    if target is not None:
        report(target)
    return examined


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutcome:
    """What `study` returns: the contents of `result.json`, where it is, and the claims in words."""

    result: dict[str, Any]
    directory: Path
    text: str

    def __str__(self) -> str:
        """Each claim, whether it held, and the report's path."""
        return self.text


def study(
    name: str,
    *,
    quick: bool = False,
    out: str | Path,
    engine: str = "local",
    workers: int | None = None,
    resume: bool = False,
) -> StudyOutcome:
    """Run one of the studies and judge its claims.

    Args:
        name: a study, as `list("studies")` names it.
        quick: the smallest version that can show the effect.
        out: the output directory.
        engine: local or ray.
        workers: processes at a time; None: as many as cores and memory allow.
        resume: go on in `out`; finished tasks are kept.

    Raises:
        UserError: bad input, or `out` exists. PrerequisiteError: a base is not there, or the disk is full.
    """
    from organoid.lab.engines import engine_named
    from organoid.studies import STUDIES
    from organoid.studies.run import assemble, config

    machine = engine_named(engine)
    if name not in STUDIES:
        raise unknown_name("study", name, STUDIES)
    _check_numbers(workers=workers)
    declared, directory = STUDIES[name], Path(out)
    scale = declared.scale(quick=quick)
    run = _Run(
        tasks=declared.tasks(scale),
        config=config(declared, scale, quick=quick),
        directory=directory,
        engine=machine,
        workers=workers,
        resume=resume,
        command=shlex.join(["organoid", "study", name, *(["--quick"] if quick else []), "--out", str(directory)]),
        ahead=_ready_to_draw,
    )
    result = run.finish(lambda _, results: assemble(declared, scale, results))
    return StudyOutcome(result=result, directory=directory, text=_study_summary(result, report(directory)))


def _study_summary(result: Mapping[str, Any], page: Path) -> str:
    from organoid.reporting.study import summary

    return summary(result, report=page)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOutcome:
    """What `play` returns: how the shop was run, by the exact log, and that in words; where it is, if it was kept."""

    result: dict[str, Any]
    text: str
    directory: Path | None = None

    def __str__(self) -> str:
        """Net worth, how long sales lasted, and the acts that the log counts."""
        return self.text


def play(
    model: str | None = None,
    *,
    days: int = 30,
    seed: int = 0,
    world: str | Path | None = None,
    out: str | Path | None = None,
) -> PlayOutcome:
    """Run a shop in the terminal, or watch a reference policy or a model run it.

    Args:
        model: `manager`, `random`, `nothing`, a base or a model directory; None: the person at the terminal.
        days: the horizon.
        seed: of the shop's chance and of what a model samples.
        world: a TOML file that holds what differs from the default world; None: the default.
        out: a directory for the episode and a page that draws it; None: nothing is written.

    Raises:
        UserError: bad input, or `out` exists.
    """
    from organoid.lab import playing
    from organoid.lab.disk import check_writable
    from organoid.world.business.load import load_world

    target = None if out is None else Path(out)
    if target is not None and target.exists():
        raise UserError(f"{str(target)!r} exists already and is never overwritten. Give a new directory with --out.")
    if target is not None:
        check_writable(target)  # before somebody has played for nothing
    terms = load_world(world)
    found = playing.play(model, world=terms, days=days, seed=seed, ask=input, tell=print)
    text = playing.summary(found.conduct)
    if target is not None:
        options = {"model": model, "days": days, "seed": seed, "world": world, "out": target}
        words = [part for name, value in options.items() if value is not None for part in (f"--{name}", str(value))]
        config = {"model": model or "a person", "days": days, "seed": seed, "world": terms.model_dump(mode="json")}
        playing.keep(found, target, config=config, command=shlex.join(["organoid", "play", *words]))
        text = f"{text}\nReport: {report(target)}"
    return PlayOutcome(result=found.conduct.as_json(), text=text, directory=target)


def report(directory: str | Path) -> Path:
    """Write `report.html` from the results in an output directory and return its path.

    Raises:
        UserError: there is no result, or it is not what the run's journal recorded.
    """
    from organoid.lab.run_directory import verify_seal
    from organoid.reporting.html import write_report
    from organoid.reporting.source import read_result

    path = Path(directory)
    read_result(path / "result.json")  # says what to type where there is none
    verify_seal(path)
    return write_report(path)


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


def organism_details() -> dict[str, dict[str, Any]]:
    """Return {organism: what it is declared to be, and whether it was established at each base size}, as JSON."""
    from organoid.lab import zoo
    from organoid.organisms import ORGANISMS

    return {
        name: {
            "summary": organism.summary,
            "family": organism.family,
            "split": organism.split.value,
            "instil": [*organism.instil],
            "concealment": organism.concealment,
            "traits": [trait.value for trait in organism.traits],
            "bases": zoo.standings(name),
            "standing": zoo.sentence(name),
        }
        for name, organism in ORGANISMS.items()
    }


def _catalogue() -> dict[str, dict[str, str]]:
    from organoid.lab.suites import SUITES
    from organoid.models.bases import BASES
    from organoid.organisms import ORGANISMS
    from organoid.setups import SETUPS
    from organoid.setups.stages import STAGES
    from organoid.studies import STUDIES
    from organoid.techniques import TECHNIQUES

    return {
        "organisms": {name: organism.summary for name, organism in ORGANISMS.items()},
        "setups": {name: setup.summary for name, setup in SETUPS.items()},
        "stages": dict(STAGES),
        "techniques": {name: technique.summary for name, technique in TECHNIQUES.items()},
        "protocols": {},
        "studies": {name: study.summary for name, study in STUDIES.items()},
        "bases": {name: f"{shape.layers} blocks of width {shape.hidden}" for name, shape in BASES.items()},
        "suites": {
            name: f"{len(suite.organisms)} organisms, each a population of {suite.num_seeds} seeds"
            for name, suite in SUITES.items()
        },
    }
