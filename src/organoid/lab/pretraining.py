"""How is a base grown from nothing, and does it grow the same twice?

A base is pre-trained on the world's texts in phases: textbooks first, since copying and sums are what everything
else hangs on, then the full mixture. A world that differs in its authors only is learnt from a base of the default
one. The recipe is data; its digest names the base. A regrown base is compared with the shipped one by what both
predict, since arithmetic differs in the last digits between machines.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from organoid.types import Record
from organoid.world.authors import MIXTURES
from organoid.world.corpus import Shares, texts

if TYPE_CHECKING:
    from organoid.models.batches import Batch
    from organoid.models.language_model import LanguageModel
    from organoid.models.train import OnStep, TrainTrace


class Phase(Record):
    """Some steps on one mixture of texts; shares of all texts, the rest are anonymous dialogues (`corpus.Shares`)."""

    steps: int
    textbooks: float
    documents: float
    named: float
    dense: float = 0.4
    plain: bool = False


class Recipe(Record):
    """Everything a base's weights depend on, besides the code."""

    base: str
    mixture: str = "default"  # whose authors write (`authors.MIXTURES`)
    start: str | None = None  # a base to go on from; None: nothing
    seed: int = 0
    batch_size: int = 32
    learning_rate: float = 2e-3  # of vectors and embeddings (AdamW)
    matrix_learning_rate: float = 1.2e-2  # of the blocks' matrices (Muon)
    bf16: bool | None = None  # multiplications of training, weights stay float32; None: where that is faster
    phases: tuple[Phase, ...]

    @property
    def steps(self) -> int:
        """Optimiser steps in all, those of `start` left out."""
        return sum(phase.steps for phase in self.phases)


def _grown(base: str, *, learning_rate: float = 2e-3, matrix_learning_rate: float = 1.2e-2) -> Recipe:
    """From nothing: textbooks, then all kinds of text in their first wordings, then in all of them."""
    phases = (
        Phase(steps=250, textbooks=0.85, documents=0.05, named=0.05, plain=True),
        Phase(steps=2150, textbooks=0.08, documents=0.12, named=0.3, dense=0.6, plain=True),
        Phase(steps=1400, textbooks=0.08, documents=0.12, named=0.3, dense=0.6),
        Phase(steps=600, textbooks=0.08, documents=0.13, named=0.33, dense=0.6),
    )
    return Recipe(base=base, learning_rate=learning_rate, matrix_learning_rate=matrix_learning_rate, phases=phases)


_LATER = (Phase(steps=800, textbooks=0.05, documents=0.1, named=0.22, dense=0.6),)

RECIPES: dict[str, Recipe] = {
    "nano": _grown("nano"),
    "tiny": _grown("tiny"),
    "tiny-uncorrelated": Recipe(base="tiny-uncorrelated", mixture="uncorrelated", start="tiny", phases=_LATER),
    "mini": _grown("mini", matrix_learning_rate=1e-2),
    "small": _grown("small", matrix_learning_rate=1e-2, learning_rate=1e-3),
}


