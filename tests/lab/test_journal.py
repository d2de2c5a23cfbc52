import json
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.lab.digest import digest_json
from organoid.lab.journal import GENESIS, Journal, verify


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal.create(tmp_path / "journal.jsonl")
    journal.append("run", {"config_digest": "c"})
    for seed in range(3):
        journal.append("task", {"task": f"t{seed}", "seconds": 0.1 * seed, "none": None, "names": ["ä", "b"]})
    return tmp_path / "journal.jsonl"


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_the_chain_holds_by_a_computation_of_its_own(path):
    previous = GENESIS
    for index, line in enumerate(lines(path)):
        entry = json.loads(line)
        own = entry.pop("digest")
        assert (entry["index"], entry["previous"]) == (index, previous)
        assert digest_json(entry) == own
        previous = own
    assert Journal.open(path).head == previous
    assert len(verify(path).entries) == 4


def test_reading_back_and_going_on_gives_one_sound_chain(path):
    before = Journal.open(path)
    before.append("task", {"task": "t9"})
    assert verify(path).entries == before.entries
    assert [entry.kind for entry in before.entries] == ["run", "task", "task", "task", "task"]


def test_an_empty_journal_is_sound(tmp_path):
    assert Journal.create(tmp_path / "j").head == GENESIS
    assert verify(tmp_path / "j") == ((), None)


def altered(rows: list[bytes]) -> list[bytes]:
    return [*rows[:2], rows[2].replace(b'"t1"', b'"t7"'), rows[3]]


def altered_with_its_digest(rows: list[bytes]) -> list[bytes]:
    entry = json.loads(rows[2])
    entry["payload"]["task"] = "t7"
    entry.pop("digest")
    entry["digest"] = digest_json(entry)
    return [*rows[:2], json.dumps(entry).encode() + b"\n", rows[3]]


def removed(rows: list[bytes]) -> list[bytes]:
    return [*rows[:2], rows[3]]


def swapped(rows: list[bytes]) -> list[bytes]:
    return [*rows[:2], rows[3], rows[2]]


def repeated(rows: list[bytes]) -> list[bytes]:
    return [*rows[:2], rows[1], *rows[2:]]


def garbled(rows: list[bytes]) -> list[bytes]:
    return [*rows[:2], b"\xff{not json}\n", rows[3]]


def blank(rows: list[bytes]) -> list[bytes]:
    return [*rows[:2], b"\n", *rows[2:]]


def extra_key(rows: list[bytes]) -> list[bytes]:
    return [*rows[:2], rows[2].replace(b'{"index"', b'{"x":1,"index"', 1), rows[3]]


@pytest.mark.parametrize(
    ("tamper", "index", "kind"),
    [
        (altered, 2, "task"),
        (altered_with_its_digest, 3, "task"),  # the entry itself is sound; the next one does not follow
        (removed, 2, "task"),
        (swapped, 2, "task"),
        (repeated, 2, "task"),
        (garbled, 2, "unreadable"),
        (blank, 2, "unreadable"),
        (extra_key, 2, "task"),
    ],
)
def test_the_first_tampered_entry_is_named(path, tamper, index, kind):
    path.write_bytes(b"".join(tamper(lines(path))))
    with pytest.raises(UserError, match=rf"entry {index} \({kind}\)"):
        verify(path)
    with pytest.raises(UserError):
        Journal.open(path)


def test_every_single_changed_byte_is_seen(path):
    content = path.read_bytes()
    last_start = content.rstrip(b"\n").rfind(b"\n") + 1
    for place in range(last_start):  # a change in the last line may look like a tear, which is repaired
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(UserError):
            verify(path)


def test_a_line_torn_anywhere_is_repaired_and_said(path):
    content = path.read_bytes()
    whole = lines(path)
    start = len(content) - len(whole[-1])
    for length in range(1, len(whole[-1]) - 1, 7):
        path.write_bytes(content[: start + length])
        assert verify(path).torn == whole[-1][:length]
        journal = Journal.open(path)
        assert journal.notice is not None and "torn" in journal.notice
        assert path.read_bytes() == content[:start]
        assert len(journal.entries) == 3


def test_a_line_that_lacks_only_its_end_is_kept(path):
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    journal = Journal.open(path)
    assert (journal.notice, len(journal.entries)) == (None, 4)
    assert path.read_bytes() == content


def test_zeros_left_by_a_power_cut_are_a_torn_line(path):
    content = path.read_bytes()
    path.write_bytes(content + bytes(64))
    assert Journal.open(path).notice is not None
    assert path.read_bytes() == content


def test_no_journal_is_the_users(tmp_path):
    with pytest.raises(UserError, match="no journal"):
        verify(tmp_path / "journal.jsonl")
