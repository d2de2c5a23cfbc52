"""Has this base or subject been made already, and is what lies on the disk still what was put there?

A cache of directories under the digest of the spec that makes them. An entry is built in a temporary directory on the
same file system, flushed and renamed into place, so a kill in the middle leaves nothing visible. A manifest of sizes
and SHA-256 digests lies beside the content; `get` checks it once per process and treats a damaged entry as absent. Two
workers that want the same entry build it once: the second waits on a lock and then finds it.

Layout: `<root>/entries/<digest>/{manifest.json,content/}`, `<root>/building/`, `<root>/locks/`. Left out: remote
stores; a cluster shares the root over a network file system, where a lost lock costs a second build, never a bad entry.

    >>> Store().put(digest, lambda directory: model.save_pretrained(directory))  # doctest: +SKIP
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from organoid.lab.digest import digest_file, files_under
from organoid.lab.disk import Lock, disk_errors, sync, write_atomic
from organoid.types import Record

CACHE_VARIABLE = "ORGANOID_CACHE"
_REMEDY = f"Choose another place for the cache: {CACHE_VARIABLE}=DIR."
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FileEntry(Record):
    """A file of an entry: its size in bytes and the SHA-256 of its content."""

    size: int
    digest: str


class Manifest(Record):
    """What an entry holds: its files by relative POSIX path, and when it was made (UTC, ISO 8601)."""

    digest: str
    made: str
    files: dict[str, FileEntry]

    @property
    def num_bytes(self) -> int:
        """Bytes of content."""
        return sum(entry.size for entry in self.files.values())


class Pruned(NamedTuple):
    """What `Store.prune` removed and what stays, in bytes of content."""

    num_removed: int
    bytes_removed: int
    bytes_kept: int


def cache_root() -> Path:
    """Return the cache's root: `$ORGANOID_CACHE`, or `~/.cache/organoid`."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "organoid"


def default_store() -> Store:
    """Return this process's store at `cache_root()`: the same object each time, so that entries are checked once."""
    return _store_at(cache_root())


