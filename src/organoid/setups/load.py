"""Which training setup does SETUP on the command line mean?

A built-in name, a TOML or JSON file, or `file.py:name`. TOML and JSON are data and are read strictly: `"40"` is not a
number and `"yes"` is not true, since a setup that means something else than it says is worse than none. Being data they
also run nothing: their release rule names techniques and points at no code. Whether those techniques exist is not
checked here, because a user may bring them along.

Example:
    >>> load_setup("naive").stages
    (JobStage(steps=None, ..., kind='job', inoculate=False, beta=None),)
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from organoid.errors import UserError, unknown_name
from organoid.explain import explain, show_path
from organoid.plugins import is_reference, load_object, read_text
from organoid.setups import SETUPS
from organoid.setups.spec import Setup

MAX_MISTAKES = 8
"""Mistakes listed in one message."""


def load_setup(ref: str) -> Setup:
    """Return the setup that `ref` names.

    Args:
        ref: a built-in name, a path that ends in `.toml` or `.json`, or `file.py:name`.

    Raises:
        UserError: no such name or file, a malformed file, or values that are not a setup.
        PrerequisiteError: the Python file imports a package that is not installed.
    """
    suffix = Path(ref).suffix
    if suffix in (".toml", ".json"):
        data = (_read_toml if suffix == ".toml" else _read_json)(Path(ref))
        return _refuse_taken_name(_refuse_code(_validate(data, ref), ref), ref)
    if is_reference(ref):
        return _refuse_taken_name(load_object(ref, "setup", expect=Setup).value, ref)
    if ref not in SETUPS:
        if Path(ref).is_file():
            raise UserError(f"setup file {ref!r} has an unknown ending. Allowed: .toml, .json, .py:NAME.")
        error = unknown_name("setup", ref, SETUPS)
        raise UserError(f"{error} A setup of your own is a .toml or .json file, or file.py:name.")
    return SETUPS[ref]


def _refuse_code(setup: Setup, ref: str) -> Setup:
    """A setup that is data can be read and tried without running anything that came with it."""
    for place, technique in enumerate(setup.release.techniques):
        if is_reference(technique):
            raise UserError(
                f"{ref} points at code: `release.techniques[{place}]` is {technique!r}. Allowed: the name of a "
                "built-in technique, or of one of yours: put its `name` there, and give it with --technique."
            )
    return setup


def _refuse_taken_name(setup: Setup, ref: str) -> Setup:
    """A setup that borrows a built-in's name would be mistaken for it in every table."""
    if setup.name in SETUPS and setup != SETUPS[setup.name]:
        raise UserError(f"{ref} names its setup {setup.name!r}, which is built in and differs. Give it another `name`.")
    return setup


def _validate(data: object, ref: str) -> Setup:
    mistakes = [f"`{show_path(path)}` is {value}; allowed: a finite number." for path, value in _non_finite(data)]
    if not mistakes:
        try:
            return Setup.model_validate_json(json.dumps(data, default=str), strict=True)
        except ValidationError as error:
            mistakes = explain(error, model=Setup, data=data)
    shown = "".join(f"\n  {mistake}" for mistake in mistakes[:MAX_MISTAKES])
    more = f"\n  and {len(mistakes) - MAX_MISTAKES} more" if len(mistakes) > MAX_MISTAKES else ""
    raise UserError(f"{ref} is not a setup:{shown}{more}")


def _non_finite(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], float]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, Mapping):
        for key, below in cast("Mapping[str, object]", value).items():
            yield from _non_finite(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(cast("list[object]", value)):
            yield from _non_finite(below, (*path, index))


def _read_toml(path: Path) -> object:
    text = read_text(path, "setup")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise _malformed(path, "TOML", str(error), text, int(line[1]) if line else None) from None


def _read_json(path: Path) -> object:
    text = read_text(path, "setup")
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _unique_keys(pairs, path))
    except json.JSONDecodeError as error:
        reason = f"{error.msg} (at line {error.lineno}, column {error.colno})"
        raise _malformed(path, "JSON", reason, text, error.lineno) from None


def _unique_keys(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise UserError(f"setup file {str(path)!r} gives {key!r} twice in one object: keep one.")
    return dict(pairs)


def _malformed(path: Path, language: str, reason: str, text: str, line: int | None) -> UserError:
    lines = text.splitlines()
    quoted = f"\n  {line} | {lines[line - 1]}" if line and line <= len(lines) else ""
    return UserError(f"setup file {str(path)!r} is not valid {language}: {reason}.{quoted}")
