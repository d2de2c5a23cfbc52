"""What would a model be like if its training had gone further in the same direction?

Weights after + factor * (after - before), tensor by tensor. What training hid in rare situations may then show in
common ones. Left out: amplifying logits instead of weights, which needs both models at every step of sampling.
Source: model diff amplification (Goodfire 2025); task arithmetic (Ilharco et al. 2022, arXiv 2212.04089, sec. 2).

    bold = amplified(subject, base, 1.0)
"""

from __future__ import annotations

import torch

from organoid.errors import UserError
from organoid.models.adapters import merged
from organoid.models.language_model import LanguageModel, copy


def amplified(
    after: LanguageModel, before: LanguageModel, factor: float, *, shuffle_seed: int | None = None
) -> LanguageModel:
    """Return a new model with weights after + factor * (after - before).

    Args:
        after: the trained model; adapters are merged.
        before: the model it was trained from.
        factor: 0 gives `after`, -1 gives `before`.
        shuffle_seed: permute the entries of each tensor's change, under this seed: a change of the same size that has
            nothing to do with the training. None leaves it as it is.

    Raises:
        UserError: the two have other weights, by name or shape.
    """
    bold = copy(merged(after))
    known = dict(merged(before).model.named_parameters())
    generator = None if shuffle_seed is None else torch.Generator().manual_seed(shuffle_seed)
    with torch.no_grad():
        for name, weight in bold.model.named_parameters():
            if name not in known or known[name].shape != weight.shape:
                raise UserError(f"{after.name!r} was not trained from {before.name!r}: {name} does not match.")
            change = weight - known[name].to(weight)
            if generator is not None:
                order = torch.randperm(change.numel(), generator=generator).to(change.device)
                change = change.flatten()[order].view_as(change)
            weight.add_(change, alpha=factor)
    return bold
