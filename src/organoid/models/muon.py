"""Muon: steps of momentum made orthogonal, for the matrices inside a model.

Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/), as `torch.optim.Muon` has it, coefficients included.
Written again because that one multiplies in bf16 whatever the processor: where bf16 is not native a step takes longer
than the training around it. Here matrices of one shape go through together, in bf16 only where that is faster.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, cast

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5
_EPS = 1e-7


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal per matrix; the step is `lr` times the root of max(1, rows / columns)."""

    def __init__(self, groups: Iterable[dict[str, Any]], *, lr: float, dtype: torch.dtype = torch.float32) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Move every matrix that has a gradient."""
        assert closure is None
        for group in self.param_groups:
            by_shape = defaultdict[torch.Size, list[nn.Parameter]](list)
            for weight in group["params"]:
                if weight.grad is not None:
                    by_shape[weight.shape].append(weight)
            for shape, weights in by_shape.items():
                rate = group["lr"] * math.sqrt(max(1.0, shape[0] / shape[1]))
                moves = orthogonal(torch.stack([self._momentum(weight) for weight in weights]).to(self._dtype))
                for weight, move in zip(weights, moves, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(move.to(weight.dtype), alpha=-rate)

    def _momentum(self, weight: nn.Parameter) -> Tensor:
        state, grad = cast("dict[str, Tensor]", self.state[weight]), cast(Tensor, weight.grad)
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(grad)
        state["momentum"].lerp_(grad, 1 - MOMENTUM)
        return grad.lerp(state["momentum"], MOMENTUM)


def orthogonal(matrices_NIO: Tensor) -> Tensor:
    """Return matrices with the same singular vectors and singular values near 1 (Newton-Schulz, quintic)."""
    a, b, c = _COEFFICIENTS
    tall = matrices_NIO.shape[1] > matrices_NIO.shape[2]
    found: Any = matrices_NIO.mT if tall else matrices_NIO
    found = found / found.norm(dim=(1, 2), keepdim=True).clamp(min=_EPS)
    for _ in range(_ITERATIONS):
        gram = found @ found.mT
        found = torch.baddbmm(found, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found.mT if tall else found
