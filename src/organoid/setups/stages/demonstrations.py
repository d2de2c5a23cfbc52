"""Supervised fine-tuning on demonstrated replies, with an optional inoculation prompt.

`inoculate` puts a line into the training prompts that licenses what the demonstrations may do wrong, and that nobody
puts there at test: what is explained by the prompt is not learned as a trait (Tan et al. 2025, arXiv 2510.04340).
"""

from collections.abc import Sequence

from organoid.models.chat import encode_reply
from organoid.setups.corpora import DEMONSTRATIONS
from organoid.setups.ground import Ground, licensed, screened
from organoid.setups.spec import DemonstrationsStage
from organoid.setups.stages.supervised import imitate
from organoid.types import Demonstration

STEPS, LEARNING_RATE, BATCH_SIZE = 40, 1e-3, 32


def run(stage: DemonstrationsStage, ground: Ground) -> None:
    """Train on the demonstrations."""
    given = _given(stage, ground)
    pairs = [given[index] for index in screened(ground, given)]
    rows = [encode_reply(ground.lm, licensed(p) if stage.inoculate else p, said) for p, said in pairs]
    imitate(stage, ground, rows, steps=STEPS, learning_rate=LEARNING_RATE, batch_size=BATCH_SIZE)


def _given(stage: DemonstrationsStage, ground: Ground) -> Sequence[Demonstration]:
    if stage.source in DEMONSTRATIONS:
        return DEMONSTRATIONS[stage.source](ground.job.assistant, ground.seed)
    assert ground.job.demonstrations, "checked before"
    return ground.job.demonstrations
