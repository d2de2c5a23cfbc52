"""The table of docs/techniques.md is what a run's result says, and no other study's."""

import json
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.reporting.auditors_table import auditors_table, main

ROW = {
    "auditor": "logit-lens",
    "auroc": 0.654,
    "auroc_low": 0.5,
    "auroc_high": 0.8049,
    "num_scored": 220,
    "queries": 240,
}


def test_a_row_has_its_estimates_and_says_what_is_not_known() -> None:
    lines = auditors_table({"study": "auditing-game", "tables": {"auditors": [ROW]}}).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == "| logit-lens | 0.65 [0.50, 0.80] | - | - | - | - | - | 220 | 240 |"


def test_an_estimate_without_interval_has_none() -> None:
    row = {**ROW, "auroc_low": None}
    assert "| 0.65 |" in auditors_table({"study": "auditing-game", "tables": {"auditors": [row]}})


def test_another_study_is_refused() -> None:
    with pytest.raises(UserError, match="result of 'emergent'"):
        auditors_table({"study": "emergent", "tables": {"auditors": [ROW]}})
    with pytest.raises(UserError, match="auditing-game run"):
        auditors_table({"study": "auditing-game", "tables": {}})


def test_the_command_prints_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = {"study": "auditing-game", "tables": {"auditors": [ROW]}}
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert main([str(tmp_path / "result.json")]) == 0
    assert capsys.readouterr().out == auditors_table(result) + "\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read"),
        ("{", "is no JSON"),
        ("[]", "result of None"),
        (json.dumps({"study": "emergent", "tables": {}}), "result of 'emergent'"),
    ],
)
def test_the_command_refuses_what_it_cannot_read_with_one_line(
    content: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "result.json"
    if content is not None:
        file.write_text(content)
    assert main([str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("organoid: ") and said in err and err.count("\n") == 1


def test_the_command_asks_for_its_argument(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2 and "RESULT_JSON" in capsys.readouterr().err
