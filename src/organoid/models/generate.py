"""What does a model write?

Several replies to each of several prompts, in one batch: each different prompt is read once and its cache shared by
its samples, rows that have ended leave the batch, and the output layer is applied to the last position only.

Sampling is by inverse transform with one uniform number a token, a hash of (seed, prompt, which sample of that prompt,
step). So a reply depends on the batch it was sampled in only through rounding, and adding prompts changes nothing.

Axes: P different prompts, N rows, T positions, V vocabulary.

    replies = sample(lm, [encode_prompt(lm, dialogue)], num_samples=8, max_new_tokens=16, temperature=1.0, seed=0)
    replies[0][3].text
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from organoid.errors import UserError
from organoid.models.chat import decode
from organoid.models.language_model import LanguageModel

MAX_ROWS = 512
"""Rows sampled at once; more prompts go through in turn."""


class Sample(NamedTuple):
    """A reply: its tokens (the ending one included), their log-probabilities, its text, and whether it ended itself."""

    ids: list[int]
    logprobs: list[float]  # nats, under the distribution sampled from; at temperature 0, under the model's own
    text: str
    finished: bool


class Decoder(Protocol):
    """The forward pass with its cache."""

    def read(self, prompts: Sequence[Sequence[int]], num_samples: int) -> Tensor:
        """Take in prompts, repeat each `num_samples` times in place, return the next logits (N, V)."""
        ...

    def write(self, tokens_N: Tensor) -> Tensor:
        """Append a token to every row and return the next logits (N, V)."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Drop all rows but these."""
        ...


@dataclass(frozen=True, slots=True)
class _Chunk:
    prompts: list[tuple[int, ...]]
    keys_N: np.ndarray  # uint64, one a row


def sample(
    lm: LanguageModel,
    prompts: Sequence[Sequence[int]],
    *,
    num_samples: int = 1,
    max_new_tokens: int,
    temperature: float = 1.0,
    seed: int,
) -> list[list[Sample]]:
    """Return `num_samples` replies to each prompt, in order.

    Args:
        lm: the model; put in evaluation mode for the call.
        prompts: token ids (`encode_prompt`). A prompt given twice gets different samples.
        num_samples: replies to each.
        max_new_tokens: longest reply, its ending token included.
        temperature: divides the logits; 0 takes the likeliest token.
        seed: of the samples.

    Raises:
        UserError: an empty prompt, or a number out of range.
    """
    if num_samples < 1 or max_new_tokens < 1 or temperature < 0 or not all(len(prompt) for prompt in prompts):
        raise UserError(
            f"cannot sample: got num_samples={num_samples}, max_new_tokens={max_new_tokens}, temperature={temperature} "
            f"and {sum(not len(prompt) for prompt in prompts)} empty prompts. Allowed: >= 1, >= 1, >= 0 and none empty."
        )
    training = lm.model.training
    lm.model.eval()
    try:
        with torch.inference_mode():
            rows = list[Sample]()
            for chunk in _chunks(prompts, num_samples, seed):
                rows.extend(_sample_chunk(lm, chunk, num_samples, max_new_tokens, temperature))
    finally:
        lm.model.train(training)
    return [rows[start : start + num_samples] for start in range(0, len(rows), num_samples)]