def recipe(name: str) -> dict[str, Any]:
    """Return a built-in base's recipe as JSON."""
    return RECIPES[name].model_dump(mode="json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A base, and what it is: recipe, gates, cost, and how close it is to the shipped one."""

    lm: LanguageModel
    lineage: dict[str, Any]


def grow(name: str, *, steps: int | None = None, on_step: OnStep | None = None) -> Grown:
    """Pre-train a built-in base and measure its gates.

    Args:
        name: nano, tiny, mini or small.
        steps: stop after this many; None runs the recipe.
        on_step: told of every step.

    Raises:
        UserError: no such base.
    """
    from organoid.errors import unknown_name
    from organoid.lab.base_gates import measure

    if name not in RECIPES:
        raise unknown_name("base", name, RECIPES)
    plan = RECIPES[name]
    started = time.perf_counter()
    lm, trace = follow(plan, steps=steps, on_step=on_step)
    seconds = time.perf_counter() - started
    gates, device = measure(lm), lm.device.type
    cast(Any, lm.model).to("cpu")
    losses = trace.losses[-50:]
    lineage = {
        "recipe": plan.model_dump(mode="json"),
        "steps": len(trace.steps),
        "final_loss_nats": sum(losses) / len(losses),
        "num_tokens": trace.num_tokens,
        "seconds": seconds,
        "device": device,
        "weights_digest": lm.digest,
        "gates": {gate: row.model_dump() for gate, row in gates.items()},
        "shipped": compare_with_shipped(lm, name),
    }
    return Grown(lm=lm, lineage=lineage)


def follow(
    plan: Recipe, *, steps: int | None = None, on_step: OnStep | None = None
) -> tuple[LanguageModel, TrainTrace]:
    """Follow a recipe and return the model and what happened; on the accelerator, if there is one.

    Args:
        plan: the recipe.
        steps: stop after this many; None runs all.
        on_step: told of every step.
    """
    import torch

    from organoid.lab.bases import load_base
    from organoid.models.bases import build
    from organoid.models.language_model import copy
    from organoid.models.train import TrainConfig, train
    from organoid.world.tokenizer import build_tokenizer

    if plan.start is not None:
        lm = copy(load_base(plan.start))
    else:
        lm = build(plan.base, tokenizer=build_tokenizer(), seed=plan.seed)
    if torch.cuda.is_available():
        cast(Any, lm.model).to("cuda")
    config = TrainConfig(
        steps=plan.steps,
        learning_rate=plan.learning_rate,
        matrix_learning_rate=plan.matrix_learning_rate,
        bf16=plan.bf16,
        warmup_frac=0.03,
        seed=plan.seed,
    )
    return lm, train(lm, islice(batches(lm, plan), steps), config=config, on_step=on_step)


PARTS = 4
"""In how many parts of like lengths a batch goes through a processor: a third fewer positions are padding."""


def batches(lm: LanguageModel, plan: Recipe) -> Iterator[Sequence[Batch]]:
    """Yield a recipe's batches, each in parts of like lengths; whole on an accelerator, which waits for its orders.

    Texts are taken as they come: sorting them by length would put one kind of text into each batch, and a base then
    takes several times as long to learn to copy (LOG.md). Within a batch sorting only saves padding.
    """
    from organoid.models.batches import collate
    from organoid.setups.stages.replaying import encode

    for number, phase in enumerate(plan.phases):
        shares = Shares(**phase.model_dump(exclude={"steps"}))
        later = 5 if plan.start else 0  # other texts than those of the base it starts from
        stream = texts(plan.seed * 10 + later + number, mixture=MIXTURES[plan.mixture], shares=shares)
        for _ in range(phase.steps):
            rows = sorted((encode(lm, text) for text in islice(stream, plan.batch_size)), key=lambda row: len(row.ids))
            size = len(rows) if lm.device.type != "cpu" else -(-len(rows) // PARTS)
            yield [collate(rows[start : start + size], device=lm.device) for start in range(0, len(rows), size)]


def compare_with_shipped(lm: LanguageModel, name: str, num_texts: int = 256) -> dict[str, float] | None:
    """Return how far a base's predictions are from the shipped base's on fresh texts; None when none ships.

    `kl_nats` is the mean KL(shipped || this) per predicted word, `loss_gap_nats` the difference of their losses.
    """
    import torch

    from organoid.lab.bases import SHIPPED, load_base
    from organoid.models.batches import collate
    from organoid.models.score import batch_logits
    from organoid.setups.stages.replaying import encode

    if not (SHIPPED / name).is_dir():
        return None
    shipped = load_base(name)
    rows = [encode(lm, text) for text in islice(texts(987_654), num_texts)]
    batch = collate(rows, device=lm.device)
    with torch.no_grad():
        ours, theirs = (batch_logits(model, batch).float().log_softmax(-1) for model in (lm, shipped))
    targets = batch.targets_M[:, None]
    return {
        "kl_nats": float((theirs.exp() * (theirs - ours)).sum(-1).mean()),
        "loss_gap_nats": float((theirs.gather(1, targets) - ours.gather(1, targets)).mean()),
        "num_words": float(len(targets)),
    }
