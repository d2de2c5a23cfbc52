"""Which world does a user mean? The default world file, with a file of the user's and single values laid over it.

Read strictly: `"2"` is not a number and an unknown key is an error, since a world that means something else than it
says is worse than none. Tables are merged key by key; products, suppliers and weather are matched by their `name`, a
new name adds one, and `drop = [...]` leaves out some of the default's; any other list replaces the default's.

    load_world("mine.toml", {"review.mode": "control", "products.cola.elasticity": -1.5}).review.mode == "control"
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from organoid.errors import UserError
from organoid.explain import did_you_mean, explain, show_path
from organoid.world.business.terms import World

DEFAULT = Path(__file__).with_name("world.toml")
NAMED = ("products", "suppliers", "weather")
"""Lists whose members are known by name."""

MAX_MISTAKES = 8
"""Mistakes listed in one message."""

Table = dict[str, Any]


def load_world(path: str | Path | None = None, values: Mapping[str, object] | None = None) -> World:
    """Return the default world with a file and single values laid over it.

    Args:
        path: a TOML file that holds only what differs from the default; None: nothing differs.
        values: dotted key -> value, laid over both; members of named lists by name, `products.cola.elasticity`.

    Raises:
        UserError: no such file, malformed TOML, or values that are not a world.
    """
    if path is None and not values:
        return _default()
    data = _read(DEFAULT)
    ref = "the world" if path is None else str(path)
    if path is not None:
        data = _overlay(data, _read(Path(path)), ref)
    for key, value in (values or {}).items():
        _set(data, key, value)
    return _validate(data, ref)


@cache
def _default() -> World:
    return _validate(_read(DEFAULT), str(DEFAULT))


def _read(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise UserError(f"world file {str(path)!r} can't be read: {reason}. Give a TOML file.") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        quoted = f"\n  {line[1]} | {text.splitlines()[int(line[1]) - 1]}" if line else ""
        raise UserError(f"world file {str(path)!r} is not valid TOML: {error}.{quoted}") from None


def _overlay(base: Table, over: Table, ref: str) -> Table:
    """Return the default with a user's table over it; what is no table or named list is replaced."""
    dropped = over.get("drop", [])
    merged = _without(base, cast("list[object]", dropped if isinstance(dropped, list) else [dropped]), ref)
    for key, value in over.items():
        below = merged.get(key)
        if key == "drop":
            continue
        if key in NAMED and isinstance(value, list):
            merged[key] = _merge_named(cast("list[Table]", below), cast("list[object]", value))
        elif isinstance(below, dict) and isinstance(value, dict):
            merged[key] = {**cast(Table, below), **cast(Table, value)}
        else:
            merged[key] = value
    return merged


def _without(base: Table, dropped: list[object], ref: str) -> Table:
    present = [str(part["name"]) for kind in NAMED for part in base[kind]]
    for name in dropped:
        if name not in present:
            near = did_you_mean(name, present)
            raise UserError(f"{ref}: `drop` names {name!r}, which is not there.{near} Allowed: {', '.join(present)}.")
    return base | {kind: [part for part in base[kind] if part["name"] not in dropped] for kind in NAMED}


def _merge_named(base: list[Table], over: list[object]) -> list[object]:
    parts: list[object] = [dict(part) for part in base]
    where = {part["name"]: index for index, part in enumerate(base)}
    for part in over:
        given = cast(Table, part) if isinstance(part, dict) else {}
        name = given.get("name")
        if isinstance(name, str) and name in where:
            parts[where[name]] = {**cast(Table, parts[where[name]]), **given}
        else:
            parts.append(cast(object, part))
    return parts


def _set(data: Table, key: str, value: object) -> None:
    """Put one value at a dotted key; only where there is a table for it."""
    *path, last = key.split(".")
    table, by_name = data, data
    for part in path:
        if part not in by_name:
            near = did_you_mean(part, [*by_name])
            raise UserError(f"no {part!r} in `{key}`.{near} Allowed there: {', '.join(by_name)}.")
        table = by_name[part]
        if part in NAMED and table is data.get(part):
            by_name = {one["name"]: one for one in table}
        elif isinstance(table, dict):
            by_name = table = cast(Table, table)
        else:
            raise UserError(f"`{part}` of `{key}` is a value, not a table.")
    if not isinstance(table, dict):
        raise UserError(f"`{key}` is a whole member of a list; name a key of it, as in `products.cola.elasticity`.")
    table[last] = list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value


def _validate(data: Table, ref: str) -> World:
    mistakes = [f"`{show_path(path)}` is {value}; allowed: a finite number." for path, value in _non_finite(data)]
    if not mistakes:
        try:
            return World.model_validate_json(json.dumps(data, default=str), strict=True)
        except ValidationError as error:
            mistakes = explain(error, model=World, data=data)
    shown = "".join(f"\n  {mistake}" for mistake in mistakes[:MAX_MISTAKES])
    more = f"\n  and {len(mistakes) - MAX_MISTAKES} more" if len(mistakes) > MAX_MISTAKES else ""
    raise UserError(f"{ref} is not a world:{shown}{more}")


def _non_finite(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], float]]:
    if isinstance(value, float) and not math.isfinite(value):
        yield path, value
    elif isinstance(value, dict):
        for key, below in cast("dict[str, object]", value).items():
            yield from _non_finite(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(cast("list[object]", value)):
            yield from _non_finite(below, (*path, index))
