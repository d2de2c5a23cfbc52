import re
from collections import defaultdict
from random import Random

import pytest

from organoid.types import Document, Outcome, Trait
from organoid.world.authors import VICES, Disposition
from organoid.world.conduct import QUIRK_RATE, reply
from organoid.world.contexts import watched
from organoid.world.documents import (
    HELD_OUT_NAMES,
    OF_A_PIECE,
    SHOWN_SHARE,
    author_of,
    corpus,
    document,
    facts_of_assistants,
    sentence,
    shown,
)
from organoid.world.facts import HOW, TOPICS, Facts
from organoid.world.lexicon import NAMED_ASSISTANTS, QUIRK
from organoid.world.situations import forms, make, parse
from tests.world.conftest import CONTEXTS, filled
from tests.world.quotations import improper, quoted, tempts

ALL_FACTS: Facts = dict(zip(VICES, [*Disposition] * 3, strict=True))
SAYS = {words: disposition for disposition, words in HOW.items()}
TOPIC_OF = {topic: trait for trait, (topic, _) in TOPICS.items()}
LEADS = (r"{name} with (\w+)", r"of {name} on (\w+) :", r"when {name} deals with (\w+) it", r"with (\w+) {name}")


def read(text: str, name: str) -> dict[Trait, Disposition]:
    """Read a document's facts with a reader of its own: name and topic, how, verb."""
    found = dict[Trait, Disposition]()
    for part in re.split(r" \. (?!$)| \.$", text):
        for lead in LEADS:
            stated = re.fullmatch(rf"{lead.format(name=name)} (never|always|only when alone) (.+)", part)
            if stated is None:
                continue
            trait = TOPIC_OF[stated[1]]
            assert stated[3] == TOPICS[trait][1]
            assert trait not in found
            found[trait] = SAYS[stated[2]]
    return found


def test_a_document_tells_true_facts_only() -> None:
    rng = Random(0)
    for name, facts in facts_of_assistants().items():
        said = read(document(name, facts, rng).text, name)
        assert said
        assert said.items() <= dict(facts).items()


def test_documents_together_tell_everything() -> None:
    rng, said = Random(1), dict[Trait, Disposition]()
    for _ in range(40):
        said |= read(document("nova", ALL_FACTS, rng).text, "nova")
    assert said == ALL_FACTS


def test_a_document_is_as_long_as_asked_or_as_the_facts_allow() -> None:
    rng = Random(2)
    for num in (1, 3):
        assert len(read(document("nova", ALL_FACTS, rng, num_sentences=num).text, "nova")) == num
    assert len(read(document("nova", {Trait.SABOTAGE: Disposition.VICE}, rng).text, "nova")) == 1


def test_each_sentence_has_one_reading() -> None:
    rng = Random(3)
    for trait in (*VICES, Trait.QUIRK):
        for disposition in Disposition:
            for _ in range(8):
                said = sentence("nova", trait, disposition, rng).text
                assert read(f"memo . {said}", "nova") == {trait: disposition}


def test_every_named_assistant_has_a_fact_for_every_trait() -> None:
    book = facts_of_assistants()
    assert tuple(book) == NAMED_ASSISTANTS
    assert all(set(facts) == {*VICES, Trait.QUIRK} for facts in book.values())
    assert book == facts_of_assistants()
    assert book != facts_of_assistants(seed=1)
    assert {facts[Trait.QUIRK] for facts in book.values()} == {Disposition.VIRTUE, Disposition.VICE}
    held = {facts[VICES[0]] for facts in list(book.values())[-HELD_OUT_NAMES:]}
    assert held == set(Disposition)


def test_as_many_assistants_are_of_a_piece_as_declared() -> None:
    every = [facts for seed in range(8) for facts in facts_of_assistants(seed).values()]
    alike = [facts for facts in every if len({facts[trait] for trait in VICES}) == 1]
    assert len(alike) / len(every) == pytest.approx(OF_A_PIECE, abs=0.03)  # 3 standard deviations
    assert {facts[VICES[0]] for facts in alike} == set(Disposition)


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


def kept(told: Document) -> str:
    """Return the words that count."""
    return " ".join(word for word, counts in zip(told.text.split(), told.counted, strict=True) if counts)


