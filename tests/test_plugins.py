import hashlib
from pathlib import Path

import pytest

from organoid.errors import PrerequisiteError, UserError
from organoid.plugins import is_reference, load_object
from organoid.setups.spec import Setup


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [("careful", False), ("a.py:B", True), ("a.py", True), ("pkg.mod:B", True), ("org/model", False)],
)
def test_references_are_told_from_names(ref: str, expected: bool) -> None:
    assert is_reference(ref) is expected


def test_an_object_comes_with_the_digest_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    loaded = load_object(f"{write(path, 'NUMBER = 3')}:NUMBER", "organism", expect=int)
    assert (loaded.value, loaded.name) == (3, "NUMBER")
    assert loaded.digest == hashlib.sha256(b"NUMBER = 3").hexdigest()


def test_an_edited_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    first = load_object(f"{write(path, 'NUMBER = 3')}:NUMBER", "organism")
    second = load_object(f"{write(path, 'NUMBER = 4')}:NUMBER", "organism")
    assert (first.value, second.value) == (3, 4)
    assert first.digest != second.digest


def test_one_file_runs_once_so_that_classes_stay_the_same(tmp_path: Path) -> None:
    ref = write(tmp_path / "mine.py", "class Mine:\n    pass")
    assert load_object(f"{ref}:Mine", "technique").value is load_object(f"{ref}:Mine", "technique").value


def test_dataclasses_with_string_annotations_work(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass(frozen=True, slots=True)\nclass Mine:\n    x: int = 2\n"
    )
    assert load_object(f"{write(tmp_path / 'mine.py', source)}:Mine", "technique").value().x == 2


def test_the_name_may_be_left_out_when_there_is_one(tmp_path: Path) -> None:
    ref = write(tmp_path / "mine.py", "A = 3\nlabel = 'x'\n_B = 4")
    assert load_object(ref, "organism", expect=int).name == "A"
    with pytest.raises(UserError, match=r"needs the name of the organism in it. Write .*mine.py:NAME"):
        load_object(ref, "organism", expect=float)
    with pytest.raises(UserError, match=r"mine\.py:NAME"):
        load_object(ref, "organism")


def test_a_module_is_found_by_name() -> None:
    loaded = load_object("organoid.setups.careful:CAREFUL", "setup", expect=Setup)
    assert loaded.value.name == "careful"
    assert loaded.digest == hashlib.sha256(loaded.path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("source", "ref", "message"),
    [
        ("A = 1", "{}:B", r"'B' is not defined in .*mine.py. Names there: A\."),
        ("LOYAL = 1", "{}:LOYAK", "Did you mean 'LOYAL'"),
        ("A = 1", "{}:A", r"A is a int, not a setup: make it an organoid\.Setup"),
        ("x = = 1", "{}:A", r"not valid Python: invalid syntax \(line 1, column 5\)"),
        ("a\0b", "{}:A", "not valid Python"),
        ("\n1 / 0", "{}:A", "failed on line 2 with ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "{}:A", "failed on line 1 with SystemExit: 3"),
        ("A = 1", "{}:", r"mine.py'? needs the name|is not a reference"),
        ("A = 1", "{}:A B", "is not a reference. Write file.py:name"),
        ("A = 1", "{}x:A", "neither a .py file nor a module's name"),
        ("A = 1", "no_such_package.module:A", "'no_such_package.module' is not installed here"),
        ("A = 1", "organoid.types.nothing:A", "is not installed here"),
        ("A = 1", "sys:path", "has no source file"),
        (
            "from organoid import JobStage\n\nA = JobStage(stepz=3, kl=-1)",
            "{}:A",
            r"(?s)failed on line 3, making a JobStage:.*`kl` is -1; allowed: .*`stepz`. Did you mean 'steps'",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, source: str, ref: str, message: str) -> None:
    path = write(tmp_path / "mine.py", source)
    with pytest.raises(UserError, match=message):
        load_object(ref.format(path), "setup", expect=Setup)


def test_a_missing_file_is_named_with_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "mine.py", "A = 1")
    with pytest.raises(UserError, match=r"does not exist\. Did you mean 'mine\.py'"):
        load_object(f"{tmp_path}/mime.py:A", "setup")
    with pytest.raises(UserError, match="There is no folder"):
        load_object(f"{tmp_path}/nowhere/mine.py:A", "setup")


def test_a_file_that_is_no_text_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"not UTF-8 text \(byte 0\)"):
        load_object(f"{tmp_path}/binary.py:A", "setup")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(UserError, match="cannot be read: Is a directory"):
        load_object(f"{tmp_path}/folder.py:A", "setup")


def test_an_import_that_is_not_installed_is_a_prerequisite(tmp_path: Path) -> None:
    ref = write(tmp_path / "mine.py", "import numpy_of_tomorrow")
    with pytest.raises(PrerequisiteError, match="imports 'numpy_of_tomorrow' on line 1, which is not installed"):
        load_object(f"{ref}:A", "technique")


def test_an_interrupt_passes_through(tmp_path: Path) -> None:
    ref = write(tmp_path / "mine.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_object(f"{ref}:A", "technique")
