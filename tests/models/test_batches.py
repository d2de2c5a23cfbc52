from collections import Counter
from itertools import chain

import pytest

from organoid.errors import UserError
from organoid.models.batches import _WIDTH_MULTIPLE, by_length, collate, shuffled
from organoid.models.chat import Encoded


def flat(lists: list[list[int]]) -> list[int]:
    return list(chain.from_iterable(lists))


ROWS = [Encoded([5, 6, 7], [False, True, False]), Encoded([8, 9], [True, True]), Encoded([4] * 4, [False] * 4)]


def test_the_position_before_a_counted_token_predicts_it() -> None:
    batch = collate(ROWS)
    assert batch.ids_BT[:, :4].tolist() == [[5, 6, 7, 0], [8, 9, 0, 0], [4, 4, 4, 4]]
    assert not batch.ids_BT[:, 4:].any()
    assert batch.predict_BT.nonzero().tolist() == [[0, 0], [1, 0]]  # the first token of a row is never predicted
    assert batch.targets_M.tolist() == [6, 9]
    assert batch.row_M.tolist() == [0, 1]
    assert (batch.num_rows, batch.num_tokens) == (3, 3 * _WIDTH_MULTIPLE)


@pytest.mark.parametrize("multiples", [1, 3])
def test_a_width_is_the_next_multiple_and_padding_counts_nothing(multiples: int) -> None:
    full = multiples * _WIDTH_MULTIPLE
    for length in (full - _WIDTH_MULTIPLE + 1, full - 1, full):
        batch = collate([Encoded([7] * length, [True] * length), Encoded([8], [True])])
        assert batch.ids_BT.shape == batch.predict_BT.shape == (2, full)
        assert batch.ids_BT.sum() == 7 * length + 8
        assert batch.targets_M.tolist() == [7] * (length - 1)


@pytest.mark.parametrize("rows", [[], [Encoded([], [])]])
def test_an_empty_batch_is_refused(rows: list[Encoded]) -> None:
    with pytest.raises(UserError, match="at least one"):
        collate(rows)


def seen(seed: int) -> list[list[int]]:
    rows = [Encoded([index] * (1 + index % 7), [True] * (1 + index % 7)) for index in range(30)]
    return [batch.ids_BT[:, 0].tolist() for batch in shuffled(rows, batch_size=4, steps=45, seed=seed)]


def test_every_row_is_seen_once_a_pass() -> None:
    batches = seen(0)
    assert len(batches) == 45
    assert set(Counter(flat(batches)).values()) == {6}  # 45 * 4 = 6 * 30


def test_equal_seeds_give_equal_batches() -> None:
    assert seen(3) == seen(3) != seen(4)


def test_rows_of_like_length_go_together() -> None:
    lengths = [_WIDTH_MULTIPLE * (1 + index % 50) for index in range(800)]  # none is padded for its own sake
    rows = [Encoded([1] * length, [True] * length) for length in lengths]
    batches = list(shuffled(rows, batch_size=16, steps=50, seed=0))
    real = sum(int((batch.ids_BT != 0).sum()) for batch in batches)
    assert real / sum(batch.num_tokens for batch in batches) > 0.9  # in random order .51


def test_training_on_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="nothing to train on"):
        next(shuffled([], batch_size=4, steps=1, seed=0))


def test_groups_hold_every_row_within_the_budget() -> None:
    lengths = [1, 1, 2, 3, _WIDTH_MULTIPLE + 1, _WIDTH_MULTIPLE + 2, 2 * _WIDTH_MULTIPLE, 6 * _WIDTH_MULTIPLE]
    rows = [Encoded([1] * length, [True] * length) for length in lengths]
    groups = list(by_length(rows, max_tokens=4 * _WIDTH_MULTIPLE))
    assert sorted(flat(groups)) == list(range(len(rows)))
    widths = [collate([rows[index] for index in group]).num_tokens // _WIDTH_MULTIPLE for group in groups]
    sizes = list(zip(map(len, groups), widths, strict=True))
    assert sizes == [(4, 4), (2, 4), (1, 2), (1, 6)]  # as full as can be; a row above the budget goes alone
