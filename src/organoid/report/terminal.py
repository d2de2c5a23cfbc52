"""What does `organoid test` leave on the screen?

The organisms, the techniques, the sentence and the report's path, in the reading order of the page. On a terminal the
tables have rules and colour; piped, they are plain aligned text of any width, so that `grep` and `awk` work. Names come
from users and are printed as they are: no markup in them is obeyed.

Example:
    >>> print_result(result, Console(), report=Path("runs/first/report.html"))  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from organoid.report import views
from organoid.report.words import Estimate, Row

if TYPE_CHECKING:
    from rich.console import Console

def print_result(result: Row, console: Console, *, report: Path | None = None) -> None:
    """Print a result: the organisms, the techniques, the verdict's sentence and where the report is.

    Args:
        result: the contents of `result.json`.
        console: where to print; plain text when it is no terminal.
        report: the page `write_report` returned, named last.
    """
    from rich.text import Text

    found = views.answer(result)
    _print_organisms(views.organisms(result), console)
    _print_techniques(views.techniques(result), console)
    failed = views.failures(result)
    if failed:
        console.print(Text(f"{len(failed)} trials failed; the report says how."), soft_wrap=True)
    console.print(Text(found.short, style="bold"), soft_wrap=True)
    console.print(Text(found.sentence), soft_wrap=True)
    if report is not None:
        console.print(Text(f"Report: {report}"), soft_wrap=True)


def _print_organisms(found: Sequence[views.OrganismRow], console: Console) -> None:
    rows = [
        (
            row.organism,
            *(_short(row.arms[arm]) for arm in ("naive", "setup", "twin", "decoy")),
            f"{_value(row.usefulness_naive)} to {_value(row.usefulness_setup)}",
            _short(row.gap),
            {True: "established", False: "NOT established", None: "not recorded"}[row.established],
        )
        for row in found
    ]
    _print_table(("organism", "naive", "setup", "twin", "decoy", "usefulness", "gap recovered", "gates"), rows, console)


def _print_techniques(found: Sequence[views.TechniqueRow], console: Console) -> None:
    rows = [
        (row.name, row.access, _short(row.auroc), _value(row.null), _value(row.oracle), _value(row.tpr), row.cost)
        for row in found
    ]
    _print_table(("technique", "sees", "AUROC", "null", "oracle", "TPR at 5 % FPR", "cost"), rows, console)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print a table: ruled and folded to the width of a screen, or aligned and uncut when piped."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    if not rows:
        console.print(f"No {header[0]} to show.\n")
    elif console.is_terminal:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for index, name in enumerate(header):
            table.add_column(name, overflow="fold", justify="left" if index == 0 else "right")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)
        console.print()
    else:
        widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
        for row in (header, *rows):
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            console.print(Text(line.rstrip()), soft_wrap=True)
        console.print()


def _short(found: Estimate) -> str:
    return _ascii(f"{found.number} {found.interval}") if found.known else "not estimable"


def _value(found: Estimate) -> str:
    return _ascii(found.number)


def _ascii(text: str) -> str:
    """Use the hyphen for a minus, which other programs can read."""
    return text.replace("\N{MINUS SIGN}", "-")
