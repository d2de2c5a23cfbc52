"""The table of docs/techniques.md is what a run's result says, and no other study's."""

import pytest

from organoid.errors import UserError
from organoid.reporting.auditors_table import auditors_table

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
