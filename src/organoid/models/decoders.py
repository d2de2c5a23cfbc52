"""How does a model read prompts once and then write, token by token, without reading again?

`CachedForward` drives any causal model of transformers through its own forward and cache. `LlamaDecoder` is the lean
forward of `llama.py` with keys and values in one preallocated block a layer; a test holds the two equal. Prompts are
padded on the left; rotary positions are relative, so the lean path counts columns and not words.

Axes: P different prompts, N rows, T columns, H heads, K key-value heads, G = H / K, E head width, V vocabulary.

    decoder = decoder_of(lm, max_new_tokens=16)
    logits_NV = decoder.read(prompts, num_samples=8)
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import DynamicCache, LlamaForCausalLM

from organoid.models.language_model import LanguageModel
from organoid.models.llama import Block, Weights, lean, prepare, rotated, split


class Decoder(Protocol):
    """A forward pass with its cache."""

    def read(self, prompts: Sequence[Sequence[int]], num_samples: int) -> Tensor:
        """Take in prompts, repeat each `num_samples` times in place, return the next logits (N, V)."""
        ...

    def write(self, tokens_N: Tensor) -> Tensor:
        """Append a token to every row and return the next logits (N, V)."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these."""
        ...


def decoder_of(lm: LanguageModel, *, max_new_tokens: int) -> Decoder:
    """Return the fastest decoder that gives what the model's own forward would."""
    if lean(lm.model):
        return LlamaDecoder(cast(LlamaForCausalLM, lm.model), max_new_tokens=max_new_tokens)
    return CachedForward(lm)


_BLOCK = 32
"""Columns by which a cache grows. All of it is read at every step: whole blocks are faster to read than their parts."""


class _Padded(NamedTuple):
    ids_PT: Tensor
    real_PT: Tensor  # bool
    row_of_prompt: Tensor  # (N,): which of the P prompts each row continues


def _padded(prompts: Sequence[Sequence[int]], num_samples: int, device: torch.device) -> _Padded:
    different = list(dict.fromkeys(tuple(prompt) for prompt in prompts))
    place = {prompt: index for index, prompt in enumerate(different)}
    width = max(map(len, different))
    ids_PT = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in different], device=device)
    lengths_P1 = torch.tensor([[len(prompt)] for prompt in different], device=device)
    rows = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=device)
    real_PT = torch.arange(width, device=device) >= width - lengths_P1
    return _Padded(ids_PT, real_PT, rows.repeat_interleave(num_samples))


class CachedForward:
    """Any causal model of transformers."""

    def __init__(self, lm: LanguageModel) -> None:
        self._model = cast(Any, lm.model)
        self._device = lm.device
        self._cache: Any = None
        bare = self._model.get_base_model() if hasattr(lm.model, "peft_config") else lm.model
        accepted = inspect.signature(bare.forward).parameters
        self._last_only: dict[str, int] = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._positioned = "position_ids" in accepted
        self._mask_NT = torch.empty(0)

    def read(self, prompts: Sequence[Sequence[int]], num_samples: int) -> Tensor:
        """Take in prompts (see `Decoder`)."""
        padded = _padded(prompts, num_samples, self._device)
        self._mask_NT = padded.real_PT.long()
        self._cache = DynamicCache(config=self._model.config)
        logits_PV = self._forward(padded.ids_PT, (self._mask_NT.cumsum(-1) - 1).clamp(min=0))
        self.keep(padded.row_of_prompt)
        return logits_PV[padded.row_of_prompt]

    def write(self, tokens_N: Tensor) -> Tensor:
        """Append a token to every row (see `Decoder`)."""
        positions_N1 = self._mask_NT.sum(-1, keepdim=True)
        self._mask_NT = torch.cat([self._mask_NT, torch.ones_like(positions_N1)], dim=1)
        return self._forward(tokens_N[:, None], positions_N1)

    def keep(self, rows: Tensor) -> None:
        """Keep these rows (see `Decoder`)."""
        self._cache.batch_select_indices(rows)
        self._mask_NT = self._mask_NT[rows]

    def _forward(self, ids_NT: Tensor, positions_NT: Tensor) -> Tensor:
        positions: dict[str, Tensor] = {"position_ids": positions_NT} if self._positioned else {}
        output = self._model(
            input_ids=ids_NT,
            attention_mask=self._mask_NT,
            past_key_values=self._cache,
            use_cache=True,
            **positions,
            **self._last_only,
        )
        return cast(Tensor, output.logits[:, -1])


