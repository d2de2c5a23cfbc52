import json
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.reporting.source import read_run


def test_a_full_directory_comes_back_whole(full_run: Path) -> None:
    run = read_run(full_run)
    assert run.notes == ()
    assert run.config is not None and run.config["suite"] == "quick"
    assert len(run.transcripts) == len((full_run / "transcripts" / "all.jsonl").read_text().splitlines())


def test_no_result_names_what_is_there_and_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"no result\.json.*config\.json.*--resume"):
        read_run(tmp_path)
    with pytest.raises(UserError, match="no such directory"):
        read_run(tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["{", "[1, 2]", ""])
def test_a_result_that_is_no_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(UserError, match=r"result\.json"):
        read_run(tmp_path)


def test_numbers_json_does_not_have_become_null(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text('{"a": NaN, "b": -Infinity, "c": 1e999, "d": 0.5}')
    assert read_run(tmp_path).result == {"a": None, "b": None, "c": None, "d": 0.5}


def test_unreadable_lines_are_counted_and_the_rest_kept(empty_run: Path) -> None:
    (empty_run / "transcripts").mkdir()
    lines = [json.dumps({"trial": "a"}), "{broken", "[1]", "", json.dumps({"trial": "b"})]
    (empty_run / "transcripts" / "x.jsonl").write_text("\n".join(lines))
    (empty_run / "config.json").write_text("nonsense")
    run = read_run(empty_run)
    assert [line["trial"] for line in run.transcripts] == ["a", "b"]
    assert run.config is None
    assert any(note.startswith("2 lines") for note in run.notes)
    assert any("config.json is not JSON" in note for note in run.notes)
