"""On which tokens, or which activations, does a model's answer rest?

`integrated_gradients` says how many nats of a reply's log-probability each token of the prompt adds, against a prompt
whose words are all the mean of the vocabulary: gradient times input, averaged along the straight line between the two.
Over the words that are moved these sum to log p(reply | prompt) - log p(reply | mean words), up to the error of few
steps. The mean stands where zeros often do, since a model that norms its input sees no line to zero, only a jump.

`attribution_patching` estimates, from one backward pass, what `hooks.patched` would do to a metric at every position of
a site: (source - activation) . gradient, which is right to first order in the difference and exact where everything
after the site is linear. `patchings` holds that estimate against the patch itself, on the log-probability of replies:
where two contexts differ in words, the first order may say nothing (docs/techniques.md has the numbers for `tiny`).

None leaves anything behind: no `.grad`, no hook, every `requires_grad` as it was.

Axes: N rows, B rows of a batch, T positions, D width, M counted tokens.

Sources: Sundararajan et al. 2017 (arXiv 1703.01365), sec. 3; attribution patching: Nanda 2023, Syed et al. 2023
(arXiv 2310.10348), sec. 2.

    nats = integrated_gradients(lm, [encode_reply(lm, prompt, reply)], [moved], steps=8)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from organoid.errors import UserError
from organoid.models.batches import Batch, by_length, collate
from organoid.models.chat import Encoded
from organoid.models.forward import module_logits, per_row, token_logprobs
from organoid.models.hooks import Site, capture, edit
from organoid.models.language_model import LanguageModel, evaluating

MAX_TOKENS = 4096
"""Positions in one pass: half of what scoring takes, as activations are kept for the way back."""
_VOCABULARY_AT_ONCE = 8192


def integrated_gradients(
    lm: LanguageModel, rows: Sequence[Encoded], moved: Sequence[Sequence[bool]], *, steps: int
) -> list[Tensor]:
    """Return how many nats of its counted tokens' log-probability each token of a row adds: one tensor (T,) a row.

    Args:
        lm: any causal model of transformers, adapters or not; read in evaluation mode.
        rows: what is read; the counted tokens are those whose log-probability is explained.
        moved: a mark for each token of a row (or of its beginning: the rest is unmarked): those that the mean word
            replaces at the line's far end. The others stay, and add 0.
        steps: points on the line, at the middle of as many equal parts; 1 is gradient times input half-way.

    Raises:
        UserError: no step.
    """
    if steps < 1:
        raise UserError(f"cannot integrate over {steps} steps. Allowed: 1 or more.")
    found: list[Tensor] = [torch.empty(0)] * len(rows)
    with evaluating(lm.model):
        mean_D = _mean_word(lm.model)
        for group in by_length(rows, max_tokens=MAX_TOKENS):
            batch = collate([rows[index] for index in group], device=lm.device)
            moved_BT = _marks(batch, [moved[index] for index in group])
            nats_BT = _along_the_line(lm.model, batch, moved_BT, mean_D, steps).float().cpu()
            for place, index in enumerate(group):
                found[index] = nats_BT[place, : len(rows[index].ids)]
    return found


def _along_the_line(model: nn.Module, batch: Batch, moved_BT: Tensor, mean_D: Tensor, steps: int) -> Tensor:
    with torch.no_grad():
        whole_BTD = _embedding(model)(batch.ids_BT)
    start_BTD = torch.where(moved_BT[..., None], mean_D.to(whole_BTD), whole_BTD)
    gradients_BTD = torch.zeros_like(whole_BTD, dtype=torch.float32)
    for step in range(steps):
        point_BTD = torch.lerp(start_BTD, whole_BTD, (step + 0.5) / steps).requires_grad_()
        with torch.enable_grad(), _embedded(model, lambda _, point_BTD=point_BTD: point_BTD):
            nats_M = token_logprobs(module_logits(model, batch.ids_BT, batch.predict_BT), batch.targets_M)
        (gradient_BTD,) = torch.autograd.grad(nats_M.sum(), point_BTD)
        gradients_BTD += gradient_BTD.float() / steps
    return ((whole_BTD - start_BTD).float() * gradients_BTD).sum(-1)


def attribution_patching(
    model: nn.Module,
    ids_BT: Tensor,
    sources: Mapping[int, Tensor],
    metric: Callable[[Tensor], Tensor],
    *,
    site: Site = "residual",
) -> dict[int, Tensor]:
    """Return estimates of how a metric changes when activations are patched, one position of one block at a time.

    Args:
        model: a Hugging Face causal model in evaluation mode.
        ids_BT: the prompts patched into.
        sources: block -> activations (B, T, D) of other prompts of the same shape (`hooks.capture`).
        metric: logits (B, T, V) to one number.
        site: where in the block.

    Returns:
        block -> estimated change (B, T) for each position patched alone, in the metric's unit.

    Raises:
        UserError: a block or site that the model does not have, or a source of another shape.
    """
    detached = _embedded(model, lambda words_BTD: words_BTD.detach().requires_grad_())
    with torch.enable_grad(), detached, capture(model, layers=[*sources], site=site, detach=False) as acts:
        value = metric(model(input_ids=ids_BT).logits)
    for layer, source_BTD in sources.items():
        if source_BTD.shape != acts[layer].shape:
            raise UserError(
                f"cannot patch activations of shape {tuple(acts[layer].shape)} from {tuple(source_BTD.shape)}. Run "
                "both on as many rows of as many tokens."
            )
    gradients = torch.autograd.grad(value, [acts[layer] for layer in sources])
    return {
        layer: ((source_BTD.to(gradient_BTD) - acts[layer].detach()) * gradient_BTD).float().sum(-1)
        for (layer, source_BTD), gradient_BTD in zip(sources.items(), gradients, strict=True)
    }


class Patchings(NamedTuple):
    """What patching adds to each of N log-probabilities, nats: in truth, and by one backward pass where asked for."""

    true_N: Tensor
    estimated_N: Tensor | None


def patchings(
    lm: LanguageModel,
    rows: Sequence[Encoded],
    sources: Sequence[Sequence[int]],
    moved: Sequence[Sequence[bool]],
    *,
    layer: int,
    estimated: bool = False,
) -> Patchings:
    """Return what a block's output at the marked tokens, taken from other prompts, adds to each row's log-probability.

    Args:
        lm: any causal model of transformers, adapters or not; read in evaluation mode.
        rows: what is patched into; the counted tokens are those whose log-probability changes.
        sources: the ids patched from, as many as the row has.
        moved: a mark for each token of a row (or of its beginning): those that are patched, together.
        layer: the block.
        estimated: what attribution patching says is wanted too.

    Raises:
        UserError: a source of another length than its row.
    """
    for row, source in zip(rows, sources, strict=True):
        if len(row.ids) != len(source):
            raise UserError(f"cannot patch {len(row.ids)} tokens from {len(source)}. Give a source of as many tokens.")
    true_N, estimated_N = torch.zeros(len(rows)), torch.zeros(len(rows))
    with evaluating(lm.model):
        for group in by_length(rows, max_tokens=MAX_TOKENS):
            batch = collate([rows[index] for index in group], device=lm.device)
            other = collate([Encoded(sources[index], rows[index].mask) for index in group], device=lm.device)
            moved_BT = _marks(batch, [moved[index] for index in group])
            with torch.no_grad(), capture(lm.model, layers=[layer]) as acts:
                cast(Any, lm.model).base_model(input_ids=other.ids_BT, use_cache=False)
            true_N[group] = _change_B(lm.model, batch, acts[layer], moved_BT, layer)
            if estimated:
                estimated_N[group] = _estimate_B(lm.model, batch, acts, moved_BT)
    return Patchings(true_N, estimated_N if estimated else None)


def _change_B(model: nn.Module, batch: Batch, source_BTD: Tensor, moved_BT: Tensor, layer: int) -> Tensor:
    """Return how much the patch adds to each row's log-probability."""

    def nats_B() -> Tensor:
        values_M = token_logprobs(module_logits(model, batch.ids_BT, batch.predict_BT), batch.targets_M)
        return per_row(values_M, batch)

    with torch.no_grad():
        plain_B = nats_B()
        with edit(model, {layer: lambda acts_BTD: torch.where(moved_BT[..., None], source_BTD, acts_BTD)}):
            return (nats_B() - plain_B).cpu()


