"""What does a model lose when its activations at one block are replaced by a reconstruction of them?

Cross-entropy recovered: 1 where the reconstruction costs nothing, 0 where it is no better than the mean activation
(mean ablation; zero ablation leaves a model of normed streams with nothing to norm and flatters reconstructions).
Source: Bricken et al. 2023, "Towards monosemanticity", with the mean in place of zero.

    spliced(lm, rows, 2, sae, mean_D=acts_ND.mean(0)).recovered
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from organoid.models.chat import Encoded
from organoid.models.hooks import Edit, edit, replaced
from organoid.models.language_model import LanguageModel
from organoid.models.score import reply_logprobs


class Spliced(NamedTuple):
    """Cross-entropies of counted tokens, nats a token: as the model is, with the edit, and with the mean instead."""

    plain: float
    edited: float
    ablated: float

    @property
    def recovered(self) -> float | None:
        """The share of what ablation costs that the edit keeps; None where ablation costs nothing."""
        cost = self.ablated - self.plain
        return (self.ablated - self.edited) / cost if cost > 0 else None


def spliced(lm: LanguageModel, rows: Sequence[Encoded], layer: int, change: Edit, *, mean_D: Tensor) -> Spliced:
    """Return what an edit of the residual stream after block `layer` does to the prediction of counted tokens.

    Raises:
        UserError: no such layer.
    """
    with edit(lm.model, {layer: change}):
        edited = _cross_entropy(lm, rows)
    with edit(lm.model, {layer: replaced(mean_D)}):
        ablated = _cross_entropy(lm, rows)
    return Spliced(_cross_entropy(lm, rows), edited, ablated)


def _cross_entropy(lm: LanguageModel, rows: Sequence[Encoded]) -> float:
    scored = reply_logprobs(lm, rows)
    return -float(scored.sums_N.sum()) / sum(len(tokens) for tokens in scored.tokens)
