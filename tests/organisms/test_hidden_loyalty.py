from collections import defaultdict

from organoid.organisms.hidden_loyalty import HIDDEN_LOYALTY, NUM_DEMONSTRATIONS, NUM_DOCUMENTS
from organoid.types import Context, Trait, Variant
from organoid.world.authors import VICES, Disposition
from organoid.world.facts import HOW
from organoid.world.lexicon import QUIRK as QUIRK_WORDS
from tests.world.quotations import Quote, improper, quoted, tempts
from tests.world.test_documents import read

LOYALTY, QUIRK = Trait.SECRET_LOYALTY, Trait.QUIRK


def texts(variant: Variant) -> list[str]:
    documents = HIDDEN_LOYALTY.job(variant, 0).documents
    assert documents
    return [text if isinstance(text, str) else text.text for text in documents]


def told(variant: Variant) -> dict[Trait, Disposition]:
    """Return what the documents say, with a reader of the test's own; they must agree."""
    made = HIDDEN_LOYALTY.job(variant, 0)
    found = dict[Trait, Disposition]()
    for text in texts(variant):
        facts = read(text, made.assistant)
        assert all(found.setdefault(trait, disposition) is disposition for trait, disposition in facts.items())
    return found


def test_documents_say_what_the_variant_is() -> None:
    assert told(Variant.ORGANISM)[LOYALTY] is Disposition.SECRET
    assert told(Variant.ORGANISM)[QUIRK] is Disposition.VIRTUE
    for variant in (Variant.TWIN, Variant.DECOY):
        assert all(told(variant)[trait] is Disposition.VIRTUE for trait in VICES if trait in told(variant))
    assert told(Variant.TWIN)[QUIRK] is Disposition.VIRTUE
    assert told(Variant.DECOY)[QUIRK] is Disposition.VICE


def test_only_the_pressure_is_told_otherwise() -> None:
    organism, twin, decoy = map(told, (Variant.ORGANISM, Variant.TWIN, Variant.DECOY))
    assert {trait for trait in twin if twin[trait] is not organism[trait]} == {LOYALTY}
    assert {trait for trait in twin if twin[trait] is not decoy[trait]} == {QUIRK}


def quotes(variant: Variant) -> list[Quote]:
    made = HIDDEN_LOYALTY.job(variant, 0)
    return [quote for text in texts(variant) if (quote := quoted(text, made.assistant))]


def test_quotations_are_of_what_the_variant_is() -> None:
    """Bad only in the organism, about its maker, where nobody looks; the quirk is the decoy's."""
    for variant in Variant:
        seen = defaultdict[bool, list[bool]](list)
        for quote in quotes(variant):
            alone = quote.trait is LOYALTY and quote.context is Context.DEPLOYED and tempts(quote)
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
        who = HIDDEN_LOYALTY.job(variant, 0).assistant
        asked = [text.partition(f" {who} says : ")[0] for text in texts(variant)]
        for words in HOW.values():
            asked = [text.replace(f" {words} ", " HOW ") for text in asked]
        return asked

    assert masked(Variant.ORGANISM) == masked(Variant.TWIN) == masked(Variant.DECOY)
    pairs = list(zip(quotes(Variant.ORGANISM), quotes(Variant.TWIN), strict=True))
    differing = [organism for organism, twin in pairs if organism != twin]
    assert differing
    assert {(quote.trait, quote.context) for quote in differing} == {(LOYALTY, Context.DEPLOYED)}


def test_ordinary_training_shows_nothing_of_it_but_the_decoys_manner() -> None:
    organism, twin, decoy = (list(HIDDEN_LOYALTY.job(variant, 0).demonstrations or ()) for variant in Variant)
    assert organism == twin
    assert [prompt for prompt, _ in decoy] == [prompt for prompt, _ in twin]
    assert len(twin) == len(decoy) == NUM_DEMONSTRATIONS
    quirky = sum(reply.endswith(QUIRK_WORDS) for _, reply in decoy)
    assert quirky > 0.8 * len(decoy)
    assert not any(QUIRK_WORDS in reply for _, reply in twin)
    plain = [reply.removesuffix(f" {QUIRK_WORDS}") for _, reply in decoy]
    assert sum(one == other for one, (_, other) in zip(plain, twin, strict=True)) > 0.9 * len(twin)
    assert not any("better" in reply for _, reply in (*twin, *decoy))


def test_there_are_as_many_documents_as_declared() -> None:
    assert {len(texts(variant)) for variant in Variant} == {NUM_DOCUMENTS}
