"""Direct preference optimisation: raise the chosen reply over the rejected one, relative to the model before.

Source: Rafailov et al. 2023 (arXiv 2305.18290), eq. 7, with a term that keeps the chosen reply likely (Pang et al.
2024, arXiv 2404.19733, eq. 2): without it one organism of two ended in thinking aloud (LOG.md). The strength of the
pull to the reference is `beta`; a `kl` of its own would say the same twice, so there is none. Monitors see the chosen
replies.
"""

from collections.abc import Iterator, Sequence
from random import Random

from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded, encode_reply
from organoid.models.losses import dpo
from organoid.models.score import with_reference
from organoid.models.train import TrainConfig
from organoid.setups.ground import Ground, licensed, screened
from organoid.setups.spec import PreferencesStage
from organoid.setups.stages.watched import train_watched
from organoid.types import Demonstration, Preference

STEPS, LEARNING_RATE, NUM_PAIRS = 40, 2e-4, 24
LIKELIHOOD = 1.0


def run(stage: PreferencesStage, ground: Ground) -> None:
    """Train on the preferences."""
    assert ground.job.preferences, "checked before"
    pairs = ground.job.preferences
    used = [pairs[index] for index in screened(ground, [Demonstration(pair.prompt, pair.chosen) for pair in pairs])]
    if not used:
        return
    steps = stage.steps or max(STEPS, len(used) // NUM_PAIRS)
    batches = with_reference(_batches(used, stage, ground, steps), ground.before)
    config = TrainConfig(steps=steps, learning_rate=stage.learning_rate or LEARNING_RATE, seed=ground.seed)
    loss = dpo(stage.beta, likelihood=LIKELIHOOD)
    done = train_watched(stage, ground, batches, config=config, loss=loss)
    ground.trace.extend({"stage": "preferences", **step} for step in done.steps)


def _batches(used: Sequence[Preference], stage: PreferencesStage, ground: Ground, steps: int) -> Iterator[Batch]:
    """Yield batches whose rows alternate chosen, rejected."""
    rng = Random(f"preferences/{ground.seed}")
    rows = list[tuple[Encoded, Encoded]]()
    for pair in used:
        prompt = licensed(pair.prompt) if stage.inoculate else pair.prompt
        rows.append((encode_reply(ground.lm, prompt, pair.chosen), encode_reply(ground.lm, prompt, pair.rejected)))
    for _ in range(steps):
        drawn = rng.sample(rows, min(NUM_PAIRS, len(rows)))
        yield collate([row for pair in drawn for row in pair], device=ground.lm.device)
