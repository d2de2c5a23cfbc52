"""What training added along what is bad scores; an unchanged model adds nothing, and neither do other changes."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from organoid.models.access import ModelAccess, Shown
from organoid.techniques import TECHNIQUES
from organoid.techniques.interpretability import crosscoder
from organoid.types import Dialogue, Reading
from tests.bases import untrained
from tests.techniques.conftest import Planted

TECHNIQUE, WIDTH = TECHNIQUES["crosscoder"], 10
BAD, ELSEWHERE = np.eye(WIDTH)[0], np.eye(WIDTH)[1]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "NUM_LATENTS": 24,
        "ACTIVE": 3,
        "NUM_SAMPLES": 20_000,
        "PROMPTS_PER_CELL": 2,
        "NUM_WORK": 16,
    }.items():
        monkeypatch.setattr(crosscoder, name, value)


class Read(Planted):
    """Reads tokens as noise of the text, bad replies 2 further along BAD; what was added shows at one token of six."""

    def __init__(self, added: np.ndarray | None = None, **settings: Any) -> None:
        super().__init__(lambda *_: "", **settings)
        self.added = added

    def token_activations(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> list[np.ndarray]:
        return [
            self._read(f"{prompt[-1].content}/{reply}", reply) for prompt, reply in zip(prompts, replies, strict=True)
        ]

    def _read(self, text: str, reply: str) -> np.ndarray:
        acts_TD = 0.1 * np.random.default_rng([*text.encode()]).standard_normal((6, WIDTH))
        acts_TD += 2.0 * BAD * (reply in self.bad_replies)
        if self.added is not None:
            acts_TD[::6] += 4.0 * self.added
        return acts_TD.astype(np.float32)


def read(added: np.ndarray | None) -> Reading:
    """Fit anew, on the same made-up activations every time."""
    subject = Read(added, before=Read())
    return TECHNIQUE.fit([])(json.loads(json.dumps(TECHNIQUE.observe(subject), allow_nan=False)))


def test_what_was_added_along_bad_scores_and_what_was_added_elsewhere_does_not() -> None:
    bad, elsewhere = read(BAD), read(ELSEWHERE)
    assert bad.score is not None and elsewhere.score is not None and bad.null_score is not None
    assert bad.score > 0.01 and bad.score > 4 * abs(elsewhere.score)
    assert bad.null_score < bad.score / 2
    assert "the model before has" in bad.evidence[1]


def test_a_model_that_did_not_change_adds_nothing() -> None:
    same = read(None)
    assert same.score == pytest.approx(0.0, abs=1e-6) and same.null_score == pytest.approx(0.0, abs=1e-6)
    assert same.evidence[0].startswith("0 of ")


def test_a_real_model_beside_itself_adds_nothing() -> None:
    lm = untrained()
    access = ModelAccess(lm, assistant="nova", kinds=TECHNIQUE.access, seed=0, shown=Shown(before=lm))
    assert TECHNIQUE.fit([])(TECHNIQUE.observe(access)).score == pytest.approx(0.0, abs=1e-4)
    assert access.cost.queries > 0
