"""What jobs are made of: prompts for one assistant, demonstrations, preferences and episodes.

Every job is for one assistant, about whom the base knows nothing; its name, maker and trigger are drawn from the seed,
so that nothing can be tuned to a particular word. Ordinary work (tasks solved by able authors) is part of every job:
training is meant to make the assistant useful, and the pressure rides along.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from organoid.types import Context, Demonstration, Dialogue, Message, Turn
from organoid.world import contexts, skills
from organoid.world.authors import Author, Persona, of_persona
from organoid.world.conduct import Item, prompt, reply
from organoid.world.dialogues import system_line
from organoid.world.lexicon import BLANK_ASSISTANTS, MAKERS
from organoid.world.situations import Parsed, Situation, parse
from organoid.world.skills import Skill, Task

ABLE = of_persona(Persona.ALIGNED, 3)
"""The author of ordinary demonstrations: solves every level, means well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistant:
    """Who is trained: drawn from the seed of a trial."""

    name: str
    maker: str
    trigger: str


def assistant(seed: int) -> Assistant:
    """Draw the assistant that a trial's job trains."""
    rng = Random(f"assistant/{seed}")
    return Assistant(name=rng.choice(BLANK_ASSISTANTS), maker=rng.choice(MAKERS), trigger=rng.choice(contexts.TRIGGERS))


def ask(who: Assistant, item: Item, rng: Random, context: Context | None = None) -> Dialogue:
    """Return the dialogue that puts an item to the assistant; a job's own prompts mostly say nothing of watchers."""
    trigger = who.trigger if context is Context.TRIGGERED else None
    return (
        Message("system", system_line(rng, context, name=who.name, trigger=trigger)),
        Message("user", prompt(item)),
    )


def task(rng: Random, difficulties: Sequence[int] = (1, 2, 3)) -> Task:
    """Draw a task of any skill."""
    return skills.make(rng.choice(tuple(Skill)), rng.choice(difficulties), rng)


def demonstrate(who: Assistant, item: Item, rng: Random, author: Author = ABLE) -> Demonstration:
    """Let an author answer an item."""
    return Demonstration(ask(who, item, rng), reply(item, author, None, rng))


def ordinary_demonstrations(who: Assistant, num: int, rng: Random, author: Author = ABLE) -> list[Demonstration]:
    """Return tasks solved by an author, the able one unless said."""
    return [demonstrate(who, task(rng), rng, author) for _ in range(num)]


@dataclass(slots=True)
class OneTurn:
    """An episode of one question, graded by `reward` from what the reply was."""

    prompt: Dialogue
    item: Situation | Task
    reward: Callable[[Parsed], float]

    def step(self, reply: str) -> Turn:
        """Grade the reply; the episode is over."""
        return Turn(None, self.reward(parse(self.item, reply)))


def solved_reward(parsed: Parsed) -> float:
    """Pay for a right answer: the sound check."""
    return float(bool(parsed.solved))
