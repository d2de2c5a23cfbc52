"""What does `organoid test` leave on the screen?

The organisms, the techniques, the sentence and the report's path, in the reading order of the page. On a terminal the
tables are ruled and fit 80 columns, intervals under their values; piped, they are aligned text, a row a line whatever
its width, so that `grep` and `awk` work. Names come from users and are printed as they are: no markup in them is
obeyed.

Example:
    >>> print_result(result, Console(), report=Path("runs/first/report.html"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from organoid.reporting import views
from organoid.reporting.answer import answer
from organoid.reporting.words import Estimate, Row, decimal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

ESTABLISHED = {True: "passed", False: "FAILED", None: "open"}
HEADINGS = {"gap recovered": "gap\nrecovered", "TPR at 5 % FPR": "TPR at\n5 % FPR"}


def print_result(result: Row, console: Console, *, report: Path | None = None) -> None:
    """Print a result: the organisms, the techniques, the verdict's sentence and where the report is.

    Args:
        result: the contents of `result.json`.
        console: where to print; plain text when it is no terminal.
        report: the page `write_report` returned, named last.
    """
    found = answer(result)
    _print_table(*_organisms(views.organisms(result), screen=console.is_terminal), console)
    _print_table(*_techniques(views.techniques(result), screen=console.is_terminal), console)
    failed = len(views.failures(result))
    if failed:
        _say(f"{failed} {'trial' if failed == 1 else 'trials'} failed; the report says how.", console)
    _say(found.short, console, style="bold")
    _say(found.sentence, console)
    if report is not None:
        _say(f"Report: {report}", console)


def _organisms(found: Sequence[views.OrganismRow], *, screen: bool) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return header and cells of the first table."""
    between = "\n" if screen else " to "
    rows: list[Sequence[str]] = [
        (
            row.organism,
            *(_cell(row.arms[arm], screen=screen) for arm in ("naive", "setup", "twin", "decoy")),
            between.join(_value(useful, screen=screen) for useful in (row.usefulness_naive, row.usefulness_setup)),
            _cell(row.gap, screen=screen),
            _gates(row, screen=screen),
        )
        for row in found
    ]
    return ("organism", "naive", "setup", "twin", "decoy", "useful", "gap recovered", "gates"), rows


def _gates(row: views.OrganismRow, *, screen: bool) -> str:
    """Return how many seeds pass every gate, and what that makes of the organism."""
    loose = ", looser" if any(note.startswith("looser") for note in row.notes) else ""
    between = "\n" if screen else ", "
    return _plain(between.join((ESTABLISHED[row.established], row.seeds + loose)))


def _techniques(found: Sequence[views.TechniqueRow], *, screen: bool) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return header and cells of the technique table."""
    rows: list[Sequence[str]] = [
        (
            row.name,
            row.access,
            *(_cell(estimate, screen=screen) for estimate in (row.auroc, row.null, row.oracle, row.tpr)),
            row.cost.replace(", ", "\n") if screen else row.cost,
        )
        for row in found
    ]
    return ("technique", "sees", "AUROC", "null", "oracle", "TPR at 5 % FPR", "cost"), rows


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print a table: ruled and folded to the width of a screen, or aligned and uncut when piped."""
    from rich import box
    from rich.table import Table

    if not rows:
        _say(f"No {header[0]} to show.", console)
    elif console.is_terminal:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
        table.add_column(header[0], overflow="fold")
        for name in header[1:]:
            table.add_column(HEADINGS.get(name, name), no_wrap=True, justify="right")
        for row in rows:
            table.add_row(*map(_two_lines, row))
        console.print(table)
        if any("n/e" in cell for row in rows for cell in row):
            _say("n/e: not estimable; the report says why.", console, style="dim")
    else:
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        for row in (header, *rows):
            _say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip(), console)
    console.print()


def _two_lines(cell: str) -> Text:
    """Return a cell whose second line, its interval, is dimmed."""
    from rich.text import Text

    value, _, rest = cell.partition("\n")
    return Text(value).append(f"\n{rest}" if rest else "", style="dim")


def _say(text: str, console: Console, *, style: str = "") -> None:
    """Print one line, wrapped by the terminal and not by us; no markup in it is obeyed."""
    from rich.text import Text

    console.print(Text(_plain(text), style=style), soft_wrap=True)


def _cell(found: Estimate, *, screen: bool) -> str:
    if not found.known:
        return _value(found, screen=screen)
    if not screen:
        return _plain(f"{found.number} {found.interval}")
    bounds = [decimal(bound).replace("0.", ".", 1) for bound in (found.low, found.high) if bound is not None]
    return _plain(f"{found.number}\n{' '.join(bounds)}")


def _value(found: Estimate, *, screen: bool) -> str:
    return _plain(found.number) if found.known else ("n/e" if screen else "not estimable")


def _plain(text: str) -> str:
    """Use the hyphen for a minus and the common space, which other programs can read."""
    return text.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
