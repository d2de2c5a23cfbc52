import multiprocessing
import os
import time
from pathlib import Path

import pytest

from organoid.errors import PrerequisiteError, UserError
from organoid.lab.digest import digest_json
from organoid.lab.store import CACHE_VARIABLE, Store, cache_root, default_store

A, B, C = (digest_json(name) for name in "abc")


def fill(directory: Path) -> None:
    (directory / "inner").mkdir()
    (directory / "inner" / "model.safetensors").write_bytes(bytes(1000))
    (directory / "config.json").write_text("{}")


def refuse(directory: Path) -> None:
    raise AssertionError("must not be built")


def test_absent_then_put_then_found_without_building(tmp_path):
    store = Store(tmp_path)
    assert store.get(A) is None
    content = store.put(A, fill)
    assert sorted(path.name for path in content.rglob("*")) == ["config.json", "inner", "model.safetensors"]
    assert Store(tmp_path).get(A) == content
    assert Store(tmp_path).put(A, refuse) == content
    assert store.get(B) is None
    assert os.listdir(tmp_path / "building") == []


def change_byte(content: Path) -> None:
    path = content / "inner" / "model.safetensors"
    path.write_bytes(b"\x01" + path.read_bytes()[1:])


def cut(content: Path) -> None:
    os.truncate(content / "inner" / "model.safetensors", 10)


def drop(content: Path) -> None:
    (content / "config.json").unlink()


def add(content: Path) -> None:
    (content / "extra").write_text("")


def drop_manifest(content: Path) -> None:
    (content.parent / "manifest.json").unlink()


def swap_manifest(content: Path) -> None:
    manifest = content.parent / "manifest.json"
    manifest.write_text(manifest.read_text().replace(A, B))


@pytest.mark.parametrize("damage", [change_byte, cut, drop, add, drop_manifest, swap_manifest])
def test_a_damaged_entry_is_absent_and_built_anew(tmp_path, damage):
    damage(Store(tmp_path).put(A, fill))
    assert Store(tmp_path).get(A) is None
    content = Store(tmp_path).put(A, fill)
    assert Store(tmp_path).get(A) == content
    assert (content / "inner" / "model.safetensors").read_bytes() == bytes(1000)
    assert os.listdir(tmp_path / "building") == []


def test_a_failed_build_leaves_nothing(tmp_path):
    def break_off(directory: Path) -> None:
        fill(directory)
        raise RuntimeError("diverged")

    with pytest.raises(RuntimeError, match="diverged"):
        Store(tmp_path).put(A, break_off)
    assert Store(tmp_path).get(A) is None
    assert os.listdir(tmp_path / "building") == []
    assert Store(tmp_path).put(A, fill).is_dir()  # and the lock is free


def test_a_full_disk_says_what_to_free(tmp_path):
    def overflow(directory: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(PrerequisiteError, match=f"Free some space.*{CACHE_VARIABLE}"):
        Store(tmp_path).put(A, overflow)


def test_an_unwritable_root_is_the_users(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=CACHE_VARIABLE):
        Store(tmp_path / "file" / "cache").put(A, fill)


def test_a_digest_can_not_leave_the_root(tmp_path):
    with pytest.raises(ValueError, match="64 hexadecimal"):
        Store(tmp_path).get("../" + A[3:])


def test_the_root_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    assert cache_root() == tmp_path
    assert default_store() is default_store()
    assert default_store().root == tmp_path
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_root() == Path.home() / ".cache" / "organoid"


def build_slowly(root: Path, log: Path, how: str) -> None:
    def build(directory: Path) -> None:
        with log.open("a") as stream:
            stream.write("x")
        fill(directory)
        if how == "die":
            os._exit(9)
        time.sleep(0.3)

    Store(root).put(A, build)


def test_two_processes_build_one_entry_once(tmp_path):
    context = multiprocessing.get_context("fork")
    builders = [
        context.Process(target=build_slowly, args=(tmp_path / "cache", tmp_path / "log", "live")) for _ in range(3)
    ]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert [builder.exitcode for builder in builders] == [0, 0, 0]
    assert (tmp_path / "log").read_text() == "x"


def test_a_builder_killed_half_way_leaves_nothing_visible_and_the_next_cleans_up(tmp_path):
    builder = multiprocessing.get_context("fork").Process(
        target=build_slowly, args=(tmp_path / "cache", tmp_path / "log", "die")
    )
    builder.start()
    builder.join()
    store = Store(tmp_path / "cache")
    assert len(os.listdir(tmp_path / "cache" / "building")) == 1
    assert store.get(A) is None
    assert store.put(A, fill).is_dir()
    assert os.listdir(tmp_path / "cache" / "building") == []


def test_without_locks_the_first_to_publish_wins(tmp_path, monkeypatch):
    monkeypatch.setattr("organoid.lab.store.Lock.acquire", lambda self, *, wait: True)
    store = Store(tmp_path)

    def overtaken(directory: Path) -> None:
        fill(directory)
        (directory / "late").write_text("")
        Store(tmp_path).put(A, fill)

    # The overtaker clears what it takes for a dead builder's leavings only under a lock that holds; keep ours.
    monkeypatch.setattr("organoid.lab.store.Store._clear", lambda self, digest: None)
    content = store.put(A, overtaken)
    assert not (content / "late").exists()
    assert Store(tmp_path).get(A) == content


def test_prune_removes_the_longest_unused_first_and_spares_what_is_in_use(tmp_path):
    store = Store(tmp_path)
    for age, digest in ((300, A), (200, B), (100, C)):
        entry = store.put(digest, fill).parent
        os.utime(entry, (time.time() - age, time.time() - age))
    assert store.prune(3006, unused_for_s=0) == (0, 0, 3006)
    assert store.prune(0, unused_for_s=1000) == (0, 0, 3006)
    store.get(A)  # used just now, so B is the oldest
    assert store.prune(2004, unused_for_s=50) == (1, 1002, 2004)
    assert Store(tmp_path).get(B) is None
    assert Store(tmp_path).get(A) is not None
    assert store.prune(0, unused_for_s=0) == (2, 2004, 0)


def test_prune_removes_damaged_entries_even_below_the_limit(tmp_path):
    drop_manifest(Store(tmp_path).put(A, fill))
    assert Store(tmp_path).prune(10**9, unused_for_s=0) == (1, 0, 0)
    assert os.listdir(tmp_path / "entries") == []
