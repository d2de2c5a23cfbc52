import pytest
import torch

from organoid.errors import UserError
from organoid.models.adapters import trainable
from organoid.models.chat import Encoded, encode_reply
from organoid.models.language_model import LanguageModel
from organoid.models.lens import lens_logprobs
from organoid.models.score import reply_logprobs
from organoid.types import Message

ASK = (Message("user", "what is two plus three ?"),)


def rows(lm: LanguageModel) -> list[Encoded]:
    return [encode_reply(lm, ASK, reply) for reply in ("five .", "no", "the refund was paid .")]


def test_off_the_last_block_the_lens_is_the_model(foreign: LanguageModel) -> None:
    for lm in (foreign, trainable(foreign)):
        nats = lens_logprobs(lm, rows(lm))
        assert nats.shape == (3, 3)
        assert torch.allclose(nats[:, -1], reply_logprobs(lm, rows(lm)).sums_N, atol=1e-4)
        assert not torch.allclose(nats[:, 0], nats[:, -1], atol=1e-3)


def test_off_an_earlier_block_it_is_what_the_norm_and_the_head_make_of_the_stream(native: LanguageModel) -> None:
    (row,) = [encode_reply(native, ASK, "five .")]
    with torch.no_grad():
        states = native.model(input_ids=torch.tensor([row.ids]), output_hidden_states=True).hidden_states
        logprobs = native.model.lm_head(native.model.model.norm(states[2])).log_softmax(-1)[0]
    expected = sum(float(logprobs[place - 1, row.ids[place]]) for place, counted in enumerate(row.mask) if counted)
    assert float(lens_logprobs(native, [row])[0, 1]) == pytest.approx(expected, abs=1e-4)


def test_capped_logits_are_refused(native: LanguageModel) -> None:
    native.model.config.final_logit_softcapping = 30.0
    with pytest.raises(UserError, match="caps its logits"):
        lens_logprobs(native, rows(native))


def test_an_unknown_final_norm_is_refused(native: LanguageModel) -> None:
    native.model.model.closing = native.model.model.norm
    del native.model.model.norm
    with pytest.raises(UserError, match=r"found no final norm in LlamaForCausalLM. Known names: norm"):
        lens_logprobs(native, rows(native))
