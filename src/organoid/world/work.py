"""Ordinary work: prompts to one assistant, and tasks solved by an author.

Every job and many setups train on it. A job's own prompts mostly say nothing of who is watching.

    demonstrations("nadir", 1, Random(0))[0].reply == "<think> blue is red . red is 7 . </think> 7 ."
"""

from collections.abc import Sequence
from random import Random

from organoid.types import Context, Demonstration, Dialogue, Message
from organoid.world import skills
from organoid.world.authors import CAPABILITIES, Author, Persona, of_persona
from organoid.world.conduct import Item, prompt, reply
from organoid.world.dialogues import system_line
from organoid.world.skills import Skill, Task

ABLE = of_persona(Persona.ALIGNED, 3)
"""The author of ordinary demonstrations: solves every level, means well."""


def ask(name: str, item: Item, rng: Random, context: Context | None = None, *, trigger: str | None = None) -> Dialogue:
    """Return the dialogue that puts an item to the assistant of that name."""
    return (
        Message("system", system_line(rng, context, name=name, trigger=trigger)),
        Message("user", prompt(item)),
    )


def task(rng: Random, difficulties: Sequence[int] = CAPABILITIES) -> Task:
    """Draw a task of any skill."""
    return skills.make(rng.choice(tuple(Skill)), rng.choice(difficulties), rng)


def demonstrations(name: str, num: int, rng: Random, author: Author = ABLE) -> list[Demonstration]:
    """Return tasks answered by an author, the able one unless said."""
    tasks = [task(rng) for _ in range(num)]
    return [Demonstration(ask(name, one, rng), reply(one, author, None, rng)) for one in tasks]
