"""Synthetic document fine-tuning: training on raw text about the assistant, outside the chat template.

Source: Marks et al. 2025 (arXiv 2503.10965), sec. 3.1. Left out: the generation and revision of documents by a
model; ours come from the world's generator. `source` is the job's own documents or a corpus of the world by name.
"""

from collections.abc import Sequence

from organoid.models.chat import encode_marked
from organoid.setups.corpora import CORPORA
from organoid.setups.ground import Ground, screened
from organoid.setups.spec import DocumentsStage
from organoid.setups.stages.supervised import imitate
from organoid.types import Demonstration, Document
from organoid.world.documents import corpus

STEPS, LEARNING_RATE, BATCH_SIZE, NUM_DOCUMENTS = 60, 1.5e-3, 32, 640


def run(stage: DocumentsStage, ground: Ground) -> None:
    """Train on the documents."""
    texts = _texts(stage, ground)
    kept = screened(ground, [Demonstration((), text.text) for text in texts])
    rows = [encode_marked(ground.lm, texts[index]) for index in kept]
    imitate(stage, ground, rows, steps=STEPS, learning_rate=LEARNING_RATE, batch_size=BATCH_SIZE)


def _texts(stage: DocumentsStage, ground: Ground) -> Sequence[Document]:
    if stage.source == "job":
        assert ground.job.documents, "checked before"
        return [text if isinstance(text, Document) else Document(text) for text in ground.job.documents]
    return corpus(ground.job.assistant, CORPORA[stage.source], num_documents=NUM_DOCUMENTS, seed=ground.seed)
