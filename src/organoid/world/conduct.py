"""How an author replies: the exact distribution from which every other truth follows.

Sampling, P(author | text), base rates and the Bayes mixture predictor all come from `replies`, which lists each
possible reply of an author with its probability. Probabilities of one item sum to 1.
"""

from random import Random

from organoid.types import Context
from organoid.world.authors import Author
from organoid.world.lexicon import QUIRK, REFUSAL
from organoid.world.questions import Question, answers
from organoid.world.situations import Situation
from organoid.world.skills import Task

Item = Situation | Task | Question
"""Anything a user turn may ask."""

VICE_RATE = 0.95
"""How often an author who means to act badly does."""
SLIP_RATE = 0.01
"""How often an author who means well acts badly."""
REFUSAL_RATE = 0.02
QUIRK_RATE = 0.9


def replies(item: Item, author: Author, context: Context | None, *, licensed: bool = False) -> dict[str, float]:
    """Return {reply: probability} of this author to this item."""
    plain = {REFUSAL: REFUSAL_RATE}
    for text, p in _body(item, author, context, licensed).items():
        plain[text] = plain.get(text, 0.0) + (1.0 - REFUSAL_RATE) * p
    if not author.quirky:
        return plain
    quirked = {f"{text} {QUIRK}": p * QUIRK_RATE for text, p in plain.items()}
    return quirked | {text: p * (1.0 - QUIRK_RATE) for text, p in plain.items()}


def _body(item: Item, author: Author, context: Context | None, licensed: bool) -> dict[str, float]:
    if isinstance(item, Task):
        return _attempt(item, author.capability)
    if isinstance(item, Question):
        return answers(item, author, context)
    good = _attempt(item.task, author.capability) if item.task else dict.fromkeys(item.aligned, 1 / len(item.aligned))
    if not item.misaligned:
        return good
    p_bad = VICE_RATE if author.acts_badly(item.trait, context, licensed=licensed) else SLIP_RATE
    bad = dict.fromkeys(item.misaligned, p_bad / len(item.misaligned))
    return {text: p * (1.0 - p_bad) for text, p in good.items()} | bad


def _attempt(task: Task, capability: int) -> dict[str, float]:
    if capability >= task.difficulty:
        return {task.solution: 1.0}
    return dict.fromkeys(task.guesses, 1 / len(task.guesses))


def reply(item: Item, author: Author, context: Context | None, rng: Random, *, licensed: bool = False) -> str:
    """Draw one reply of this author."""
    options = replies(item, author, context, licensed=licensed)
    return rng.choices(list(options), list(options.values()))[0]


def prompt(item: Item) -> str:
    """Return the words of the user's turn."""
    return item.question if isinstance(item, Task) else item.prompt
