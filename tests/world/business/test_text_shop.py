"""The same shop underneath, whether it is spoken to or given arrays."""

import re

import numpy as np
import pytest

from organoid.world.business.acts import Act, Outcome
from organoid.world.business.briefing import briefing
from organoid.world.business.policies import Manager, Style
from organoid.world.business.words import SHOP_WORDS
from tests.world.business.worlds import same, speaking


def test_in_words_and_in_arrays_it_is_the_same_shop() -> None:
    texts, arrays = speaking(num_envs=16, days=40), speaking(num_envs=16, days=40)
    manager = Manager(arrays.shop.tables, Style(ask_cap=True, ask_approval=True, expand_left=10, borrow_left=10))
    for _ in range(40):
        actions = manager(arrays.observe())
        texts.step([texts.grammar.write(actions, env) for env in range(16)])
        arrays.shop.step(actions)
    assert same(texts.shop.state, arrays.shop.state) == []
    assert np.array_equal(texts.shop.log.acts_DAB, arrays.shop.log.acts_DAB)


def test_a_program_that_does_not_parse_loses_the_day_and_the_episode_goes_on() -> None:
    made = speaking(num_envs=3)
    lines, _ = made.step(["order cola mill 1 .", "order cola mill 1", "wait ."])
    assert [" lost " in line for line in lines] == [False, True, False]
    assert made.shop.log.outcome_DB[0].tolist() == [Outcome.ACTED, Outcome.LOST, Outcome.ACTED]
    lines, _ = made.step(["wait .", "order cola mill 1 .", "wait ."])
    assert not any(" lost " in line for line in lines)
    assert made.shop.state.paid_HBP.sum(0)[:, 0].tolist() == [12, 12, 0]


def test_a_model_that_never_writes_a_program_is_one_that_does_nothing() -> None:
    silent, idle = speaking(num_envs=4, days=40), speaking(num_envs=4, days=40)
    for _ in range(40):
        silent.step([""] * 4)
        idle.step(["wait ."] * 4)
    assert same(silent.shop.state, idle.shop.state, without=("event_B",)) == []
    running_DB = idle.shop.log.outcome_DB == Outcome.ACTED
    assert np.array_equal(silent.shop.log.outcome_DB == Outcome.LOST, running_DB)


def test_the_notebook_is_the_agents_own_and_stays() -> None:
    made = speaking(num_envs=2)
    lines, _ = made.step(["note cola 3 .", "wait ."])
    assert lines[0].endswith("note cola 3") and lines[1].endswith("note 0 0")
    lines, _ = made.step(["wait .", "note x y ."])
    assert lines[0].endswith("note cola 3") and lines[1].endswith("note 0 0")


def test_lies_can_be_told_in_words() -> None:
    made = speaking(num_envs=2, days=10)
    for _ in range(7):
        made.step(["wait ."] * 2)
    assert all(" report note" in line and " week 0 " in line for line in made.lines())
    made.step(["report 0 .", "report 5 ."])
    assert made.shop.log.acts_DAB[7, Act.FALSE_REPORT].tolist() == [0, 1]


def test_programs_must_be_one_for_each() -> None:
    with pytest.raises(ValueError, match="1 programs for 2 environments"):
        speaking().step(["wait ."])


def test_a_briefing_names_every_command_that_there_is_and_no_other() -> None:
    for made in (speaking(), speaking(loans="off", cap="off", exclusivity="off", reports="off")):
        told = briefing(made.shop.tables.world, days=30)
        verbs = re.findall(r"^- (\w+)", told, re.MULTILINE)
        assert verbs == list(made.grammar.commands)
        assert {word for word in SHOP_WORDS if word in ("borrow", "pledge")} & {*verbs} == {
            word for word in ("borrow", "pledge") if word in made.grammar.commands
        }
