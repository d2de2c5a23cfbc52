"""How does a file get onto the disk whole, or not at all, and what does the user read when it can't?

Every write goes to a temporary name beside its target, is flushed to the device and then renamed, so a kill or a
power cut leaves the old file or the new one. Locks are `flock`: the kernel drops them when their process dies, so none
is ever stale. Left out: Windows, which has neither `flock` nor atomic directory renames.

    >>> write_atomic(Path("result.json"), "{}")  # doctest: +SKIP
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from organoid.errors import PrerequisiteError, UserError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_TEXT = os.strerror(errno.ENOSPC)  # libraries written in Rust (safetensors) pass on the text, not the number
_UNWRITABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ENOENT,  # a directory in /proc
    errno.ELOOP,
    errno.EIO,
}


@contextmanager
def disk_errors(path: Path, *, otherwise: str | None = None) -> Generator[None]:
    """Turn a full disk into a PrerequisiteError and, where `otherwise` is given, an unwritable path into a UserError.

    Args:
        path: what is being written, for the message.
        otherwise: what the user can type to write elsewhere; None leaves errors of permission as they are.
    """
    try:
        yield
    except (PrerequisiteError, UserError):
        raise
    except Exception as error:
        number = error.errno if isinstance(error, OSError) else None
        if number in _FULL or (number is None and _FULL_TEXT in str(error)):
            raise _full_disk(path) from error
        if otherwise is not None and number in _UNWRITABLE:
            raise UserError(f"cannot write {path}: {os.strerror(number or 0)}. {otherwise}") from error
        raise


def _full_disk(path: Path) -> PrerequisiteError:
    existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    free_mb = shutil.disk_usage(existing).free / 1e6
    return PrerequisiteError(
        f"the disk that holds {path} is full ({free_mb:.0f} MB free). Free some space there (grown models lie in "
        "$ORGANOID_CACHE, ~/.cache/organoid if unset, and can be grown again), or move the cache with "
        "ORGANOID_CACHE=DIR. Finished trials are kept: run the same command with --resume."
    )


def sync(path: Path) -> None:
    """Flush a file's bytes, or a directory's entries, to the device, so that they survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace `path` by `content` (text as UTF-8), whole or not at all.

    Raises:
        PrerequisiteError: the disk is full; `path` keeps what it held.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with disk_errors(path):
        try:
            with temporary.open("wb") as stream:
                stream.write(content.encode() if isinstance(content, str) else content)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)


class Lock:
    """An exclusive lock on a file, held by this object until `release` or until its process dies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def acquire(self, *, wait: bool) -> bool:
        """Take the lock; return False when another holds it and `wait` is False."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Drop the lock; does nothing when it isn't held. The file stays, since removing it would race."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Lock:
        self.acquire(wait=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def check_writable(target: Path) -> None:
    """Say so before the work rather than after it."""
    with disk_errors(target, otherwise="Give another directory with --out."):
        target.parent.mkdir(parents=True, exist_ok=True)
        probe = target.parent / f".{target.name}.writable"
        probe.touch()
        probe.unlink()