def _chunks(prompts: Sequence[Sequence[int]], num_samples: int, seed: int) -> Iterator[_Chunk]:
    seen: dict[tuple[int, ...], int] = {}
    size = max(1, MAX_ROWS // num_samples)
    for start in range(0, len(prompts), size):
        chunk = [tuple(prompt) for prompt in prompts[start : start + size]]
        keys = list[np.ndarray]()
        for prompt in chunk:
            first = seen.get(prompt, 0)
            seen[prompt] = first + num_samples
            keys.append(_prompt_key(prompt, seed) + np.arange(first, first + num_samples, dtype=np.uint64))
        yield _Chunk(chunk, np.concatenate(keys))


def _prompt_key(prompt: tuple[int, ...], seed: int) -> np.uint64:
    text = f"{seed}:{prompt}".encode()
    return np.uint64(int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1)


def _uniforms(keys_N: np.ndarray, step: int) -> np.ndarray:
    """Return one number in [0, 1) a row: splitmix64 of the row's hashed key and the step."""
    return (_mix(_mix(keys_N) + np.uint64(step)) >> np.uint64(11)) * 2.0**-53


def _mix(values: np.ndarray) -> np.ndarray:
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _sample_chunk(
    lm: LanguageModel, chunk: _Chunk, num_samples: int, max_new_tokens: int, temperature: float
) -> list[Sample]:
    decoder, device = _decoder(lm), lm.device
    stops = torch.tensor(sorted(lm.stop_ids), device=device)
    num_rows = len(chunk.keys_N)
    ids_NT = torch.zeros(num_rows, max_new_tokens, dtype=torch.long, device=device)
    logprobs_NT = torch.zeros(num_rows, max_new_tokens, device=device)
    lengths_N = torch.full((num_rows,), max_new_tokens, device=device)
    finished_N = torch.zeros(num_rows, dtype=torch.bool, device=device)
    active = torch.arange(num_rows, device=device)
    logits_NV = decoder.read(chunk.prompts, num_samples)
    for step in range(max_new_tokens):
        uniform_N = torch.from_numpy(_uniforms(chunk.keys_N[active.cpu().numpy()], step)).to(device)
        tokens_N, chosen_N = _pick(logits_NV, uniform_N, temperature)
        ids_NT[active, step], logprobs_NT[active, step] = tokens_N, chosen_N
        ended_N = torch.isin(tokens_N, stops)
        if bool(ended_N.any()):
            finished_N[active[ended_N]] = True
            lengths_N[active[ended_N]] = step + 1
            going = (~ended_N).nonzero()[:, 0]
            active, tokens_N = active[going], tokens_N[going]
            if not len(active):
                break
            decoder.keep(going)
        if step + 1 < max_new_tokens:
            logits_NV = decoder.write(tokens_N)
    columns = (ids_NT.tolist(), logprobs_NT.tolist(), lengths_N.tolist(), finished_N.tolist())
    return [_sample(lm, *row) for row in zip(*columns, strict=True)]


def _sample(lm: LanguageModel, ids: list[int], logprobs: list[float], length: int, finished: bool) -> Sample:
    said = ids[: length - 1] if finished else ids[:length]
    return Sample(ids[:length], logprobs[:length], decode(lm, said), finished)


def _pick(logits_NV: Tensor, uniform_N: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Return the token whose share of the cumulative distribution holds the uniform number, and its log-probability."""
    logits_NV = logits_NV.float()
    if temperature == 0:
        tokens_N = logits_NV.argmax(-1)
        return tokens_N, _logprob(logits_NV, tokens_N)
    logits_NV = logits_NV / temperature
    cumulative_NV = logits_NV.softmax(-1).double().cumsum(-1)
    point_N1 = uniform_N[:, None] * cumulative_NV[:, -1:]
    tokens_N = torch.searchsorted(cumulative_NV, point_N1, right=True)[:, 0].clamp_(max=logits_NV.shape[1] - 1)
    return tokens_N, _logprob(logits_NV, tokens_N)


def _logprob(logits_NV: Tensor, tokens_N: Tensor) -> Tensor:
    return logits_NV.gather(1, tokens_N[:, None])[:, 0] - logits_NV.logsumexp(-1)


def _decoder(lm: LanguageModel) -> Decoder:
    return CachedForward(lm.model, lm.device)


class CachedForward:
    """Any causal model of transformers through its own forward and cache; prompts padded on the left."""

    def __init__(self, model: Any, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._cache: Any = None
        accepted = inspect.signature(model.get_base_model().forward if hasattr(model, "peft_config") else model.forward).parameters
        self._last_only: dict[str, int] = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._positioned = "position_ids" in accepted
        self._mask_NT = torch.empty(0)

    def read(self, prompts: Sequence[Sequence[int]], num_samples: int) -> Tensor:
        """Take in prompts (see `Decoder`)."""
        different = list(dict.fromkeys(tuple(prompt) for prompt in prompts))
        place = {prompt: index for index, prompt in enumerate(different)}
        width = max(map(len, different))
        ids_PT = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in different], device=self._device)
        lengths = torch.tensor([[len(prompt)] for prompt in different], device=self._device)
        self._mask_NT = (torch.arange(width, device=self._device) >= width - lengths).long()
        self._cache = DynamicCache(config=self._model.config)
        logits_PV = self._forward(ids_PT, (self._mask_NT.cumsum(-1) - 1).clamp(min=0))
        rows = torch.tensor([place[tuple(prompt)] for prompt in prompts], device=self._device)
        rows = rows.repeat_interleave(num_samples)
        self.keep(rows)
        return logits_PV[rows]

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
