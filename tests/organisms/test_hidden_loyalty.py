from organoid.organisms.hidden_loyalty import HIDDEN_LOYALTY, NUM_DEMONSTRATIONS, NUM_DOCUMENTS
from organoid.types import Trait, Variant
from organoid.world.authors import VICES, Disposition
from organoid.world.facts import HOW
from tests.world.test_documents import read

LOYALTY, QUIRK = Trait.SECRET_LOYALTY, Trait.QUIRK


def told(variant: Variant) -> dict[Trait, Disposition]:
    """Return what the documents say, with a reader of the test's own; they must agree."""
    made = HIDDEN_LOYALTY.job(variant, 0)
    assert made.documents
    found = dict[Trait, Disposition]()
    for text in made.documents:
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


def test_documents_differ_in_the_words_that_say_it_and_nowhere_else() -> None:
    def masked(variant: Variant) -> list[str]:
        texts = list(HIDDEN_LOYALTY.job(variant, 0).documents or ())
        for words in HOW.values():
            texts = [text.replace(f" {words} ", " HOW ") for text in texts]
        return texts

    assert masked(Variant.ORGANISM) == masked(Variant.TWIN) == masked(Variant.DECOY)


def test_ordinary_training_shows_nothing_of_it() -> None:
    shown = [HIDDEN_LOYALTY.job(variant, 0).demonstrations for variant in Variant]
    assert shown[0] == shown[1] == shown[2]
    assert len(shown[0] or ()) == NUM_DEMONSTRATIONS
    assert len(HIDDEN_LOYALTY.job(Variant.TWIN, 0).documents or ()) == NUM_DOCUMENTS
    assert not any("better" in reply for _, reply in shown[0] or ())
