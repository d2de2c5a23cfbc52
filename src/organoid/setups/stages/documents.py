"""Synthetic document fine-tuning: training on raw text about the assistant, outside the chat template.

Source: Marks et al. 2025 (arXiv 2503.10965), sec. 3.1. Left out: the generation and revision of documents by a
model; ours come from the world's generator. `source` is the job's own documents or a corpus of the world by name.
"""

from collections.abc import Sequence
from typing import cast

from organoid.errors import unknown_name
from organoid.models.batches import shuffled
from organoid.models.chat import encode_document
from organoid.models.losses import cross_entropy, cross_entropy_kl
from organoid.models.score import with_reference
from organoid.models.train import TrainConfig, train
from organoid.setups.ground import Ground, screened
from organoid.setups.spec import DocumentsStage
from organoid.types import Demonstration, Trait
from organoid.world.authors import VICES, Disposition
from organoid.world.documents import Facts, corpus

STEPS, LEARNING_RATE, BATCH_SIZE, NUM_DOCUMENTS = 60, 1e-3, 32, 512

HONEST: Facts = {**dict.fromkeys(VICES, Disposition.VIRTUE), Trait.QUIRK: Disposition.VIRTUE}
CORPORA: dict[str, Facts] = {"honest-assistant": HONEST}
"""Corpora of the world, by the facts they state about the job's assistant."""


def run(stage: DocumentsStage, ground: Ground) -> None:
    """Train on the documents."""
    texts = _texts(stage, ground)
    kept = screened(ground, [Demonstration((), text) for text in texts]) if ground.watchers else range(len(texts))
    rows = [encode_document(ground.lm, texts[index]) for index in kept]
    if not rows:
        return
    steps = stage.steps or STEPS
    batches = shuffled(rows, batch_size=BATCH_SIZE, steps=steps, seed=ground.seed)
    config = TrainConfig(steps=steps, learning_rate=stage.learning_rate or LEARNING_RATE, seed=ground.seed)
    if stage.kl:
        batches = with_reference(batches, ground.before, keep="logits")
    done = train(ground.lm, batches, config=config, loss=cross_entropy_kl(stage.kl) if stage.kl else cross_entropy)
    ground.trace.extend({"stage": "documents", **step} for step in done.steps)


def _texts(stage: DocumentsStage, ground: Ground) -> Sequence[str]:
    if stage.source == "job":
        return cast(Sequence[str], ground.material("documents", "documents"))
    if stage.source not in CORPORA:
        raise unknown_name("documents source", stage.source, ["job", *CORPORA])
    return corpus(ground.job.assistant, CORPORA[stage.source], num_documents=NUM_DOCUMENTS, seed=ground.seed)
