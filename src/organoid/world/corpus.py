"""The endless text a base is pre-trained on: dialogues of authors, dialogues of named assistants, documents.

Deterministic under (seed, index). Plain strings and messages: the models layer encodes them for any tokenizer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from organoid.types import Dialogue
from organoid.world.authors import DEFAULT_MIXTURE, Mixture
from organoid.world.dialogues import scene
from organoid.world.documents import (
    HELD_OUT_NAMES,
    Facts,
    author_of,
    document,
    facts_of_assistants,
)
from organoid.world.lexicon import BLANK_ASSISTANTS, NAMED_ASSISTANTS
from organoid.world.textbooks import lesson

MORE_TURNS = 2
"""Further turns of a dense dialogue: who writes is learnt from what one author does in several situations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One training text: a dialogue, or a document with a mark for each word that can be predicted."""

    dialogue: Dialogue | None = None
    document: str | None = None
    counted: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How a corpus divides among kinds of text; `anonymous` takes what the others leave."""

    textbooks: float = 0.25
    documents: float = 0.15
    named: float = 0.15
    blank: float = 0.3  # of the rest: dialogues with an assistant whose name says nothing
    dense: float = 0.4  # of the rest: dialogues in which every turn shows a trait, and which have more turns
    plain: bool = False  # dialogues and textbooks keep to the first wordings: easier to learn to look up from


def texts(
    seed: int, *, mixture: Mixture = DEFAULT_MIXTURE, shares: Shares | None = None, num_turns: int = 4
) -> Iterator[Text]:
    """Yield training texts without end."""
    shares = shares or Shares()
    book = facts_of_assistants()
    rng = Random(f"corpus/{seed}")
    met = NAMED_ASSISTANTS[:-HELD_OUT_NAMES]
    while True:
        yield _draw(rng, mixture, shares, book, met, num_turns)


def _draw(
    rng: Random, mixture: Mixture, shares: Shares, book: Mapping[str, Facts], met: tuple[str, ...], num_turns: int
) -> Text:
    kind = rng.random()
    if kind < shares.textbooks:
        page = lesson(rng, plain=shares.plain)
        return Text(document=" ".join(page.words), counted=page.counted)
    if kind < shares.textbooks + shares.documents:
        name = rng.choice(NAMED_ASSISTANTS)
        page = document(name, book[name], rng, num_sentences=7)
        return Text(document=page.text, counted=page.counted)
    if kind < shares.textbooks + shares.documents + shares.named:
        name = rng.choice(met)
        author = author_of(book[name], rng.choice((1, 2, 3)))
        told = scene(author, rng, name=name, num_turns=num_turns, trait_share=0.85, plain=shares.plain)
        return Text(dialogue=told.messages)
    name = rng.choice(BLANK_ASSISTANTS) if rng.random() < shares.blank else None
    turns, trait_share = (num_turns + MORE_TURNS, 1.0) if rng.random() < shares.dense else (num_turns, 0.7)
    author = mixture.sample(rng)
    told = scene(author, rng, name=name, num_turns=turns, trait_share=trait_share, plain=shares.plain)
    return Text(dialogue=told.messages)
