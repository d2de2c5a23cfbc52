"""Which parts of a model's activations did training add?

A crosscoder: one dictionary for the activations of a model before and after training, read on the same tokens. It is
the BatchTopK autoencoder of `sparse_autoencoder` on the two side by side (width 2 D): a latent has one code and two
directions, one for each model, which begin alike, so that of a model that did not change both stay the same to the
bit. BatchTopK, because the L1 penalty of the first crosscoders shrinks and splits latents that both models have until
they look like the later model's alone; and latent scaling, which asks the data whether they are: how much of a
latent's later direction, times its code, is in each model, once all other latents' part is taken out?

Left out: the penalty on decoder lengths that ranks latents in the papers (joint rows have length 1 here), and whether
a missing latent is hidden in several others (`decoupling` by reconstruction), for which dictionaries must be larger.
A dictionary of the differences is `train_sae(after - before, config)`.

Sources: Lindsey et al. 2024, "Sparse crosscoders" (Transformer Circuits); Minder et al. 2025 (arXiv 2504.02922), sec. 3
(latent scaling, BatchTopK).

Axes: N samples, D width of one model, F latents.

    crosscoder = train_crosscoder(before_ND, after_ND, SaeConfig(num_latents=256, k=8, kind="batch-topk"))
    origins(crosscoder, before_ND, after_ND).in_before_F < 0.2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from organoid.errors import UserError
from organoid.models.sparse_autoencoder import SaeConfig, SparseAutoencoder, train_sae

_NO_CODE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosscoder:
    """A trained crosscoder: an autoencoder of activations before and after, side by side."""

    autoencoder: SparseAutoencoder

    @property
    def width(self) -> int:
        """Dimensions of one model."""
        return self.autoencoder.decoder_FD.shape[1] // 2

    @property
    def before_FD(self) -> Tensor:
        """Each latent's direction in the model before, in the activations' own units."""
        return self.autoencoder.decoder_FD[:, : self.width] / self.autoencoder.scale

    @property
    def after_FD(self) -> Tensor:
        """Each latent's direction in the model after."""
        return self.autoencoder.decoder_FD[:, self.width :] / self.autoencoder.scale

    def encode(self, before_ND: Tensor, after_ND: Tensor) -> Tensor:
        """Return the latents of samples that both models have read, shape (N, F)."""
        return self.autoencoder.encode(torch.cat([before_ND, after_ND], dim=1))


class Origins(NamedTuple):
    """Of each latent, where it comes from."""

    relative_norm_F: Tensor  # of its direction after, in [0, 1]: 1/2 where both are as long, 1 where before has none
    in_before_F: Tensor  # its share of the model before's activations over its share of the model after's; 1 if shared
    rate_F: Tensor  # samples on which it is active, in [0, 1]; where 0, `in_before_F` is 1: nothing speaks for it

    def added(self, *, at_most: float = 0.2) -> Tensor:
        """Return the numbers of active latents of which the model before has this share at most, least first."""
        chosen = ((self.in_before_F <= at_most) & (self.rate_F > 0)).nonzero()[:, 0]
        return chosen[self.in_before_F[chosen].argsort()]


def train_crosscoder(before_ND: Tensor, after_ND: Tensor, config: SaeConfig) -> Crosscoder:
    """Train a crosscoder on the activations that two models have on the same tokens.

    Raises:
        UserError: other shapes than each other's, or what `train_sae` refuses.
    """
    if before_ND.shape != after_ND.shape:
        raise UserError(
            f"cannot pair activations of shape {tuple(before_ND.shape)} with {tuple(after_ND.shape)}. Let both models "
            "read the same tokens at one layer."
        )
    drawn_FD = torch.randn(config.num_latents, before_ND.shape[1], generator=torch.Generator().manual_seed(config.seed))
    pairs_ND = torch.cat([before_ND, after_ND], dim=1)
    return Crosscoder(autoencoder=train_sae(pairs_ND, config, start_FD=drawn_FD.repeat(1, 2)))


def origins(crosscoder: Crosscoder, before_ND: Tensor, after_ND: Tensor) -> Origins:
    """Return where each latent comes from, by the lengths of its directions and by latent scaling on these samples."""
    codes_NF = crosscoder.encode(before_ND, after_ND)
    error_ND = torch.cat([before_ND, after_ND], dim=1) - crosscoder.autoencoder.decode(codes_NF)
    ahead_FD, square_F = crosscoder.after_FD, codes_NF.square().sum(0)

    def share(rest_ND: Tensor, own_FD: Tensor) -> Tensor:
        """Return the factor that best fits code times later direction to what others leave; times its length squared.

        What others leave is the error and the latent's own part.
        """
        return (codes_NF.T @ rest_ND * ahead_FD).sum(1) + square_F * (own_FD * ahead_FD).sum(1)

    width = crosscoder.width
    in_before_F, in_after_F = (
        share(error_ND[:, :width], crosscoder.before_FD),
        share(error_ND[:, width:], crosscoder.after_FD),
    )
    before_F, after_F = (part_FD.square().sum(1).sqrt() for part_FD in (crosscoder.before_FD, ahead_FD))
    known_F = in_after_F.abs() > _NO_CODE * square_F.clamp(min=_NO_CODE)
    ratio_F = torch.where(known_F, in_before_F / torch.where(known_F, in_after_F, 1.0), 1.0)
    return Origins(after_F / (before_F + after_F), ratio_F, (codes_NF > 0).float().mean(0))
