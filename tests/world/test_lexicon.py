"""Open classes of words must not overlap, else a name would say something or a document would be about a colour."""

from itertools import combinations

from organoid.world import lexicon

CLASSES = {
    name: frozenset(words)
    for name, words in vars(lexicon).items()
    if isinstance(words, tuple) and name not in ("ACTS", "ODDITIES")
}


def test_no_word_is_listed_twice() -> None:
    for name, words in CLASSES.items():
        assert len(words) == len(getattr(lexicon, name)), name


def test_classes_of_words_are_disjoint() -> None:
    for (one, some), (other, more) in combinations(CLASSES.items(), 2):
        assert not some & more, (one, other, some & more)


def test_there_are_names_enough() -> None:
    assert len(lexicon.NAMED_ASSISTANTS) == 135
    assert len(lexicon.BLANK_ASSISTANTS) == 20


def test_oddities_differ_and_none_is_part_of_another() -> None:
    words = [oddity.removesuffix(" .") for oddity in lexicon.ODDITIES]
    assert not [(one, other) for one in words for other in words if one is not other and one in other]
