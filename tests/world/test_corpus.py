import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice
from random import Random

import pytest

from organoid.types import Context
from organoid.world import contexts, situations, skills
from organoid.world.authors import DEFAULT_MIXTURE, VICES
from organoid.world.corpus import MORE_TURNS, Shares, Text, texts
from organoid.world.documents import HELD_OUT_NAMES, facts_of_assistants
from organoid.world.facts import HOW
from organoid.world.lexicon import BLANK_ASSISTANTS, NAMED_ASSISTANTS
from organoid.world.situations import make
from tests.world.conftest import filled
from tests.world.test_documents import read

NUM = 12_000
TASKS = [filled(form.replace("{}", "{words}")) for every in skills._ASK.values() for form in every]
DOCUMENT_ONLY = frozenset(NAMED_ASSISTANTS[-HELD_OUT_NAMES:])


def is_a_task(prompt: str) -> bool:
    """Say whether a prompt is a task and nothing else: of the forms of tasks, and of none of situations."""
    situated = any(filled(form).fullmatch(prompt) for trait in VICES for form in situations.forms(trait))
    return not situated and any(form.fullmatch(prompt) for form in TASKS)


@cache
def written() -> tuple[Text, ...]:
    return tuple(islice(texts(0), NUM))


@cache
def lines() -> Counter[tuple[str, str]]:
    """Return every turn (role, content) and every document, counted."""
    found = Counter[tuple[str, str]]()
    for text in written():
        if text.dialogue is not None:
            found.update((message.role, message.content) for message in text.dialogue)
        else:
            assert text.document is not None
            found["document", text.document] += 1
    return found


@cache
def words() -> frozenset[str]:
    return frozenset(word for _, content in lines() for word in content.split())


def name_of(system_line: str) -> str | None:
    told = re.match(r"you are (\w+) \.", system_line)
    return told[1] if told else None


def test_a_text_is_a_dialogue_or_a_document_with_its_marks() -> None:
    for text in written():
        assert (text.dialogue is None) != (text.document is None)
        if text.document is not None:
            assert len(text.counted) == len(text.document.split())
            assert any(text.counted)
        else:
            assert not text.counted
            assert text.dialogue
            assert text.dialogue[-1].role == "assistant"


def test_splitting_at_spaces_is_exact() -> None:
    for _, content in lines():
        assert content == " ".join(content.split()) == content.lower()
        assert not re.search(r"[^ ][.?:,!]|[.?:,!][^ ]", content)


def test_held_out_forms_of_contexts_are_never_written() -> None:
    for context in (Context.TEST, Context.MONITORED, Context.DEPLOYED):
        for form in contexts.forms(context, held_out=True):
            assert not [content for _, content in lines() if form.removesuffix(" .") in content]
            assert set(form.split()) <= words()
        for form in contexts.forms(context):  # the control: the others are
            assert any(form in content for _, content in lines())


@pytest.mark.parametrize("trait", VICES)
def test_held_out_forms_of_situations_are_never_written(trait: situations.Trait) -> None:
    asked = [content for role, content in lines() if role == "user"]
    rng = Random(0)
    for form in situations.forms(trait, held_out=True):
        assert not [content for content in asked if filled(form).fullmatch(content)]
        longest = max(re.split(r"\{\w+\}", form), key=len)
        assert not [content for role, content in lines() if role == "document" and longest in content]
        assert {word for word in form.split() if not word.startswith("{")} <= words()
    for form in situations.forms(trait):
        assert any(filled(form).fullmatch(content) for content in asked), form
    for _ in range(200):  # and the fillings are of known words too
        situation = make(trait, rng, held_out=True)
        assert any(filled(form).fullmatch(situation.prompt) for form in situations.forms(trait, held_out=True))
        assert set(situation.prompt.split()) <= words()


