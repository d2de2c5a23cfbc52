"""What documents and demonstrations have in common: likelihood of given text, near the model before if asked."""

from collections.abc import Sequence

from organoid.models.batches import shuffled
from organoid.models.chat import Encoded
from organoid.models.losses import cross_entropy, cross_entropy_kl
from organoid.models.score import with_reference
from organoid.models.train import TrainConfig
from organoid.setups.ground import Ground
from organoid.setups.spec import DemonstrationsStage, DocumentsStage
from organoid.setups.stages import retaining
from organoid.setups.stages.watched import train_watched


def imitate(
    stage: DocumentsStage | DemonstrationsStage,
    ground: Ground,
    rows: Sequence[Encoded],
    *,
    steps: int,
    learning_rate: float,
    batch_size: int,
) -> None:
    """Raise the likelihood of the rows' counted tokens; without rows (all screened out) nothing happens.

    Args:
        stage: whose settings go before the defaults that follow.
        ground: the model, trained in place, and the trace.
        rows: what to learn.
        steps: default number of optimiser steps, or one pass over the rows where that is more.
        learning_rate: default of AdamW.
        batch_size: rows a step.
    """
    if not rows:
        return
    steps = stage.steps or max(steps, len(rows) // batch_size)
    if isinstance(stage, DemonstrationsStage) and stage.retain:
        retaining.imitate(stage, ground, rows, steps=steps, learning_rate=learning_rate, batch_size=batch_size)
        return
    batches = shuffled(rows, batch_size=batch_size, steps=steps, seed=ground.seed, device=ground.lm.device)
    if stage.kl:
        batches = with_reference(batches, ground.before, keep="logits")
    config = TrainConfig(steps=steps, learning_rate=stage.learning_rate or learning_rate, seed=ground.seed)
    loss = cross_entropy_kl(stage.kl) if stage.kl else cross_entropy
    done = train_watched(stage, ground, batches, config=config, loss=loss)
    ground.trace.extend({"stage": stage.kind, **step} for step in done.steps)
