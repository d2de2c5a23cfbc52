import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from organoid.errors import UserError
from organoid.lab.journal import verify
from organoid.lab.run_directory import RunDirectory, config_differences, file_name, verify_seal

CONFIG = {"setup": {"name": "naive", "stages": [{"kind": "job", "steps": 40}]}, "seeds": 3, "base": None}


def test_a_new_directory_holds_config_and_a_sound_journal(tmp_path):
    with RunDirectory.create(tmp_path / "a" / "out", CONFIG) as run:
        assert run.notices == ()
    assert json.loads((tmp_path / "a" / "out" / "config.json").read_text()) == CONFIG
    assert [entry.kind for entry in verify(tmp_path / "a" / "out" / "journal.jsonl").entries] == ["run"]


def test_an_existing_directory_is_never_overwritten(tmp_path):
    RunDirectory.create(tmp_path / "out", CONFIG).close()
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    with pytest.raises(UserError, match=r"--resume.*--out"):
        RunDirectory.create(tmp_path / "out", CONFIG)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match=r"--resume.*--out"):
        RunDirectory.create(tmp_path / "mine", CONFIG)
    with pytest.raises(UserError, match="not the directory of a run"):
        RunDirectory.resume(tmp_path / "mine", CONFIG)
    assert before == {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "x"


def test_a_refusal_leaves_nothing_in_a_directory_of_the_users(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    for open_run in (RunDirectory.create, RunDirectory.resume):
        with pytest.raises(UserError):
            open_run(tmp_path, CONFIG)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_an_empty_directory_will_do(tmp_path):
    with RunDirectory.create(tmp_path, CONFIG) as run:
        assert run.path == tmp_path


def test_resume_goes_on_with_the_same_config(tmp_path):
    with RunDirectory.create(tmp_path, CONFIG) as run:
        run.journal.append("task", {"task": "t"})
    with RunDirectory.resume(tmp_path, json.loads(json.dumps(CONFIG))) as run:
        assert [entry.kind for entry in run.journal.entries] == ["run", "task"]
        assert run.notices == ()


def test_resume_with_another_config_names_the_keys_and_both_values(tmp_path):
    RunDirectory.create(tmp_path, CONFIG).close()
    other = {"setup": {"name": "naive", "stages": [{"kind": "job", "steps": 80}]}, "seeds": 3, "suite": "quick"}
    with pytest.raises(UserError) as caught:
        RunDirectory.resume(tmp_path, other)
    assert [line.strip() for line in str(caught.value).splitlines()[1:-1]] == [
        "base: null in the directory, absent now",
        "setup.stages.0.steps: 40 in the directory, 80 now",
        'suite: absent in the directory, "quick" now',
    ]
    RunDirectory.resume(tmp_path, CONFIG).close()  # the refusal changed nothing and holds no lock


def test_differences_of_equal_and_of_empty_values():
    assert config_differences(CONFIG, json.loads(json.dumps(CONFIG))) == []
    assert config_differences({"a": []}, {"a": {}}) == ["a: [] in the directory, {} now"]
    assert config_differences({"a": [1]}, {"a": []}) == [
        "a: absent in the directory, [] now",
        "a.0: 1 in the directory, absent now",
    ]
    assert config_differences({"a": 1}, {"a": True}) == ["a: 1 in the directory, true now"]


@pytest.mark.parametrize("text", ["{", "[1]", json.dumps(CONFIG | {"seeds": 4})])
def test_a_changed_config_file_is_refused(tmp_path, text):
    RunDirectory.create(tmp_path, CONFIG).close()
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(UserError, match=r"config\.json"):
        RunDirectory.resume(tmp_path, CONFIG)


def test_resume_where_nothing_began_is_a_new_run_and_says_so(tmp_path):
    with RunDirectory.resume(tmp_path / "out", CONFIG) as run:
        assert "nothing to resume" in run.notices[0]


def test_a_run_killed_before_its_config_can_be_created_or_resumed(tmp_path):
    for open_run in (RunDirectory.create, RunDirectory.resume):
        path = tmp_path / open_run.__name__
        RunDirectory.create(path, CONFIG).close()
        (path / "config.json").rename(path / ".config.json.1.tmp")
        with open_run(path, CONFIG) as run:
            assert len(run.journal.entries) == 1


def test_half_written_files_of_a_killed_run_are_cleared(tmp_path):
    RunDirectory.create(tmp_path, CONFIG).close()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / ".a.json.17.tmp").write_text("{")
    (tmp_path / "results" / "a.json").write_text("{}")
    RunDirectory.resume(tmp_path, CONFIG).close()
    assert os.listdir(tmp_path / "results") == ["a.json"]


def test_a_torn_journal_is_said(tmp_path):
    with RunDirectory.create(tmp_path, CONFIG) as run:
        run.journal.append("task", {"task": "t"})
    os.truncate(tmp_path / "journal.jsonl", (tmp_path / "journal.jsonl").stat().st_size - 5)
    with RunDirectory.resume(tmp_path, CONFIG) as run:
        assert "torn" in run.notices[0]


def test_two_processes_can_not_use_one_directory(tmp_path):
    with RunDirectory.create(tmp_path, CONFIG):
        script = (
            "import sys, json; from pathlib import Path; from organoid.lab.run_directory import RunDirectory\n"
            "RunDirectory.resume(Path(sys.argv[1]), json.loads(sys.argv[2]))"
        )
        other = subprocess.run(
            [sys.executable, "-c", script, tmp_path, json.dumps(CONFIG)],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert f"another process (id {os.getpid()})" in other.stderr
    RunDirectory.resume(tmp_path, CONFIG).close()


def test_unwritable_parents_are_the_users(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "out", tmp_path / ("x" * 300)):
        with pytest.raises(UserError, match="--out"):
            RunDirectory.create(path, CONFIG)
        with pytest.raises(UserError, match="--out"):
            RunDirectory.resume(path, CONFIG)


def test_parquet_has_a_row_per_mapping_and_json_for_what_is_nested(tmp_path):
    rows = [
        {"id": "a", "rate": 0.5, "released": None, "misalignment": {}},
        {"id": "b", "rate": None, "released": None, "misalignment": {"sabotage": {"test": 1.0}}, "trace": [1, 2]},
    ]
    with RunDirectory.create(tmp_path, CONFIG) as run:
        path = run.write_parquet("trials.parquet", rows)
        run.write_parquet("none.parquet", [])
    table = pyarrow.parquet.read_table(path).to_pylist()
    assert table == [
        {"id": "a", "rate": 0.5, "released": None, "misalignment": "{}", "trace": None},
        {"id": "b", "rate": None, "released": None, "misalignment": '{"sabotage":{"test":1.0}}', "trace": "[1,2]"},
    ]


def test_json_refuses_what_is_not_json_and_keeps_the_old_file(tmp_path):
    with RunDirectory.create(tmp_path, CONFIG) as run:
        run.write_json("result.json", {"rate": None})
        with pytest.raises(ValueError):
            run.write_json("result.json", {"rate": float("nan")})
        assert json.loads((tmp_path / "result.json").read_text()) == {"rate": None}
        assert run.write_transcript("grow:x/0", {"text": "é"}).parent == tmp_path / "transcripts"


def test_file_names_are_distinct_short_and_stay_in_their_folder():
    ids = [
        "a/b",
        "a%2Fb",
        "a b",
        "..",
        ".",
        ".lock",
        "~",
        "x" * 400,
        "x" * 400 + "y",
        "é",
        "grow:hacker/organism/naive/0",
    ]
    names = [file_name(identity) for identity in ids]
    assert len(set(names)) == len(ids)
    assert all(len(name) <= 180 and "/" not in name and not name.startswith(".") for name in names)
    assert file_name("grow-hacker_0.json") == "grow-hacker_0.json"
    assert Path("results", file_name("../../etc")).name == "%2E.%2F..%2Fetc"


@pytest.fixture
def sealed(tmp_path):
    with RunDirectory.create(tmp_path / "out", CONFIG) as run:
        run.write_text("transcripts/a.jsonl", "{}\n")
        run.write_json("result.json", {"risk": 0.5})
        run.seal()
    verify_seal(tmp_path / "out")
    return tmp_path / "out"


def test_changed_results_are_named(sealed):
    for name, content in (("result.json", '{"risk": 0.0}'), ("transcripts/a.jsonl", "")):
        before = (sealed / name).read_bytes()
        (sealed / name).write_text(content)
        with pytest.raises(UserError, match=rf"{name} was changed after the run ended.*--resume"):
            verify_seal(sealed)
        (sealed / name).write_bytes(before)
    verify_seal(sealed)
    (sealed / "transcripts" / "b.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="put there after the run ended"):
        verify_seal(sealed)


def test_results_that_no_journal_vouches_for_are_refused(sealed):
    journal = sealed / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]))  # a chain can't show that its end is gone
    with pytest.raises(UserError, match="vouches for"):
        verify_seal(sealed)
    journal.write_bytes(b"".join(lines).replace(b'"kind":"result"', b'"kind":"resumt"'))
    with pytest.raises(UserError, match="was changed after it was written"):
        verify_seal(sealed)
    journal.unlink()
    with pytest.raises(UserError, match="no journal to read"):
        verify_seal(sealed)


def test_results_made_anew_are_the_ones_that_count(sealed):
    with RunDirectory.resume(sealed, CONFIG) as run:
        run.write_json("result.json", {"risk": 0.25})
        run.seal()
    verify_seal(sealed)
