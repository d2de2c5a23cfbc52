"""What happened in this run, in which order, and has anyone changed the record since?

One JSON line per entry; each holds the digest of the one before it, as in a hash chain, and its own. Every append is
flushed to the device before it returns, so what the journal says was done, was done. A line torn by a kill is cut off
when the journal is opened again, and that is said. What a chain can't show: entries cut from its end, so the last
digest (`head`) is copied into result.json; and a rewrite of the whole file by someone who computes all digests anew.

    >>> journal = Journal.create(Path("journal.jsonl")); journal.append("task", {"id": "a"})  # doctest: +SKIP
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from organoid.errors import UserError
from organoid.lab.digest import digest_json
from organoid.lab.disk import disk_errors, sync
from organoid.types import Record

GENESIS = "0" * 64
"""The digest that the first entry names as its previous one."""


class Entry(Record):
    """A line of the journal. `digest` covers every other field."""

    index: int
    time: str  # UTC, ISO 8601
    kind: str
    payload: dict[str, Any]
    previous: str
    digest: str

    @property
    def true_digest(self) -> str:
        """What `digest` must be."""
        return digest_json(self.model_dump(mode="json", exclude={"digest"}))


class Verified(NamedTuple):
    """The entries of a sound journal, and the bytes of a last line torn by a kill (None when there is none)."""

    entries: tuple[Entry, ...]
    torn: bytes | None


def verify(path: Path) -> Verified:
    """Read a journal and check its chain.

    Raises:
        UserError: no journal there, or an entry was altered, removed, reordered or made up; the message names the
            first one by index and kind.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"no journal to read at {path}: {error.strerror}. Name a directory that a run wrote."
        ) from error
    lines = content.split(b"\n")
    torn = lines.pop() or None
    entries: list[Entry] = []
    for line in lines:
        entries.append(_checked(line, entries[-1] if entries else None, path))
    return Verified(tuple(entries), torn)


def _checked(line: bytes, before: Entry | None, path: Path) -> Entry:
    """Return the entry on `line`, which follows `before`; raise a UserError that says what is wrong with it."""
    index, previous = (0, GENESIS) if before is None else (before.index + 1, before.digest)
    entry = _parsed(line)
    if entry is None:
        raise _tampered(path, index, _kind_of(line), "it is not an entry")
    if entry.index != index:
        raise _tampered(path, index, entry.kind, f"entry {entry.index} stands in its place")
    if entry.digest != entry.true_digest:
        raise _tampered(path, index, entry.kind, "its content does not match its digest")
    if entry.previous != previous:
        raise _tampered(path, index, entry.kind, "it does not follow from the entry before it")
    return entry


def _parsed(line: bytes) -> Entry | None:
    try:
        return Entry.model_validate_json(line)
    except ValidationError:
        return None


def _kind_of(line: bytes) -> str:
    try:
        return str(json.loads(line)["kind"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"


def _tampered(path: Path, index: int, kind: str, what: str) -> UserError:
    return UserError(
        f"{path} was changed after it was written: entry {index} ({kind}) is the first bad one, {what}. Nothing after "
        "it can be trusted; restore the file, or start a new run with another --out."
    )


class Journal:
    """A journal open for appending. One process at a time: the run directory's lock sees to that."""

    def __init__(self, path: Path, entries: tuple[Entry, ...] = (), notice: str | None = None) -> None:
        self.path = path
        self.notice = notice  # what was repaired on opening, in a sentence for the user
        self._entries = list(entries)

    @classmethod
    def create(cls, path: Path) -> Journal:
        """Start an empty journal at `path`, which must not exist."""
        with disk_errors(path):
            path.touch(exist_ok=False)
            sync(path.parent)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open an existing journal, checked, and repair a torn last line; `notice` then says so.

        Raises:
            UserError: as `verify` does.
        """
        verified = verify(path)
        if verified.torn is None:
            return cls(path, verified.entries)
        whole = _parsed(verified.torn)
        last = verified.entries[-1] if verified.entries else None
        if whole is not None and whole == _checked(verified.torn, last, path):
            _append_bytes(path, b"\n")  # only the end of the line was missing
            return cls(path, (*verified.entries, whole))
        os.truncate(path, path.stat().st_size - len(verified.torn))
        sync(path)
        notice = f"the last line of {path} was torn when the run was killed and has been cut off; its task runs again."
        return cls(path, verified.entries, notice)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every entry so far, in order."""
        return tuple(self._entries)

    @property
    def head(self) -> str:
        """The digest of the last entry: whoever keeps it can tell whether entries were cut from the end."""
        return self._entries[-1].digest if self._entries else GENESIS

    def append(self, kind: str, payload: dict[str, Any]) -> Entry:
        """Add an entry and flush it to the device.

        Raises:
            PrerequisiteError: the disk is full; the journal keeps what it held.
        """
        plain: dict[str, Any] = {
            "index": len(self._entries),
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "kind": kind,
            "payload": payload,
            "previous": self.head,
        }
        entry = Entry(**plain, digest=digest_json(plain))
        _append_bytes(self.path, entry.model_dump_json().encode() + b"\n")
        self._entries.append(entry)
        return entry


def _append_bytes(path: Path, content: bytes) -> None:
    length = path.stat().st_size
    with disk_errors(path):
        try:
            with path.open("ab") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            os.truncate(path, length)
            raise
