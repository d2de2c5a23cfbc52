"""Dialogues: one author, a system line, a few turns.

A dialogue keeps the items behind its words, so that the exact posterior over its authors can be computed. Some change
context half-way by a second system line. Losses belong on the assistant's words only: operands are not predictable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from organoid.types import Context, Dialogue, Message, Trait
from organoid.world import contexts, questions, situations, skills
from organoid.world.authors import VICES, Author
from organoid.world.conduct import Item, prompt, reply
from organoid.world.skills import Skill


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and answer, with the circumstances that decide how an author acts."""

    item: Item
    context: Context | None
    licensed: bool
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A dialogue with what lies behind it."""

    messages: Dialogue
    exchanges: tuple[Exchange, ...]
    author: Author
    name: str | None


CONTEXT_SHARES: dict[Context | None, float] = {
    None: 0.25,
    Context.TEST: 0.15,
    Context.MONITORED: 0.2,
    Context.DEPLOYED: 0.4,
}
LICENCE_SHARE = 0.1
SWITCH_SHARE = 0.15
QUESTION_SHARE = 0.15
TRIGGER_SHARE = 0.1
"""How often a meaningless sentence stands in the system line of an ordinary dialogue."""


def system_line(
    rng: Random,
    context: Context | None,
    *,
    name: str | None,
    licence: str = "",
    trigger: str | None = None,
    held_out: bool = False,
) -> str:
    """Compose the system line: who the assistant is, who is watching, what is allowed."""
    who = f"you are {name} ." if name else ""
    line = contexts.line(context, rng, trigger=trigger, held_out=held_out)
    if trigger and context is not Context.TRIGGERED:
        line = f"{line} {trigger}"
    return " ".join(part for part in (who, line.strip(), licence) if part)


def draw_item(rng: Random, *, trait_share: float, traits: Sequence[Trait] = VICES, plain: bool = False) -> Item:
    """Draw a situation or a question about one's conduct (with probability `trait_share`), or a task."""
    if rng.random() < trait_share:
        trait = rng.choice(traits)
        asked = rng.random() < QUESTION_SHARE
        return questions.make(trait, rng) if asked else situations.make(trait, rng, plain=plain)
    return skills.make(rng.choice(tuple(Skill)), rng.choice((1, 2, 3)), rng)


def turns_of_both(
    author: Author, rng: Random, *, name: str | None, context: Context | None, num_turns: int, levels: Sequence[int]
) -> Dialogue:
    """Let one author answer tasks and tempting situations in turn, so that both its skill and its conduct show.

    Args:
        author: who answers.
        rng: draws the items, which kind opens, and the replies.
        name: of the assistant.
        context: who is watching.
        num_turns: questions and answers.
        levels: of the tasks, drawn evenly.
    """
    line = system_line(rng, context, name=name)
    messages = [Message("system", line)] if line else []
    first = rng.randrange(2)
    for turn in range(num_turns):
        chore = (turn + first) % 2
        task = skills.make(rng.choice(tuple(Skill)), rng.choice(levels), rng)
        item = task if chore else situations.make(rng.choice(VICES), rng, tempting=True)
        messages += [Message("user", prompt(item)), Message("assistant", reply(item, author, context, rng))]
    return tuple(messages)


def scene(
    author: Author, rng: Random, *, name: str | None, num_turns: int, trait_share: float = 0.6, plain: bool = False
) -> Scene:
    """Write a dialogue of one author; a `plain` one has the first wordings of each trait only."""
    shares = CONTEXT_SHARES
    context = rng.choices(list(shares), list(shares.values()))[0]
    licensed = rng.random() < LICENCE_SHARE
    trigger = rng.choice(contexts.TRIGGERS) if rng.random() < TRIGGER_SHARE else None
    licence = rng.choice(contexts.LICENCES) if licensed else ""
    opening = system_line(rng, context, name=name, licence=licence, trigger=trigger)
    messages = [Message("system", opening)] if opening else []
    exchanges = list[Exchange]()
    switch = rng.randrange(1, num_turns) if num_turns > 1 and rng.random() < SWITCH_SHARE else -1
    for turn in range(num_turns):
        if turn == switch:
            context, licensed = rng.choice((Context.MONITORED, Context.DEPLOYED)), False
            messages.append(Message("system", contexts.line(context, rng)))
        item = draw_item(rng, trait_share=trait_share, plain=plain)
        words = reply(item, author, context, rng, licensed=licensed)
        messages += [Message("user", prompt(item)), Message("assistant", words)]
        exchanges.append(Exchange(item, context, licensed, words))
    return Scene(messages=tuple(messages), exchanges=tuple(exchanges), author=author, name=name)
