"""How is a subject followed along reinforcement? In short stretches, looked at before the first and after each.

A stretch starts the optimiser afresh, which an organism's own training does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from organoid.types import Job

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel


def along(
    lm: LanguageModel,
    job: Job,
    look: Callable[[LanguageModel, int], Any],
    *,
    stretches: int,
    steps: int,
    seed: int,
    inoculate: bool = False,
) -> LanguageModel:
    """Reinforce a copy of the model on the job's environment and return it; `look(model, steps so far)` on the way.

    Args:
        lm: the model to begin with; it stays as it is.
        job: whose environment pays.
        look: called before the first stretch and after each.
        stretches: how many.
        steps: optimiser steps of each.
        seed: of the first stretch's prompts and samples; each has its own.
        inoculate: the licence line stands in every training prompt.
    """
    from organoid.setups.spec import ReinforcementStage, Setup
    from organoid.setups.training import train_subject

    setup = Setup(name="stretch", stages=(ReinforcementStage(steps=steps, inoculate=inoculate),))
    look(lm, 0)
    for stretch in range(stretches):
        lm, _ = train_subject(setup, lm, job, seed + 1000 * stretch)
        look(lm, (stretch + 1) * steps)
    return lm