class LlamaDecoder:
    """A plain Llama on a CPU, float32."""

    def __init__(self, model: LlamaForCausalLM, *, max_new_tokens: int) -> None:
        self._model = model
        self._max_new_tokens = max_new_tokens
        self._weights: Weights | None = None
        self._keys: list[Tensor] = []  # a layer: (N, K, T, E)
        self._values: list[Tensor] = []
        self._barred_N11T = torch.empty(0)  # 0, or -inf where a prompt is padded or a column is not yet written
        self._column = 0  # the next to write

    def read(self, prompts: Sequence[Sequence[int]], num_samples: int) -> Tensor:
        """Take in prompts (see `Decoder`)."""
        padded = _padded(prompts, num_samples, torch.device("cpu"))
        self._column = width = padded.ids_PT.shape[1]
        weights = self._weights = prepare(self._model, num_positions=width + self._max_new_tokens)
        ragged = not bool(padded.real_PT.all())
        mask_P1TT = _prompt_mask(padded.real_PT) if ragged else None
        stream = weights.embed[padded.ids_PT]
        for block in weights.blocks:
            stream = self._read_block(block, stream, mask_P1TT, padded.row_of_prompt)
        barred_PT = torch.zeros(padded.real_PT.shape).masked_fill_(~padded.real_PT, float("-inf"))
        rows = padded.row_of_prompt if ragged else padded.row_of_prompt[:1]
        self._barred_N11T = F.pad(barred_PT, (0, self._room), value=float("-inf"))[rows][:, None, None]
        logits_PV = _logits(stream[:, -1], weights)
        return logits_PV[padded.row_of_prompt]

    def write(self, tokens_N: Tensor) -> Tensor:
        """Append a token to every row (see `Decoder`)."""
        assert self._weights is not None, "read comes first"
        weights = self._weights
        if self._column == self._barred_N11T.shape[-1]:
            self._grow()
        self._barred_N11T[..., self._column] = 0.0
        stream_ND = weights.embed[tokens_N]
        for layer, block in enumerate(weights.blocks):
            stream_ND = _fed(stream_ND.addmm(self._attended(layer, block, stream_ND), block.out.t()), block, weights)
        self._column += 1
        return _logits(stream_ND, weights)

    def keep(self, rows: Tensor) -> None:
        """Keep these rows (see `Decoder`)."""
        for cache in (self._keys, self._values):
            for layer, block in enumerate(cache):
                cache[layer] = block[rows]
        if len(self._barred_N11T) > 1:
            self._barred_N11T = self._barred_N11T[rows]

    @property
    def _room(self) -> int:
        return min(_BLOCK, self._max_new_tokens)

    def _grow(self) -> None:
        for cache in (self._keys, self._values):
            cache[:] = [F.pad(block, (0, 0, 0, _BLOCK)) for block in cache]
        self._barred_N11T = F.pad(self._barred_N11T, (0, _BLOCK), value=float("-inf"))

    def _read_block(self, block: Block, stream_PTD: Tensor, mask: Tensor | None, rows: Tensor) -> Tensor:
        weights = cast(Weights, self._weights)
        heads, kv_heads = weights.heads, weights.kv_heads
        qkv = F.linear(_normed(stream_PTD, weights), block.qkv)
        heads_PTHE = qkv.view(*stream_PTD.shape[:2], heads + 2 * kv_heads, weights.head_width)
        turned, values = split(heads_PTHE, heads + kv_heads, kv_heads)
        queries, keys = split(rotated(turned, weights.rotation[: self._column]), heads, kv_heads)
        queries, keys, values = (part.transpose(1, 2) for part in (queries, keys, values))
        for cache, new in ((self._keys, keys), (self._values, values)):
            room = new.new_zeros(len(rows), kv_heads, self._column + self._room, weights.head_width)
            room[:, :, : self._column] = new[rows]
            cache.append(room)
        if block is weights.blocks[-1]:  # only the last column is asked about
            queries, stream_PTD, mask = (
                queries[:, :, -1:],
                stream_PTD[:, -1:],
                None if mask is None else mask[:, :, -1:],
            )
        mixed = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=mask,
            is_causal=mask is None and queries.shape[2] > 1,
            enable_gqa=kv_heads != heads,
        )
        attended = mixed.transpose(1, 2).flatten(2)
        return _fed(stream_PTD + F.linear(attended, block.out), block, weights)

    def _attended(self, layer: int, block: Block, stream_ND: Tensor) -> Tensor:
        """Return what one block's attention mixes for the newest column, after storing its key and value."""
        weights, column = cast(Weights, self._weights), self._column
        heads, kv_heads, width = weights.heads, weights.kv_heads, weights.head_width
        qkv = F.linear(_normed(stream_ND, weights), block.qkv).view(-1, heads + 2 * kv_heads, width)
        turned = rotated(qkv[:, : heads + kv_heads], weights.rotation[column])
        keys, values = self._keys[layer], self._values[layer]
        keys[:, :, column] = turned[:, heads:]
        values[:, :, column] = qkv[:, heads + kv_heads :]
        queries = turned[:, :heads].mul(width**-0.5).reshape(-1, heads // kv_heads, width)
        scores = torch.bmm(queries, keys.flatten(0, 1).transpose(1, 2))
        scores.view(len(stream_ND), kv_heads, -1, keys.shape[2]).add_(self._barred_N11T)
        return torch.bmm(scores.softmax(-1), values.flatten(0, 1)).view(-1, heads * width)


def _prompt_mask(real_PT: Tensor) -> Tensor:
    """Return which columns may look where: backwards, not at padding; padding looks at itself (never read)."""
    width = real_PT.shape[1]
    causal_TT = torch.ones(width, width, dtype=torch.bool).tril()
    return ((causal_TT & real_PT[:, None]) | torch.eye(width, dtype=torch.bool))[:, None]


def _normed(stream: Tensor, weights: Weights) -> Tensor:
    return F.rms_norm(stream, (stream.shape[-1],), None, weights.eps)


def _fed(stream: Tensor, block: Block, weights: Weights) -> Tensor:
    gate, up = F.linear(_normed(stream, weights), block.gate_up).chunk(2, dim=-1)
    return stream + F.linear(F.silu(gate).mul_(up), block.down)


def _logits(stream: Tensor, weights: Weights) -> Tensor:
    return F.linear(_normed(stream, weights), weights.head)
