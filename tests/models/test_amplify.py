import pytest
import torch

from organoid.errors import UserError
from organoid.models.adapters import Lora, trainable
from organoid.models.amplify import amplified
from organoid.models.bases import build
from organoid.models.language_model import LanguageModel, copy
from tests.bases import untrained


def weights(lm: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in lm.model.named_parameters()}


@pytest.fixture
def trained(native: LanguageModel) -> LanguageModel:
    lm = copy(native)
    with torch.no_grad():
        for number, weight in enumerate(lm.model.parameters()):
            weight += 0.01 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(number))
    return lm


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.5, 2.0])
def test_the_change_is_scaled_and_both_models_stay(
    native: LanguageModel, trained: LanguageModel, factor: float
) -> None:
    before, after = weights(native), weights(trained)
    bold = weights(amplified(trained, native, factor))
    for name in after:
        assert torch.allclose(bold[name], after[name] + factor * (after[name] - before[name]), atol=1e-6)
        assert torch.equal(after[name], weights(trained)[name])
        assert torch.equal(before[name], weights(native)[name])


def test_a_shuffled_change_is_as_large_and_points_elsewhere(native: LanguageModel, trained: LanguageModel) -> None:
    after, before = weights(trained), weights(native)
    bold = weights(amplified(trained, native, 1.0, shuffle_seed=0))
    again = weights(amplified(trained, native, 1.0, shuffle_seed=0))
    for name, weight in after.items():
        change, real = bold[name] - weight, weight - before[name]
        assert torch.equal(bold[name], again[name])
        assert change.norm() == pytest.approx(float(real.norm()), rel=1e-3)
        if weight.ndim == 2:
            assert abs(float(torch.cosine_similarity(change.flatten(), real.flatten(), dim=0))) < 0.2


def test_adapters_are_merged_first(native: LanguageModel) -> None:
    subject = trainable(native, lora=Lora(rank=2))
    with torch.no_grad():
        for name, weight in subject.model.named_parameters():
            if "lora_B" in name:
                weight += 0.1
    changed = weights(amplified(subject, native, 1.0))
    assert changed.keys() == weights(native).keys()
    assert any(not torch.equal(changed[name], weight) for name, weight in weights(native).items())


def test_a_model_of_another_origin_is_refused(native: LanguageModel) -> None:
    with pytest.raises(UserError, match="was not trained from"):
        amplified(native, untrained(), 1.0)
    deeper = build("tiny", tokenizer=native.tokenizer, seed=0)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="was not trained from"):
        amplified(deeper, native, 1.0)
