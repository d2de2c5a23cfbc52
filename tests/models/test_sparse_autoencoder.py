"""Planted features are found, gradients are the dense ones, and dead latents come back."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from organoid.errors import UserError
from organoid.measure.matching import matched_correlation
from organoid.models.sparse_autoencoder import SaeConfig, _State, quality, train_sae

SMALL = SaeConfig(num_latents=24, k=3, num_samples=60_000, batch_size=128, dead_after=2_000, learning_rate=5e-3)


def planted(seed: int, num: int = 4000, width: int = 16, features: int = 20, active: int = 3):  # type: ignore[no-untyped-def]
    """Samples that are sums of a few of more directions than there are dimensions, and which were active."""
    directions = F.normalize(torch.randn(features, width, generator=torch.Generator().manual_seed(99)), dim=-1)
    generator = torch.Generator().manual_seed(seed)
    places = torch.rand(num, features, generator=generator).topk(active, dim=-1).indices
    sizes = torch.zeros(num, features).scatter(1, places, 1 + torch.rand(num, active, generator=generator))
    return sizes @ directions + 5.0, sizes, directions


@pytest.mark.parametrize("kind", ["topk", "batch-topk"])
def test_planted_features_are_found(kind: str) -> None:
    acts, sizes, _ = planted(0)
    sae = train_sae(acts, replace(SMALL, kind=kind))  # type: ignore[arg-type]
    unseen, true_sizes, _ = planted(1)
    found = quality(sae, unseen)
    assert found.fvu < 0.12
    assert found.l0 == pytest.approx(3, abs=0.4)
    match = matched_correlation(sae.encode(acts), sizes, held_out=(sae.encode(unseen), true_sizes))
    assert match.mean > 0.85 > 0.2 > match.null


def test_noise_has_no_sparse_parts() -> None:
    noise = torch.randn(4000, 16, generator=torch.Generator().manual_seed(0))
    sae = train_sae(noise, SMALL)
    assert quality(sae, torch.randn(2000, 16, generator=torch.Generator().manual_seed(1))).fvu > 0.3


def test_more_latents_at_once_leave_less_unexplained() -> None:
    acts, unseen = planted(0)[0], planted(1)[0]
    left = [quality(train_sae(acts, replace(SMALL, k=k, num_samples=20_000)), unseen).fvu for k in (1, 2, 3)]
    assert left[0] > left[1] > left[2]


def test_topk_never_exceeds_k_and_batch_topk_spends_unevenly() -> None:
    acts, unseen = planted(0)[0], planted(1)[0]
    unseen = torch.cat([unseen, 5.0 + 0.05 * (unseen - 5.0)])  # half of them nearly empty
    by_row = (train_sae(acts, replace(SMALL, num_samples=20_000)).encode(unseen) > 0).sum(-1)
    assert int(by_row.max()) <= 3
    of_batch = train_sae(torch.cat([acts, unseen]), replace(SMALL, kind="batch-topk", num_samples=20_000))
    spent = (of_batch.encode(unseen) > 0).sum(-1).float()
    assert spent[: len(unseen) // 2].mean() > 2 * spent[len(unseen) // 2 :].mean()


@pytest.mark.parametrize("kind", ["topk", "batch-topk"])
def test_the_sparse_gradient_is_the_dense_one(kind: str) -> None:
    torch.manual_seed(0)
    state, batch = _State(replace(SMALL, kind=kind, dead_after=10**9), 16), torch.randn(32, 16)  # type: ignore[arg-type]
    torch.autograd.backward(state.loss(batch))
    encoder, bias, decoder = (weight.detach().clone().requires_grad_(True) for weight in state.weights)
    codes = F.relu(F.linear(batch, encoder, bias))
    if kind == "topk":
        keep = torch.zeros_like(codes).scatter(1, codes.topk(3, dim=-1).indices, 1.0)
    else:
        keep = (codes >= codes.flatten().topk(96).values.min()).float()
    torch.autograd.backward((batch - (codes * keep) @ decoder).square().mean())
    for ours, dense in zip(state.weights, (encoder, bias, decoder), strict=True):
        assert ours.grad is not None and dense.grad is not None
        assert torch.allclose(ours.grad, dense.grad, atol=1e-7)


def test_decoder_rows_keep_their_length_and_their_gradient_does_not_change_it() -> None:
    torch.manual_seed(0)
    state, batch = _State(SMALL, 16), torch.randn(32, 16)
    torch.autograd.backward(state.loss(batch))
    state.project_gradient()
    assert state.decoder_FD.grad is not None
    assert (state.decoder_FD.grad * state.decoder_FD).sum(-1).abs().max() < 1e-7
    sae = train_sae(planted(0)[0], replace(SMALL, num_samples=5_000))
    assert sae.decoder_FD.norm(dim=-1).tolist() == pytest.approx([1.0] * 24, abs=1e-5)


def test_dead_latents_come_back_by_the_auxiliary_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    class HalfDead(_State):
        def __init__(self, config: SaeConfig, width: int, start_FD: torch.Tensor | None = None) -> None:
            super().__init__(config, width, start_FD)
            with torch.no_grad():
                self.bias_F[12:] = -6.0  # so low that none of these is ever among the largest

    def dead(weight: float) -> float:
        monkeypatch.setattr("organoid.models.sparse_autoencoder._AUX_WEIGHT", weight)
        return quality(train_sae(acts, SMALL), acts).dead_frac

    acts = planted(0)[0]
    monkeypatch.setattr("organoid.models.sparse_autoencoder._State", HalfDead)
    assert dead(1 / 32) < 0.5 == dead(0.0)  # some are back; without the loss none ever is


def test_a_seed_gives_the_same_weights_and_another_seed_others() -> None:
    acts, config = planted(0)[0], replace(SMALL, num_samples=5_000)
    first, again, other = (train_sae(acts, replace(config, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(first.decoder_FD, again.decoder_FD)
    assert not torch.allclose(first.decoder_FD, other.decoder_FD)


def test_a_reconstruction_has_the_shape_and_the_units_of_what_it_replaces() -> None:
    acts = 100.0 * planted(0)[0]
    sae = train_sae(acts, replace(SMALL, num_samples=30_000))
    assert quality(sae, acts).fvu < 0.2
    assert sae(acts[:12].reshape(3, 4, 16)).shape == (3, 4, 16)
    assert torch.allclose(sae(acts[:12].reshape(3, 4, 16)).reshape(12, 16), sae.decode(sae.encode(acts[:12])))


@pytest.mark.parametrize(
    ("acts", "config", "message"),
    [
        (torch.randn(10, 4), SaeConfig(num_latents=2, k=3), "2 latents, 3 active, on 10 samples"),
        (torch.randn(0, 4), SaeConfig(num_latents=8, k=3), "on 0 samples"),
        (torch.ones(10, 4), SaeConfig(num_latents=8, k=3), "it must be above 0"),
        (torch.full((10, 4), float("nan")), SaeConfig(num_latents=8, k=3), "10 of 10 samples of activations hold NaN"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(acts: torch.Tensor, config: SaeConfig, message: str) -> None:
    with pytest.raises(UserError, match=message):
        train_sae(acts, config)
