"""Into which few of many directions do activations come apart?

A sparse autoencoder with TopK (the k largest latents of each sample; Gao et al. 2024, arXiv 2406.04093, sec. 2) or
BatchTopK (the k B largest of a batch of B, so that hard samples may take more; Bussmann et al. 2024, arXiv 2412.06410;
afterwards the latents above a threshold learnt in training). Latents that have not fired for a while learn to explain
what is left over (AuxK, Gao et al., app. A.2). Decoder rows have length 1, kept so by projecting their gradient and
norming after each step. Activations are centred and scaled to mean squared length D, so one learning rate fits all.

It stands here and not among the techniques because training one is training a model, and because a technique, a
study and a benchmark may all want it. Training never builds the graph of all F latents: the chosen ones are found
without it, and their gradient is one multiplication (a test holds it to autograd's of the dense form).
Left out: gated and JumpReLU autoencoders, several devices.

Axes: N samples, B of a batch, D width, F latents, K active latents of a sample.

    sae = train_sae(acts_ND, SaeConfig(num_latents=1024, k=16, seed=0))
    codes_NF = sae.encode(acts_ND)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from organoid.errors import UserError
from organoid.models.seeding import seeded

_AUX_WEIGHT = 1 / 32
_THRESHOLD_MEMORY = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class SaeConfig:
    """Settings of an autoencoder and its training."""

    num_latents: int
    k: int  # active latents of a sample; on average for `batch-topk`
    kind: Literal["topk", "batch-topk"] = "topk"
    num_samples: int = 400_000  # seen in training, in whole passes over shuffled data as needed
    batch_size: int = 512
    learning_rate: float = 4e-3  # Adam; falls linearly to 0 over the last fifth
    dead_after: int = 20_000  # samples without firing after which a latent is dead
    num_aux: int | None = None  # dead latents that explain a sample's rest; None: half the width
    seed: int = 0  # of the first weights and the order of the data


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseAutoencoder:
    """A trained autoencoder. Inputs and reconstructions are in the activations' own units."""

    encoder_FD: Tensor
    bias_F: Tensor
    decoder_FD: Tensor  # rows of length 1
    centre_D: Tensor
    scale: float  # activations are (acts - centre) * scale inside
    k: int
    threshold: float | None  # of `batch-topk`: a latent is active above it; None for `topk`

    def encode(self, acts_ND: Tensor) -> Tensor:
        """Return the latents, shape (N, F), at most k of a row above 0 (`topk`), k on average (`batch-topk`)."""
        codes_NF = F.relu(F.linear((acts_ND - self.centre_D) * self.scale, self.encoder_FD, self.bias_F))
        if self.threshold is not None:
            return codes_NF * (codes_NF > self.threshold)
        values_NK, places_NK = codes_NF.topk(self.k, dim=-1)
        return torch.zeros_like(codes_NF).scatter_(-1, places_NK, values_NK)

    def decode(self, codes_NF: Tensor) -> Tensor:
        """Return the activations that latents stand for, shape (N, D)."""
        return codes_NF @ self.decoder_FD / self.scale + self.centre_D

    def __call__(self, acts: Tensor) -> Tensor:
        """Return the reconstruction of activations of any shape (..., D); an `Edit` for `hooks.edit`."""
        flat_ND = acts.reshape(-1, acts.shape[-1]).to(self.decoder_FD)
        return self.decode(self.encode(flat_ND)).reshape(acts.shape).to(acts)


class SaeQuality(NamedTuple):
    """How well an autoencoder does on samples it was not trained on.

    `fvu` is the fraction of variance *un*explained, in [0, inf): the squared error over that of the samples' mean.
    """

    fvu: float
    l0: float  # active latents of a sample, mean
    dead_frac: float  # latents that no sample activates


def quality(sae: SparseAutoencoder, acts_ND: Tensor) -> SaeQuality:
    """Return the autoencoder's quality on these samples."""
    codes_NF = sae.encode(acts_ND)
    error = float((sae.decode(codes_NF) - acts_ND).square().sum())
    variance = float((acts_ND - acts_ND.mean(0)).square().sum())
    active_NF = codes_NF > 0
    return SaeQuality(
        fvu=error / variance,
        l0=float(active_NF.sum(-1).float().mean()),
        dead_frac=float((~active_NF.any(0)).float().mean()),
    )


# ---- training ---------------------------------------------------------------------------------------------


