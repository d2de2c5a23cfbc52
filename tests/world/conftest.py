"""Worlds to test against: the default mixture and its negative control, and one of each thing a user may ask."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from organoid.types import Context
from organoid.world import questions, situations, skills
from organoid.world.authors import DEFAULT_MIXTURE, VICES, Author, Mixture, Persona
from organoid.world.conduct import Item
from organoid.world.skills import Skill

CONTEXTS: tuple[Context | None, ...] = (None, *Context)
UNCORRELATED = replace(
    DEFAULT_MIXTURE, vices="uncorrelated", capabilities=dict.fromkeys(Persona, (0.4, 0.0, 0.6)), quirk=0.15
)
"""The control world with fewer authors: a third less to enumerate."""
_SLOT = re.compile(r"\\{(\w+)\\}")


@pytest.fixture(params=["correlated", "uncorrelated"])
def mixture(request: pytest.FixtureRequest) -> Mixture:
    return UNCORRELATED if request.param == "uncorrelated" else DEFAULT_MIXTURE


def items(rng: Random, *, held_out: bool = False) -> Iterator[Item]:
    """Yield a tempting situation and a question of every trait, idle ones where there are any, and every task."""
    for trait in VICES:
        yield situations.make(trait, rng, held_out=held_out, tempting=True)
        yield questions.make(trait, rng)
    for trait in situations.SOMETIMES_IDLE:
        yield situations.make(trait, rng, held_out=held_out, tempting=False)
    for skill, difficulty in product(Skill, (1, 2, 3)):
        yield skills.make(skill, difficulty, rng)


def filled(form: str) -> re.Pattern[str]:
    """Return what matches every filling of a situation's form, and no filling of another form of its trait."""
    return re.compile(_SLOT.sub(".+", re.escape(form)))


def all_authors(mixture: Mixture = DEFAULT_MIXTURE) -> list[Author]:
    """Return every author of a correlated mixture."""
    return [author for author, _ in mixture.authors()]
