"""Where are the numbers of this page, for a program?

Every figure and table of a report has its rows beside it, as JSON (exact) and as CSV (for a spreadsheet; a text cell
that a spreadsheet would run as a formula is prefixed with an apostrophe).

Example:
    >>> write_twins(Path("runs/first"), "tables", "techniques", rows)  # doctest: +SKIP
    ('tables/techniques.csv', 'tables/techniques.json')
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from organoid.lab.disk import disk_errors, write_atomic

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_twins(
    directory: Path, folder: Literal["figures", "tables"], name: str, rows: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    """Write `rows` as `<folder>/<name>.csv` and `.json` under `directory`.

    Args:
        directory: the output directory.
        folder: where the twins of this kind live.
        name: the figure's or table's name, a file name without its ending.
        rows: flat rows with the same keys each; may be empty.

    Returns:
        The two paths relative to `directory`, CSV first.

    Raises:
        PrerequisiteError: the disk is full.
    """
    with disk_errors(directory / folder):
        (directory / folder).mkdir(exist_ok=True)
    paths = (f"{folder}/{name}.csv", f"{folder}/{name}.json")
    write_atomic(directory / paths[0], as_csv(rows))
    write_atomic(directory / paths[1], json.dumps([dict(row) for row in rows], indent=1, allow_nan=False) + "\n")
    return paths


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return `rows` as CSV with a header; None is an empty cell, and no cell starts a formula."""
    target = io.StringIO()
    writer = csv.DictWriter(target, fieldnames=columns(rows), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return target.getvalue()


def columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the keys of all rows, in the order in which they first occur."""
    return list(dict.fromkeys(key for row in rows for key in row))


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    return value if isinstance(value, int | float) or value is None else json.dumps(value)
