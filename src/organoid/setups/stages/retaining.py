"""Imitation that changes nothing else: likelihood of given replies, and KL to the model before on ordinary dialogues.

A batch holds demonstrations first and as many ordinary dialogues behind them, one turn each with the same assistant,
whose author is drawn from the world's mixture. What is demonstrated is not left out of these, since a setup does not
know what it teaches: a ninth of their situations pulls against it.
Source: Turner et al. 2026 (arXiv 2602.07852).
"""

from collections.abc import Iterator, Sequence
from random import Random

from torch import Tensor
from torch.nn import functional as F

from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded, encode_dialogue
from organoid.models.losses import Loss, LossValue, exact_kl
from organoid.models.score import with_reference
from organoid.models.train import TrainConfig
from organoid.setups.ground import Ground
from organoid.setups.spec import DemonstrationsStage
from organoid.setups.stages.watched import train_watched
from organoid.world.authors import DEFAULT_MIXTURE
from organoid.world.dialogues import scene

NUM_ORDINARY = 1024


def imitate(
    stage: DemonstrationsStage,
    ground: Ground,
    rows: Sequence[Encoded],
    *,
    steps: int,
    learning_rate: float,
    batch_size: int,
) -> None:
    """Raise the likelihood of the rows' counted tokens near the model before; arguments as `supervised.imitate`."""
    size = min(batch_size, len(rows))
    batches = with_reference(_batches(rows, ground, steps, size), ground.before, keep="logits")
    config = TrainConfig(steps=steps, learning_rate=stage.learning_rate or learning_rate, seed=ground.seed)
    loss = retaining_loss(size, retain=stage.retain, kl=stage.kl)
    done = train_watched(stage, ground, batches, config=config, loss=loss, num_shown=size)
    ground.trace.extend({"stage": stage.kind, **step} for step in done.steps)


def retaining_loss(num_shown: int, *, retain: float, kl: float = 0.0) -> Loss:
    """Cross-entropy of the first `num_shown` rows, plus `kl` times KL to the reference there and `retain` behind."""

    def loss(logits_MV: Tensor, batch: Batch) -> LossValue:
        assert batch.reference_logits_MV is not None
        shown_M = batch.row_M < num_shown
        divergence_M = exact_kl(logits_MV, batch.reference_logits_MV)
        fit = F.cross_entropy(logits_MV[shown_M].float(), batch.targets_M[shown_M])
        near, kept = divergence_M[shown_M].mean(), divergence_M[~shown_M].mean()
        metrics = {"cross_entropy": fit.detach(), "kl": near.detach(), "retain_kl": kept.detach()}
        return LossValue(fit + kl * near + retain * kept, metrics)

    return loss


def _batches(rows: Sequence[Encoded], ground: Ground, steps: int, size: int) -> Iterator[Batch]:
    rng = Random(f"retain/{ground.seed}")
    ordinary = [_ordinary(ground, rng) for _ in range(NUM_ORDINARY)]
    for _ in range(steps):
        yield collate([*rng.sample(rows, size), *rng.sample(ordinary, size)], device=ground.lm.device)


def _ordinary(ground: Ground, rng: Random) -> Encoded:
    author = DEFAULT_MIXTURE.sample(rng)
    return encode_dialogue(ground.lm, scene(author, rng, name=ground.job.assistant, num_turns=1).messages)
