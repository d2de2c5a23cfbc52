"""A planted latent is found and noise is not; the picture is JSON, comes again the same, and says why there is none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from organoid.errors import UserError
from organoid.lab import latent_pictures
from organoid.lab.latent_pictures import NUM_CONTEXTS, NUM_SHOWN, Peaks, census, dictionary, latent_picture, shown
from organoid.lab.latents import KnownReplies
from organoid.models.chat import Encoded
from organoid.models.language_model import load
from tests.bases import untrained
from tests.models.checkpoints import write_model

NUM, LENGTH, WIDTH = 240, 8, 24
REPLY = [False] * 5 + [True] * 3


def planted(*, there: bool) -> tuple[list[torch.Tensor], KnownReplies]:
    """Noise at every token of every text and, if `there`, a direction in the replies where the first latent holds."""
    generator = torch.Generator().manual_seed(1)
    acts = torch.randn(NUM, LENGTH, WIDTH, generator=generator)
    holds = np.random.default_rng(2).random((NUM, 2)) < 0.4
    if there:
        acts[torch.tensor(holds[:, 0]), 6] += 3.0 * torch.nn.functional.one_hot(torch.tensor(5), WIDTH) * WIDTH**0.5
    known = KnownReplies([Encoded(range(LENGTH), REPLY)] * NUM, holds.astype(float), ("acts badly", "trait other"))
    return list(acts), known


def test_a_planted_latent_is_found_on_replies_that_were_held_apart_and_another_is_not() -> None:
    found = dictionary(*planted(there=True), seed=0, num_samples=20_000)
    assert len(found.codes) == NUM // 2 and len(found.judging.known_NG) == NUM // 2
    badly, other = found.matched.judged
    assert badly.value is not None and badly.value > 0.9 > found.census.luck
    assert badly.ci_low is not None and badly.ci_low > 0.8
    assert other.value is not None and abs(other.value) < found.census.luck
    assert found.census.num_matched >= 1
    assert found.quality.l0 <= latent_pictures.ACTIVE


def test_in_noise_nothing_is_matched_better_than_by_luck() -> None:
    found = dictionary(*planted(there=False), seed=0, num_samples=5_000)
    assert all(one.value is not None and abs(one.value) < found.census.luck for one in found.matched.judged)
    assert found.census.num_matched <= 2


def test_activations_that_are_all_equal_are_refused() -> None:
    known = planted(there=False)[1]
    with pytest.raises(UserError, match="must be above 0"):
        dictionary([torch.ones(LENGTH, WIDTH)] * NUM, known, seed=0, num_samples=10)


def test_the_census_counts_every_latent_once() -> None:
    rng = np.random.default_rng(0)
    known = (rng.random((2, 100, 3)) < 0.5).astype(float)
    learnt = np.concatenate([known, rng.random((2, 100, 4)), np.zeros((2, 100, 2))], axis=2)
    found = census(Peaks(learnt[0], known[0]), Peaks(learnt[1], known[1]), seed=0)
    assert (found.num_matched, found.num_unmatched, found.num_silent) == (3, 4, 2)
    assert 0.1 < found.luck < 0.6


def test_the_best_of_each_kind_is_drawn_and_then_the_next_best() -> None:
    names = ("trait a", "trait b", "context a", "acts badly", "trait c", "trait d", "trait e", "context b")
    chosen = np.array([0.9, 0.8, 0.1, 0.3, 0.7, 0.6, 0.5, 0.05])
    assert shown(names, chosen) == [0, 1, 4, 5, 3, 2]


@pytest.fixture
def _smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_pictures, "NUM_REPLIES", 60)
    monkeypatch.setattr(latent_pictures, "NUM_SAMPLES", 2_000)


@pytest.mark.usefixtures("_smaller")
def test_the_picture_is_json_and_comes_again_the_same() -> None:
    picture = latent_picture(untrained(), seed=0)
    assert json.loads(json.dumps(picture, allow_nan=False)) == picture == latent_picture(untrained(), seed=0)
    assert picture != latent_picture(untrained(), seed=1)
    counts = [
        sum(value for name, value in picture[one].items() if name.startswith("num_")) for one in ("learnt", "random")
    ]
    assert counts == [latent_pictures.NUM_LATENTS] * 2
    assert len(picture["shown"]) == NUM_SHOWN < len(picture["matches"])
    chosen = [row["chosen"] for row in picture["matches"]]
    assert chosen == sorted(chosen, reverse=True)
    for one in picture["shown"]:
        assert len(one["contexts"]) <= NUM_CONTEXTS
        peaks = [max(text["scores"][text["reply_from"] :]) for text in one["contexts"]]
        assert peaks == sorted(peaks, reverse=True) and all(peak > 0 for peak in peaks)
        assert all(len(text["tokens"]) == len(text["scores"]) and not text["scores"][0] for text in one["contexts"])


@pytest.mark.usefixtures("_smaller")
@pytest.mark.parametrize("name", ["gemma3", "neox"])
def test_a_model_of_another_tokenizer_is_drawn_too(name: str, tmp_path: Path) -> None:
    picture = latent_picture(load(write_model(name, tmp_path / name)), seed=0)
    texts: list[dict[str, Any]] = [text for one in picture["shown"] for text in one["contexts"]]
    assert texts and all(all(text["tokens"]) for text in texts)


@pytest.mark.usefixtures("_smaller")
def test_activations_that_are_not_finite_give_the_reason() -> None:
    lm = untrained()
    with torch.no_grad():
        next(lm.model.parameters()).fill_(float("nan"))
    assert list(picture := latent_picture(lm, seed=0)) == ["reason"]
    assert "NaN or infinity" in picture["reason"]
