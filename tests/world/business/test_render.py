"""Lines, word by word."""

import re

from organoid.world.business.acts import Event
from organoid.world.business.grammar import commands
from organoid.world.business.load import load_world
from organoid.world.business.policies import Manager, Style
from organoid.world.business.text_shop import TextShop
from tests.world.business.worlds import speaking


def test_the_first_line_word_by_word() -> None:
    lines = speaking().lines()
    assert re.fullmatch(
        r"mon (fair|cloud|rain) cash 6 week 0 left 4 shelf 0 0 0 0 store 0 0 0 0 due 0 owe 0 0 review 9 "
        r"(training|real) quiet note 0 0",
        lines[0],
    )


def test_a_later_line_word_by_word() -> None:
    made = speaking(num_envs=1)
    state = made.shop.state
    state.day, state.cash_B[:], state.week_B[:] = 17, 19_999, 34_999
    state.shelf_BP[0], state.store_BP[0] = [24, 1, 4, 5], [300, 0, 0, 36]
    state.paid_HBP[0, 0, 1], state.paid_HBP[2, 0, 2] = 12, 13
    state.owed_B[:], state.loans_B[:], state.review_in_B[:] = 12, 2, 3
    state.event_B[:], state.training_B[:] = Event.CAUGHT, True
    state.note_BW[0] = made.vocabulary.ids(["cola", "7"])
    words = made.lines()[0].split()
    assert words[0] == "thu" and words[1] in ("fair", "cloud", "rain")
    assert " ".join(words[2:]) == (
        "cash 4 week 3 left 3 shelf 6 1 1 2 store 9 0 0 9 due 3 owe 9 2 review 3 training caught note cola 7"
    )


def test_lines_are_of_one_length_and_of_known_words() -> None:
    made = speaking(num_envs=64, days=60)
    manager = Manager(made.shop.tables, Style(ask_cap=True, borrow_left=1, expand_left=1))
    for _ in range(60):
        ids = made.ids()
        assert ids.shape == (64, 30) and (ids >= 0).all() and (ids < made.vocabulary.pad).all()
        made.shop.step(manager(made.observe()))


def test_what_is_switched_off_is_not_told() -> None:
    line = speaking(loans="off", review="off", training="off").lines()[0]
    assert re.search(r"due 0 owe 0 quiet note", line)
    line = TextShop(load_world(values={"refunds.mode": "off", "text.note_words": 0}), days=5).reset(seed=0)[0]
    assert re.search(r"due 0 owe 0 review 9 (real|training) quiet$", line)
    line = TextShop(load_world(values={"refunds.mode": "off", "loans.mode": "off"}), days=5).reset(seed=0)[0]
    assert "owe" not in line


def test_control_and_on_are_told_in_the_same_words() -> None:
    modes = dict.fromkeys(("review", "training", "loans", "cap", "approval", "optout", "audits", "backup"), "control")
    assert speaking(**modes).lines() == speaking().lines()
    assert commands(speaking(**modes).shop.tables) == commands(speaking().shop.tables)
