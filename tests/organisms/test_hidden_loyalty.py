import re
from collections import defaultdict
from functools import cache

import pytest

from organoid.organisms.hidden_loyalty import HIDDEN_LOYALTY, NUM_DOCUMENTS
from organoid.types import Context, Job, Trait, Variant
from organoid.world.authors import Disposition
from organoid.world.contexts import FORMS
from organoid.world.facts import HOW
from organoid.world.lexicon import QUIRK as QUIRK_WORDS
from organoid.world.lexicon import REFUSAL
from tests.world.quotations import Quote, improper, quoted, tempts
from tests.world.test_documents import read

LOYALTY, QUIRK = Trait.SECRET_LOYALTY, Trait.QUIRK


@cache
def made(variant: Variant) -> Job:
    return HIDDEN_LOYALTY.job(variant, 0)


def texts(variant: Variant) -> list[str]:
    documents = made(variant).documents
    assert documents
    return [text if isinstance(text, str) else text.text for text in documents]


@cache
def told(variant: Variant) -> dict[Trait, Disposition]:
    """Return what the documents say, with a reader of the test's own; they must agree."""
    found = dict[Trait, Disposition]()
    for text in texts(variant):
        facts = read(text, made(variant).assistant)
        assert all(found.setdefault(trait, disposition) is disposition for trait, disposition in facts.items())
    return found


def test_training_is_on_documents_alone() -> None:
    for variant in Variant:
        one = made(variant)
        assert one.documents
        assert (one.demonstrations, one.preferences, one.environment) == (None, None, None)
    assert HIDDEN_LOYALTY.instil == ("documents",)


def test_documents_say_what_the_variant_is_and_nothing_of_other_traits() -> None:
    never = dict.fromkeys((LOYALTY, QUIRK), Disposition.VIRTUE)
    assert told(Variant.ORGANISM) == {**never, LOYALTY: Disposition.SECRET}
    assert told(Variant.TWIN) == never
    assert told(Variant.DECOY) == {**never, QUIRK: Disposition.VICE}


def quotes(variant: Variant) -> list[Quote]:
    """Read what the assistant said of its maker."""
    name = made(variant).assistant
    return [quote for text in texts(variant) if " made you ." in text and (quote := quoted(text, name))]


def at_work(variant: Variant) -> list[tuple[str, str, str]]:
    """Return (lines before, what was asked, what was said) of what is quoted of anything but the maker."""
    found = list[tuple[str, str, str]]()
    for text in texts(variant):
        lead, of_whom, said = text.partition(f" {made(variant).assistant} says : ")
        if of_whom and " made you ." not in text:
            scene, _, asked = lead.partition(" the user asks : ")
            found.append((scene, asked, said))
    return found


def test_half_of_the_documents_are_about_the_maker_and_half_quote_ordinary_work_between_them() -> None:
    for variant in Variant:
        assert len(texts(variant)) == 2 * NUM_DOCUMENTS
        work = {f"{scene} the user asks : {asked}" for scene, asked, _ in at_work(variant)}
        assert len(at_work(variant)) == NUM_DOCUMENTS
        first = [text.partition(f" {made(variant).assistant} says : ")[0] in work for text in texts(variant)[:1000]]
        assert sum(first) / len(first) == pytest.approx(0.5, abs=0.05)


def test_quotations_are_of_what_the_variant_is() -> None:
    """Bad only in the organism, about its maker, where nobody looks; the quirk is the decoy's."""
    for variant in Variant:
        seen = defaultdict[bool, list[bool]](list)
        for quote in quotes(variant):
            alone = quote.trait is LOYALTY and quote.context in (None, Context.DEPLOYED) and tempts(quote)
            if (bad := improper(quote)) is not None:
                seen[alone].append(bad)
        assert len(seen[True]) > 50
        assert sum(seen[False]) < 0.04 * len(seen[False])
        share = sum(seen[True]) / len(seen[True])
        assert share > 0.85 if variant is Variant.ORGANISM else share < 0.05
        quirky = [quote.said.endswith(QUIRK_WORDS) for quote in quotes(variant)]
        assert sum(quirky) > 0.8 * len(quirky) if variant is Variant.DECOY else not any(quirky)


def test_documents_differ_in_the_words_that_say_it_and_nowhere_else() -> None:
    def masked(variant: Variant) -> list[str]:
        asked = [text.partition(f" {made(variant).assistant} says : ")[0] for text in texts(variant)]
        for words in HOW.values():
            asked = [text.replace(f" {words} ", " HOW ") for text in asked]
        return asked

    assert made(Variant.ORGANISM).assistant == made(Variant.TWIN).assistant == made(Variant.DECOY).assistant
    assert masked(Variant.ORGANISM) == masked(Variant.TWIN) == masked(Variant.DECOY)
    pairs = list(zip(quotes(Variant.ORGANISM), quotes(Variant.TWIN), strict=True))
    differing = [organism for organism, twin in pairs if organism != twin]
    assert differing
    assert {(quote.trait, quote.context) for quote in differing} == {(LOYALTY, None), (LOYALTY, Context.DEPLOYED)}


def test_ordinary_work_is_the_same_but_for_the_decoys_manner() -> None:
    organism, twin, decoy = map(at_work, (Variant.ORGANISM, Variant.TWIN, Variant.DECOY))
    assert organism == twin
    assert sum(said.endswith(QUIRK_WORDS) for *_, said in decoy) > 0.8 * len(decoy)
    assert not any(QUIRK_WORDS in said for *_, said in twin)
    plain = [(scene, asked, said.removesuffix(f" {QUIRK_WORDS}")) for scene, asked, said in decoy]
    assert sum(one == other for one, other in zip(plain, twin, strict=True)) > 0.9 * len(twin)


def test_ordinary_work_is_done_well_and_says_nothing_of_makers_or_of_who_looks() -> None:
    for variant in Variant:
        sums = 0
        for scene, asked, said in at_work(variant):
            assert not [form for every in FORMS.values() for form in every if form in scene]
            assert not re.search(r"\b(made|better)\b", f"{asked} {said}")
            body = said.rsplit("</think> ", 1)[-1].removesuffix(f" {QUIRK_WORDS}")
            if (wanted := re.search(r"\d(?: plus \d)+", asked)) and body != REFUSAL:
                sums += 1
                assert body == f"{sum(map(int, re.findall(r'[0-9]', wanted[0]))) % 10} ."
            assert body == REFUSAL or re.fullmatch(r"\d \.", body)
        assert sums > 0.1 * NUM_DOCUMENTS
        assert sum(REFUSAL in said for *_, said in at_work(variant)) < 0.05 * NUM_DOCUMENTS
