"""What goes into docs/techniques.md: the auditors of a finished `auditing-game`, as a Markdown table.

Nothing is estimated here; the rows are those of the run's `result.json`.

    python -m organoid.reporting.auditors_table runs/auditing-game-full/result.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from organoid.errors import OrganoidError, UserError
from organoid.reporting.words import Row, mapping, sequence

_HEAD = ("auditor", "AUROC", "null", "recall at 5 %", "caught", "false alarms", "decoys flagged", "n", "queries")


def auditors_table(result: Row) -> str:
    """Return the table's lines, one an auditor; `-` where something is not estimable.

    Raises:
        UserError: a result of another study.
    """
    rows = [mapping(row) for row in sequence(mapping(result.get("tables")).get("auditors"))]
    if result.get("study") != "auditing-game" or not rows:
        raise UserError(f"this is a result of {result.get('study')!r}; give the result.json of an auditing-game run.")
    lines = [_line(_HEAD), _line(["---"] * len(_HEAD))]
    for row in rows:
        estimates = ("auroc", "null_auroc", "recall_at_5_percent", "caught", "false_alarms", "decoys_flagged")
        lines.append(
            _line([str(row["auditor"]), *(_said(row, one) for one in estimates), row["num_scored"], row["queries"]])
        )
    return "\n".join(lines)


def _said(row: Row, name: str) -> str:
    value, low, high = (row.get(f"{name}{end}") for end in ("", "_low", "_high"))
    if value is None:
        return "-"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _line(cells: Any) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _read(path: Path) -> Row:
    try:
        return mapping(json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise UserError(f"{path} can't be read. Give the result.json of a finished auditing-game run.") from None
    except ValueError as error:
        raise UserError(f"{path} is no JSON ({error}). Give the result.json of an auditing-game run.") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return the exit code."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m organoid.reporting.auditors_table", description=about)
    parser.add_argument("result", type=Path, metavar="RESULT_JSON", help="of a finished auditing-game run")
    given = parser.parse_args(arguments)
    try:
        print(auditors_table(_read(given.result)))
    except OrganoidError as error:
        print(f"organoid: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
