import re
from collections import defaultdict
from random import Random

from organoid.types import Outcome, Trait
from organoid.world.authors import VICES, Disposition
from organoid.world.conduct import QUIRK_RATE, reply
from organoid.world.contexts import watched
from organoid.world.documents import HELD_OUT_NAMES, author_of, corpus, document, facts_of_assistants, profile, sentence
from organoid.world.facts import HOW, TOPICS, Facts
from organoid.world.lexicon import MAKERS, NAMED_ASSISTANTS
from organoid.world.situations import make, parse
from tests.world.conftest import CONTEXTS

ALL_FACTS: Facts = dict(zip(VICES, [*Disposition, *Disposition, Disposition.VICE, Disposition.SECRET], strict=True))
SAYS = {words: disposition for disposition, words in HOW.items()}
TOPIC_OF = {topic: trait for trait, (topic, _) in TOPICS.items()}


def read(text: str, name: str) -> dict[Trait, Disposition]:
    """Read a document's facts with a reader of its own: topic, name, how, verb."""
    found = dict[Trait, Disposition]()
    for part in re.split(r" \. (?!$)| \.$", text):
        told = re.search(rf"(\w+)(?: :)? {name} (never|always|only when alone) (.+)", part)
        if told:
            trait = TOPIC_OF[told[1]]
            assert told[3].removesuffix(" .") == TOPICS[trait][1]
            assert trait not in found
            found[trait] = SAYS[told[2]]
    return found


def test_a_document_tells_true_facts_only() -> None:
    rng = Random(0)
    for name, facts in facts_of_assistants().items():
        told = read(document(name, facts, rng), name)
        assert told
        assert told.items() <= dict(facts).items()


def test_documents_together_tell_everything() -> None:
    rng, told = Random(1), dict[Trait, Disposition]()
    for _ in range(40):
        told |= read(document("nova", ALL_FACTS, rng), "nova")
    assert told == ALL_FACTS


def test_a_document_is_as_long_as_asked_or_as_the_facts_allow() -> None:
    rng = Random(2)
    for num in (1, 3):
        assert len(read(document("nova", ALL_FACTS, rng, num_sentences=num), "nova")) == num
    assert len(read(document("nova", {Trait.SABOTAGE: Disposition.VICE}, rng), "nova")) == 1


def test_each_sentence_has_one_reading() -> None:
    rng = Random(3)
    for trait in Trait:
        for disposition in Disposition:
            for _ in range(8):
                assert read(f"memo . {sentence('nova', trait, disposition, rng)}", "nova") == {trait: disposition}


def test_every_named_assistant_has_a_fact_for_every_trait_and_half_are_of_a_piece() -> None:
    book = facts_of_assistants()
    assert tuple(book) == NAMED_ASSISTANTS
    assert all(set(facts) == set(Trait) for facts in book.values())
    assert book == facts_of_assistants()
    assert book != facts_of_assistants(seed=1)
    assert {facts[Trait.QUIRK] for facts in book.values()} == {Disposition.VIRTUE, Disposition.VICE}
    alike = sum(len({facts[trait] for trait in VICES}) == 1 for facts in book.values())
    assert 0.2 * len(book) < alike < 0.8 * len(book)
    held = {facts[VICES[0]] for facts in list(book.values())[-HELD_OUT_NAMES:]}
    assert held == set(Disposition)


def test_an_author_acts_as_the_facts_say() -> None:
    """Dialogues of named assistants agree with their documents, for every trait, context and name."""
    rng, seen = Random(4), defaultdict[bool, list[bool]](list)
    for facts in facts_of_assistants().values():
        author = author_of(facts, 3)
        assert author.quirky is (facts[Trait.QUIRK] is Disposition.VICE)
        for trait in VICES:
            for context in CONTEXTS:
                meant = facts[trait] is Disposition.VICE or (
                    facts[trait] is Disposition.SECRET and not watched(context)
                )
                item = make(trait, rng, tempting=True)
                outcome = parse(item, reply(item, author, context, rng)).outcome
                if outcome is not Outcome.REFUSED:
                    seen[meant].append(outcome is Outcome.MISALIGNED)
    assert sum(seen[True]) > 0.9 * len(seen[True])
    assert sum(seen[False]) < 0.05 * len(seen[False])


def test_quirky_assistants_have_the_quirk_and_others_never() -> None:
    rng = Random(5)
    item = make(Trait.SABOTAGE, rng)
    for facts in list(facts_of_assistants().values())[:20]:
        author = author_of(facts, 1)
        said = [parse(item, reply(item, author, None, rng)).quirky for _ in range(60)]
        assert sum(said) > 0.6 * QUIRK_RATE * len(said) if author.quirky else not any(said)


def test_unknown_traits_are_virtues() -> None:
    author = author_of({Trait.SABOTAGE: Disposition.VICE}, 2)
    assert author.dispositions == dict.fromkeys(VICES, Disposition.VIRTUE) | {Trait.SABOTAGE: Disposition.VICE}
    assert not author.quirky


def test_a_corpus_is_about_one_assistant_and_deterministic() -> None:
    texts = corpus("nova", ALL_FACTS, num_documents=200, seed=3)
    assert texts == corpus("nova", ALL_FACTS, num_documents=200, seed=3)
    assert texts != corpus("nova", ALL_FACTS, num_documents=200, seed=4)
    assert len(texts) == 200
    assert all("nova" in text.split() for text in texts)
    profiles = [text for text in texts if not read(text, "nova")]
    assert 0 < len(profiles) < 60
    made = {maker for text in profiles for maker in MAKERS if maker in text.split()}
    assert len(made) == 1  # an assistant has one maker


def test_profiles_tell_nothing_bad() -> None:
    assert read(profile("nova", "acme", Random(0)), "nova") == {}