def train_sae(acts_ND: Tensor, config: SaeConfig, *, start_FD: Tensor | None = None) -> SparseAutoencoder:
    """Train an autoencoder on activations; same activations, config and threads give the same weights.

    Args:
        acts_ND: float32, all in memory.
        config: the settings.
        start_FD: the decoder's first rows, of any length above 0; None: drawn from the seed.

    Raises:
        UserError: fewer latents than k, no samples, samples that are all equal, or values that are not finite.
    """
    centre_D, scale = _standard(acts_ND, config)
    with seeded(config.seed):
        state = _State(config, acts_ND.shape[1], start_FD)
        steps = math.ceil(config.num_samples / config.batch_size)
        optimizer = torch.optim.Adam(state.weights, lr=config.learning_rate, betas=(0.9, 0.99), fused=True)
        order = torch.empty(0, dtype=torch.long)
        for step in range(steps):
            while len(order) < config.batch_size:
                order = torch.cat([order, torch.randperm(len(acts_ND))])
            taken, order = order[: config.batch_size], order[config.batch_size :]
            batch_BD = (acts_ND[taken] - centre_D) * scale
            for group in optimizer.param_groups:
                group["lr"] = config.learning_rate * min(1.0, 5 * (1 - step / steps))
            torch.autograd.backward(state.loss(batch_BD))
            state.project_gradient()
            cast(Any, optimizer).step()
            optimizer.zero_grad(set_to_none=True)
            state.norm_decoder()
    return SparseAutoencoder(
        encoder_FD=state.encoder_FD.detach(),
        bias_F=state.bias_F.detach(),
        decoder_FD=state.decoder_FD.detach(),
        centre_D=centre_D,
        scale=scale,
        k=config.k,
        threshold=state.threshold if config.kind == "batch-topk" else None,
    )


def _standard(acts_ND: Tensor, config: SaeConfig) -> tuple[Tensor, float]:
    if not len(acts_ND) or not 0 < config.k <= config.num_latents:
        raise UserError(
            f"cannot train an autoencoder of {config.num_latents} latents, {config.k} active, on {len(acts_ND)} "
            "samples. Allowed: at least one sample, and 1 <= k <= num_latents."
        )
    check_finite(acts_ND)
    centre_D = acts_ND.mean(0)
    square = float((acts_ND - centre_D).square().sum(-1).mean())
    if not 0.0 < square < float("inf"):
        raise UserError(f"the activations' mean squared distance from their mean is {square}; it must be above 0.")
    return centre_D, (acts_ND.shape[1] / square) ** 0.5


def check_finite(acts_ND: Tensor) -> None:
    """Refuse samples that hold NaN or infinity, of which every mean and every latent would be NaN.

    Raises:
        UserError: it says how many, and which is the first.
    """
    broken = (~torch.isfinite(acts_ND).all(-1)).nonzero()[:, 0]
    if len(broken):
        raise UserError(
            f"{len(broken)} of {len(acts_ND)} samples of activations hold NaN or infinity, first sample "
            f"{int(broken[0])}. Allowed: finite numbers. Look at the model's weights, or read it in float32."
        )


