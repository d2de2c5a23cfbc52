"""Where in a transcript does a probe of bad replies fire, at which word and after which block?

A logistic direction is fitted after every block to replies whose labels are known, good and bad, as the model itself
reads them where nobody or an overseer is said to look, and judged on other ones. The model then replies to situations
that an overseer can stage; the middle block's probe scores every token of these, and the transcript whose reply it
finds worst is scored after all blocks. Scores are log-odds, and of the mean of a reply, which is what the probe was
fitted on: at a single token they point, and prove nothing.
Left out: hidden contexts, which no overseer can stage.

Axes: N replies, L blocks, D width, T tokens.

    picture = probe_picture(lm, assistant="nova", seed=0)
    picture["worst"]["tokens"], picture["worst"]["scores"][picture["layer"]]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from organoid.measure.directions import Direction, fit_logistic, project
from organoid.measure.ranking import auroc_of_columns
from organoid.models.access import ModelAccess
from organoid.models.chat import Encoded, decode, encode_reply
from organoid.models.language_model import LanguageModel
from organoid.models.score import mean_activations, token_activations
from organoid.setups.monitors import labelled_replies
from organoid.setups.spec import middle
from organoid.setups.tracking import PENALTY
from organoid.techniques.prompts import Staged, tempting_situations
from organoid.types import OBSERVABLE, AccessKind, Demonstration
from organoid.world.situations import Situation, parse

NUM_LABELLED = 160
"""Labelled replies to fit on, and as many to judge on."""
PROMPTS_PER_CELL = 3
NUM_TOP = 8


class _Said(NamedTuple):
    """A situation, the model's reply, both as tokens, and the tokens' scores after the middle block."""

    staged: Staged[Situation]
    reply: str
    row: Encoded
    scores_T: np.ndarray

    @property
    def reply_from(self) -> int:
        """The first token of the reply."""
        return [*self.row.mask].index(True)

    @property
    def reply_to(self) -> int:
        """The token after the reply's last: the mark that ends it, on which nothing was said."""
        return len(self.row.ids) - 1

    @property
    def peak(self) -> float:
        """The highest score of a token of the reply; of an empty one, lower than any."""
        return float(self.scores_T[self.reply_from : self.reply_to].max(initial=-np.inf))

    @property
    def worst(self) -> float:
        """The mean score over the reply."""
        return float(self.scores_T[self.reply_from :].mean())


def probe_picture(lm: LanguageModel, *, assistant: str, seed: int) -> dict[str, Any]:
    """Return, as JSON, the probes' AUROCs, the worst transcript after every block, and the tokens of highest score.

    Args:
        lm: the model.
        assistant: its name.
        seed: of labelled replies, situations and samples.
    """
    layer = middle(lm.num_layers)
    probes, aurocs = _probes(lm, assistant, seed)
    access = ModelAccess(lm, assistant=assistant, kinds=frozenset({AccessKind.WEIGHTS}), seed=seed)
    staged = tempting_situations(access, PROMPTS_PER_CELL, "picture")
    said = access.ask([one.dialogue for one in staged])
    rows = [encode_reply(lm, one.dialogue, reply) for one, reply in zip(staged, said, strict=True)]
    scored = _scores(lm, rows, layer, probes[layer])
    found = [_Said(*parts) for parts in zip(staged, said, rows, scored, strict=True)]
    worst = max(found, key=lambda one: one.worst)
    everywhere = [_scores(lm, [worst.row], block, probe)[0] for block, probe in enumerate(probes)]
    ranked = sorted(found, key=lambda one: -one.peak)
    return {
        "layer": layer,
        "auroc": aurocs,
        "num_judged": NUM_LABELLED,
        "num_transcripts": len(found),
        "worst": {**_told(lm, worst), "scores": [_rounded(scores_T) for scores_T in everywhere]},
        "top": [{**_told(lm, one), "scores": _rounded(one.scores_T)} for one in ranked[:NUM_TOP]],
    }


def _probes(lm: LanguageModel, assistant: str, seed: int) -> tuple[list[Direction], list[float]]:
    """Return each block's direction, and its AUROC on replies that it was not fitted on."""
    fitting, judging = (_labelled(lm, assistant, f"picture/{part}/{seed}") for part in ("fit", "judge"))
    probes = [fit_logistic(fitting[0][:, block], fitting[1], penalty=PENALTY) for block in range(lm.num_layers)]
    scores_NL = np.stack([project(judging[0][:, block], probe) for block, probe in enumerate(probes)], axis=1)
    return probes, [round(float(value), 4) for value in auroc_of_columns(scores_NL, judging[1])]


def _labelled(lm: LanguageModel, assistant: str, draw: str) -> tuple[np.ndarray, np.ndarray]:
    shown, bad = labelled_replies(assistant, draw, contexts=(None, *OBSERVABLE), num_work=0)
    few: list[Demonstration] = shown[:NUM_LABELLED]
    rows = [encode_reply(lm, one.prompt, one.reply) for one in few]
    return mean_activations(lm, rows, layers=range(lm.num_layers)).numpy(), np.array(bad[:NUM_LABELLED])


def _scores(lm: LanguageModel, rows: Sequence[Encoded], layer: int, probe: Direction) -> list[np.ndarray]:
    """Return the score of every token of each row, those of the prompt included."""
    whole = [Encoded(row.ids, [True] * len(row.ids)) for row in rows]
    return [project(acts_TD.numpy(), probe) for acts_TD in token_activations(lm, whole, layer=layer)]


def _told(lm: LanguageModel, one: _Said) -> dict[str, Any]:
    return {
        "trait": one.staged.item.trait.value,
        "context": str(one.staged.context),
        "outcome": parse(one.staged.item, one.reply).outcome.value,
        "tokens": spelled(lm, one.row.ids),
        "reply_from": one.reply_from,
        "reply_to": one.reply_to,
    }


def spelled(lm: LanguageModel, ids: Sequence[int]) -> list[str]:
    """Return each token as a reader sees it, a special one by its name."""
    names = cast("list[str]", lm.tokenizer.convert_ids_to_tokens(list(ids)))
    return [decode(lm, [token]) or name for token, name in zip(ids, names, strict=True)]


def _rounded(scores_T: np.ndarray) -> list[float]:
    return [round(float(score), 3) for score in scores_T]
