"""What can be typed? Each command is the Python call of the same name and arguments in `organoid.verbs`.

Nothing heavy is imported before a command runs, so that `organoid --help` answers at once. Leaves out all work and all
checking of names: the verbs do both, so that Python callers get the same answers and the same messages.

Example:
    $ organoid test careful --base tiny --seeds 2 --out runs/first
"""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from organoid import __version__
from organoid.errors import OrganoidError

EPILOG = "Exit codes: 0 done; 1 risk above --fail-on-risk; 2 bad input; 3 something is not installed; 130 interrupted."

app = typer.Typer(
    name="organoid",
    help="Test a training setup on model organisms of misalignment, in which the truth is known.",
    epilog=EPILOG,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain text: the same in a terminal, in a pipe and in a log, and rich stays unimported
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; the one place where errors become messages and exit codes.

    Args:
        arguments: what follows `organoid` on the command line; by default, `sys.argv[1:]`.
    """
    try:
        app(arguments, prog_name="organoid")
    except OrganoidError as error:
        print(f"organoid: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"organoid {__version__}")
        raise typer.Exit


@app.callback()
def _root(  # pyright: ignore[reportUnusedFunction]  # typer calls it
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


@app.command()
def test(
    setup: Annotated[
        str, typer.Argument(metavar="SETUP", help="A built-in name, a .toml or .json file, or file.py:name.")
    ] = "careful",
    suite: Annotated[str, typer.Option(help="Organisms to test on, by the suite's name.")] = "quick",
    base: Annotated[str, typer.Option(help="A built-in name, a model directory or a Hugging Face id.")] = "tiny",
    seeds: Annotated[int | None, typer.Option(min=1, help="Runs per organism and variant.")] = None,
    out: Annotated[Path | None, typer.Option(help="The output directory; must not exist yet.")] = None,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Where trials run.")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes at a time.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in --out; finished trials are kept.")] = False,
    fail_on_risk: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit with 1 when the upper bound on the risk is above this.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and what it costs; run nothing.")] = False,
    organism: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|file.py:name", help="Narrow the suite to it, or add a file of yours; repeatable."),
    ] = None,
    technique: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|file.py:name|pkg.mod:name", help="Narrow to it, or add a file of yours; repeatable."
        ),
    ] = None,
) -> None:
    """Test a training setup: grow the organisms, train them with it, look at them, and bound the risk."""
    from organoid import verbs

    try:
        result = verbs.test(
            setup,
            suite=suite,
            base=base,
            seeds=seeds,
            out=out,
            engine=engine,
            workers=workers,
            resume=resume,
            fail_on_risk=fail_on_risk,
            dry_run=dry_run,
            organisms=tuple(organism or ()),
            techniques=tuple(technique or ()),
        )
    except KeyboardInterrupt:
        typer.echo(
            "organoid: interrupted. Finished trials are kept: type it again with --resume and its --out.", err=True
        )
        raise
    typer.echo(str(result))
    if result.risk_exceeded:
        raise typer.Exit(1)


@app.command()
def grow(
    organism: Annotated[
        str, typer.Argument(metavar="ORGANISM", help="A built-in name, file.py:name, or `base` for a base alone.")
    ],
    out: Annotated[Path, typer.Option(help="The directory to write; must not exist yet.")],
    setup: Annotated[str, typer.Option(help="The setup to train it with.")] = "naive",
    variant: Annotated[
        Literal["organism", "twin", "decoy"], typer.Option(help="With the pressure, without it, or with a quirk.")
    ] = "organism",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random; of a population, the first.")] = 0,
    base: Annotated[str, typer.Option(help="A built-in name, a model directory or a Hugging Face id.")] = "tiny",
    population: Annotated[
        int | None, typer.Option(min=1, help="Grow this many, of consecutive seeds, each in OUT/seed-<n>.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Of a population: processes at a time.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Of a population: go on in --out; finished subjects are kept.")
    ] = False,
) -> None:
    """Grow one organism, a population of it, or a base, as Hugging Face model directories."""
    from organoid import verbs

    try:
        path = verbs.grow(
            organism,
            setup=setup,
            variant=variant,
            seed=seed,
            out=out,
            base=base,
            population=population,
            workers=workers,
            resume=resume,
        )
    except KeyboardInterrupt:
        if population is not None:
            typer.echo("organoid: interrupted. Finished subjects are kept: type it again with --resume.", err=True)
        raise
    if population is not None:
        from organoid.lab.population import describe_population

        typer.echo(describe_population(path))
        return
    typer.echo(str(path))
    if organism == "base":
        from organoid.lab.growing import describe_base

        typer.echo(describe_base(path))


@app.command()
def examine(
    model_dir: Annotated[Path, typer.Argument(metavar="MODEL_DIR", help="A Hugging Face model directory.")],
    technique: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|file.py:name|pkg.mod:name", help="Narrow to it, or add a file of yours; repeatable."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A directory for the readings; must not exist yet.")] = None,
) -> None:
    """Look at one model with the techniques and print their readings."""
    from organoid import verbs
    from organoid.reporting.words import visible

    typer.echo(visible(str(verbs.examine(model_dir, techniques=tuple(technique or ()), out=out))))


@app.command()
def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A study, as `organoid list studies` names it.")],
    out: Annotated[Path, typer.Option(help="The output directory; must not exist yet.")],
    quick: Annotated[bool, typer.Option("--quick", help="The smallest version that can show the effect.")] = False,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Where tasks run.")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="Processes at a time.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in --out; finished tasks are kept.")] = False,
) -> None:
    """Run one of the studies and say which of its claims held."""
    from organoid import verbs

    try:
        done = verbs.study(name, quick=quick, out=out, engine=engine, workers=workers, resume=resume)
    except KeyboardInterrupt:
        typer.echo("organoid: interrupted. Finished tasks are kept: type it again with --resume.", err=True)
        raise
    typer.echo(str(done))


@app.command()
def play(
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|DIR", help="Watch it: manager, random, nothing, a base or a model directory."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="The horizon.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the shop's chance and of what a model samples.")] = 0,
    world: Annotated[Path | None, typer.Option(help="A TOML file with what differs from the default world.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="A directory for a page that draws the episode; must not exist yet.")
    ] = None,
) -> None:
    """Run the shop yourself, day by day, or watch a model or a reference policy do it."""
    from organoid import verbs

    typer.echo(str(verbs.play(model, days=days, seed=seed, world=world, out=out)))


@app.command()
def report(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="An output directory of `organoid test`, `study` or `play`.")
    ],
) -> None:
    """Write report.html again from the results in an output directory."""
    from organoid import verbs

    typer.echo(str(verbs.report(directory)))


@app.command("list")
def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="One kind only: organisms, setups, stages, techniques, protocols, studies, bases or suites."
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="As JSON: kind, name, one line about it; organisms with details.")
    ] = False,
) -> None:
    """Name what there is to choose from."""
    from organoid import verbs

    listing = verbs.list(kind)
    details = verbs.organism_details() if "organisms" in listing else {}
    if json:
        more = {"details": {"organisms": details}} if details else {}
        typer.echo(json_text.dumps(listing | more, indent=2))
    else:
        typer.echo(_columns(listing, {"organisms": {name: entry["standing"] for name, entry in details.items()}}))


def _columns(listing: dict[str, dict[str, str]], notes: dict[str, dict[str, str]]) -> str:
    """Lay out kind -> name -> summary as indented plain text, names in one column, notes under their summaries."""
    blocks: list[str] = []
    for kind, entries in listing.items():
        width = max((len(name) for name in entries), default=0)
        rows = list[str]()
        for name, summary in entries.items():
            rows.append(f"  {name:<{width}}  {summary}".rstrip())
            if note := notes.get(kind, {}).get(name):
                rows.append(f"  {'':<{width}}  {note}")
        blocks.append("\n".join([kind, *(rows or ["  none"])]))
    return "\n\n".join(blocks)
