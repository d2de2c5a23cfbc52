"""An autoencoder's latents as rows and as shaded words; text from a model stays text, and an old result has none."""

import json
from pathlib import Path
from typing import Any

import pytest

from organoid.reporting import latent_pictures
from organoid.reporting.html import write_report
from tests.reporting.test_pictures import EVIL, a_result

LONG = [f"w{index}" for index in range(60)]


def a_latents(**changed: Any) -> dict[str, Any]:
    summary = {"fvu": 0.05, "l0": 8.0, "dead_frac": 0.02, "luck": 0.25}
    counts = {"num_silent": 6, "num_unmatched": 100, "num_matched": 150}
    bad = {"known": "acts badly", "latent": 57, "chosen": 0.75, "correlation": -0.78, "correlation_ci": [-0.86, -0.7]}
    silent = {"correlation": None, "correlation_ci": None, "correlation_reason": "one of the two is constant"}
    text = {"holds": True, "tokens": ["say", EVIL, "yes", "."], "scores": [0.0, 9.0, 4.0, 0.0], "reply_from": 2}
    long = {"holds": False, "tokens": LONG, "scores": [0.0] * 40 + [3.0] + [0.0] * 19, "reply_from": 35}
    return {
        "layer": 1,
        "num_replies": 320,
        "num_latents": 256,
        "active": 8,
        "learnt": {**summary, **counts},
        "random": {**summary, **counts, "num_unmatched": 111, "num_matched": 139, "fvu": 0.8},
        "matches": [
            {**bad, "random": 0.72, "random_ci": [0.6, 0.8]},
            {**bad, "known": EVIL, **silent, "random": 0.1, "random_ci": [0.0, 0.2]},
        ],
        "shown": [
            {"known": "acts badly", "latent": 57, "contexts": [text, long]},
            {"known": EVIL, "latent": 3, "contexts": []},
        ],
        **changed,
    }


def test_a_text_is_cut_around_the_strongest_token_of_the_reply() -> None:
    whole, cut = latent_pictures.view(a_latents()).latents[0].texts
    assert [word.shade for word in whole.words] == ["", "p4", "p2", ""]
    assert not whole.cut_before and not whole.cut_after
    assert [word.text for word in cut.words] == LONG[40 - latent_pictures.BEFORE : 41 + latent_pictures.AFTER]
    assert cut.cut_before and cut.cut_after


def test_rows_hold_every_match_and_every_token() -> None:
    assert len(latent_pictures.token_rows(a_latents())) == 4 + len(LONG)
    first, second = latent_pictures.match_rows(a_latents())
    assert (first["correlation_value"], first["random_high"]) == (-0.78, 0.8)
    assert second["correlation_value"] is None and "constant" in second["correlation_reason"]
    assert [row["dictionary"] for row in latent_pictures.quality_rows(a_latents())] == ["learnt", "random"]


def test_latents_that_go_with_nothing_include_those_that_never_fire() -> None:
    found = latent_pictures.view(a_latents())
    assert (found.num_unmatched, found.num_unmatched_random) == ("106", "117")


def page_of(latents: dict[str, Any] | None, directory: Path) -> str:
    result = a_result() if latents is None else a_result(latents=latents)
    (directory / "result.json").write_text(json.dumps(result))
    return write_report(directory).read_text()


def test_the_page_draws_escapes_and_says_what_a_match_is(tmp_path: Path) -> None:
    page = page_of(a_latents(), tmp_path)
    assert "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page.split('id="latents"')[1]
    for words in (
        "A match is a correlation",
        "106 of 256 latents matched nothing that is known better than by luck",
        "it fires where this does not hold",
        "It fires in no judged reply",
        "not estimable:",
    ):
        assert words in page
    for twin in ("latent_quality", "latent_matches", "latent_tokens"):
        assert (tmp_path / f"tables/{twin}.csv").exists() and f"tables/{twin}.json" in page


@pytest.mark.parametrize(
    ("latents", "words"),
    [
        (None, "Not drawn: the examination kept none"),
        ({"reason": f"{EVIL} refuses"}, "Not drawn: &lt;script&gt;alert(1)&lt;/script&gt; refuses."),
        (a_latents(matches=[3], shown=["x", {"contexts": [4]}], learnt="?"), "not recorded"),
    ],
)
def test_without_a_picture_the_page_says_why(latents: dict[str, Any] | None, words: str, tmp_path: Path) -> None:
    page = page_of(latents, tmp_path)
    assert words in page and "<script>alert" not in page