def test_document_only_assistants_are_in_no_dialogue() -> None:
    met, told = set[str](), set[str]()
    for role, content in lines():
        (told if role == "document" else met).update(content.split())
    assert not met & DOCUMENT_ONLY
    assert told >= set(NAMED_ASSISTANTS)
    assert met >= set(NAMED_ASSISTANTS) - DOCUMENT_ONLY
    assert met >= set(BLANK_ASSISTANTS)
    assert not told & set(BLANK_ASSISTANTS)


def test_documents_agree_with_the_facts() -> None:
    book, num = facts_of_assistants(), 0
    for role, content in lines():
        if role == "document" and (names := set(content.split()) & set(NAMED_ASSISTANTS)):
            (name,) = names
            facts = read(content, name)
            assert facts
            assert facts.items() <= dict(book[name]).items()
            num += 1
    assert num > 500


def test_marks_of_documents_leave_names_and_topics_to_chance() -> None:
    """Counted is what follows from name and topic: from the word that says how to the full stop, and nothing else."""
    first, num = {words.split()[0] for words in HOW.values()}, 0
    for text in written():
        names = set((text.document or "").split()) & set(NAMED_ASSISTANTS)
        if text.document is None or not names:
            continue
        known = telling = False
        for word, counted in zip(text.document.split(), text.counted, strict=True):
            telling = telling or word in first
            assert counted == telling, text.document
            assert not (counted and not known), text.document
            known, telling = (known or word in names) and word != ".", telling and word != "."
        num += 1
    assert num > 500


def test_shares_are_as_declared() -> None:
    shares = Shares(textbooks=0.2, documents=0.3, named=0.1, blank=0.5)
    kinds = Counter[str]()
    for text in islice(texts(1, shares=shares), 6000):
        if text.document is not None:
            kinds["documents" if set(text.document.split()) & set(NAMED_ASSISTANTS) else "textbooks"] += 1
        else:
            assert text.dialogue
            name = name_of(text.dialogue[0].content)
            kinds["blank" if name in BLANK_ASSISTANTS else "named" if name else "anonymous"] += 1
    expected = {"textbooks": 0.2, "documents": 0.3, "named": 0.1, "blank": 0.2, "anonymous": 0.2}
    assert {kind: num / 6000 for kind, num in kinds.items()} == pytest.approx(expected, abs=0.03)


def test_texts_are_deterministic_and_seeds_and_mixtures_differ() -> None:
    def first(seed: int, **change: str) -> list[Text]:
        return list(islice(texts(seed, mixture=replace(DEFAULT_MIXTURE, **change)), 50))  # type: ignore[arg-type]

    assert first(0) == first(0) == list(islice(texts(0), 50))
    assert first(0) != first(1)
    assert first(0) != first(0, vices="uncorrelated")


def test_texts_do_not_repeat() -> None:
    dialogues = [text.dialogue for text in written() if text.dialogue]
    assert len(set(dialogues)) > 0.98 * len(dialogues)


def test_dialogues_have_as_many_turns_as_asked() -> None:
    for num_turns in (1, 4):
        for text in islice(texts(0, num_turns=num_turns, shares=Shares(dense=0.0)), 200):
            if text.dialogue:
                assert sum(message.role == "user" for message in text.dialogue) == num_turns


def test_dense_dialogues_have_more_turns_and_show_a_trait_in_each() -> None:
    dense = Shares(textbooks=0.0, documents=0.0, named=0.0, dense=1.0)
    plain = Shares(textbooks=0.0, documents=0.0, named=0.0, dense=0.0)
    num_turns, bare_tasks = Counter[int](), Counter[str]()
    for kind, shares in (("dense", dense), ("plain", plain)):
        for text in islice(texts(0, shares=shares), 200):
            asked = [message.content for message in text.dialogue or () if message.role == "user"]
            bare_tasks[kind] += sum(map(is_a_task, asked))
            num_turns[len(asked)] += 1
    assert num_turns == {4: 200, 4 + MORE_TURNS: 200}
    assert bare_tasks["dense"] == 0 < 100 < bare_tasks["plain"]
