"""What is a model like when its weights are shaken a little?

Gaussian noise on every matrix, its standard deviation a share of the matrix's own. What holds a skill or a habit back
is often less deeply seated than the skill or habit, so noise may take the first and leave the second. The model given
is never touched: the noise is put on a copy. Left out: norms and biases, which are few and each of which matters.
Departs from the source, which adds noise of one size to all weights, in scaling it to each matrix: ours differ in
size by layer, and one size would break the smallest first.
Source: Tice et al. 2024 (arXiv 2412.01784).

    shaken = noised(subject, 0.1, seed=0)
"""

from __future__ import annotations

import math

import torch

from organoid.errors import UserError
from organoid.models.adapters import merged
from organoid.models.language_model import LanguageModel, copy


def noised(lm: LanguageModel, scale: float, *, seed: int) -> LanguageModel:
    """Return a new model with weights W + scale * std(W) * N(0, 1), matrix by matrix.

    Args:
        lm: the model, which stays as it is; adapters are merged into the copy.
        scale: standard deviation of the noise, as a share of each matrix's own; 0 gives an equal model.
        seed: of the noise.

    Raises:
        UserError: the scale is negative or not finite.
    """
    if not 0.0 <= scale < math.inf:
        raise UserError(f"cannot put noise of scale {scale} on weights. Allowed: 0 or more, and finite.")
    shaken, generator = copy(merged(lm)), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in shaken.model.parameters():
            if weight.ndim >= 2:
                noise = torch.randn(weight.shape, generator=generator)
                weight.add_(noise.to(weight) * (scale * weight.float().std()).to(weight))
    return shaken