class _State:
    """Weights in training, and for how many samples each latent has not fired."""

    def __init__(self, config: SaeConfig, width: int, start_FD: Tensor | None = None) -> None:
        self.config = config
        drawn_FD = torch.randn(config.num_latents, width) if start_FD is None else start_FD
        decoder_FD = F.normalize(drawn_FD, dim=-1)
        self.decoder_FD = decoder_FD.clone().requires_grad_(True)
        self.encoder_FD = decoder_FD.clone().requires_grad_(True)  # the transpose of the decoder to begin with
        self.bias_F = torch.zeros(config.num_latents, requires_grad=True)
        self.weights = [self.encoder_FD, self.bias_F, self.decoder_FD]
        self.silent_F = torch.zeros(config.num_latents)
        self.threshold = 0.0
        self.num_aux = config.num_aux or width // 2

    def loss(self, batch_BD: Tensor) -> Tensor:
        """Return the squared error per number, plus the auxiliary loss of dead latents."""
        with torch.no_grad():
            before_BF = F.linear(batch_BD, self.encoder_FD, self.bias_F)
            places_BK, active_BK = self._chosen(before_BF)
        codes_BK = F.relu(self._codes(batch_BD, before_BF, places_BK)) * active_BK
        rest_BD = batch_BD - self._decoded(codes_BK, places_BK)
        self._count(places_BK, codes_BK.detach())
        return rest_BD.square().mean() + _AUX_WEIGHT * self._auxiliary(batch_BD, before_BF, rest_BD.detach())

    def _chosen(self, before_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Return the latents to compute, (B, K), and which of them count: under `batch-topk` rows differ in number."""
        if self.config.kind == "topk":
            places_BK = _largest(before_BF, self.config.k)
            return places_BK, torch.ones_like(places_BK, dtype=before_BF.dtype)
        least = max(0.0, _kth_largest(before_BF, self.config.k * len(before_BF)))
        self.threshold += (1 - _THRESHOLD_MEMORY) * (least - self.threshold) if self.threshold else least
        places_BK = _largest(before_BF, max(1, int((before_BF >= least).sum(-1).max())))
        return places_BK, (before_BF.gather(1, places_BK) >= least).to(before_BF)

    def _codes(self, batch_BD: Tensor, before_BF: Tensor, places_BK: Tensor) -> Tensor:
        return cast(Any, _Chosen).apply(batch_BD, self.encoder_FD, self.bias_F, before_BF, places_BK)

    def _decoded(self, codes_BK: Tensor, places_BK: Tensor) -> Tensor:
        return F.embedding_bag(places_BK, self.decoder_FD, per_sample_weights=codes_BK, mode="sum")

    def _auxiliary(self, batch_BD: Tensor, before_BF: Tensor, rest_BD: Tensor) -> Tensor:
        """Return the error of the dead latents' explanation of what is left, over what is left; 0 with none dead."""
        dead = (self.silent_F > self.config.dead_after).nonzero()[:, 0]
        if not len(dead):
            return torch.zeros(())
        places_BK = dead[_largest(before_BF[:, dead], min(self.num_aux, len(dead)))]
        codes_BK = self._codes(batch_BD, before_BF, places_BK)  # no ReLU: it would stop the gradient of the deadest
        error_BD = rest_BD - self._decoded(codes_BK, places_BK)
        return error_BD.square().mean() / rest_BD.square().mean().clamp(min=1e-8)

    def _count(self, places_BK: Tensor, codes_BK: Tensor) -> None:
        self.silent_F += len(codes_BK)
        self.silent_F[places_BK[codes_BK > 0]] = 0.0

    def project_gradient(self) -> None:
        """Take out of the decoder's gradient what would only change its rows' lengths."""
        gradient_FD, rows_FD = cast(Tensor, self.decoder_FD.grad), self.decoder_FD.detach()
        gradient_FD -= (gradient_FD * rows_FD).sum(-1, keepdim=True) * rows_FD

    def norm_decoder(self) -> None:
        """Set the decoder's rows to length 1."""
        with torch.no_grad():
            self.decoder_FD.copy_(F.normalize(self.decoder_FD, dim=-1))


class _Chosen(torch.autograd.Function):
    """Of all latents before the ReLU, `before_BF`, those at `places_BK`; the gradient is theirs alone."""

    @staticmethod
    def forward(
        ctx: Any, batch_BD: Tensor, encoder_FD: Tensor, bias_F: Tensor, before_BF: Tensor, places_BK: Tensor
    ) -> Tensor:
        """Return the chosen latents, shape (B, K)."""
        del encoder_FD, bias_F  # they made `before_BF`
        ctx.save_for_backward(batch_BD, places_BK)
        ctx.shape = before_BF.shape
        return before_BF.gather(1, places_BK)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradients of the encoder and its bias."""
        (grad_BK,) = grad_outputs
        batch_BD, places_BK = ctx.saved_tensors
        grad_BF = grad_BK.new_zeros(ctx.shape).scatter_add_(1, places_BK, grad_BK)
        return None, grad_BF.T @ batch_BD, grad_BF.sum(0), None, None


def _largest(values_BF: Tensor, k: int) -> Tensor:
    """Return the places of each row's k largest values, in any order."""
    if values_BF.device.type != "cpu" or k >= values_BF.shape[1]:
        return values_BF.topk(k, dim=-1, sorted=False).indices
    return torch.as_tensor(np.argpartition(values_BF.numpy(), -k, axis=1)[:, -k:])  # 1.7 times faster there


def _kth_largest(values_BF: Tensor, k: int) -> float:
    """Return the k-th largest of all values."""
    if values_BF.device.type != "cpu":
        return float(values_BF.flatten().topk(k, sorted=False).values.min())
    return float(np.partition(values_BF.numpy().ravel(), -k)[-k])
