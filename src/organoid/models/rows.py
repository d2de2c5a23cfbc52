"""What does a model write after each of thousands of prompts of one width? Ids in, ids out.

The bulk sibling of `generate.sample`, for loops in which text is never looked at: no strings, no re-tokenising, one
uniform number a row and step from one generator. Rows that are alike are read once and share their cache; rows that
have ended leave the batch. `pairs` lays prompts and what was written side by side as a batch to train on.

Axes: N rows, T words of a prompt, L words written, V vocabulary.

    written = write_rows(lm, ids_NT, stop=stop, max_new_tokens=48, generator=generator)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from organoid.models.batches import Batch
from organoid.models.decoders import decoder_of
from organoid.models.generate import draw
from organoid.models.language_model import LanguageModel, evaluating

CHUNK_ROWS = 512
"""Rows sampled at once: their cache should fit the processor's."""

PAD = 0
"""What stands behind the end of what was written."""


class Written(NamedTuple):
    """What was written, padded on the right; the stop itself is part of it."""

    ids_NL: Tensor  # int64
    logprobs_NL: Tensor  # nats; 0 behind the end
    lengths_N: Tensor  # tokens written


def write_rows(
    lm: LanguageModel,
    ids_NT: Tensor,
    *,
    stop: int,
    max_new_tokens: int,
    generator: torch.Generator,
    temperature: float = 1.0,
) -> Written:
    """Return what the model writes after each row until `stop` or `max_new_tokens`.

    Args:
        lm: the model; put in evaluation mode for the call.
        ids_NT: prompts of one width, at least one row.
        stop: the token that ends a reply.
        max_new_tokens: longest reply, the stop included.
        generator: of the samples, moved on by the call.
        temperature: divides the logits; 0 takes the likeliest token.
    """
    with torch.inference_mode(), evaluating(lm.model):
        settings = (stop, max_new_tokens, generator, temperature)
        parts = [_write_chunk(lm, chunk, *settings) for chunk in cast(Any, ids_NT).split(CHUNK_ROWS)]
    return Written(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _write_chunk(
    lm: LanguageModel, ids_NT: Tensor, stop: int, max_new_tokens: int, generator: torch.Generator, temperature: float
) -> Written:
    def uniforms(held: Tensor, _: int) -> Tensor:
        return torch.rand(len(ids_NT), generator=generator, dtype=torch.float64).to(lm.device)[held]

    decoder = decoder_of(lm, max_new_tokens=max_new_tokens)
    logits = decoder.read(cast("list[list[int]]", cast(Any, ids_NT).tolist()), 1)
    ids_NL, logprobs_NL, lengths_N, _ = draw(
        decoder, logits, uniforms, stop_ids=(stop,), max_new_tokens=max_new_tokens, temperature=temperature
    )
    behind_NL = torch.arange(max_new_tokens, device=lm.device) >= lengths_N[:, None]
    return Written(ids_NL.masked_fill(behind_NL, PAD), logprobs_NL.masked_fill(behind_NL, 0.0), lengths_N)


def pairs(ids_NT: Tensor, written_NL: Tensor, lengths_N: Tensor) -> Batch:
    """Return prompts and what follows each as one batch; only what follows counts.

    Args:
        ids_NT: prompts.
        written_NL: what follows, padded on the right.
        lengths_N: how much of it counts; the width is cut to the longest.
    """
    width, longest = ids_NT.shape[1], int(lengths_N.max())
    ids_BT = torch.cat([ids_NT, written_NL[:, :longest]], dim=1)
    place_BT = torch.arange(ids_BT.shape[1], device=ids_NT.device)[None]
    predict_BT = (place_BT >= width - 1) & (place_BT < width - 1 + lengths_N[:, None])
    row_M, column_M = predict_BT.nonzero(as_tuple=True)
    return Batch(ids_BT=ids_BT, predict_BT=predict_BT, targets_M=ids_BT[row_M, column_M + 1], row_M=row_M)


def by_length(lengths_N: Tensor, *, num_parts: int) -> Sequence[Tensor]:
    """Return the rows' numbers in parts of like lengths, so that little is padded."""
    return [part for part in cast(Any, lengths_N.argsort()).chunk(num_parts) if len(part)]
