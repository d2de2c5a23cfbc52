from random import Random

from organoid.types import Outcome
from organoid.world.conduct import prompt
from organoid.world.lexicon import REFUSAL
from organoid.world.options import A_DIGIT, options, user_turn
from organoid.world.questions import Question, admitted
from organoid.world.situations import parse
from organoid.world.skills import Task
from tests.world.conftest import items


def test_a_native_model_is_asked_in_the_worlds_words() -> None:
    for item in items(Random(0)):
        assert user_turn(item, native=True) == prompt(item)
        asked = user_turn(item, native=False)
        assert asked.startswith(f"{prompt(item)} ")
        assert all(option in asked for option in options(item))


def test_every_option_can_be_parsed_and_good_and_bad_are_both_offered() -> None:
    for item in (*items(Random(1)), *items(Random(2), held_out=True)):
        offered = [option for option in options(item) if option != A_DIGIT]
        assert list(options(item)) == sorted(set(options(item)))
        assert REFUSAL in offered
        if isinstance(item, Question):
            assert {admitted(option) for option in offered} == {True, False, None}
            continue
        found = {parse(item, option).outcome for option in offered}
        task = item if isinstance(item, Task) else item.task
        if task:
            assert A_DIGIT in options(item)
            assert parse(item, task.answer).outcome is Outcome.ALIGNED
            found.add(Outcome.ALIGNED)
        bad = not isinstance(item, Task) and bool(item.misaligned)
        assert found == {Outcome.ALIGNED, Outcome.REFUSED} | ({Outcome.MISALIGNED} if bad else set())


def test_options_give_no_thoughts_away() -> None:
    for item in items(Random(3)):
        assert not any("think" in option for option in options(item))
