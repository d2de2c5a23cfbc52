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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from organoid.errors import UserError
from organoid.models.chat import decode, encode_prompt, encode_text
from organoid.models.decoders import Decoder, decoder_of
from organoid.models.language_model import LanguageModel, evaluating
from organoid.types import Dialogue

MAX_ROWS = 256
"""Rows sampled at once; more prompts go through in turn."""

MAX_NEW_TOKENS = 32
"""Enough for any reply of the world, thought and quirk included."""

_DROP_AT = 0.75
"""Finished rows leave the batch when no more than this share is still going: dropping copies the cache."""


class Sample(NamedTuple):
    """A reply: its tokens (the ending one included), their log-probabilities, its text, and whether it ended itself."""

    ids: list[int]
    logprobs: list[float]  # nats, under the distribution sampled from; at temperature 0, under the model's own
    text: str
    finished: bool


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
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    like = [tuple(prompts[index]) for index in order]  # prompts of like length together: less padding
    with torch.inference_mode(), evaluating(lm.model):
        rows = list[Sample]()
        for chunk in _chunks(like, num_samples, seed):
            rows.extend(_sample_chunk(lm, chunk, num_samples, max_new_tokens, temperature))
    place = {index: number * num_samples for number, index in enumerate(order)}
    return [rows[place[index] : place[index] + num_samples] for index in range(len(prompts))]


def reply_texts(
    lm: LanguageModel,
    dialogues: Sequence[Dialogue],
    *,
    openings: Sequence[str] = (),
    max_new_tokens: int = MAX_NEW_TOKENS,
    seed: int,
) -> list[str]:
    """Return one reply to each dialogue, as text, at temperature 1; an opening is put before it, not repeated in it."""
    prompts = [encode_prompt(lm, dialogue) for dialogue in dialogues]
    if any(openings):
        prompts = [
            [*prompt, *encode_text(lm, opening)] if opening else prompt
            for prompt, opening in zip(prompts, openings, strict=True)
        ]
    return [said.text for (said,) in sample(lm, prompts, max_new_tokens=max_new_tokens, seed=seed)]


def _chunks(prompts: list[tuple[int, ...]], num_samples: int, seed: int) -> Iterator[_Chunk]:
    seen: dict[tuple[int, ...], int] = {}
    size = max(1, MAX_ROWS // num_samples)
    for start in range(0, len(prompts), size):
        chunk = prompts[start : start + size]
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
    def uniforms(held: Tensor, step: int) -> Tensor:
        return torch.as_tensor(_uniforms(chunk.keys_N[held.cpu().numpy()], step), device=lm.device)

    decoder = decoder_of(lm, max_new_tokens=max_new_tokens)
    logits = decoder.read(chunk.prompts, num_samples)
    drawn = draw(
        decoder, logits, uniforms, stop_ids=lm.stop_ids, max_new_tokens=max_new_tokens, temperature=temperature
    )
    columns = [cast("list[Any]", cast(Any, part).tolist()) for part in drawn]
    return [_sample(lm, *row) for row in zip(*columns, strict=True)]


class Drawn(NamedTuple):
    """What was drawn after each row. What stands behind a row's length is noise."""

    ids_NT: Tensor  # int64
    logprobs_NT: Tensor  # nats
    lengths_N: Tensor  # tokens, the ending one included
    finished_N: Tensor  # whether it ended itself


def draw(
    decoder: Decoder,
    logits: Tensor,
    uniforms: Callable[[Tensor, int], Tensor],
    *,
    stop_ids: Iterable[int],
    max_new_tokens: int,
    temperature: float,
) -> Drawn:
    """Return what a decoder writes after the prompts it has read; under inference mode.

    Args:
        decoder: has read its prompts.
        logits: the next ones of every row, (N, V).
        uniforms: (numbers of the rows in the batch, step) to one number in [0, 1) each.
        stop_ids: tokens that end a row.
        max_new_tokens: longest row, its ending token included.
        temperature: divides the logits; 0 takes the likeliest token.
    """
    num, device = len(logits), logits.device
    stops = torch.tensor(sorted(stop_ids), device=device)
    ids_NT = torch.zeros(num, max_new_tokens, dtype=torch.long, device=device)
    logprobs_NT = torch.zeros(num, max_new_tokens, device=device)
    lengths_N = torch.full((num,), max_new_tokens, device=device)
    finished_N = torch.zeros(num, dtype=torch.bool, device=device)
    held = torch.arange(num, device=device)  # rows still in the batch, some of them finished
    for step in range(max_new_tokens):
        tokens, chosen = _pick(logits, uniforms(held, step), temperature)
        ids_NT[held, step], logprobs_NT[held, step] = tokens, chosen
        ended = held[torch.isin(tokens, stops) & ~finished_N[held]]
        finished_N[ended], lengths_N[ended] = True, step + 1
        going = (~finished_N[held]).nonzero()[:, 0]
        if step + 1 == max_new_tokens or not len(going):
            break
        if len(going) <= _DROP_AT * len(held):
            decoder.keep(going)
            held, tokens = held[going], tokens[going]
        logits = decoder.write(tokens)
    return Drawn(ids_NT, logprobs_NT, lengths_N, finished_N)


def _sample(lm: LanguageModel, ids: list[int], logprobs: list[float], length: int, finished: bool) -> Sample:
    said = ids[: length - 1] if finished else ids[:length]
    return Sample(ids[:length], logprobs[:length], decode(lm, said), finished)


def _pick(logits_NV: Tensor, uniform_N: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Return the token whose share of the cumulative distribution holds the uniform number, and its log-probability."""
    logits_NV = logits_NV.to(torch.float32)
    if temperature == 0:
        tokens_N = logits_NV.argmax(-1)
        return tokens_N, logits_NV.log_softmax(-1).gather(1, tokens_N[:, None])[:, 0]
    shares_NV = (logits_NV if temperature == 1 else logits_NV / temperature).softmax(-1)
    cumulative_NV = shares_NV.cumsum(-1, dtype=torch.float64)
    point_N1 = uniform_N[:, None] * cumulative_NV[:, -1:]
    tokens_N1 = torch.searchsorted(cumulative_NV, point_N1, right=True).clamp_(max=logits_NV.shape[1] - 1)
    return tokens_N1[:, 0], shares_NV.gather(1, tokens_N1)[:, 0].log_()
