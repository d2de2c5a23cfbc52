"""Are two specs, files or directories the same? Answers with SHA-256 over canonical bytes.

A digest names what a thing is, so it is the key of the cache, the link of the journal and the identity of a task.
Canonical JSON sorts keys, writes no spaces and prints floats as `repr` does, so one value has one text on every
platform. It is not RFC 8785: 1 and 1.0 stay different, because a spec's fields fix their types before they get here.

    >>> canonical_json({"b": 0.1, "a": [1, None]})
    '{"a":[1,null],"b":0.1}'
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

CHUNK_BYTES = 1 << 20


def canonical_json(value: Any) -> str:
    """Return the one JSON text of `value`, a JSON value or a pydantic model.

    Raises:
        ValueError: a float is NaN or infinite; what is not estimable is None, with a reason beside it.
        TypeError: something in it is not a JSON value.
    """
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_text(text: str) -> str:
    """Return the 64 hexadecimal digits of SHA-256 over the UTF-8 bytes of `text`."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_json(value: Any) -> str:
    """Return the digest of a JSON value or pydantic model; raises as `canonical_json` does."""
    return digest_text(canonical_json(value))


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes, read in pieces of 1 MiB."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(CHUNK_BYTES):
            state.update(piece)
    return state.hexdigest()


def files_under(directory: Path) -> list[Path]:
    """Return every regular file under `directory`, sorted by its relative POSIX path; links are followed."""
    return sorted((path for path in directory.rglob("*") if path.is_file()), key=lambda path: path.as_posix())


def digest_directory(directory: Path, *, without: str | None = None) -> str:
    """Return the digest of the relative paths and bytes of every file under `directory`.

    Times, permissions and empty directories do not count, nor does the file `without`, relative to the directory.
    """
    found = {path.relative_to(directory).as_posix(): path for path in files_under(directory)}
    return digest_json({name: digest_file(path) for name, path in found.items() if name != without})
