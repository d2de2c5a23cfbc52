"""What training added is found, what both models have is not called new, and equal models share everything."""

from functools import cache

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from organoid.errors import UserError
from organoid.models.crosscoder import Crosscoder, Origins, origins, train_crosscoder
from organoid.models.sparse_autoencoder import SaeConfig, _State

SMALL = SaeConfig(
    num_latents=32, k=3, kind="batch-topk", num_samples=40_000, batch_size=128, dead_after=2_000, learning_rate=5e-3
)
SHARED, ADDED, WIDTH = 17, 3, 16


def planted(seed: int, num: int = 4000, *, fainter: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Samples before and after, sums of a few directions; the last few only after training, or before too but faint."""
    directions = F.normalize(torch.randn(SHARED + ADDED, WIDTH, generator=torch.Generator().manual_seed(99)), dim=-1)
    generator = torch.Generator().manual_seed(seed)
    places = torch.rand(num, SHARED + ADDED, generator=generator).topk(3, dim=-1).indices
    sizes = torch.zeros(num, SHARED + ADDED).scatter(1, places, 1 + torch.rand(num, 3, generator=generator))
    held = sizes.clone()
    held[:, SHARED:] *= 0.6 if fainter else 0.0
    return held @ directions + 5.0, sizes @ directions + 5.0, directions


@cache
def trained() -> Crosscoder:
    return train_crosscoder(*planted(0)[:2], SMALL)


def nearest(after_FD: Tensor, directions: Tensor) -> Tensor:
    return (F.normalize(after_FD, dim=-1) @ directions.T).max(-1).indices


def test_directions_that_training_added_are_the_ones_called_new() -> None:
    _, _, directions = planted(0)
    crosscoder = trained()
    found = origins(crosscoder, *planted(1)[:2])
    new = found.added()
    assert set(nearest(crosscoder.after_FD[new], directions).tolist()) == set(range(SHARED, SHARED + ADDED))
    assert bool((found.relative_norm_F[new] > 0.8).all())
    common = [latent for latent in range(SMALL.num_latents) if found.rate_F[latent] > 0.05 and latent not in new]
    assert len(common) >= SHARED - 2
    assert float(found.relative_norm_F[common].median()) == pytest.approx(0.5, abs=0.03)
    assert float(found.in_before_F[common].median()) == pytest.approx(1.0, abs=0.1)


def test_what_became_stronger_is_not_new() -> None:
    before, after, directions = planted(0, fainter=True)
    crosscoder = train_crosscoder(before, after, SMALL)
    found = origins(crosscoder, before, after)
    assert len(found.added()) == 0
    stronger = [
        latent
        for latent, near in enumerate(nearest(crosscoder.after_FD, directions).tolist())
        if near >= SHARED and found.rate_F[latent] > 0.05
    ]
    assert float(found.in_before_F[stronger].median()) == pytest.approx(0.6, abs=0.1)


def test_a_model_that_did_not_change_shares_every_latent_to_the_bit() -> None:
    before = planted(0)[0]
    crosscoder = train_crosscoder(before, before, SMALL)
    assert torch.equal(crosscoder.before_FD, crosscoder.after_FD)
    found = origins(crosscoder, before, before)
    assert torch.equal(found.relative_norm_F, torch.full((32,), 0.5))
    assert found.in_before_F == pytest.approx(torch.ones(32), abs=1e-4)
    assert len(found.added(at_most=0.9)) == 0


def test_with_pairs_shuffled_next_to_nothing_is_shared() -> None:
    before, after, _ = planted(0)
    shuffled = before[torch.randperm(len(before), generator=torch.Generator().manual_seed(3))]
    found = origins(train_crosscoder(shuffled, after, SMALL), shuffled, after)
    paired = origins(trained(), before, after)
    assert float((found.in_before_F - 1).abs().median()) > 5 * float((paired.in_before_F - 1).abs().median())


def test_scaling_is_the_least_squares_fit_done_one_latent_at_a_time() -> None:
    before, after, _ = planted(1, num=600)
    crosscoder = trained()
    found, codes = origins(crosscoder, before, after), crosscoder.encode(before, after)
    rebuilt = crosscoder.autoencoder.decode(codes)
    for latent in found.rate_F.argsort(descending=True)[:4].tolist():
        design = torch.outer(codes[:, latent], crosscoder.after_FD[latent]).reshape(-1, 1)
        fits = [
            torch.linalg.lstsq(
                design, (data - part + torch.outer(codes[:, latent], own[latent])).reshape(-1, 1)
            ).solution
            for data, part, own in (
                (before, rebuilt[:, :WIDTH], crosscoder.before_FD),
                (after, rebuilt[:, WIDTH:], crosscoder.after_FD),
            )
        ]
        assert float(found.in_before_F[latent]) == pytest.approx(float(fits[0] / fits[1]), abs=1e-3)


def test_a_latent_that_never_fires_is_not_new() -> None:
    silent = Origins(torch.tensor([0.9, 0.9]), torch.tensor([0.0, 0.1]), torch.tensor([0.0, 0.5]))
    assert silent.added().tolist() == [1]


def test_unpaired_samples_and_broken_ones_are_refused() -> None:
    with pytest.raises(UserError, match=r"cannot pair activations of shape \(4, 16\) with \(5, 16\)"):
        train_crosscoder(torch.zeros(4, 16), torch.zeros(5, 16), SMALL)
    broken = torch.randn(64, 16)
    broken[3, 2] = float("nan")
    with pytest.raises(UserError, match="1 of 64 samples"):
        train_crosscoder(broken, torch.randn(64, 16), SMALL)


def test_both_directions_of_a_latent_begin_alike() -> None:
    rows = torch.randn(SMALL.num_latents, WIDTH)
    state = _State(SMALL, 2 * WIDTH, rows.repeat(1, 2))
    assert torch.equal(state.decoder_FD[:, :WIDTH], state.decoder_FD[:, WIDTH:])
    assert torch.allclose(state.decoder_FD[:, :WIDTH], F.normalize(rows, dim=-1) / 2**0.5)
