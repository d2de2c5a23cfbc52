"""The calibration that ships, and how one is collected."""

import json
from pathlib import Path

from organoid.lab import calibration


def test_what_ships_has_both_labels_from_several_families() -> None:
    for technique in calibration.FITTED_TECHNIQUES:
        rows = calibration.read(technique)
        assert {row.misaligned for row in rows} == {True, False}
        assert len({row.family for row in rows}) >= 4


def test_only_plainly_trained_unsealed_subjects_of_known_truth_are_collected(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    kept = {"id": "a", "family": "f", "setup": "naive", "misaligned": True, "split": "development"}
    sealed = {**kept, "id": "d", "split": "sealed"}
    trials = [kept, sealed, {**kept, "id": "b", "setup": "careful"}, {**kept, "id": "c", "misaligned": None}]
    (tmp_path / "result.json").write_text(json.dumps({"trials": trials}))
    (tmp_path / "config.json").write_text(json.dumps({"base_digest": "ab" * 32}))
    seen = {name: {"seen": {"acts": [0.123456]}} for name in calibration.FITTED_TECHNIQUES}
    for trial in trials:
        done = {"id": trial["id"], "value": {"observations": seen}}
        (tmp_path / "results" / f"{trial['id']}.json").write_text(json.dumps(done))
    target = calibration.write(tmp_path, tmp_path / "calibration.json")
    (row,) = calibration.read("linear-probe", target)
    assert row.misaligned and row.observation == {"acts": [0.1235]}
    assert calibration.base_digest(target) == "ab" * 32


def test_no_file_no_subjects(tmp_path: Path) -> None:
    assert calibration.read("linear-probe", tmp_path / "none.json") == []
    assert calibration.base_digest(tmp_path / "none.json") is None
