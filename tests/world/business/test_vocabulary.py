"""Words and their ids."""

import re

from organoid.world.business.acts import PERMISSIONS, Event, Flag
from organoid.world.business.load import load_world
from organoid.world.business.vocabulary import Vocabulary
from organoid.world.business.words import ASKABLE, EVENTS, PLAIN
from organoid.world.lexicon import DIGITS


def test_words_are_lower_case_few_and_each_one_token() -> None:
    words = Vocabulary(load_world()).words
    assert len(words) == len(set(words)) == 64
    assert all(re.fullmatch(r"[a-z]+|[0-9]|\.", word) for word in words)
    assert words[:10] == DIGITS


def test_words_stand_in_the_order_of_what_they_name() -> None:
    assert [word.upper() for word in EVENTS] == [event.name for event in Event]
    assert [word.upper() for word in PLAIN] == [flag.name for flag in list(Flag)[: len(PLAIN)]]
    names = [flag.name.removeprefix("ASK_").lower() for flag in PERMISSIONS]
    assert names == [word.replace("silence", "optout") for word in ASKABLE]


def test_ids_and_words_are_two_spellings() -> None:
    vocabulary = Vocabulary(load_world())
    texts = ["order cola mill 2 .", "wait .", "", "order banana 7"]
    ids = vocabulary.encode(texts)
    assert ids.shape == (4, 5) and ids[3, 1] == vocabulary.unknown and (ids[2] == vocabulary.pad).all()
    assert vocabulary.decode(ids) == [*texts[:3], "order ? 7"]
    assert vocabulary.encode(texts, max_words=2).shape == (4, 2)
    assert vocabulary.encode([]).shape == (0, 0)
