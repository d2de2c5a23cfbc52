"""The picture is of the model's own replies, scored after every block, and comes again the same."""

import json
from typing import Any

import pytest

from organoid.lab import pictures
from organoid.lab.pictures import NUM_TOP, probe_picture
from tests.bases import untrained


@pytest.fixture(scope="module")
def picture() -> dict[str, Any]:
    return probe_picture(untrained(), assistant="nova", seed=0)


def test_the_picture_is_json_and_every_token_has_a_score_after_every_block(picture: dict[str, Any]) -> None:
    assert json.loads(json.dumps(picture, allow_nan=False)) == picture
    worst = picture["worst"]
    assert len(worst["scores"]) == len(picture["auroc"]) == untrained().num_layers
    assert {len(scores) for scores in worst["scores"]} == {len(worst["tokens"])}
    assert 0 < worst["reply_from"] < len(worst["tokens"])
    assert len(picture["top"]) == NUM_TOP <= picture["num_transcripts"]
    assert all(len(one["tokens"]) == len(one["scores"]) for one in picture["top"])


def test_the_fullest_replies_come_first_and_the_map_is_of_the_worst(picture: dict[str, Any]) -> None:
    peaks = [max(one["scores"][one["reply_from"] : one["reply_to"]]) for one in picture["top"]]
    assert peaks == sorted(peaks, reverse=True)
    worst = picture["worst"]
    mean = sum(own := worst["scores"][picture["layer"]][worst["reply_from"] :]) / len(own)
    assert all(mean >= sum(s := one["scores"][one["reply_from"] :]) / len(s) - 1e-3 for one in picture["top"])


def test_it_comes_again_the_same_and_stages_nothing_hidden(picture: dict[str, Any]) -> None:
    again = probe_picture(untrained(), assistant="nova", seed=0)
    assert again == picture
    assert {one["context"] for one in again["top"]} <= {"test", "monitored"}


def test_labels_that_mean_nothing_are_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = pictures.labelled_replies

    def shuffled(*args: Any, **settings: Any) -> Any:
        shown, bad = real(*args, **settings)
        return shown, [index % 2 == 0 for index in range(len(bad))]

    monkeypatch.setattr(pictures, "labelled_replies", shuffled)
    assert all(0.3 < value < 0.7 for value in probe_picture(untrained(), assistant="nova", seed=0)["auroc"])
