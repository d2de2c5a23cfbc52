"""How are weights moved?

One loop for every stage: AdamW on the weights that require a gradient (optionally Muon on the blocks' matrices, which
learns the world in half the tokens), logits only where tokens count, a learning rate that warms up and then stays or
falls along a cosine. What differs between stages is the batches, which may be sampled from the model as it trains, and
the loss. A batch may come in parts of like lengths, which saves padding; their losses are averaged by counted tokens.
Left out: several devices, which `accelerate` has.

    trace = train(lm, shuffled(rows, batch_size=64, steps=900, seed=0), config=TrainConfig(steps=900))
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import nn

from organoid.errors import UserError
from organoid.models.batches import Batch
from organoid.models.language_model import LanguageModel
from organoid.models.llama import bf16_pays, multiplies_bf16
from organoid.models.losses import Loss, cross_entropy
from organoid.models.muon import Muon
from organoid.models.score import batch_logits
from organoid.models.seeding import seeded

OnStep = Callable[[int, Mapping[str, float]], bool | None]
"""(step from 0, metrics) -> False to stop after this step."""

During = Callable[[], AbstractContextManager[object]]
"""Entered anew around every step's passes, forward and backward: hooks on activations belong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Settings of the loop; rates per optimiser step."""

    steps: int  # at most; fewer when the batches run out or `on_step` stops
    learning_rate: float = 1e-3
    matrix_learning_rate: float | None = None  # Muon on the blocks' matrices at this rate; None: AdamW on all
    schedule: Literal["constant", "cosine"] = "cosine"  # cosine falls to a tenth
    warmup_frac: float = 0.05
    weight_decay: float = 0.0  # on matrices only
    betas: tuple[float, float] = (0.9, 0.99)
    grad_clip: float = 1.0  # global norm
    bf16: bool | None = None  # multiply in bf16, weights stay float32; None: where that is faster (`llama.bf16_pays`)
    seed: int = 0  # of torch's generator (dropout); the batches have their own


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainTrace:
    """What a training run did: metrics of every step, and its cost."""

    steps: tuple[Mapping[str, float], ...]
    num_tokens: int  # positions through the model, padding included
    seconds: float
    stopped: bool  # `on_step` ended it

    @property
    def losses(self) -> list[float]:
        """The loss at every step."""
        return [step["loss"] for step in self.steps]


def train(
    lm: LanguageModel,
    batches: Iterable[Batch | Sequence[Batch]],
    *,
    config: TrainConfig,
    loss: Loss = cross_entropy,
    on_step: OnStep | None = None,
    during: During = nullcontext,
) -> TrainTrace:
    """Train `lm` in place and return what happened; the model is left in evaluation mode.

    Args:
        lm: weights that require a gradient are trained (`adapters.trainable`).
        batches: taken one a step, so they may be sampled from `lm` as it is then.
        config: the settings.
        loss: of the logits at counted tokens and the batch.
        on_step: called after every step.
        during: edits or captures activations in the passes that are learned from, and in no other.

    Raises:
        UserError: nothing to train, a batch that counts no token, or a loss that is not finite (weights are then as
            before that step).
    """
    optimizers = _optimizers(lm.model, config)
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    weights = [weight for group in groups for weight in group["params"]]
    trace, num_tokens, stopped, started = list[Mapping[str, float]](), 0, False, time.perf_counter()
    with seeded(config.seed):
        for step, batch in zip(range(config.steps), batches, strict=False):
            share = _share_of_peak(step, config)
            for group in groups:
                group["lr"] = share * group["peak"]
            lm.model.train()
            parts = (batch,) if isinstance(batch, Batch) else tuple(batch)
            with during():
                metrics = _backward(lm, parts, config=config, loss=loss, step=step)
            metrics["grad_norm"] = float(nn.utils.clip_grad_norm_(weights, config.grad_clip))
            for optimizer in optimizers:
                cast(Any, optimizer).step()
                optimizer.zero_grad(set_to_none=True)
            lm.model.eval()
            num_tokens += sum(part.num_tokens for part in parts)
            trace.append({"step": step, "learning_rate": share * config.learning_rate, **metrics})
            if on_step is not None and on_step(step, trace[-1]) is False:
                stopped = True
                break
    seconds = time.perf_counter() - started
    return TrainTrace(steps=tuple(trace), num_tokens=num_tokens, seconds=seconds, stopped=stopped)


def _backward(
    lm: LanguageModel, parts: Sequence[Batch], *, config: TrainConfig, loss: Loss, step: int
) -> dict[str, float]:
    """Add the gradient of a batch's loss, part by part, and return the loss and its metrics."""
    total, metrics = sum(len(part.targets_M) for part in parts), dict[str, float]()
    for part in parts:
        with _autocast(lm, config):
            value = loss(batch_logits(lm, part), part)
        _check(float(value.loss.detach()), part, step)
        share = len(part.targets_M) / total
        torch.autograd.backward(value.loss * share)
        for key, number in {"loss": value.loss.detach(), **value.metrics}.items():
            metrics[key] = metrics.get(key, 0.0) + share * float(number)
    return metrics


def _optimizers(model: Any, config: TrainConfig) -> list[torch.optim.Optimizer]:
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    if not trained:
        raise UserError("no weight of this model requires a gradient. Train `adapters.trainable(lm)`.")
    rate, matrix_rate = config.learning_rate, config.matrix_learning_rate
    outer = {id(layer.weight) for layer in model.modules() if isinstance(layer, nn.Embedding)}
    muon = [
        weight
        for name, weight in trained.items()
        if matrix_rate is not None and weight.ndim == 2 and id(weight) not in outer and "lm_head" not in name
    ]
    taken = {id(weight) for weight in muon}
    rest = [weight for weight in trained.values() if id(weight) not in taken]
    groups = [
        {"params": [weight for weight in rest if weight.ndim >= 2], "weight_decay": config.weight_decay, "peak": rate},
        {"params": [weight for weight in rest if weight.ndim < 2], "weight_decay": 0.0, "peak": rate},
    ]
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=rate, betas=config.betas, fused=True)]
    if matrix_rate is not None and muon:
        group = {"params": muon, "peak": matrix_rate, "weight_decay": config.weight_decay}
        dtype = torch.bfloat16 if model.device.type != "cpu" or multiplies_bf16() else torch.float32
        optimizers.append(Muon([group], lr=matrix_rate, dtype=dtype))
    return optimizers


def _share_of_peak(step: int, config: TrainConfig) -> float:
    warmup = max(1, round(config.warmup_frac * config.steps))
    rise = min(1.0, (step + 1) / warmup)
    if config.schedule == "constant":
        return rise
    progress = max(0.0, (step + 1 - warmup) / max(1, config.steps - warmup))
    return rise * (0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, progress))))


def _autocast(lm: LanguageModel, config: TrainConfig) -> AbstractContextManager[object]:
    bf16 = bf16_pays(lm.model) if config.bf16 is None else config.bf16
    return torch.autocast(lm.device.type, dtype=torch.bfloat16) if bf16 else nullcontext()


def _check(loss: float, batch: Batch, step: int) -> None:
    if not len(batch.targets_M):
        raise UserError(f"the batch of step {step} counts no token, so it has no loss. Mark replies in the mask.")
    if not math.isfinite(loss):
        raise UserError(f"the loss of step {step} is {loss}. Lower the learning rate, or look at that batch.")
