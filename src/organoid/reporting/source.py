"""What does an output directory hold?

Reads `result.json`, `config.json` and `transcripts/*.jsonl` and nothing else; what is missing or unreadable comes back
as words, because a report of a broken run is worth more than none. The one thing a report cannot do without is
`result.json`.

Example:
    >>> read_run(Path("runs/first")).result["verdict"]["n_runs"]  # doctest: +SKIP
    12
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from organoid.errors import UserError

MAX_TRANSCRIPTS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The contents of an output directory, as JSON values."""

    directory: Path
    result: dict[str, Any]
    config: dict[str, Any] | None
    transcripts: list[dict[str, Any]]
    notes: tuple[str, ...]  # what could not be read, one sentence each


def read_run(directory: Path) -> Run:
    """Read an output directory.

    Args:
        directory: what `organoid test` or `organoid study` wrote.

    Returns:
        Its contents; `notes` says what could not be read.

    Raises:
        UserError: there is no `result.json`, or it is not a JSON object.
    """
    result = read_result(directory / "result.json")
    config, config_note = _read_config(directory / "config.json")
    transcripts, transcript_notes = _read_transcripts(directory / "transcripts")
    notes = (*config_note, *transcript_notes)
    return Run(directory=directory, result=result, config=config, transcripts=transcripts, notes=notes)


def read_result(path: Path) -> dict[str, Any]:
    """Read `result.json`; raise UserError, saying what to type, when it is missing or not a JSON object."""
    if not path.is_file():
        raise UserError(
            f"no result.json in {path.parent}: a report needs a finished run. "
            f"Got: {_listing(path.parent)}. Type `organoid test SETUP --out {path.parent} --resume` to finish one."
        )
    try:
        found = _load(path)
    except ValueError as problem:
        raise UserError(f"{path} is not JSON ({problem}). Run the test again with a new --out.") from problem
    if not isinstance(found, dict):
        raise UserError(f"{path} holds a {type(found).__name__}; a report needs a JSON object with the run's results.")
    return cast("dict[str, Any]", found)


def _listing(directory: Path) -> str:
    if not directory.is_dir():
        return "no such directory"
    names = sorted(entry.name for entry in directory.iterdir())
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "") if names else "an empty directory"


def _load(path: Path) -> object:
    """Parse a JSON file; NaN and infinities, which are not JSON numbers, become null."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return json.loads(text, parse_constant=lambda _: None, parse_float=_number)


def _number(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _read_config(path: Path) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    if not path.is_file():
        return None, ("config.json is missing, so the resolved spec is not shown.",)
    try:
        found = _load(path)
    except ValueError as problem:
        return None, (f"config.json is not JSON ({problem}), so the resolved spec is not shown.",)
    return (cast("dict[str, Any]", found), ()) if isinstance(found, dict) else (None, ("config.json is no object.",))


def _read_transcripts(directory: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Read every line of every `*.jsonl`; unreadable lines are counted, never guessed at."""
    rows: list[dict[str, Any]] = []
    broken = 0
    for path in sorted(directory.glob("*.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in filter(str.strip, lines):
                row = _parse_line(line)
                if row is None:
                    broken += 1
                elif len(rows) < MAX_TRANSCRIPTS:
                    rows.append(row)
    notes = (f"{broken} lines of transcripts/ were not JSON objects and are left out.",) if broken else ()
    return rows, notes


def _parse_line(line: str) -> dict[str, Any] | None:
    try:
        found: object = json.loads(line)
    except ValueError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
