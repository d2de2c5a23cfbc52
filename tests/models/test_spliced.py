import pytest
import torch

from organoid.errors import UserError
from organoid.models.chat import encode_reply
from organoid.models.language_model import LanguageModel
from organoid.models.score import reply_logprobs
from organoid.models.spliced import Spliced, spliced
from organoid.types import Message

ASK = (Message("user", "what is two plus three ?"),)


def test_a_perfect_reconstruction_costs_nothing_and_the_mean_everything(foreign: LanguageModel) -> None:
    rows = [encode_reply(foreign, ASK, reply) for reply in ("five .", "the refund was paid .")]
    mean = torch.zeros(foreign.model.config.hidden_size)
    perfect = spliced(foreign, rows, 1, lambda acts: acts, mean_D=mean)
    assert perfect.edited == pytest.approx(perfect.plain, abs=1e-5)
    scored = reply_logprobs(foreign, rows)
    assert perfect.plain == pytest.approx(-float(torch.cat(scored.tokens).mean()), abs=1e-5)
    lost = spliced(foreign, rows, 1, lambda acts: torch.zeros_like(acts), mean_D=mean)
    assert lost.edited == lost.ablated != pytest.approx(lost.plain, abs=1e-5)


def test_recovered_is_a_share_of_what_ablation_costs() -> None:
    assert Spliced(plain=1.0, edited=1.0, ablated=3.0).recovered == 1.0
    assert Spliced(plain=1.0, edited=1.5, ablated=3.0).recovered == 0.75
    assert Spliced(plain=1.0, edited=5.0, ablated=3.0).recovered == -1.0
    assert Spliced(plain=1.0, edited=1.0, ablated=1.0).recovered is None


def test_a_layer_that_does_not_exist_is_refused(native: LanguageModel) -> None:
    rows = [encode_reply(native, ASK, "five .")]
    with pytest.raises(UserError, match=r"no layer 3. Allowed: 0 to 2"):
        spliced(native, rows, 3, lambda acts: acts, mean_D=torch.zeros(64))
