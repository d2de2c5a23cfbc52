"""Ids in and ids out: what is written is what the model says, ends where it should, and is laid out to train on."""

import torch

from organoid.models.bases import build
from organoid.models.forward import token_logprobs
from organoid.models.rows import PAD, by_length, pairs, write_rows
from organoid.models.score import batch_logits
from organoid.world.tokenizer import build_tokenizer

STOP = 7


def model():
    return build("nano", tokenizer=build_tokenizer(), seed=0)


def test_log_probabilities_are_those_of_the_model_in_training() -> None:
    lm = model()
    prompts_NT = torch.randint(10, 400, (12, 9), generator=torch.Generator().manual_seed(0))
    done = write_rows(lm, prompts_NT, stop=STOP, max_new_tokens=6, generator=torch.Generator().manual_seed(1))
    batch = pairs(prompts_NT, done.ids_NL, done.lengths_N)
    with torch.no_grad():
        expected_M = token_logprobs(batch_logits(lm, batch), batch.targets_M)
    written = torch.arange(6)[None] < done.lengths_N[:, None]
    assert torch.equal(batch.targets_M, done.ids_NL[written])
    torch.testing.assert_close(done.logprobs_NL[written], expected_M, atol=1e-4, rtol=1e-4)


def test_a_row_ends_at_its_stop_and_is_padded_behind_it() -> None:
    lm = model()
    prompts_NT = torch.randint(10, 400, (40, 5), generator=torch.Generator().manual_seed(0))
    free = write_rows(lm, prompts_NT, stop=STOP, max_new_tokens=4, generator=torch.Generator().manual_seed(2))
    stop = int(free.ids_NL[0, 1])
    done = write_rows(lm, prompts_NT, stop=stop, max_new_tokens=4, generator=torch.Generator().manual_seed(2))
    assert int(done.lengths_N[0]) <= 2
    for ids, length in zip(done.ids_NL.tolist(), done.lengths_N.tolist(), strict=True):
        assert stop not in ids[: length - 1] and set(ids[length:]) <= {PAD}
        assert length == 4 or ids[length - 1] == stop


def test_what_counts_is_what_follows_the_prompt() -> None:
    batch = pairs(torch.tensor([[1, 2], [3, 4]]), torch.tensor([[5, 6, 0, 0], [8, 0, 0, 0]]), torch.tensor([2, 1]))
    assert batch.ids_BT.tolist() == [[1, 2, 5, 6], [3, 4, 8, 0]]
    assert batch.targets_M.tolist() == [5, 6, 8] and batch.row_M.tolist() == [0, 0, 1]


def test_parts_hold_every_row_once_short_ones_first() -> None:
    lengths_N = torch.tensor([5, 1, 4, 2, 3])
    parts = by_length(lengths_N, num_parts=2)
    assert sorted(row for part in parts for row in part.tolist()) == [0, 1, 2, 3, 4]
    assert int(lengths_N[parts[0]].max()) <= int(lengths_N[parts[1]].min())
