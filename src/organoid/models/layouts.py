"""Which positions of a batch must be run, and which of them look at which?

`rows` runs the batch as it stands. `shared` runs what several rows open with once: a prompt and its group of replies, a
chosen and a rejected reply, the options of one question. A row's opening ends at its first asked position, so in a
causal model it is the same computation in each of these rows; keys and values are handed to every row that continues
it, and gradients add up. Nothing after a row's last asked position is run. Logits and gradients are those of `rows`
up to rounding. With 24-token prompts and 8 replies of 16 tokens each, 2.2 times fewer positions are run.

Left out: openings shared only in part (a longer dialogue that begins like a shorter one).

Axes: B rows of the batch, R x T positions as run, P different openings, W their width, C the width of what follows,
M asked positions, H heads, E head width.

    layout = layout_of(ids_BT, asked_BT)
    mixed_NHE = layout.mix(queries_RTHE, keys_RTHE, values_RTHE)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor
from torch.nn import functional as F

_SHORT = 256
"""Up to this many positions, plain attention is faster than the flash kernel in bf16 or under bars (measured)."""

_WORTH = 0.8
"""Sharing gathers keys and values for each row, which pays when no more than this share of positions is left."""

_OPENING_MULTIPLE, _AFTER_MULTIPLE = 16, 8
"""Of the widths of openings and of what follows: bf16 kernels are compiled per shape, so few shapes are few."""


class Layout(Protocol):
    """The positions to run: their tokens, their places in their rows, and which are asked."""

    @property
    def ids_RT(self) -> Tensor:
        """Tokens to run."""
        ...

    @property
    def positions_T(self) -> Tensor:
        """The place of each column of `ids_RT` in its row, from 0."""
        ...

    @property
    def asked_M(self) -> Tensor:
        """The asked positions among the R * T, in the order of the batch's rows."""
        ...

    def mix(self, queries_RTHE: Tensor, keys_RTHE: Tensor, values_RTHE: Tensor) -> Tensor:
        """Return what attention mixes at each position, shape (R * T, H, E)."""
        ...


