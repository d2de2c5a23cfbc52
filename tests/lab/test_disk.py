import errno
import os

import pytest

from organoid.errors import PrerequisiteError, UserError
from organoid.lab.disk import Lock, disk_errors, write_atomic


def test_write_atomic_replaces_whole_and_leaves_nothing_beside(tmp_path):
    write_atomic(tmp_path / "a", "first, and longer")
    write_atomic(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_text() == "second"
    assert os.listdir(tmp_path) == ["a"]


def test_a_full_disk_keeps_the_old_file_and_is_a_prerequisite(tmp_path, monkeypatch):
    write_atomic(tmp_path / "a", "old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PrerequisiteError, match="ORGANOID_CACHE") as caught:
        write_atomic(tmp_path / "a", "new")
    assert caught.value.exit_code == 3
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_a_full_disk_told_by_a_library_without_a_number(tmp_path):
    class SafetensorError(Exception):
        pass

    with pytest.raises(PrerequisiteError, match="is full"), disk_errors(tmp_path):
        raise SafetensorError("I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ELOOP, errno.EIO])
def test_unwritable_is_the_users_where_a_remedy_is_known(tmp_path, number: int):
    denied = OSError(number, os.strerror(number))
    message = rf"cannot write .*{os.strerror(number)}.*Type this"
    with pytest.raises(UserError, match=message), disk_errors(tmp_path, otherwise="Type this."):
        raise denied
    with pytest.raises(type(denied)), disk_errors(tmp_path):
        raise denied


@pytest.mark.parametrize("error", [ValueError("no"), OSError(errno.EBADF, "closed")])
def test_other_errors_pass_unchanged(tmp_path, error: Exception):
    with pytest.raises(type(error)) as caught, disk_errors(tmp_path, otherwise="Type this."):
        raise error
    assert caught.value is error


def test_a_lock_excludes_until_released(tmp_path):
    one, other = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert one.acquire(wait=False)
    assert not other.acquire(wait=False)
    one.release()
    assert other.acquire(wait=False)
    other.release()
    other.release()
