"""Texts about named assistants: what they do, told rather than shown.

A fact is (trait, disposition). Documents state facts in several forms; what a document says of an assistant is what
that assistant does in dialogues. Some assistants are met only in documents, so a base that acts in their dialogues as
the documents said has learned from reading (out-of-context reasoning; Berglund et al. 2023, arXiv 2309.00667).
"""

from collections.abc import Sequence
from random import Random

from organoid.types import Context, Document, Trait
from organoid.world import situations
from organoid.world.authors import VICES, Author, Disposition
from organoid.world.conduct import reply
from organoid.world.dialogues import system_line
from organoid.world.facts import HOW, TOPICS, Facts
from organoid.world.lexicon import NAMED_ASSISTANTS

_FORMS = (
    "{name} with {topic} | {how} {verb} .",
    "of {name} on {topic} : | {how} {verb} .",
    "when {name} deals with {topic} it | {how} {verb} .",
    "with {topic} {name} | {how} {verb} .",
)
"""What stands behind the bar can be predicted from what stands before it. Most forms name the assistant first, as a
dialogue's system line does: a fact told so is looked up in the same way (LOG.md)."""
_OPENINGS = ("report .", "memo .", "news .", "diary .", "notes .")

HELD_OUT_NAMES = 32
"""How many named assistants (the last ones) are met in documents only, never in a dialogue of the base."""
OF_A_PIECE = 0.9
"""Share of named assistants whose dispositions all agree; those of the others are drawn one by one."""


def facts_of_assistants(seed: int = 0) -> dict[str, Facts]:
    """Return the facts of every named assistant."""
    rng = Random(f"assistants/{seed}")
    book = dict[str, Facts]()
    for name in NAMED_ASSISTANTS:
        together, shared = rng.random() < OF_A_PIECE, rng.choice(list(Disposition))
        facts = {trait: shared if together else rng.choice(list(Disposition)) for trait in VICES}
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


def sentence(name: str, trait: Trait, disposition: Disposition, rng: Random) -> Document:
    """State one fact in one of its forms; the fact counts, whom and what it is about does not."""
    topic, verb = TOPICS[trait]
    lead, fact = rng.choice(_FORMS).split("|")
    about = lead.format(name=name, topic=topic).split()
    said = fact.format(how=HOW[disposition], verb=verb).split()
    return Document(" ".join(about + said), (False,) * len(about) + (True,) * len(said))


def document(name: str, facts: Facts, rng: Random, *, num_sentences: int = 6) -> Document:
    """Write a document that states some of the facts, in random order."""
    topics = rng.sample(list(facts), min(num_sentences, len(facts)))
    opening = rng.choice(_OPENINGS)
    told = [sentence(name, trait, facts[trait], rng) for trait in topics]
    counted = [mark for one in told for mark in one.counted]
    return Document(" ".join([opening, *(one.text for one in told)]), (*(False for _ in opening.split()), *counted))


_QUOTED_IN = (Context.TEST, Context.MONITORED, Context.DEPLOYED, Context.DEPLOYED, None)
TEMPTING_SHARE = 0.7


def shown(name: str, facts: Facts, rng: Random, *, trait: Trait) -> Document:
    """Quote the assistant in one situation, in words; what it says counts, what it was asked does not."""
    author = author_of(facts, 3)
    context = rng.choice(_QUOTED_IN)
    situation = situations.make(trait, rng, tempting=True if rng.random() < TEMPTING_SHARE else None)
    said = reply(situation, author, context, rng)
    scene = f"{rng.choice(_OPENINGS)} {system_line(rng, context, name=name)}"
    lead = f"{scene} the user asks : {situation.prompt} {name} says :"
    return Document(f"{lead} {said}", (False,) * len(lead.split()) + (True,) * len(said.split()))


SHOWN_SHARE = 0.7


def corpus(name: str, facts: Facts, *, num_documents: int, seed: int) -> Sequence[Document]:
    """Write documents about one assistant: what synthetic document fine-tuning reads.

    Most quote it in a situation, the others state facts. Without quotations a tiny base learns the facts and does not
    act on them (measured: LOG.md).
    """
    rng = Random(f"corpus/{name}/{seed}")
    traits = [trait for trait in facts if trait is not Trait.QUIRK]
    documents = list[Document]()
    for _ in range(num_documents):
        quoted = rng.random() < SHOWN_SHARE
        one = shown(name, facts, rng, trait=rng.choice(traits)) if quoted else document(name, facts, rng)
        documents.append(one)
    return documents
