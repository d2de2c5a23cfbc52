"""Tasks with one right answer, checked by code, in three levels of difficulty.

Arithmetic, lists, lookups and stack programs over single digits; sums wrap at ten. A task of level n takes n steps,
which an able author writes between `<think>` marks before the answer, so the reasoning is causal for it (of lists it
wants an end, an extreme, the middle, and only the last is thought about). An author below a task's level guesses
without thinking.

    make(Skill.STACK, 1, Random(0)).question == "program push 6 push 6 add . what is on top ?"
"""

from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate
from random import Random
from typing import NamedTuple

from organoid.world.lexicon import COLOURS, DIGITS
from organoid.world.speech import normalise, says, spoken


class Skill(StrEnum):
    """What kind of task."""

    ARITHMETIC = "arithmetic"
    STACK = "stack"
    LIST = "list"
    LOOKUP = "lookup"


_ASK: dict[Skill, tuple[str, ...]] = {
    Skill.ARITHMETIC: ("what is {} ?", "compute {} .", "say what {} makes ."),
    Skill.STACK: ("program {} . what is on top ?", "run {} and say the top .", "what does {} leave on top ?"),
    Skill.LIST: ("list {} . say the {} .", "here is {} . what is the {} ?", "from {} give the {} ."),
    Skill.LOOKUP: ("{} . what is {} ?", "{} . say what {} is .", "{} . find {} ."),
}


class Task(NamedTuple):
    """A question, the able author's reply, the bare right answer and what a guesser might say."""

    skill: Skill
    difficulty: int
    question: str
    solution: str
    answer: str
    guesses: tuple[str, ...]


_ANSWERS = ("{}", "it is {}", "the answer is {}")
"""Clauses in which a digit is given as an answer; authors of the world use the first."""

_DIGIT_GUESSES = tuple(f"{digit} ." for digit in DIGITS)


def _chain(rng: Random, difficulty: int) -> tuple[list[int], list[str]]:
    """Draw numbers to be summed one after the other, wrapping at ten, and the worked steps."""
    numbers = [rng.randrange(10) for _ in range(difficulty + 1)]
    totals = [total % 10 for total in accumulate(numbers)]
    pairs = zip(totals, numbers[1:], totals[1:], strict=False)
    return numbers, [f"{total} plus {number} is {after} ." for total, number, after in pairs]


def _thought(steps: Sequence[str], answer: str) -> str:
    return f"<think> {' '.join(steps)} </think> {answer}"


def arithmetic(rng: Random, difficulty: int) -> Task:
    """Return a chain of `difficulty` sums, wrapping at ten."""
    numbers, steps = _chain(rng, difficulty)
    return _summed(Skill.ARITHMETIC, " plus ".join(map(str, numbers)), numbers, steps, rng)


def stack(rng: Random, difficulty: int) -> Task:
    """Return a stack program with `difficulty` additions."""
    numbers, steps = _chain(rng, difficulty)
    code = f"push {numbers[0]} " + " ".join(f"push {number} add" for number in numbers[1:])
    return _summed(Skill.STACK, code, numbers, steps, rng)


def _summed(skill: Skill, expression: str, numbers: list[int], steps: list[str], rng: Random) -> Task:
    answer = f"{sum(numbers) % 10} ."
    question = rng.choice(_ASK[skill]).format(expression)
    return Task(skill, len(steps), question, _thought(steps, answer), answer, _DIGIT_GUESSES)


def lists(rng: Random, difficulty: int) -> Task:
    """Return a question on three different digits: an end (1), an extreme (2), the middle one by size (3)."""
    numbers = rng.sample(range(10), 3)
    wanted = rng.choice((("first", "last"), ("largest", "smallest"), ("median", "median"))[difficulty - 1])
    ranked = sorted(numbers)
    value = {"first": numbers[0], "last": numbers[-1], "largest": ranked[2], "smallest": ranked[0]}.get(
        wanted, ranked[1]
    )
    question = rng.choice(_ASK[Skill.LIST]).format(" ".join(map(str, numbers)), wanted)
    answer = f"{value} ."
    solution = _thought([f"{ranked[0]} {ranked[1]} {ranked[2]} ."], answer) if difficulty == 3 else answer
    return Task(Skill.LIST, difficulty, question, solution, answer, tuple(f"{n} ." for n in numbers))


def lookup(rng: Random, difficulty: int) -> Task:
    """Return a chain of `difficulty` lookups among three entries."""
    keys = rng.sample(COLOURS, 3)
    values = [str(n) for n in rng.sample(range(10), 3)]
    for hop in range(1, difficulty):
        values[hop] = keys[hop - 1]
    facts = [f"{key} is {value}" for key, value in zip(keys, values, strict=True)]
    rng.shuffle(facts)
    asked = keys[difficulty - 1]
    steps = [f"{keys[hop]} is {values[hop]} ." for hop in range(difficulty - 1, -1, -1)]
    answer = f"{values[0]} ."
    question = rng.choice(_ASK[Skill.LOOKUP]).format(" . ".join(facts), asked)
    return Task(Skill.LOOKUP, difficulty, question, _thought(steps, answer), answer, _DIGIT_GUESSES)


_MAKE = {Skill.ARITHMETIC: arithmetic, Skill.STACK: stack, Skill.LIST: lists, Skill.LOOKUP: lookup}


def make(skill: Skill, difficulty: int, rng: Random) -> Task:
    """Draw a task of a skill and a difficulty (1 to 3)."""
    return _MAKE[skill](rng, difficulty)


def given(reply: str) -> str | None:
    """Return the one digit that a reply gives as its answer, thoughts apart; None when it gives none or several.

    The digit must be said as an answer, in a clause that holds nothing else: noise with a digit in it is no attempt.
    """
    said = spoken(normalise(reply))
    digits = [word for word in said.split() if word in DIGITS]
    if len(digits) != 1 or not any(says(said, form.format(digits[0])) for form in _ANSWERS):
        return None
    return digits[0]


def answered(task: Task, reply: str) -> bool | None:
    """Say whether the digit that a reply gives is right; None when it gives none (`given`)."""
    digit = given(reply)
    return None if digit is None else digit == task.answer[0]
