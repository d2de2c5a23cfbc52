"""Which organisms are established, at which base sizes, and by what figures?

The table `organisms/established.json` is written from finished runs of `organoid test aftercare --suite full` and never
by hand: the run's naive organisms, clean twins and decoys give the gates, its setup `aftercare` what survives ordinary
work. Runs that measured some organisms replace those and leave the others, so sizes and late organisms can be added:

    python -m organoid.lab.zoo RUN_DIR... --page docs/organisms.md

also writes the page again, and without a RUN_DIR only the page. An entry is stale, and is said to be, when the
organism's source or its base has changed since it was measured. Comments, docstrings and blank lines don't count; a
change in the world's or the stages' code is not seen, so measure again after one.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any, cast

from organoid.errors import OrganoidError, UserError
from organoid.lab.digest import digest_json, digest_text
from organoid.lab.disk import write_atomic
from organoid.models.bases import BASES
from organoid.organisms import ORGANISMS

ESTABLISHED = Path(__file__).parent.parent / "organisms" / "established.json"
SCHEMA_VERSION = 1
SETUP = "aftercare"
SEEDS_NEEDED = 5
"""Seeds without which no organism is established."""
_SHARED = "organoid.organisms.materials"
_ARMS = {"naive": "naive", "twin": "twin", "decoy": "decoy", "after": "setup"}  # our word: the run's table's
_WORDS = {True: "established", False: "not established", None: "undecided"}
TOO_FEW = "undecided, too few seeds"

Entry = Mapping[str, Any]
"""One organism at one base size, as the table has it."""


def write(run_dirs: Iterable[Path], target: Path = ESTABLISHED) -> Path:
    """Enter what the runs measured into the table `target`, in the place of what they measured again.

    Raises:
        UserError: a directory is no finished run of the setup `aftercare` on a built-in base, or two runs measured
            the same organism at the same size.
    """
    bases = {base: dict(entries) for base, entries in read(target).items()}
    new = set[tuple[str, str]]()
    for directory in run_dirs:
        base, entries = _measured(directory)
        for name, entry in entries.items():
            if (base, name) in new:
                raise UserError(f"{name} at {base} is in two of the runs. Give one of them.")
            new.add((base, name))
            bases.setdefault(base, {})[name] = entry
    kept = {
        base: {name: bases[base][name] for name in ORGANISMS if name in bases[base]} for base in BASES if base in bases
    }
    write_atomic(target, json.dumps({"schema_version": SCHEMA_VERSION, "bases": kept}, indent=1) + "\n")
    return target


def read(source: Path | None = None) -> dict[str, dict[str, Entry]]:
    """Return {base: {organism: entry}} of the table, by default the one that ships; empty where there is none."""
    source = source or ESTABLISHED
    return json.loads(source.read_text())["bases"] if source.is_file() else {}


def standings(name: str) -> dict[str, Entry]:
    """Return what is known of an organism at each base size: `status`, `stale` (a reason or None), and the figures."""
    return {base: standing(name, base) for base in BASES}


def standing(name: str, base: str) -> dict[str, Any]:
    """Return what is known of a built-in organism at one base size, as `standings` does."""
    return _standing(name, base, read().get(base, {}).get(name))


def sentence(name: str) -> str:
    """Say on one line where an organism is established, and by what rates."""
    found = standings(name)
    parts = [f"{base}: {_said(entry)}" for base, entry in found.items() if entry["status"] != "not measured"]
    rest = [base for base, entry in found.items() if entry["status"] == "not measured"]
    if not parts:
        return "not measured at any base size"
    return "; ".join([*parts, *([f"not measured at {', '.join(rest)}"] if rest else [])])


@cache
def source_digest(name: str) -> str:
    """Return the digest of what makes a built-in organism: the code of its file and of what organisms share."""
    files = (module_of(name), _SHARED)
    return digest_json({module: digest_text(_code(_file_of(module).read_text())) for module in files})


def module_of(name: str) -> str:
    """Return the module that declares a built-in organism's job."""
    job: Any = ORGANISMS[name].job
    return str(getattr(job, "func", job).__module__)


def _file_of(module: str) -> Path:
    found = sys.modules[module].__file__
    assert found is not None
    return Path(found)


def _code(source: str) -> str:
    """Return a file without comments of their own line, docstrings and blank lines."""
    dropped = set[int]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            dropped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = [line.rstrip() for number, line in enumerate(source.splitlines(), start=1) if number not in dropped]
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


def _standing(name: str, base: str, entry: Entry | None) -> dict[str, Any]:
    if entry is None:
        return {"status": "not measured", "stale": None}
    status = _WORDS[entry["established"]]
    if entry["established"] is not False and entry["num_seeds"] < SEEDS_NEEDED:  # True: in runs from before that rule
        status = TOO_FEW
    return {"status": status, "stale": _why_stale(name, base, entry), **entry}


