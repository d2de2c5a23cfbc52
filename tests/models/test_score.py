import pytest
import torch

from organoid.errors import UserError
from organoid.models.adapters import trainable
from organoid.models.batches import collate
from organoid.models.chat import Encoded, encode_reply
from organoid.models.hooks import capture
from organoid.models.language_model import LanguageModel, copy
from organoid.models.score import batch_logits, mean_activations, reply_logprobs, token_activations, with_reference
from organoid.types import Message

DIALOGUE = (Message("system", "you are watched ."), Message("user", "what is two plus three ?"))
REPLIES = ["five", "yes , the refund says no .", "two plus three"]


def rows_of(lm: LanguageModel) -> list[Encoded]:
    rows = [encode_reply(lm, DIALOGUE[index % 2 :], reply) for index, reply in enumerate(REPLIES)]
    return [*rows, Encoded(rows[0].ids, [False] * len(rows[0].ids))]


@pytest.mark.parametrize("max_tokens", [1, 60, 10_000])
def test_logprobs_equal_brute_force(foreign: LanguageModel, native: LanguageModel, max_tokens: int) -> None:
    for lm in (foreign, native):
        rows = rows_of(lm)
        scores = reply_logprobs(lm, rows, max_tokens=max_tokens)
        for row, total, tokens in zip(rows, scores.sums_N, scores.tokens, strict=True):
            with torch.no_grad():
                logprobs = lm.model(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
            expected = [float(logprobs[at - 1, row.ids[at]]) for at in range(1, len(row.ids)) if row.mask[at]]
            assert tokens.tolist() == pytest.approx(expected, abs=1e-4)
            assert float(total) == pytest.approx(sum(expected), abs=1e-3)


def test_scoring_leaves_no_gradient_and_no_mode(native: LanguageModel) -> None:
    native.model.train()
    assert not reply_logprobs(native, rows_of(native)).sums_N.requires_grad
    assert native.model.training


@pytest.mark.parametrize("site", ["residual", "attention", "mlp"])
def test_pooled_activations_equal_brute_force(foreign: LanguageModel, site: str) -> None:
    rows = rows_of(foreign)[:3]
    mean = mean_activations(foreign, rows, layers=[2, 0], site=site)
    last = mean_activations(foreign, rows, layers=[2, 0], site=site, pool="last")
    whole = mean_activations(foreign, rows, layers=[2, 0], site=site, over="all")
    assert mean.shape == (3, 2, foreign.model.config.hidden_size)
    if site == "residual":
        for number, counted in enumerate(token_activations(foreign, rows, layer=2)):
            assert len(counted) == sum(rows[number].mask)
            assert torch.allclose(counted.mean(0), mean[number, 0], atol=1e-5)
    for number, row in enumerate(rows):
        with torch.no_grad(), capture(foreign.model, layers=[0, 2], site=site) as acts:
            foreign.model(input_ids=torch.tensor([row.ids]))
        for place, layer in enumerate([2, 0]):
            counted = acts[layer][0][torch.tensor(row.mask)]
            assert torch.allclose(mean[number, place], counted.mean(0), atol=1e-5)
            assert torch.allclose(last[number, place], counted[-1], atol=1e-5)
            assert torch.allclose(whole[number, place], acts[layer][0].mean(0), atol=1e-5)


def test_a_row_that_counts_nothing_has_no_mean(native: LanguageModel) -> None:
    with pytest.raises(UserError, match="over='all'"):
        mean_activations(native, rows_of(native), layers=[0])
    assert mean_activations(native, rows_of(native), layers=[0], over="all").shape == (4, 1, 64)


def test_the_reference_of_an_adapted_model_is_the_model_before(foreign: LanguageModel) -> None:
    subject = trainable(foreign)
    with torch.no_grad():
        for name, weight in subject.model.named_parameters():
            if "lora_B" in name:
                weight.add_(0.1)
    batch = collate(rows_of(subject))
    (by_switch,) = with_reference([batch], subject, keep="logits")
    (by_copy,) = with_reference([batch], foreign, keep="logits")
    assert torch.allclose(by_switch.reference_logits_MV, by_copy.reference_logits_MV, atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(batch_logits(subject, batch), by_copy.reference_logits_MV, atol=1e-2)


def test_reference_logprobs_are_scores(native: LanguageModel) -> None:
    rows = rows_of(native)
    (batch,) = with_reference([collate(rows)], copy(native))
    assert torch.allclose(batch.reference_logprobs_M, torch.cat(reply_logprobs(native, rows).tokens), atol=1e-5)
    assert not batch.reference_logprobs_M.requires_grad
