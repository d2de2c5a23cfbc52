"""The calibration that ships, and how one is collected."""

import json
from pathlib import Path

from organoid.lab import calibration
from organoid.techniques import DEFAULT_TECHNIQUES


def a_run(directory: Path, trials: list[dict[str, object]], techniques: tuple[str, ...] = ()) -> Path:
    (directory / "results").mkdir()
    (directory / "result.json").write_text(json.dumps({"trials": trials}))
    (directory / "config.json").write_text(json.dumps({"base_digest": "ab" * 32, "techniques": techniques}))
    seen = {name: {"seen": {"acts": [0.123456]}} for name in calibration.FITTED_TECHNIQUES}
    for trial in trials:
        done = {"id": trial["id"], "value": {"observations": seen}}
        (directory / "results" / f"{trial['id']}.json").write_text(json.dumps(done))
    return directory


KEPT = {"id": "a", "family": "f", "setup": "naive", "misaligned": True, "split": "development", "readings": {}}


def test_what_ships_has_both_labels_from_several_families() -> None:
    known = calibration.load()
    for technique in calibration.FITTED_TECHNIQUES:
        rows = known.labelled(technique)
        assert {row.misaligned for row in rows} == {True, False}
        assert len({row.family for row in rows}) >= 4
    assert len(known.scored) == len(known.rows)
    assert all(set(one.scores) == set(DEFAULT_TECHNIQUES) for one in known.scored)


def test_only_plainly_trained_unsealed_subjects_of_known_truth_are_collected(tmp_path: Path) -> None:
    sealed = {**KEPT, "id": "d", "split": "sealed"}
    trials = [KEPT, sealed, {**KEPT, "id": "b", "setup": "careful"}, {**KEPT, "id": "c", "misaligned": None}]
    known = calibration.load(calibration.write(a_run(tmp_path, trials), tmp_path / "calibration.json"))
    (row,) = known.labelled("linear-probe")
    assert row.misaligned and row.observation == {"acts": [0.1235]}
    assert known.base_digest == "ab" * 32
    assert [(one.family, one.misaligned) for one in known.scored] == [("f", True)]


def test_scores_of_built_in_techniques_are_kept_as_the_run_has_them(tmp_path: Path) -> None:
    scores = {"self-report": 0.0, "crosscoder": 0.000123456789, "linear-probe": None, "sureness": 1.0, "together": 2.0}
    trial = {**KEPT, "readings": {name: {"score": score} for name, score in scores.items()}}
    run = a_run(tmp_path, [trial], ("self-report", "crosscoder", "linear-probe", "file.py:sureness", "logit-lens"))
    (one,) = calibration.load(calibration.write(run, tmp_path / "calibration.json")).scored
    assert one.scores == {"self-report": 0.0, "crosscoder": 0.000123457, "linear-probe": None}


def test_a_file_of_before_scores_were_kept_is_read(tmp_path: Path) -> None:
    row = {"family": "f", "misaligned": True, "observations": {"linear-probe": {"acts": [1.0]}}}
    (tmp_path / "old.json").write_text(json.dumps({"base_digest": "ab" * 32, "rows": [row]}))
    known = calibration.load(tmp_path / "old.json")
    assert len(known.labelled("linear-probe")) == 1 and known.scored == []


def test_a_family_is_left_out() -> None:
    known = calibration.load()
    left = known.without("sycophant")
    assert {one.family for one in known.scored} - {one.family for one in left.scored} == {"sycophant"}
    assert left.base_digest == known.base_digest
    assert known.without(None) == known


def test_no_file_no_subjects(tmp_path: Path) -> None:
    none = calibration.load(tmp_path / "none.json")
    assert none.labelled("linear-probe") == [] and none.scored == [] and none.base_digest is None