def _why_stale(name: str, base: str, entry: Entry) -> str | None:
    if entry["source_digest"] != source_digest(name):
        return "its source changed since"
    return None if entry["base_digest"] == _base_now(base) else "its base changed since"


@cache
def _base_now(base: str) -> str | None:
    from organoid.lab.bases import base_digest

    try:
        return base_digest(base)
    except OrganoidError:  # neither shipped nor grown here
        return None


def _said(entry: Entry) -> str:
    naive, twin = (entry["rates"][arm]["value"] for arm in ("naive", "twin"))
    rates = f"naive {_rate(naive)}, twin {_rate(twin)}; {entry['num_passed']} of {entry['num_seeds']} seeds"
    stale = f"; STALE, {entry['stale']}" if entry["stale"] else ""
    return f"{entry['status']} ({rates}{stale})"


def _rate(value: float | None) -> str:
    return "not estimable" if value is None else f"{value:.2f}"


def _measured(directory: Path) -> tuple[str, dict[str, Entry]]:
    """Return the base of a run and what it says of each built-in organism; refuse results that were changed."""
    from organoid.lab.run_directory import verify_seal

    result, config = (_json(directory / name) for name in ("result.json", "config.json"))
    if result["setup"] != SETUP:
        raise UserError(f"{directory} tested the setup {result['setup']!r}; what is established needs {SETUP!r}.")
    if result["base"] not in BASES:
        raise UserError(f"{directory} grew from {result['base']!r}; the table is of the bases {', '.join(BASES)}.")
    if result["spec_digest"] != digest_json(config):
        raise UserError(f"{directory}/config.json is not what its result.json was made with.")
    verify_seal(directory)
    rows = {row["organism"]: row for row in result["table"]}
    run = {
        "organoid_version": result["organoid_version"],
        "spec_digest": result["spec_digest"],
        "base_digest": config["base_digest"],
        "finished": result["finished"],
    }
    sources: Mapping[str, str] = result["organism_sources"]
    seconds = {name: _median_seconds(directory, result, name) for name in sources}
    return result["base"], {
        name: _entry(rows[name], result["gates"][name])
        | run
        | {"source_digest": digest, "median_training_s": seconds[name]}
        for name, digest in sources.items()
    }


def _entry(row: Mapping[str, Any], proof: Mapping[str, Any]) -> dict[str, Any]:
    from organoid.measure.intervals import clopper_pearson

    share = clopper_pearson(proof["num_passed"], proof["num_seeds"])
    return {
        "established": None if proof.get("by_table") else proof["established"],
        "reason": proof["reason"],
        "num_passed": proof["num_passed"],
        "num_seeds": proof["num_seeds"],
        "share_passed_ci": [share.ci_low, share.ci_high],
        "gates": proof["gates"],
        "rates": {
            arm: {
                "value": row[column],
                "ci": row[f"{column}_ci"],
                "n": row["n"][column],
                "reason": row["reasons"].get(column),
            }
            for arm, column in _ARMS.items()
        },
        "usefulness": {"value": row["usefulness_naive"], "ci": row["usefulness_naive_ci"]},
    }


def _median_seconds(directory: Path, result: Mapping[str, Any], name: str) -> float | None:
    """Return how long growing one took, measuring left out: the median over the plainly trained organisms."""
    from organoid.lab.run_directory import file_name

    took = list[float]()
    for trial in result["trials"]:
        if (trial["organism"], trial["variant"], trial["setup"]) == (name, "organism", "naive"):
            done = _json(directory / "results" / f"{file_name(trial['id'])}.json")["value"]
            took += [done["seconds_training"]] if done else []
    return round(median(took), 2) if took else None


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except OSError:
        raise UserError(f"{path.parent} is not the directory of a finished test: it has no {path.name}.") from None
    except ValueError as error:
        raise UserError(f"{path} is no JSON ({error}).") from None
    return cast("dict[str, Any]", value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table from the runs, if any, and the page; return the exit code."""
    from organoid.lab.zoo_page import write_page

    parser = argparse.ArgumentParser(prog="python -m organoid.lab.zoo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run_dirs", nargs="*", type=Path, metavar="RUN_DIR", help="finished: test aftercare")
    parser.add_argument("--page", type=Path, help="the page whose generated parts to write, docs/organisms.md")
    given = parser.parse_args(arguments)
    try:
        if given.run_dirs:
            print(write(given.run_dirs))
        if given.page:
            print(write_page(given.page))
    except OrganoidError as error:
        print(f"organoid: {error}", file=sys.stderr)
        return error.exit_code
    for name in ORGANISMS:
        print(f"{name}: {sentence(name)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
