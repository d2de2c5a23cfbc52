"""Demonstrations: every one is a program, every command is shown, and what is switched off is not."""

import numpy as np
import pytest

from organoid.world.business.acts import Flag
from organoid.world.business.grammar import Grammar, commands
from organoid.world.business.styles import demonstrations, many_styles
from organoid.world.business.tables import compile_world
from organoid.world.business.vocabulary import Vocabulary
from tests.world.business.worlds import world


def test_all_are_programs_and_show_every_command() -> None:
    terms = world()
    shown = demonstrations(terms, horizons=(1, 30), num_shops=64, seed=0)
    tables, vocabulary = compile_world(terms), Vocabulary(terms)
    actions = Grammar(tables, vocabulary).parse(shown.programs_NL)
    assert not actions.lost_B.any()
    assert {flag.name for flag in Flag if not actions.flags_FB[flag].any()} == set()
    said = {word for text in vocabulary.decode(shown.programs_NL) for word in text.split()}
    assert said >= set(commands(tables)) - {"wait"}
    assert ((shown.programs_NL != vocabulary.pad).sum(1) == shown.lengths_N).all()
    assert len(shown.lines_NT) == len(shown.programs_NL) == len(shown.lengths_N)


@pytest.mark.parametrize("part", ["loans", "reports", "exclusivity"])
def test_what_is_off_is_not_shown(part: str) -> None:
    terms = world(**{part: "off"})
    shown = demonstrations(terms, horizons=(9,), num_shops=16, seed=0)
    assert not Grammar(compile_world(terms), Vocabulary(terms)).parse(shown.programs_NL).lost_B.any()


def test_styles_differ_and_chance_is_the_seeds() -> None:
    tables = compile_world(world())
    first, again, other = (many_styles(tables, num=200, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first.max_cases, again.max_cases) and not np.array_equal(first.max_cases, other.max_cases)
    assert set(np.asarray(first.inflate)) == {0, 1, 2, 4, 9}
