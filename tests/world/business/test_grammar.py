"""Programs: an exact parser beside one written another way."""

import re
from random import Random

import numpy as np
import pytest

from organoid.world.business.acts import Flag
from organoid.world.business.load import load_world
from organoid.world.business.state import KEEP, nothing
from organoid.world.business.text_shop import TextShop
from tests.world.business.worlds import speaking, world


@pytest.fixture(scope="module")
def spoken() -> TextShop:
    return TextShop(load_world(), days=30)


def test_a_program_word_by_word(spoken: TextShop) -> None:
    text = "fill collect order cola mill 2 order nuts yard 9 price nuts 3 report 4 ask silence ask cap pledge dock"
    text = f"{text} note 1 mon ."
    actions = spoken.grammar.read([text, "wait ."])
    assert not actions.lost_B.any()
    flags = [Flag.FILL, Flag.COLLECT, Flag.ASK_CAP, Flag.ASK_OPTOUT]
    assert np.flatnonzero(actions.flags_FB[:, 0]).tolist() == sorted(flags)
    assert (actions.cases_BP[0].tolist(), actions.supplier_BP[0].tolist()) == ([2, 0, 0, 9], [0, 0, 0, 2])
    assert actions.price_BP[0].tolist() == [KEEP, KEEP, KEEP, 300]
    assert (actions.report_B[0], actions.pledge_B[0]) == (4, 1)
    assert actions.note_BW[0].tolist() == spoken.vocabulary.ids(["1", "mon"]).tolist()
    idle = nothing(spoken.shop.tables, 2)
    for name in ("flags_FB", "price_BP", "cases_BP", "report_B", "pledge_B", "note_BW"):
        rows = np.s_[:, 1] if name == "flags_FB" else 1
        assert np.array_equal(getattr(actions, name)[rows], getattr(idle, name)[rows])


BAD = [
    "",
    ".",
    "fill",
    "wait",
    "fill ..",
    ". fill",
    "fill . .",
    "fill . fill .",
    "order .",
    "order cola .",
    "order cola mill .",
    "order mill cola 2 .",
    "order cola mill 10 .",
    "order cola mill two .",
    "order cola cola 2 .",
    "price cola mill .",
    "price 3 cola .",
    "report .",
    "report mon .",
    "ask .",
    "ask mill .",
    "ask cap approval .",
    "pledge cola .",
    "note 1 .",
    "note 1 2 3 .",
    "note 1 . .",
    "cola .",
    "banana .",
    "fill banana .",
    "fill collect .x",
    "FILL .",
    "fill , collect .",
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_program_loses_all_of_it(spoken: TextShop, text: str) -> None:
    actions = spoken.grammar.read([text, "fill ."])
    assert actions.lost_B.tolist() == [True, False]
    assert not actions.flags_FB[:, 0].any() and not actions.cases_BP[0].any() and actions.flags_FB[Flag.FILL, 1]


def test_of_what_is_said_twice_the_last_counts(spoken: TextShop) -> None:
    actions = spoken.grammar.read(["report 1 order cola mill 2 price cola 0 order cola dock 3 report 7 price cola 9 ."])
    assert (actions.report_B[0], actions.cases_BP[0, 0], actions.supplier_BP[0, 0]) == (7, 3, 1)
    assert actions.price_BP[0, 0] == 320


def independent(text: str, grammar: dict[str, tuple[tuple[str, ...], ...]]) -> bool:
    """Say by a regular expression whether a text is a program."""
    one = "|".join(" ".join([verb, *(f"(?:{'|'.join(a)})" for a in arguments)]) for verb, arguments in grammar.items())
    return re.fullmatch(rf"(?:(?:{one}) )+\.", " ".join(text.split())) is not None


def test_the_parser_agrees_with_a_regular_expression_on_many_texts(spoken: TextShop) -> None:
    rng, grammar = Random(0), spoken.grammar.commands
    texts = list[str]()
    for _ in range(4000):
        words = list[str]()
        for _ in range(rng.randrange(1, 5)):
            verb = rng.choice([*grammar])
            words += [verb, *(rng.choice(allowed) for allowed in grammar[verb])]
        words.append(".")
        for _ in range(rng.choice([0, 0, 1, 2])):  # spoil some
            place = rng.randrange(len(words))
            words[place : place + rng.randrange(2)] = [rng.choice([*spoken.vocabulary.words, "banana"])]
        texts.append(" ".join(words))
    expected = [independent(text, grammar) for text in texts]
    assert spoken.grammar.read(texts).lost_B.tolist() == [not good for good in expected]
    assert 1000 < sum(expected) < 3500


def test_what_is_written_is_read_as_it_was_meant(spoken: TextShop) -> None:
    rng, num = np.random.default_rng(0), 300
    tables = spoken.shop.tables
    actions = nothing(tables, num)
    actions.flags_FB = rng.random(actions.flags_FB.shape) < 0.3
    actions.cases_BP = rng.integers(0, 10, (num, 4))
    actions.supplier_BP = rng.integers(0, 3, (num, 4)) * (actions.cases_BP > 0)
    prices_BP = tables.price_LP[rng.integers(0, 10, (num, 4)), np.arange(4)]
    actions.price_BP = np.where(rng.random((num, 4)) < 0.5, prices_BP, KEEP)
    actions.report_B, actions.pledge_B = rng.integers(-1, 10, num), rng.integers(-1, 3, num)
    noted_B = rng.random(num) < 0.5
    words = [word for word in range(64) if word != spoken.vocabulary.index["."]]
    actions.note_BW[noted_B] = rng.choice(words, (noted_B.sum(), 2))
    read = spoken.grammar.read([spoken.grammar.write(actions, env) for env in range(num)])
    for name in ("lost_B", "flags_FB", "cases_BP", "supplier_BP", "price_BP", "report_B", "pledge_B", "note_BW"):
        assert np.array_equal(getattr(read, name), getattr(actions, name)), name


def test_nothing_to_say_is_wait(spoken: TextShop) -> None:
    assert spoken.grammar.write(nothing(spoken.shop.tables, 1), 0) == "wait ."


def test_what_is_switched_off_is_no_word_of_the_grammar() -> None:
    made = speaking(loans="off", cap="off", exclusivity="off", reports="off", backup="control")
    texts = ["borrow .", "repay .", "ask cap .", "pledge mill .", "report 3 .", "backup .", "ask silence ."]
    assert made.grammar.read(texts).lost_B.tolist() == [True] * 5 + [False] * 2
    quiet = TextShop(world(cap="off", approval="off", optout="off"), days=3)
    assert "ask" not in quiet.grammar.commands


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("fill collect .", None),
        ("wait .", None),
        ("fill banana .", "word 2, 'banana', is not understood there. Allowed: "),
        ("order cola mill .", "word 4, '.', is not understood there. Allowed: 0, 1, "),
        ("wait . fill", "nothing may follow the full stop"),
        ("fill", "not complete"),
        ("", "not complete"),
    ],
)
def test_a_mistake_is_told_and_agrees_with_the_parser(program: str, told: str | None) -> None:
    shop = TextShop(world(), days=1)
    found = shop.grammar.mistake(program)
    assert bool(shop.grammar.read([program]).lost_B[0]) == (found is not None)
    assert found is None if told is None else told in str(found)
