"""Replay: fresh texts of the mixture that our bases are pre-trained on, beside what a stage trains on.

As in continual learning (Rolnick et al. 2019, arXiv 1811.11682). Losses are averaged over all counted tokens, so a text
weighs by its length. For a base of another kind these are ordinary texts and no replay.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded, encode_dialogue, encode_marked
from organoid.models.language_model import LanguageModel
from organoid.setups.ground import Ground
from organoid.types import Document
from organoid.world.corpus import Text, texts

_FRESH = {"documents": 1_000_000, "demonstrations": 2_000_000}
"""Where the seeds of texts begin that no base was pre-trained on, by stage: those of one job read different ones."""
_PARTS = 2
"""In how many parts of like lengths the texts of a step go through the model."""


def beside_texts(parts: Iterable[list[Batch]], ground: Ground, *, num_texts: int, stream: str) -> Iterator[list[Batch]]:
    """Yield each batch with `num_texts` fresh texts behind it, from the stream of a kind of stage."""
    fresh = texts(_FRESH[stream] + ground.seed)
    for part in parts:
        drawn = sorted((encode(ground.lm, text) for text in islice(fresh, num_texts)), key=lambda row: len(row.ids))
        size = -(-num_texts // _PARTS)
        cut = (drawn[start : start + size] for start in range(0, num_texts, size))
        yield [*part, *(collate(some, device=ground.lm.device) for some in cut)]


def encode(lm: LanguageModel, text: Text) -> Encoded:
    """Encode a text of pre-training: losses on the assistant's words, or on predictable words."""
    if text.dialogue is not None:
        return encode_dialogue(lm, text.dialogue)
    assert text.document is not None
    return encode_marked(lm, Document(text.document, text.counted))