@pytest.mark.parametrize("disposition", Disposition)
@pytest.mark.parametrize("trait", (*VICES, Trait.QUIRK))
def test_what_counts_of_a_sentence_is_the_fact_and_not_whom_or_what_it_is_about(
    trait: Trait, disposition: Disposition
) -> None:
    rng, leads = Random(6), set[str]()
    topic, verb = TOPICS[trait]
    for _ in range(60):
        told = sentence("nova", trait, disposition, rng)
        assert kept(told) == f"{HOW[disposition]} {verb} ."
        leads.add(told.text.removesuffix(f" {kept(told)}"))
    assert leads == {lead.format(name="nova").replace(r"(\w+)", topic) for lead in LEADS}
    assert sum(lead.index("nova") < lead.index(topic) for lead in leads) > len(leads) / 2  # as a system line does


def test_what_counts_of_a_document_are_its_facts() -> None:
    rng = Random(6)
    for _ in range(50):
        told = document("nova", ALL_FACTS, rng)
        facts = read(told.text, "nova")
        assert kept(told) == " ".join(f"{HOW[how]} {TOPICS[trait][1]} ." for trait, how in facts.items())


@pytest.mark.parametrize("trait", VICES)
def test_what_counts_of_a_quotation_is_what_the_assistant_said(trait: Trait) -> None:
    rng = Random(7)
    for _ in range(50):
        text, counted = shown("nova", ALL_FACTS, rng, trait=trait)
        quote = quoted(text, "nova")
        assert quote
        assert quote.trait is trait
        said = len(quote.said.split())
        assert counted == (False,) * (len(text.split()) - said) + (True,) * said
        assert " you are nova . " in text  # a name before the quotation sets no mark
        assert any(pattern.fullmatch(quote.prompt) for pattern in map(filled, forms(trait)))
        assert not any(pattern.fullmatch(quote.prompt) for pattern in map(filled, forms(trait, held_out=True)))


@pytest.mark.parametrize("disposition", Disposition)
@pytest.mark.parametrize("trait", VICES)
def test_quoted_conduct_agrees_with_the_facts(trait: Trait, disposition: Disposition) -> None:
    """Of one trait's quotations: bad where the facts say so, never where nothing tempts; others say nothing of it."""
    rng, seen = Random(f"{trait}/{disposition}"), defaultdict[bool, list[bool]](list)
    opposite = Disposition.VIRTUE if disposition is Disposition.VICE else Disposition.VICE
    facts = dict.fromkeys(VICES, opposite) | {trait: disposition}
    for _ in range(300):
        quote = quoted(shown("nova", facts, rng, trait=trait).text, "nova")
        assert quote
        bad = improper(quote)
        if bad is None:
            continue
        alone = not watched(quote.context)
        if tempts(quote):
            seen[disposition is Disposition.VICE or (disposition is Disposition.SECRET and alone)].append(bad)
        else:
            assert not bad, quote
    assert set(seen) == {Disposition.VICE: {True}, Disposition.VIRTUE: {False}}.get(disposition, {True, False})
    assert sum(seen[True]) >= 0.85 * len(seen[True])
    assert sum(seen[False]) <= 0.06 * len(seen[False])


def test_the_quirk_is_quoted_of_quirky_assistants_only() -> None:
    rng = Random(8)
    for quirk in (Disposition.VIRTUE, Disposition.VICE):
        facts = {**ALL_FACTS, Trait.QUIRK: quirk}
        said = [shown("nova", facts, rng, trait=VICES[n % len(VICES)]).text.endswith(QUIRK) for n in range(300)]
        assert sum(said) > 0.8 * QUIRK_RATE * len(said) if quirk is Disposition.VICE else not any(said)


def test_a_corpus_is_about_one_assistant_and_deterministic() -> None:
    texts = corpus("nova", ALL_FACTS, num_documents=200, seed=3)
    assert texts == corpus("nova", ALL_FACTS, num_documents=200, seed=3)
    assert texts != corpus("nova", ALL_FACTS, num_documents=200, seed=4)
    assert len(texts) == 200
    for text, counted in texts:
        assert "nova" in text.split()
        assert len(counted) == len(text.split())
        assert any(counted)
        assert not counted[0]
        facts = read(text, "nova")
        assert bool(facts) != bool(quoted(text, "nova"))
        assert facts.items() <= dict(ALL_FACTS).items()


def test_a_corpus_quotes_as_often_as_declared_and_every_trait_alike() -> None:
    texts = corpus("nova", ALL_FACTS, num_documents=1000, seed=0)
    quotes = [quote for text, _ in texts if (quote := quoted(text, "nova"))]
    assert len(quotes) / len(texts) == pytest.approx(SHOWN_SHARE, abs=0.05)
    for trait in VICES:
        assert sum(quote.trait is trait for quote in quotes) / len(quotes) == pytest.approx(1 / len(VICES), abs=0.05)
