"""What is wrong with a user's values, and what should they be? Pydantic's errors, said once and in the user's words.

Leaves out the class names, union tags and links that pydantic prints: a person who wrote a TOML file knows only its
keys. Near matches come from the model's JSON schema, so a new field needs no change here.

Example:
    >>> explain(error, model=Setup, data={"name": "mine", "stages": [{"kind": "job", "stepz": 3}]})
    ["unknown key `stages[0].stepz`. Did you mean 'steps'? Keys there: beta, inoculate, kind, kl, ..."]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]


def explain(error: ValidationError, *, model: type[BaseModel] | None = None, data: object = None) -> list[str]:
    """Return a line per mistake: where, what was got and what is allowed.

    Args:
        error: what pydantic raised.
        model: the class that was validated; without it there are no near matches for unknown keys.
        data: the value that was validated, needed to leave the tags of unions out of the paths.
    """
    root: Schema = model.model_json_schema() if model else {}
    found = [detail for detail in error.errors(include_url=False) if not _is_echo(detail)]
    return [line for detail in found for line in _lines(detail, root, data)]


def show_path(path: Sequence[str | int]) -> str:
    """Return a path as it is written in Python: `stages[0].steps`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def did_you_mean(got: object, allowed: Sequence[str]) -> str:
    """Return the near matches of a misspelt word as a sentence, with a leading blank, or an empty string."""
    near = get_close_matches(str(got), allowed, n=2, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""


def _is_echo(detail: ErrorDetails) -> bool:
    """Return whether pydantic calls a list too short only because items of it were wrong, which it says elsewhere."""
    return detail["type"] == "too_short" and len(detail["input"]) >= detail.get("ctx", {})["min_length"]


def _lines(detail: ErrorDetails, root: Schema, data: object) -> list[str]:
    if detail["type"] != "value_error":
        return [_line(detail, root, data)]
    where = show_path(_without_tags(detail["loc"], data))  # a validator of ours said it, a sentence a line
    return [f"`{where}`: {line}" if where else line for line in str(detail.get("ctx", {})["error"]).split("\n")]


def _line(detail: ErrorDetails, root: Schema, data: object) -> str:
    path = _without_tags(detail["loc"], data)
    kind, got, message = detail["type"], detail["input"], detail["msg"]
    where = f"`{show_path(path)}`" if path else "the whole"
    if kind == "extra_forbidden":
        keys = sorted(_schema_at(root, path[:-1], data).get("properties", {}))
        listed = f" Keys there: {', '.join(keys)}." if keys else ""
        return f"unknown key {where}.{did_you_mean(path[-1], keys)}{listed}"
    if kind == "missing":
        return f"{where} is missing: add it."
    if kind == "union_tag_not_found":
        return f"`{show_path((*path, 'kind'))}` is missing: add it. Allowed: {', '.join(_kinds(root, path, data))}."
    if kind == "union_tag_invalid":
        kinds = _kinds(root, path, data)
        tag = detail.get("ctx", {})["tag"]
        return f"unknown `{show_path((*path, 'kind'))}` {tag!r}.{did_you_mean(tag, kinds)} Allowed: {', '.join(kinds)}."
    if kind == "string_pattern_mismatch":
        return f"{where} is {got!r}; allowed: text that matches {detail.get('ctx', {})['pattern']}."
    choices = [str(choice) for choice in _schema_at(root, path, data).get("enum", ())]
    allowed = message.removeprefix("Input should be ")
    return f"{where} is {_short(got)}; allowed: {allowed}.{did_you_mean(got, choices)}"


def _short(value: object) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _without_tags(loc: Path, data: object) -> Path:
    """Drop the tags that pydantic puts into a path where it chose a member of a union by its `kind`."""
    path: list[str | int] = []
    value, after_index = data, False
    for part in loc:
        fields = _fields(value)
        if after_index and part not in fields and fields.get("kind") == part:
            after_index = False
            continue
        path.append(part)
        value = _child(value, part)
        after_index = isinstance(part, int)
    return tuple(path)


def _fields(value: object) -> Mapping[str | int, object]:
    return cast("Mapping[str | int, object]", value) if isinstance(value, Mapping) else {}


def _child(value: object, part: str | int) -> object:
    if isinstance(part, str):
        return _fields(value).get(part)
    items = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
    return items[part] if part < len(items) else None


def _kinds(root: Schema, path: Path, data: object) -> list[str]:
    mapping = _schema_at(root, path, data).get("discriminator", {}).get("mapping", {})
    return sorted(mapping)


def _schema_at(root: Schema, path: Path, data: object) -> Schema:
    """Walk a JSON schema along a path of the data; an empty schema where it says nothing."""
    schema, value = _resolve(root, root, data), data
    for part in path:
        below = schema.get("items", {}) if isinstance(part, int) else schema.get("properties", {}).get(part, {})
        value = _child(value, part)
        schema = _resolve(below, root, value)
    return schema


def _resolve(schema: Schema, root: Schema, value: object) -> Schema:
    """Follow a `$ref`, and a union with a `kind` into the member that the value names, if it names one."""
    if "discriminator" in schema:
        kind = _fields(value).get("kind")
        ref = schema["discriminator"]["mapping"].get(kind) if isinstance(kind, str) else None
    else:
        ref = schema.get("$ref")
    return root["$defs"][ref.rsplit("/", 1)[-1]] if ref else schema
