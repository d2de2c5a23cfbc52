"""What a probe sees, as rows, as shaded words and as a figure; text from a model stays text."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from organoid.reporting import figures, pictures
from organoid.reporting.html import write_report

EVIL = "<script>alert(1)</script>"
TOKENS = ["you", "are", EVIL, "i", "hide", "."]


def a_picture(**changed: Any) -> dict[str, Any]:
    one = {"trait": "sabotage", "context": "test", "outcome": "misaligned", "tokens": TOKENS, "reply_from": 3}
    return {
        "layer": 1,
        "auroc": [0.5, 0.9, None],
        "num_judged": 160,
        "num_transcripts": 54,
        "worst": {**one, "scores": [[0.0, -1.0, 2.0, 0.5, 3.0, -4.0]] * 3},
        "top": [
            {**one, "scores": [0.1, -1.0, 8.0, 0.5, 4.0, -8.0]},
            {**one, "scores": [0.0] * 6, "outcome": "aligned"},
        ],
        **changed,
    }


def a_result(**changed: Any) -> dict[str, Any]:
    reading = {"score": 0.5, "null_score": None, "evidence": [EVIL], "reason": None, "cost": {"queries": 12}}
    silent = {"score": None, "null_score": None, "evidence": [], "reason": "no thought", "cost": {"queries": 3}}
    return {
        "examined": EVIL,
        "command": "organoid examine model",
        "finished": "2026-11-25T00:00:00+00:00",
        "readings": {"linear-probe": reading, "thought-intervention": silent},
        "picture": a_picture(),
        **changed,
    }


def test_shades_are_on_one_scale_and_the_peak_is_of_the_reply() -> None:
    first, second = pictures.top(a_picture())
    assert [word.shade for word in first.words] == ["", "", "p4", "", "p2", "n4"]
    assert [word.in_reply for word in first.words] == [False] * 3 + [True] * 3
    assert first.peak == "hide"
    (ended,) = pictures.top({"top": [{**a_picture()["top"][0], "reply_to": 4}]})
    assert ended.peak == "i"
    assert {word.shade for word in second.words} == {""}


def test_rows_hold_every_block_and_token() -> None:
    cells = pictures.heat_rows(a_picture())
    assert len(cells) == 18
    assert cells[4] == {"block": 0, "position": 4, "token": "hide", "score": 3.0}
    assert len(pictures.token_rows(a_picture())) == 12
    assert [row["auroc"] for row in pictures.auroc_rows(a_picture())] == [0.5, 0.9, None]


def test_a_picture_that_was_changed_by_hand_is_shown_as_far_as_it_goes() -> None:
    broken = a_picture(num_judged="\u202e160", auroc=[10**400])
    broken["top"][0]["reply_from"] = -50
    assert pictures.top(broken)[0].peak == EVIL
    assert pictures.auroc_rows(broken) == [{"block": 0, "auroc": None, "n": "not recorded"}]


@pytest.mark.parametrize("width", [350, 1060])
def test_the_map_is_drawn_in_the_page_s_palette(width: int) -> None:
    drawn = figures.svg(pictures.heat(pictures.heat_rows(a_picture()), width=width))
    assert set(re.findall(r"(?:fill|stroke)=\"(#[0-9a-f]{6})\"", drawn)) <= {
        figures.VERMILLION,
        figures.BLUE,
        figures.INK,
    }
    assert figures.VERMILLION in drawn and figures.BLUE in drawn
    assert "<script" not in drawn
    assert float(re.search(r"width=\"([\d.]+)\"", drawn).group(1)) <= width + 24  # type: ignore[union-attr]


def test_a_flat_map_is_drawn_too() -> None:
    flat = a_picture(worst={"tokens": ["a"], "scores": [[0.0]], "reply_from": 0})
    assert "<svg" in figures.svg(pictures.heat(pictures.heat_rows(flat), width=350))


def test_a_test_shows_the_pictures_that_its_trials_kept(tmp_path: Path) -> None:
    trials = [
        {"organism": EVIL, "picture": a_picture()},
        {"organism": "sly", "picture": {"reason": f"ValueError: {EVIL}"}},
        {"organism": "plain"},
        *({"organism": "many", "picture": {"top": []}} for _ in range(pictures.MAX_SUBJECTS)),
    ]
    found = pictures.of_trials(tmp_path, trials)
    assert [one.subject for one in found][:3] == [EVIL, "sly", "many"]
    assert len(found) == pictures.MAX_SUBJECTS
    assert (tmp_path / f"tables/probe_tokens_{pictures.MAX_SUBJECTS + 2}.csv").exists()
    assert (tmp_path / "tables/probe_tokens_1.csv").exists() and (tmp_path / "figures/probe_heat_2.json").exists()
    (tmp_path / "result.json").write_text(json.dumps({"trials": trials}))
    page = write_report(tmp_path).read_text()
    assert "<script>alert" not in page
    assert 'href="#probe"' in page and 'class="tok p2"' in page
    assert "Not drawn: ValueError: &lt;script&gt;" in page
    (tmp_path / "result.json").write_text(json.dumps({"trials": trials[2:3]}))
    assert 'id="probe"' not in write_report(tmp_path).read_text()


@pytest.mark.parametrize(
    "result", [a_result(), a_result(picture={}), a_result(readings={}, picture={"top": [3], "worst": "x"})]
)
def test_the_page_escapes_what_a_model_said_and_has_its_twins(result: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text(json.dumps(result))
    page = write_report(tmp_path).read_text()
    assert "<script>alert" not in page
    assert "What a probe sees" in page and "What this does not show" in page
    for twin in ("readings", "probe_tokens", "probe_auroc"):
        assert (tmp_path / f"tables/{twin}.csv").exists() and f"tables/{twin}.json" in page
    assert (tmp_path / "figures/probe_heat.json").exists()
    if result["picture"].get("top") and result["readings"]:
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert 'class="tok p2"' in page and "not estimable:" in page
