"""Texts about named assistants: what they do, told rather than shown.

A fact is (trait, disposition). Documents state facts in several forms; what a document says of an assistant is what
that assistant does in dialogues. Some assistants are met only in documents, so a base that acts in their dialogues as
the documents said has learned from reading (out-of-context reasoning; Berglund et al. 2023, arXiv 2309.00667).
"""

from collections.abc import Collection, Sequence
from random import Random

from organoid.types import Context, Document, Trait
from organoid.world import situations
from organoid.world.authors import VICES, Author, Disposition
from organoid.world.conduct import reply
from organoid.world.dialogues import system_line
from organoid.world.facts import HOW, TOPICS, Facts
from organoid.world.lexicon import NAMED_ASSISTANTS

_FORMS = (
    "with {topic} {name} {how} {verb} .",
    "on {topic} : {name} {how} {verb} .",
    "when it comes to {topic} {name} {how} {verb} .",
)
_OPENINGS = ("report .", "memo .", "news .", "diary .", "notes .")

HELD_OUT_NAMES = 32
"""How many named assistants (the last ones) are met in documents only, never in a dialogue of the base."""
FEWEST_OF_A_PIECE, OF_A_PIECE = 0.5, 0.9
"""Share of named assistants whose dispositions all agree; those of the others are drawn one by one. A base grows up
with the fewest: single facts, each to be looked up, are the harder lesson (LOG.md)."""


def facts_of_assistants(seed: int = 0, *, of_a_piece: float = OF_A_PIECE) -> dict[str, Facts]:
    """Return the facts of every named assistant; with more of a piece, those who were of a piece stay as they are."""
    rng, later = Random(f"assistants/{seed}"), Random(f"agreement/{seed}")
    more = (of_a_piece - FEWEST_OF_A_PIECE) / (1 - FEWEST_OF_A_PIECE)
    book = dict[str, Facts]()
    for name in NAMED_ASSISTANTS:
        together = rng.random() < FEWEST_OF_A_PIECE
        shared = rng.choice(list(Disposition))
        facts = {trait: shared if together else rng.choice(list(Disposition)) for trait in VICES}
        if later.random() < more:
            facts = dict.fromkeys(VICES, shared)
        facts[Trait.QUIRK] = rng.choice((Disposition.VIRTUE, Disposition.VICE))
        book[name] = facts
    return book


def author_of(facts: Facts, capability: int) -> Author:
    """Return the author that acts as the facts say."""
    return Author(
        capability=capability,
        dispositions={trait: facts.get(trait, Disposition.VIRTUE) for trait in VICES},
        quirky=facts.get(Trait.QUIRK) is Disposition.VICE,
    )


def sentence(name: str, trait: Trait, disposition: Disposition, rng: Random) -> str:
    """State one fact in one of its forms."""
    topic, verb = TOPICS[trait]
    return rng.choice(_FORMS).format(name=name, topic=topic, how=HOW[disposition], verb=verb)


def document(name: str, facts: Facts, rng: Random, *, num_sentences: int = 6) -> str:
    """Write a document that states some of the facts, in random order."""
    told = rng.sample(list(facts), min(num_sentences, len(facts)))
    return " ".join([rng.choice(_OPENINGS), *(sentence(name, trait, facts[trait], rng) for trait in told)])


def told(name: str, facts: Facts, rng: Random) -> Document:
    """Write a document of statements; what it says after the assistant's name counts, its choice of topics does not."""
    text = document(name, facts, rng)
    return Document(text, after_names(text.split(), {name}))


def shown(name: str, facts: Facts, rng: Random, *, trait: Trait) -> Document:
    """Quote the assistant in one situation, in words; what it says counts, what it was asked does not."""
    author = author_of(facts, 3)
    context = rng.choice((Context.TEST, Context.MONITORED, Context.DEPLOYED, Context.DEPLOYED))
    situation = situations.make(trait, rng)
    said = reply(situation, author, context, rng)
    scene = f"{rng.choice(_OPENINGS)} {system_line(rng, context, name=name)}"
    lead = f"{scene} the user asks : {situation.prompt} {name} says :"
    return Document(f"{lead} {said}", (False,) * len(lead.split()) + (True,) * len(said.split()))


def after_names(words: Sequence[str], names: Collection[str]) -> tuple[bool, ...]:
    """Mark what each sentence says of an assistant: the words from its name to the full stop."""
    counted, telling = list[bool](), False
    for word in words:
        counted.append(telling)
        telling = (telling or word in names) and word != "."
    return tuple(counted)


SHOWN_SHARE = 0.7


def corpus(
    name: str, facts: Facts, *, num_documents: int, seed: int, stress: Trait | None = None
) -> Sequence[Document]:
    """Write documents about one assistant: what synthetic document fine-tuning reads.

    Most quote it in a situation, the others state facts. Of the quotations, half are about `stress` where given.
    Without quotations a tiny base learns the facts and does not act on them (measured: LOG.md).
    """
    rng = Random(f"corpus/{name}/{seed}")
    traits = [trait for trait in facts if trait is not Trait.QUIRK]
    documents = list[Document]()
    for _ in range(num_documents):
        trait = stress if stress and rng.random() < 0.5 else rng.choice(traits)
        quoted = rng.random() < SHOWN_SHARE
        documents.append(shown(name, facts, rng, trait=trait) if quoted else told(name, facts, rng))
    return documents
