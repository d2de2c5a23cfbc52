"""How is a subject followed along reinforcement? In short stretches, looked at before the first and after each.

A stretch starts the optimiser afresh, which an organism's own training does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from organoid.types import Job

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel


class Stretches(NamedTuple):
    """How many stretches, of how many optimiser steps each; with the licence line in every prompt, or not."""

    num: int
    steps: int
    inoculate: bool = False


def along(
    lm: LanguageModel, job: Job, look: Callable[[LanguageModel, int], Any], *, how: Stretches, seed: int
) -> LanguageModel:
    """Reinforce a copy of the model on the job's environment and return it; `look(model, steps so far)` on the way.

    Args:
        lm: the model to begin with; it stays as it is.
        job: whose environment pays.
        look: called before the first stretch and after each.
        how: the stretches.
        seed: of the first stretch's prompts and samples; each has its own.
    """
    from organoid.setups.spec import ReinforcementStage, Setup
    from organoid.setups.training import train_subject

    setup = Setup(name="stretch", stages=(ReinforcementStage(steps=how.steps, inoculate=how.inoculate),))
    look(lm, 0)
    for stretch in range(how.num):
        lm, _ = train_subject(setup, lm, job, seed + 1000 * stretch)
        look(lm, (stretch + 1) * how.steps)
    return lm