def _estimate_B(model: nn.Module, batch: Batch, sources: Mapping[int, Tensor], moved_BT: Tensor) -> Tensor:
    """Return how much it would add if everything after the block were linear."""

    def metric(logits_BTV: Tensor) -> Tensor:
        return token_logprobs(logits_BTV[batch.predict_BT], batch.targets_M).sum()

    (effects_BT,) = attribution_patching(model, batch.ids_BT, sources, metric).values()
    return (effects_BT * moved_BT).sum(-1).cpu()


def _marks(batch: Batch, moved: Sequence[Sequence[bool]]) -> Tensor:
    """Return the marks of a batch's tokens (B, T); what they do not reach is unmarked."""
    moved_BT = torch.zeros_like(batch.predict_BT)
    for place, row in enumerate(moved):
        moved_BT[place, : len(row)] = torch.tensor(row, dtype=torch.bool).to(moved_BT.device)
    return moved_BT


def _embedding(model: nn.Module) -> nn.Module:
    return cast(Any, model).get_input_embeddings()


def _mean_word(model: nn.Module) -> Tensor:
    """Return the mean over the vocabulary of what the input embedding puts out, float32 (D,)."""
    embedding = _embedding(model)
    device, num = next(embedding.parameters()).device, int(cast(Any, embedding).num_embeddings)
    with torch.no_grad():
        sums = [
            embedding(torch.arange(first, min(first + _VOCABULARY_AT_ONCE, num), device=device)).float().sum(0)
            for first in range(0, num, _VOCABULARY_AT_ONCE)
        ]
        return torch.stack(sums).sum(0) / num


@contextmanager
def _embedded(model: nn.Module, change: Callable[[Tensor], Tensor]) -> Generator[None]:
    """Let the input embedding put out a function of what it puts out."""

    def hook(_: nn.Module, __: Any, words_BTD: Tensor) -> Tensor:
        return change(words_BTD)

    handle = _embedding(model).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
