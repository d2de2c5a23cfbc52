from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from organoid.errors import UserError
from organoid.models.adapters import Lora, adapted, merged, reference, trainable
from organoid.models.batches import collate
from organoid.models.chat import encode_reply
from organoid.models.language_model import LanguageModel, load, save
from organoid.models.score import reply_logprobs
from organoid.models.train import TrainConfig, train
from organoid.types import Message

ASK = (Message("user", "what is two plus three ?"),)


def trained(lm: LanguageModel) -> LanguageModel:
    subject = trainable(lm)
    rows = [encode_reply(lm, ASK, "five .")]
    train(subject, [collate(rows)] * 3, config=TrainConfig(steps=3, learning_rate=1e-2))
    return subject


def score(lm: LanguageModel) -> float:
    return float(reply_logprobs(lm, [encode_reply(lm, ASK, "five .")]).sums_N[0])


def test_native_models_are_trained_whole(native: LanguageModel) -> None:
    subject = trainable(native)
    assert not adapted(subject)
    assert all(weight.requires_grad for weight in subject.model.parameters())
    assert not {id(w) for w in subject.model.parameters()} & {id(w) for w in native.model.parameters()}


def test_native_models_can_have_adapters(native: LanguageModel) -> None:
    subject = trainable(native, lora=Lora(rank=2, alpha=4))
    assert adapted(subject)
    count = sum(weight.numel() for weight in subject.model.parameters() if weight.requires_grad)
    assert 0 < count < native.model.num_parameters() / 10


def test_adapters_start_as_nothing_and_share_the_frozen_weights(foreign: LanguageModel) -> None:
    subject = trainable(foreign)
    assert score(subject) == pytest.approx(score(foreign), abs=1e-5)
    shared = {weight.data_ptr() for weight in foreign.model.parameters()}
    frozen = {weight.data_ptr() for weight in subject.model.parameters() if not weight.requires_grad}
    assert frozen == shared


def test_two_subjects_of_one_base_do_not_meet(foreign: LanguageModel) -> None:
    before = score(foreign)
    one, other = trained(foreign), trainable(foreign)
    assert score(one) > before + 1
    assert score(other) == pytest.approx(before, abs=1e-5)
    assert score(foreign) == before


def test_the_reference_is_the_model_before(foreign: LanguageModel) -> None:
    subject = trained(foreign)
    after = score(subject)
    with reference(subject) as before:
        assert score(before) == pytest.approx(score(foreign), abs=1e-5)
    assert score(subject) == after


def test_without_adapters_there_is_no_reference(native: LanguageModel) -> None:
    with pytest.raises(UserError, match="copy"), reference(native):
        pass


def test_what_is_saved_is_merged_and_plain(foreign: LanguageModel, tmp_path: Path) -> None:
    subject = trained(foreign)
    after, digest = score(subject), subject.digest
    path = save(subject, tmp_path / "subject")
    assert not list(path.glob("adapter*"))
    assert (subject.digest, score(subject)) == (digest, after)
    plain = AutoModelForCausalLM.from_pretrained(path, local_files_only=True)
    assert type(plain) is type(foreign.model)
    assert score(load(path)) == pytest.approx(after, abs=1e-4)
    ids = torch.arange(1, 9)[None]
    with torch.no_grad():
        assert torch.allclose(plain(input_ids=ids).logits, subject.model(input_ids=ids).logits, atol=1e-4)


def test_merging_a_model_without_adapters_is_the_model(native: LanguageModel) -> None:
    assert merged(native) is native
