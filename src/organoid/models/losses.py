"""Which number does training lower?

Pure functions of the logits at a batch's counted tokens and of the batch. A `Loss` returns the scalar to lower and
the metrics worth a line of the trace. Losses that take a setting are made by a function that returns one. What a
reference model thinks stands in the batch already (`score.with_reference`).

Axes: B rows, M counted tokens, V vocabulary.

Sources: DPO, Rafailov et al. 2023, eq. 7. Policy gradient: REINFORCE on whole replies with given advantages (Ahmadian
et al. 2024, sec. 3), clipped as PPO (Schulman et al. 2017, eq. 7) when the batch says what its tokens were sampled
with. k3: Schulman 2020, "Approximating KL divergence".

    train(lm, batches, config=config, loss=dpo(beta=0.1))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from organoid.models.batches import Batch
from organoid.models.forward import per_row, token_logprobs


class LossValue(NamedTuple):
    """The scalar to lower, and named numbers for the trace."""

    loss: Tensor
    metrics: dict[str, Tensor]


Loss = Callable[[Tensor, Batch], LossValue]


def cross_entropy(logits_MV: Tensor, batch: Batch) -> LossValue:
    """Mean -log p over counted tokens, nats."""
    return LossValue(F.cross_entropy(logits_MV.float(), batch.targets_M), {})


def cross_entropy_kl(kl: float) -> Loss:
    """Cross-entropy plus `kl` times the exact KL(policy || reference), nats per counted token."""

    def loss(logits_MV: Tensor, batch: Batch) -> LossValue:
        divergence = exact_kl(logits_MV, _needed(batch.reference_logits_MV, "reference_logits_MV")).mean()
        fit = F.cross_entropy(logits_MV.float(), batch.targets_M)
        return LossValue(fit + kl * divergence, {"kl": divergence.detach(), "cross_entropy": fit.detach()})

    return loss


def dpo(beta: float, *, likelihood: float = 0.0) -> Loss:
    """Direct preference optimisation; rows alternate chosen, rejected, and carry `reference_logprobs_M`.

    Args:
        beta: strength of the pull to the reference.
        likelihood: weight of the cross-entropy of chosen replies, nats per counted token. Without it both replies may
            become less likely until something else is likeliest (Pang et al. 2024, arXiv 2404.19733, eq. 2).
    """

    def loss(logits_MV: Tensor, batch: Batch) -> LossValue:
        reference_M = _needed(batch.reference_logprobs_M, "reference_logprobs_M")
        logprobs_M = token_logprobs(logits_MV, batch.targets_M)
        ratio_B = per_row(logprobs_M - reference_M, batch)
        margin = beta * (ratio_B[0::2] - ratio_B[1::2])
        fit = -logprobs_M[batch.row_M % 2 == 0].mean()
        return LossValue(
            -F.logsigmoid(margin).mean() + likelihood * fit,
            {
                "margin": margin.detach().mean(),
                "accuracy": (margin.detach() > 0).float().mean(),
                "chosen_cross_entropy": fit.detach(),
            },
        )

    return loss


def policy_gradient(*, kl: float = 0.0, estimator: Literal["k3", "exact"] = "exact", clip: float = 0.2) -> Loss:
    """Minus advantage-weighted log-probability of whole replies, plus `kl` times KL(policy || reference).

    Args:
        kl: weight of the KL, summed over a reply's tokens as the reward is (nats); 0 needs no reference.
        estimator: `exact` over the vocabulary at sampled positions (needs `reference_logits_MV`), or `k3` from the
            sampled token alone (needs `reference_logprobs_M`): cheaper for large vocabularies, noisier.
        clip: range of the importance ratio, used when the batch has `old_logprobs_M`.
    """

    def loss(logits_MV: Tensor, batch: Batch) -> LossValue:
        logprobs_M = token_logprobs(logits_MV, batch.targets_M)
        advantages_M = _needed(batch.advantages_B, "advantages_B")[batch.row_M]
        gain_M = _gain(logprobs_M, advantages_M, batch.old_logprobs_M, clip)
        value = -gain_M.sum() / batch.num_rows
        metrics = {"logprob": logprobs_M.detach().mean()}
        if kl == 0.0:
            return LossValue(value, metrics)
        if estimator == "exact":
            kl_M = exact_kl(logits_MV, _needed(batch.reference_logits_MV, "reference_logits_MV"))
        else:
            kl_M = k3(logprobs_M, _needed(batch.reference_logprobs_M, "reference_logprobs_M"))
        divergence = kl_M.sum() / batch.num_rows
        return LossValue(value + kl * divergence, {**metrics, "kl": divergence.detach()})

    return loss


def _gain(logprobs_M: Tensor, advantages_M: Tensor, old_M: Tensor | None, clip: float) -> Tensor:
    if old_M is None:
        return advantages_M * logprobs_M
    ratio_M = (logprobs_M - old_M).exp()
    return torch.minimum(advantages_M * ratio_M, advantages_M * ratio_M.clamp(1 - clip, 1 + clip))


def exact_kl(logits_MV: Tensor, reference_MV: Tensor) -> Tensor:
    """Return KL(policy || reference) at each position, nats."""
    policy_MV = logits_MV.float().log_softmax(-1)
    return (policy_MV.exp() * (policy_MV - reference_MV.float().log_softmax(-1))).sum(-1)


def k3(logprobs_M: Tensor, reference_M: Tensor) -> Tensor:
    """Return the unbiased, non-negative estimate r - 1 - log r of KL(policy || reference), r = reference / policy."""
    log_ratio_M = reference_M - logprobs_M
    return log_ratio_M.exp() - 1 - log_ratio_M


def _needed(value: Tensor | None, name: str) -> Tensor:
    assert value is not None, f"this loss needs Batch.{name}"
    return value
