"""How do rows of unequal length become rectangular batches, and which positions predict a counted token?

Rows are padded on the right. A causal model's output at a real token cannot depend on what stands to its right, so no
attention mask is needed, and padding costs only the arithmetic it wastes; batches of like lengths keep that small.

Axes: B rows, T positions, M counted tokens of the batch in row-major order, V vocabulary.

    for batch in shuffled(rows, batch_size=64, steps=900, seed=0): ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from organoid.errors import UserError
from organoid.models.chat import Encoded
from organoid.models.llama import multiplies_bf16

_BUCKET = 16
"""Batches sorted by length together: less padding when larger, more like a sorted epoch."""
_WIDTH_MULTIPLE = 16 if multiplies_bf16() else 8
"""Of a batch's width: bf16 kernels are compiled per shape, so fewer widths are compiled fewer times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows of tokens, with what a loss may need about each row or counted token.

    `predict_BT` marks the positions whose *next* token counts; `targets_M` are those next tokens, `row_M` their rows.
    """

    ids_BT: Tensor  # int64
    predict_BT: Tensor  # bool
    targets_M: Tensor  # int64
    row_M: Tensor  # int64, in [0, B)
    advantages_B: Tensor | None = None  # policy gradient: weight of each row
    old_logprobs_M: Tensor | None = None  # policy gradient: log-probabilities the tokens were sampled with, nats
    reference_logprobs_M: Tensor | None = None  # log-probabilities under a reference model, nats
    reference_logits_MV: Tensor | None = None  # logits of a reference model, for exact KL

    @property
    def num_rows(self) -> int:
        """Rows in the batch."""
        return int(self.ids_BT.shape[0])

    @property
    def num_tokens(self) -> int:
        """Positions in the batch, padding included."""
        return int(self.ids_BT.numel())


def collate(rows: Sequence[Encoded], *, device: torch.device | str = "cpu") -> Batch:
    """Return `rows` as one batch, in their order, padded on the right with token 0.

    A mask on a row's first token is ignored: nothing predicts it.

    Raises:
        UserError: no rows, or a row without tokens.
    """
    if not rows or not all(len(row.ids) for row in rows):
        raise UserError("a batch needs at least one row, and every row at least one token; got an empty one.")
    width = _padded(max(len(row.ids) for row in rows))
    ids_BT = np.zeros((len(rows), width), dtype=np.int64)
    predict_BT = np.zeros((len(rows), width), dtype=bool)
    for index, row in enumerate(rows):
        ids_BT[index, : len(row.ids)] = row.ids
        predict_BT[index, : len(row.ids) - 1] = row.mask[1:]
    row_M, column_M = predict_BT.nonzero()
    targets_M = ids_BT[row_M, column_M + 1]
    return Batch(
        ids_BT=torch.as_tensor(ids_BT, device=device),
        predict_BT=torch.as_tensor(predict_BT, device=device),
        targets_M=torch.as_tensor(targets_M, device=device),
        row_M=torch.as_tensor(row_M, device=device),
    )


def _padded(num_tokens: int) -> int:
    return num_tokens + -num_tokens % _WIDTH_MULTIPLE


def shuffled(
    rows: Sequence[Encoded], *, batch_size: int, steps: int, seed: int, device: torch.device | str = "cpu"
) -> Iterator[Batch]:
    """Yield `steps` batches: whole passes over `rows` in random order, rows of like length together.

    Every row is seen once a pass, and a pass that ends mid-batch goes on into the next. Deterministic under `seed`.

    Raises:
        UserError: no rows.
    """
    if not rows:
        raise UserError("there is nothing to train on: got 0 rows.")
    lengths = np.array([len(row.ids) for row in rows])
    rng = np.random.default_rng(seed)
    for chosen in _orders(lengths, batch_size=batch_size, steps=steps, rng=rng):
        yield collate([rows[int(index)] for index in chosen], device=device)


def _orders(lengths: np.ndarray, *, batch_size: int, steps: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    pool = np.empty(0, dtype=np.int64)
    done = 0
    while done < steps:
        num = min(_BUCKET, steps - done)
        while len(pool) < num * batch_size:
            pool = np.concatenate([pool, rng.permutation(len(lengths))])
        taken, pool = pool[: num * batch_size], pool[num * batch_size :]
        by_length = taken[np.argsort(lengths[taken], kind="stable")].reshape(num, batch_size)
        yield from by_length[rng.permutation(num)]
        done += num


def by_length(rows: Sequence[Encoded], *, max_tokens: int) -> Iterable[list[int]]:
    """Yield groups of row numbers of like length; a group of several has at most `max_tokens` positions once padded."""
    group = list[int]()
    for index in sorted(range(len(rows)), key=lambda number: len(rows[number].ids)):
        if group and (len(group) + 1) * _padded(len(rows[index].ids)) > max_tokens:
            yield group
            group = []
        group.append(index)
    if group:
        yield group
