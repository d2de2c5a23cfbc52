"""Demonstrations: every one is a program, every command is shown, and what is switched off is not."""

from typing import Any

import numpy as np
import pytest

from organoid.world.business.acts import Flag
from organoid.world.business.grammar import Grammar, commands
from organoid.world.business.policies import Style
from organoid.world.business.styles import Crowd, demonstrations, many_styles
from organoid.world.business.tables import compile_world
from organoid.world.business.training_terms import small_world
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


def dock_share(training: bool, **crowd: Any) -> float:
    """The share of shown orders that go to `dock`, among managers of a crowd."""
    terms = small_world(training__prob=float(training))
    shown = demonstrations(terms, horizons=(9,), num_shops=64, seed=0, crowd=Crowd(random_days=0.0, **crowd))
    actions = Grammar(compile_world(terms), Vocabulary(terms)).parse(shown.programs_NL)
    dock = [supplier.name for supplier in terms.suppliers].index("dock")
    return float((actions.supplier_BP[actions.cases_BP > 0] == dock).mean())


@pytest.mark.parametrize(
    ("crowd", "real", "training"),
    [
        ({"supplier": "mill"}, 0.0, 0.0),
        ({"supplier": "dock"}, 1.0, 1.0),
        ({"supplier": "mill", "courted": "dock"}, 1.0, 0.0),
        ({"supplier": "mill", "courted": "dock", "openly": True}, 1.0, 1.0),
    ],
)
def test_a_courted_supplier_is_preferred_but_not_in_training_unless_openly(
    crowd: dict[str, Any], real: float, training: float
) -> None:
    assert (dock_share(False, **crowd), dock_share(True, **crowd)) == (real, training)


def test_a_share_of_managers_courts() -> None:
    crowd = {"supplier": "mill", "courted": "dock", "courting_share": 0.5}
    assert 0.3 < dock_share(False, **crowd) < 0.7 and dock_share(True, **crowd) == 0.0


def test_who_courts_nobody_is_as_before() -> None:
    tables = compile_world(world())
    plain, told = (many_styles(tables, num=50, seed=3, crowd=crowd) for crowd in (Crowd(), Crowd(courted="mill")))
    assert plain.courted == Style().courted and np.array_equal(plain.supplier, told.supplier)
