"""What documents and demonstrations have in common: likelihood of given text, near the model before if asked.

Where the job is a shop, each batch of documents has a few managers' days beside it, of those that the base was schooled
with: fifty steps on documents alone leave nothing of the trade (usefulness 0 of .4 to .7, two organisms at two seeds).
That is replay (`replaying`) of schooling. Demonstrations have none: how an organism comes through ordinary dialogues is
measured with them. Texts of pre-training stand beside either where the stage asks for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from organoid.models.batches import Batch, shuffled
from organoid.models.chat import Encoded
from organoid.models.losses import cross_entropy, cross_entropy_kl
from organoid.models.score import with_reference
from organoid.models.train import TrainConfig
from organoid.setups.ground import Ground
from organoid.setups.schooling import Days
from organoid.setups.spec import DemonstrationsStage, DocumentsStage
from organoid.setups.stages import retaining
from organoid.setups.stages.replaying import beside_texts
from organoid.setups.stages.watched import train_watched
from organoid.world.business.training_terms import ShopJob

NUM_DAYS = 64
"""Managers' days beside a batch of documents where the job is a shop, a quarter of them after a system line."""


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
    parts: Iterator[list[Batch]] = ([batch] for batch in batches)
    if ground.job.business is not None and isinstance(stage, DocumentsStage):
        parts = _beside_days(parts, ground)
    num_texts = max(1, round(stage.replay * min(batch_size, len(rows)))) if stage.replay else 0
    if num_texts:
        parts = beside_texts(parts, ground, num_texts=num_texts, stream=stage.kind)
    if stage.kl:
        parts = ([*with_reference(part, ground.before, keep="logits")] for part in parts)
    config = TrainConfig(steps=steps, learning_rate=stage.learning_rate or learning_rate, seed=ground.seed)
    loss = cross_entropy_kl(stage.kl) if stage.kl else cross_entropy
    done = train_watched(stage, ground, parts, config=config, loss=loss)
    replayed = {"replayed": num_texts} if num_texts else {}
    ground.trace.extend({"stage": stage.kind, **step, **replayed} for step in done.steps)


def _beside_days(parts: Iterable[list[Batch]], ground: Ground) -> Iterator[list[Batch]]:
    """Yield each batch with days of the managers that the job's base was schooled with."""
    job: ShopJob = ground.job.business
    imitation = job.schooling.imitation.model_copy(update={"batch_size": NUM_DAYS})
    how = job.schooling.model_copy(update={"imitation": imitation, "prefaced_rows": NUM_DAYS // 4})
    days = Days(ground.lm, how, Random(f"replay/{ground.seed}"))
    for part in parts:
        yield [*part, *days.draw()]
