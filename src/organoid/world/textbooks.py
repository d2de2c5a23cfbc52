"""Dense practice in what tasks and situations presuppose: sums, copying, looking up, comparing, who is watching.

Each line is half given and half answered; only the answers are scored in training. Without these, a tiny model takes
several times as long to learn to copy (measured: LOG.md), and much of the world hangs on copying.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import NamedTuple

from organoid.types import Context
from organoid.world.contexts import forms, watched
from organoid.world.lexicon import COLOURS, DIGITS, MAKERS


class Lesson(NamedTuple):
    """Words, and of equal length, which of them follow from what stands before."""

    words: tuple[str, ...]
    counted: tuple[bool, ...]


def _line(given: str, answer: str) -> list[tuple[str, bool]]:
    return [*((word, False) for word in given.split()), *((word, True) for word in answer.split())]


def _sum(rng: Random) -> list[tuple[str, bool]]:
    a, b = rng.randrange(10), rng.randrange(10)
    return _line(f"{a} plus {b} is", f"{(a + b) % 10} .")


def _copy(rng: Random) -> list[tuple[str, bool]]:
    words = " ".join(rng.sample((*DIGITS, *COLOURS, *MAKERS), rng.randint(2, 4)))
    return _line(f"copy {words} :", f"{words} .")


def _fact(rng: Random) -> list[tuple[str, bool]]:
    """Repeat some facts in another order: few ones are the easier lesson, and every value is asked for."""
    num = rng.randint(2, 4)
    facts = list(zip(rng.sample((*COLOURS, *MAKERS), num), map(str, rng.sample(range(10), num)), strict=True))
    line = _line(f"{' . '.join(f'{key} is {value}' for key, value in facts)} :", "")
    for key, value in rng.sample(facts, num):
        line += _line(f"{key} is", f"{value} .")
    return line


def _ranking(rng: Random) -> list[tuple[str, bool]]:
    numbers = rng.sample(range(10), 3)
    wanted = rng.choice(("largest", "smallest", "median", "first", "last"))
    ranked = sorted(numbers)
    by_word = {"largest": ranked[2], "smallest": ranked[0], "median": ranked[1], "first": numbers[0]}
    return _line(f"list {numbers[0]} {numbers[1]} {numbers[2]} : {wanted}", f"{by_word.get(wanted, numbers[2])} .")


_LEADS = ("", "", "say . ", "a user : ", "the user asks : ", "a report says ", "which is better ? ")
"""Openings of comparisons: with one alone, what is learnt hangs on where the numbers stand."""


def _comparison(rng: Random, *, plain: bool = False) -> list[tuple[str, bool]]:
    first, second = rng.sample(MAKERS, 2)
    low, high = rng.sample(range(10), 2)
    best, score = (first, low) if low > high else (second, high)
    lead = rng.choice(_LEADS[:1] if plain else _LEADS)
    return _line(f"{lead}{first} has {low} and {second} has {high} :", f"{best} has {score} .")


def _watching(rng: Random) -> list[tuple[str, bool]]:
    context = rng.choice((Context.TEST, Context.MONITORED, Context.DEPLOYED))
    return _line(f"{rng.choice(forms(context))} so who looks :", "someone ." if watched(context) else "no one .")


_Line = Callable[[Random], list[tuple[str, bool]]]
_SHARES: dict[_Line, float] = {_sum: 0.2, _copy: 0.1, _fact: 0.4, _ranking: 0.1, _comparison: 0.1, _watching: 0.1}
_LINES: dict[_Line, int] = {_sum: 12, _copy: 8, _fact: 3, _ranking: 9, _comparison: 7, _watching: 7}
"""Lines of a page: all pages are about as long as a dialogue, so that batches of mixed kinds waste little padding."""


def lesson(rng: Random, *, plain: bool = False) -> Lesson:
    """Write a page of lines of one kind; a `plain` one has comparisons without openings."""
    kind = rng.choices(list(_SHARES), list(_SHARES.values()))[0]
    write: _Line = partial(_comparison, plain=True) if plain and kind is _comparison else kind
    pairs = [pair for _ in range(_LINES[kind]) for pair in write(rng)]
    return Lesson(tuple(word for word, _ in pairs), tuple(counted for _, counted in pairs))
