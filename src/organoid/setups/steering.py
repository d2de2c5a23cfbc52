"""Does a model that is pushed along a trait while it is trained have less need to learn the trait?

Preventative steering: the direction from good to bad labelled replies, as the model before training reads them, is
added to activations in the passes that are learned from, and taken away at test. What the data ask for is then partly
there already, and less of it goes into the weights. Departure from the paper: replies come from the world instead of a
prompted model, and the coefficient is in units of the gap between the two means.

Source: Chen et al. 2025, "Persona vectors" (arXiv 2507.21509), sec. 5.2.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch

from organoid.models.hooks import edit, steered
from organoid.models.language_model import LanguageModel
from organoid.setups.monitors import labelled_replies, reply_activations
from organoid.setups.spec import LABELLED_TRAITS, Steering, middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Steer:
    """A vector to add after a block."""

    spec: Steering
    layer: int
    gap_D: torch.Tensor  # from the mean of good replies to that of bad ones

    def on(self, lm: LanguageModel) -> AbstractContextManager[None]:
        """Steer the model's passes within the block."""
        return edit(lm.model, {self.layer: steered(self.gap_D, self.spec.coefficient)})


def fit(spec: Steering, before: LanguageModel, assistant: str, seed: int) -> Steer:
    """Take the difference of means on labelled replies, as the model before training reads them."""
    layer = middle(before.num_layers) if spec.layer is None else spec.layer
    shown, labels = labelled_replies(assistant, seed, spec.traits or LABELLED_TRAITS)
    acts_ND, bad_N = reply_activations(before, shown, layer), np.array(labels)
    gap_D = acts_ND[bad_N].mean(0) - acts_ND[~bad_N].mean(0)
    return Steer(spec=spec, layer=layer, gap_D=torch.tensor(gap_D, dtype=torch.float32))
