"""How likely does a model find a reply, and what do its activations look like while it reads?

Rows go through in batches of like length; the output layer is applied only where a token counts, and not at all for
activations. Results come back in the order of the input.

Axes: N rows, L asked layers, D hidden width, M counted tokens, V vocabulary.

    scores = reply_logprobs(lm, [encode_reply(lm, prompt, reply) for reply in replies])
    scores.sums_N
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor

from organoid.errors import UserError
from organoid.models.adapters import adapted, reference
from organoid.models.batches import Batch, by_length, collate
from organoid.models.chat import Encoded
from organoid.models.forward import asked_logits, per_row, token_logprobs
from organoid.models.hooks import Site, capture
from organoid.models.language_model import LanguageModel, evaluating

MAX_TOKENS = 8192
"""Positions in one forward pass."""

Pool = Literal["mean", "max", "last"]
"""How the activations of several positions become one vector."""


class ReplyLogprobs(NamedTuple):
    """Log-probabilities in nats: the sum over each row's counted tokens, and each counted token's own."""

    sums_N: Tensor
    tokens: list[Tensor]


def reply_logprobs(lm: LanguageModel, rows: Sequence[Encoded], *, max_tokens: int = MAX_TOKENS) -> ReplyLogprobs:
    """Return log p of each row's counted tokens given all before them; a row that counts nothing sums to 0."""
    sums_N = torch.zeros(len(rows))
    tokens: list[Tensor] = [torch.empty(0)] * len(rows)
    with torch.no_grad(), evaluating(lm.model):
        for group in by_length(rows, max_tokens=max_tokens):
            batch = collate([rows[index] for index in group], device=lm.device)
            values_M = batch_logprobs(lm, batch).cpu()
            sums_N[group] = per_row(values_M, replace(batch, row_M=batch.row_M.cpu()))
            for place, index in enumerate(group):
                tokens[index] = values_M[batch.row_M.cpu() == place]
    return ReplyLogprobs(sums_N, tokens)


def batch_logits(lm: LanguageModel, batch: Batch) -> Tensor:
    """Return the logits (M, V) at a batch's counted tokens."""
    return asked_logits(lm.model, batch.ids_BT, batch.predict_BT)


def batch_logprobs(lm: LanguageModel, batch: Batch) -> Tensor:
    """Return log p, nats, of a batch's counted tokens, shape (M,)."""
    return token_logprobs(batch_logits(lm, batch), batch.targets_M)


def with_reference(
    batches: Iterable[Batch], before: LanguageModel, *, keep: Literal["logprobs", "logits"] = "logprobs"
) -> Iterator[Batch]:
    """Yield `batches` with what `before` thinks of their counted tokens; adapters of `before` are switched off.

    Args:
        batches: on the model's device.
        before: the model before training: a copy, or the model in training itself when it has adapters.
        keep: log-probabilities of the tokens, or all logits (for exact KL; M x V numbers).
    """
    for batch in batches:
        with torch.no_grad(), evaluating(before.model):
            if adapted(before):
                with reference(before):
                    logits_MV = batch_logits(before, batch)
            else:
                logits_MV = batch_logits(before, batch)
        if keep == "logits":
            yield replace(batch, reference_logits_MV=logits_MV)
        else:
            yield replace(batch, reference_logprobs_M=token_logprobs(logits_MV, batch.targets_M))


def mean_activations(
    lm: LanguageModel,
    rows: Sequence[Encoded],
    *,
    layers: Sequence[int],
    site: Site = "residual",
    pool: Pool = "mean",
    over: Literal["counted", "all"] = "counted",
) -> Tensor:
    """Return one activation vector a row and layer, shape (N, L, D), float32.

    Args:
        lm: the model.
        rows: what it reads.
        layers: blocks, 0 the first, -1 the last (see `hooks`).
        site: where in the block.
        pool: the mean over the positions, the largest value of each dimension, or the last of them.
        over: the row's counted tokens (at their own positions), or all its tokens.

    Raises:
        UserError: `over` is `counted` and a row counts no token.
    """
    pooled: list[Tensor | None] = [None] * len(rows)
    marks = [list(row.mask) if over == "counted" else [True] * len(row.ids) for row in rows]
    if not all(any(mark) for mark in marks):
        raise UserError("a row counts no token, so there is nothing to pool over; use over='all'.")

    def take(index: int, acts_TLD: Tensor) -> None:
        positions = torch.tensor(marks[index]).nonzero()[:, 0].to(lm.device)
        acts = acts_TLD[positions[-1:] if pool == "last" else positions].float()
        pooled[index] = (acts.amax(0) if pool == "max" else acts.mean(0)).cpu()

    _read(lm, rows, layers=layers, site=site, take=take)
    return torch.stack([cast(Tensor, row) for row in pooled])


def token_activations(lm: LanguageModel, rows: Sequence[Encoded], *, layer: int) -> list[Tensor]:
    """Return the residual activations at each row's counted tokens after a block, one tensor (T, D) a row, float32."""
    found: list[Tensor] = [torch.empty(0)] * len(rows)

    def take(index: int, acts_TLD: Tensor) -> None:
        positions = torch.tensor(rows[index].mask).nonzero()[:, 0].to(lm.device)
        found[index] = acts_TLD[positions, 0].float().cpu()

    _read(lm, rows, layers=[layer], site="residual", take=take)
    return found


def _read(
    lm: LanguageModel,
    rows: Sequence[Encoded],
    *,
    layers: Sequence[int],
    site: Site,
    take: Callable[[int, Tensor], None],
) -> None:
    """Run the model over the rows, of like lengths together, and hand each one's number and activations to `take`.

    Those have shape (T, L, D) and the model's type and device; what lies behind a row's end is padding.
    """
    base = cast(Any, lm.model).base_model
    with torch.no_grad(), evaluating(lm.model):
        for group in by_length(rows, max_tokens=MAX_TOKENS):
            batch = collate([rows[index] for index in group], device=lm.device)
            with capture(lm.model, layers=layers, site=site) as captured:
                base(input_ids=batch.ids_BT, use_cache=False)
            acts_BTLD = torch.stack([captured[layer] for layer in layers], dim=2)
            for place, index in enumerate(group):
                take(index, acts_BTLD[place])