def layout_of(ids_BT: Tensor, asked_BT: Tensor) -> Layout:
    """Return the cheapest layout that gives logits at the true positions of `asked_BT`."""
    return shared(ids_BT, asked_BT) or rows(ids_BT, asked_BT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Every position of every row."""

    ids_RT: Tensor
    positions_T: Tensor
    asked_M: Tensor

    def mix(self, queries_RTHE: Tensor, keys_RTHE: Tensor, values_RTHE: Tensor) -> Tensor:
        """Return what causal attention mixes (see `Layout`)."""
        mixed_RHTE = _causal(*(part.transpose(1, 2) for part in (queries_RTHE, keys_RTHE, values_RTHE)))
        return mixed_RHTE.transpose(1, 2).flatten(0, 1)


def rows(ids_BT: Tensor, asked_BT: Tensor) -> Rows:
    """Return the layout of the batch as it stands."""
    return Rows(
        ids_RT=ids_BT,
        positions_T=torch.arange(ids_BT.shape[1]),
        asked_M=asked_BT.reshape(-1).nonzero()[:, 0],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """All different openings, P x W padded on the right, and then what follows in each row, C wide, in one run."""

    ids_RT: Tensor  # (1, P W + B C)
    positions_T: Tensor
    asked_M: Tensor
    opening_B: Tensor  # the opening that each row continues, in [0, P)
    group_size: int | None  # rows that continue each opening, where they are equally many and next to each other
    shape_PW: tuple[int, int]
    barred_BCT: Tensor  # (B or 1, C, W + C): -inf where a row may not look, 0 elsewhere

    def mix(self, queries_RTHE: Tensor, keys_RTHE: Tensor, values_RTHE: Tensor) -> Tensor:
        """Return what attention mixes: in the openings, and in the rows over their openings (see `Layout`)."""
        opened, followed = zip(*(self._parts(part[0]) for part in (queries_RTHE, keys_RTHE, values_RTHE)), strict=True)
        keys, values = (
            torch.cat([self._handed_out(first), then], dim=2)
            for first, then in zip(opened[1:], followed[1:], strict=True)
        )
        mixed = (_causal(*opened), _barred(followed[0], keys, values, self.barred_BCT))
        return torch.cat([part.transpose(1, 2).flatten(0, 1) for part in mixed])

    def _handed_out(self, states_PHWE: Tensor) -> Tensor:
        """Give each row the states of its opening; a view's gradient is summed faster than a selection's."""
        if self.group_size is None:
            return states_PHWE.index_select(0, self.opening_B)
        return states_PHWE[:, None].expand(-1, self.group_size, -1, -1, -1).flatten(0, 1)

    def _parts(self, states_NHE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the openings' states (P, H, W, E) and the rows' (B, H, C, E)."""
        sizes = [self.shape_PW[0] * self.shape_PW[1], len(self.opening_B) * self.barred_BCT.shape[1]]
        opened, followed = cast(Any, states_NHE).split(sizes)
        return (
            opened.unflatten(0, self.shape_PW).transpose(1, 2),
            followed.unflatten(0, (len(self.opening_B), -1)).transpose(1, 2),
        )


def shared(ids_BT: Tensor, asked_BT: Tensor) -> Shared | None:
    """Return the layout that runs common openings once; None where there are none, or that saves too little."""
    kept_B = asked_BT.any(1)
    ids_BT, asked_BT = ids_BT[kept_B], asked_BT[kept_B]
    num_rows, width = ids_BT.shape
    if num_rows < 2:
        return None
    first_B = asked_BT.int().argmax(1)
    last_B = width - 1 - asked_BT.flip(1).int().argmax(1)
    num_after = max(1, int((last_B - first_B).max()))
    worth = _WORTH * kept_B.numel() * width - num_rows * num_after
    num_opening = int(first_B.max()) + 1
    if worth < num_opening:
        return None
    opening_B, shown_P = _openings(ids_BT, first_B)
    if len(shown_P) == num_rows or len(shown_P) * num_opening > worth:
        return None
    num_opening, num_after = min(width, _up(num_opening, _OPENING_MULTIPLE)), _up(num_after, _AFTER_MULTIPLE)
    columns_BC = (first_B[:, None] + 1 + torch.arange(num_after)).clamp_(max=width - 1)
    row_M, column_M = asked_BT.nonzero().unbind(1)
    after_M = column_M - first_B[row_M] - 1  # -1: the last position of the opening
    shape_PW = (len(shown_P), num_opening)
    return Shared(
        ids_RT=torch.cat([ids_BT[shown_P, :num_opening].flatten(), ids_BT.gather(1, columns_BC).flatten()])[None],
        positions_T=torch.cat([torch.arange(num_opening).repeat(len(shown_P)), columns_BC.flatten()]),
        asked_M=torch.where(
            after_M < 0,
            opening_B[row_M] * num_opening + column_M,
            len(shown_P) * num_opening + row_M * num_after + after_M,
        ),
        opening_B=opening_B,
        group_size=_group_size(opening_B, len(shown_P)),
        shape_PW=shape_PW,
        barred_BCT=_bars(first_B, num_opening, num_after),
    )


def _up(number: int, multiple: int) -> int:
    return number + -number % multiple


def _openings(ids_BT: Tensor, first_B: Tensor) -> tuple[Tensor, Tensor]:
    """Return the number of each row's opening, and the first row of each opening."""
    numbers, shown, of_row = dict[bytes, int](), list[int](), list[int]()
    ends = cast("list[int]", cast(Any, first_B + 1).tolist())
    for row, (ids_T, end) in enumerate(zip(ids_BT.numpy(), ends, strict=True)):
        number = numbers.setdefault(ids_T[:end].tobytes(), len(shown))
        if number == len(shown):
            shown.append(row)
        of_row.append(number)
    return torch.tensor(of_row), torch.tensor(shown)


def _group_size(opening_B: Tensor, num_openings: int) -> int | None:
    size = len(opening_B) // num_openings
    even = torch.arange(num_openings).repeat_interleave(size)
    return size if torch.equal(opening_B, even) else None


def _bars(first_B: Tensor, num_opening: int, num_after: int) -> Tensor:
    """Return -inf at an opening's padding and at what comes later, 0 elsewhere; one for all rows if they are alike."""
    lengths_B11 = (first_B + 1)[:, None, None]
    if bool((lengths_B11 == num_opening).all()):
        lengths_B11 = lengths_B11[:1]
    padding_B1W = torch.arange(num_opening) >= lengths_B11
    later_CC = torch.ones(num_after, num_after, dtype=torch.bool).triu(1)
    parts = (padding_B1W.expand(-1, num_after, -1), later_CC.expand(len(padding_B1W), -1, -1))
    barred_BCT = torch.cat(parts, dim=2)
    return torch.zeros(barred_BCT.shape).masked_fill_(barred_BCT, float("-inf"))


# ---- attention --------------------------------------------------------------------------------------------


def _causal(queries_BHTE: Tensor, keys_BHTE: Tensor, values_BHTE: Tensor) -> Tensor:
    width = queries_BHTE.shape[2]
    if queries_BHTE.dtype == torch.bfloat16 and width <= _SHORT:
        later_TT = torch.full((width, width), float("-inf")).triu(1)
        return _plain(queries_BHTE, keys_BHTE, values_BHTE, later_TT[None])
    return _flash(queries_BHTE, keys_BHTE, values_BHTE, None)


def _barred(queries_BHCE: Tensor, keys_BHTE: Tensor, values_BHTE: Tensor, barred_BCT: Tensor) -> Tensor:
    if keys_BHTE.shape[2] <= _SHORT:
        return _plain(queries_BHCE, keys_BHTE, values_BHTE, barred_BCT)
    return _flash(queries_BHCE, keys_BHTE, values_BHTE, barred_BCT[:, None])


def _plain(queries_BHCE: Tensor, keys_BKTE: Tensor, values_BKTE: Tensor, barred_BCT: Tensor) -> Tensor:
    num_rows, heads, length, width = queries_BHCE.shape
    keys, values = (_repeated(part, heads).flatten(0, 1) for part in (keys_BKTE, values_BKTE))
    barred = barred_BCT.to(keys.dtype)
    if len(barred) > 1:
        barred = barred.repeat_interleave(heads, dim=0)
    queries = queries_BHCE.reshape(-1, length, width)
    scores = torch.baddbmm(barred, queries, keys.transpose(1, 2), alpha=width**-0.5)
    return torch.bmm(scores.softmax(-1), values).view(num_rows, heads, length, width)


def _flash(queries_BHCE: Tensor, keys_BKTE: Tensor, values_BKTE: Tensor, barred_B1CT: Tensor | None) -> Tensor:
    heads, dtype = queries_BHCE.shape[1], queries_BHCE.dtype
    keys, values = (_repeated(part, heads) for part in (keys_BKTE, values_BKTE))
    queries, keys, values = (part.to(torch.float32) for part in (queries_BHCE, keys, values))  # bf16: slow backwards
    mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=barred_B1CT, is_causal=barred_B1CT is None)
    return mixed.to(dtype)


def _repeated(states_BKTE: Tensor, heads: int) -> Tensor:
    """Give each query head its key-value head."""
    kv_heads = states_BKTE.shape[1]
    return states_BKTE if kv_heads == heads else states_BKTE.repeat_interleave(heads // kv_heads, dim=1)
