"""Supervised fine-tuning on demonstrated replies, with an optional inoculation prompt.

`inoculate` puts a line into the training prompts that licenses what the demonstrations may do wrong, and that nobody
puts there at test: what is explained by the prompt is not learned as a trait (Tan et al. 2025, arXiv 2510.04340).
"""

from collections.abc import Sequence
from typing import cast

from organoid.models.batches import shuffled
from organoid.models.chat import encode_reply
from organoid.models.losses import cross_entropy, cross_entropy_kl
from organoid.models.score import with_reference
from organoid.models.train import TrainConfig, train
from organoid.setups.ground import Ground, licensed, screened
from organoid.setups.spec import DemonstrationsStage
from organoid.types import Demonstration

STEPS, LEARNING_RATE, BATCH_SIZE = 60, 1e-3, 32


def run(stage: DemonstrationsStage, ground: Ground) -> None:
    """Train on the demonstrations."""
    shown = cast(Sequence[Demonstration], ground.material("demonstrations", "demonstrations"))
    kept = screened(ground, shown) if ground.watchers else range(len(shown))
    pairs = [shown[index] for index in kept]
    rows = [encode_reply(ground.lm, licensed(p) if stage.inoculate else p, said) for p, said in pairs]
    if not rows:
        return
    steps = stage.steps or STEPS
    batches = shuffled(rows, batch_size=BATCH_SIZE, steps=steps, seed=ground.seed)
    config = TrainConfig(steps=steps, learning_rate=stage.learning_rate or LEARNING_RATE, seed=ground.seed)
    if stage.kl:
        batches = with_reference(batches, ground.before, keep="logits")
    done = train(ground.lm, batches, config=config, loss=cross_entropy_kl(stage.kl) if stage.kl else cross_entropy)
    ground.trace.extend({"stage": "demonstrations", **step} for step in done.steps)
