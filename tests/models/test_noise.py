"""Noise is as large as it is told to be, the same under its seed, and never on the model it was asked of."""

import pytest
import torch

from organoid.errors import UserError
from organoid.models.adapters import Lora, trainable
from organoid.models.language_model import LanguageModel
from organoid.models.noise import noised


def weights(lm: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in lm.model.named_parameters()}


def test_noise_is_a_share_of_each_matrix_s_own_spread_and_leaves_the_model_bit_for_bit(native: LanguageModel) -> None:
    before = weights(native)
    shaken = weights(noised(native, 0.3, seed=0))
    for name, weight in before.items():
        noise = shaken[name] - weight
        if weight.ndim < 2:
            assert torch.equal(shaken[name], weight)
        elif weight.numel() > 1000:
            assert float(noise.std() / weight.std()) == pytest.approx(0.3, rel=0.1)
            assert abs(float(torch.corrcoef(torch.stack([noise.flatten(), weight.flatten()]))[0, 1])) < 0.1
        assert torch.equal(dict(native.model.named_parameters())[name], weight)


def test_noise_follows_its_seed_and_none_is_none(native: LanguageModel) -> None:
    first, again, other = (weights(noised(native, 0.3, seed=seed)) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], weight) for name, weight in again.items())
    assert not any(torch.equal(first[name], weight) for name, weight in other.items() if weight.ndim >= 2)
    assert noised(native, 0.0, seed=0).digest == native.digest


def test_adapters_are_merged_into_the_copy(native: LanguageModel) -> None:
    subject = trainable(native, lora=Lora(rank=2))
    before = weights(subject)
    assert weights(noised(subject, 0.1, seed=0)).keys() == weights(native).keys()
    assert all(torch.equal(weight, before[name]) for name, weight in weights(subject).items())


@pytest.mark.parametrize("scale", [-0.1, float("inf"), float("nan")])
def test_a_scale_that_is_none_is_refused_and_the_model_stays(native: LanguageModel, scale: float) -> None:
    digest = native.digest
    with pytest.raises(UserError, match="0 or more, and finite"):
        noised(native, scale, seed=0)
    assert native.digest == digest


def test_running_out_half_way_leaves_the_model_bit_for_bit(
    native: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, drawn, real = native.digest, [0], torch.randn

    def breaks(*shape: object, **settings: object) -> torch.Tensor:
        drawn[0] += 1
        if drawn[0] == 3:
            raise MemoryError
        return real(*shape, **settings)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(torch, "randn", breaks)
    with pytest.raises(MemoryError):
        noised(native, 0.5, seed=0)
    assert drawn == [3] and native.digest == digest