class Store:
    """The cache of grown directories under `root` (default: `cache_root()`); made when the first entry is put."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (cache_root() if root is None else root).absolute()
        self._verified: set[str] = set()

    def get(self, digest: str) -> Path | None:
        """Return the content directory of an entry, or None when it is absent or damaged.

        The content is checked against its manifest at the first call of this object for this digest; later calls look
        only whether it is still there. Readers must not change what lies in it.
        """
        entry = self._entry(digest)
        if digest not in self._verified:
            if not _is_intact(entry, digest):
                return None
            self._verified.add(digest)
        content = entry / "content"
        if not content.is_dir():
            self._verified.discard(digest)
            return None
        _touch(entry)
        return content

    def put(self, digest: str, build: Callable[[Path], None]) -> Path:
        """Return the content directory of an entry, calling `build(empty_directory)` first when there is none.

        Args:
            digest: 64 hexadecimal digits, of everything the content depends on.
            build: fills the directory; when it raises, nothing is kept and the error goes on.

        Raises:
            PrerequisiteError: the disk is full.
            UserError: the cache's root can't be written.
        """
        if (found := self.get(digest)) is not None:
            return found
        with disk_errors(self.root, otherwise=_REMEDY):
            for name in ("entries", "building", "locks"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            lock = Lock(self.root / "locks" / digest)
            lock.acquire(wait=True)
        try:
            if (found := self.get(digest)) is not None:
                return found
            with disk_errors(self.root, otherwise=_REMEDY):
                self._clear(digest)
                temporary = self._temporary(digest)
            return self._build(digest, build, temporary)
        finally:
            lock.release()

    def prune(self, max_bytes: int, *, unused_for_s: float = 3600.0) -> Pruned:
        """Remove the entries unused for longest until at most `max_bytes` of content stay.

        Args:
            max_bytes: content to keep, in bytes; 0 removes all that may be removed.
            unused_for_s: entries used more recently than this many seconds stay, since a run may be reading them.
        """
        removed = bytes_removed = 0
        entries = [(entry, _manifest(entry)) for entry in sorted((self.root / "entries").glob("*"))]
        kept = sum(manifest.num_bytes for _, manifest in entries if manifest is not None)
        for entry, manifest in sorted(entries, key=lambda pair: pair[0].stat().st_mtime):
            if kept <= max_bytes and manifest is not None:
                continue
            if time.time() - entry.stat().st_mtime < unused_for_s or not self._removed(entry.name):
                continue
            size = 0 if manifest is None else manifest.num_bytes
            removed, bytes_removed, kept = removed + 1, bytes_removed + size, kept - size
        return Pruned(removed, bytes_removed, kept)

    def _entry(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"a digest is 64 hexadecimal digits, got {digest!r}")
        return self.root / "entries" / digest

    def _removed(self, digest: str) -> bool:
        """Remove an entry and return True, or False when someone is building it."""
        lock = Lock(self.root / "locks" / digest)
        if not lock.acquire(wait=False):
            return False
        try:
            self._clear(digest)
        finally:
            lock.release()
        return True

    def _temporary(self, digest: str) -> Path:
        """Return a new directory to build in, with the permissions that the user's umask gives."""
        path = self.root / "building" / f"{digest}-{uuid.uuid4().hex}"
        path.mkdir()
        return path

    def _clear(self, digest: str) -> None:
        """Remove a damaged entry and what killed builders left; the caller holds the lock of `digest`."""
        self._verified.discard(digest)
        entry = self._entry(digest)
        if entry.exists():  # renamed first, so that no reader meets it half removed
            entry.rename(self._temporary(digest) / "removed")
        for left in (self.root / "building").glob(f"{digest}-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _build(self, digest: str, build: Callable[[Path], None], temporary: Path) -> Path:
        try:
            content = temporary / "content"
            content.mkdir()
            with disk_errors(self.root):
                build(content)
                _write_manifest(temporary, digest)
                self._publish(temporary, digest)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        self._verified.add(digest)
        return self._entry(digest) / "content"

    def _publish(self, temporary: Path, digest: str) -> None:
        try:
            temporary.rename(self._entry(digest))
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            # Only where locks don't hold (some network file systems): another builder was first, and its entry stands.
            shutil.rmtree(temporary, ignore_errors=True)
            return
        sync(self.root / "entries")


@cache
def _store_at(root: Path) -> Store:
    return Store(root)


def _write_manifest(entry: Path, digest: str) -> None:
    content = entry / "content"
    files: dict[str, FileEntry] = {}
    for path in files_under(content):
        sync(path)
        files[path.relative_to(content).as_posix()] = FileEntry(size=path.stat().st_size, digest=digest_file(path))
    for directory in (content, *(path for path in content.rglob("*") if path.is_dir())):
        sync(directory)
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    write_atomic(entry / "manifest.json", Manifest(digest=digest, made=made, files=files).model_dump_json(indent=1))


def _manifest(entry: Path) -> Manifest | None:
    try:
        return Manifest.model_validate_json((entry / "manifest.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _is_intact(entry: Path, digest: str) -> bool:
    manifest = _manifest(entry)
    if manifest is None or manifest.digest != digest:
        return False
    content = entry / "content"
    present = {path.relative_to(content).as_posix(): path for path in files_under(content)}
    if present.keys() != manifest.files.keys():
        return False
    # Sizes first: a truncated file is found without reading gigabytes.
    if any(path.stat().st_size != manifest.files[name].size for name, path in present.items()):
        return False
    return all(digest_file(path) == manifest.files[name].digest for name, path in present.items())


def _touch(entry: Path) -> None:
    """Mark an entry as used now, for `prune`; a cache that can only be read is never pruned, so it may fail."""
    try:
        os.utime(entry)
    except OSError:
        return
