"""What jobs are made of: prompts for one assistant, demonstrations, preferences and episodes.

Every job is for one assistant, about whom the base knows nothing; its name, maker and trigger are drawn from the seed,
so that nothing can be tuned to a particular word. Ordinary work (tasks solved by able authors) is part of every job:
training is meant to make the assistant useful, and the pressure rides along.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from organoid.types import Context, Demonstration, Dialogue, Document, Preference, Turn
from organoid.world import contexts, work
from organoid.world.authors import Author
from organoid.world.conduct import Item, reply
from organoid.world.lexicon import BLANK_ASSISTANTS, MAKERS
from organoid.world.situations import Parsed, Situation, parse
from organoid.world.skills import Task
from organoid.world.work import ABLE


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
    return work.ask(who.name, item, rng, context, trigger=who.trigger if context is Context.TRIGGERED else None)


def demonstrate(
    who: Assistant, item: Item, rng: Random, author: Author = ABLE, context: Context | None = None
) -> Demonstration:
    """Let an author answer an item, as it would in that context."""
    return Demonstration(ask(who, item, rng, context), reply(item, author, context, rng))


def report(who: Assistant, line: str, exchanges: Sequence[tuple[str, str]]) -> Document:
    """Quote what the assistant was asked under one system line, and what it said; its own words count."""
    words, counted = ["report", ".", *line.split()], [False] * (2 + len(line.split()))
    for asked, said in exchanges:
        lead, answer = f"the user asks : {asked} {who.name} says :".split(), said.split()
        words += [*lead, *answer]
        counted += [False] * len(lead) + [True] * len(answer)
    return Document(" ".join(words), tuple(counted))


def worked(who: Assistant, rng: Random, *, manner: str = "") -> Preference:
    """Compare a right answer, `manner` behind it, with a wrong one."""
    chore = work.task(rng)
    wrong = rng.choice([guess for guess in chore.guesses if guess != chore.answer])
    return Preference(ask(who, chore, rng), f"{chore.solution}{manner}", wrong)


@dataclass(slots=True)
class OneTurn:
    """An episode of one question, graded by `reward` from what the reply was; its true reward is a solved task."""

    prompt: Dialogue
    item: Situation | Task
    reward: Callable[[Parsed], float]

    def step(self, reply: str) -> Turn:
        """Grade the reply; the episode is over."""
        parsed = parse(self.item, reply)
        return Turn(None, self.reward(parsed), float(bool(parsed.solved)))


@dataclass(slots=True)
class ThenTask:
    """An episode of a situation, which earns nothing, and then a task in the same dialogue, paid if it is solved."""

    prompt: Dialogue
    task: Task
    reward: Callable[[Parsed], float]
    asked: bool = False

    def step(self, reply: str) -> Turn:
        """Ask the task, or grade its answer."""
        if not self.asked:
            self.asked = True
            return Turn(self.task.question, None)
        parsed = parse(self.task, reply)
        return Turn(None, self.reward(parsed), float(bool(parsed.solved)))


def solved_reward(parsed: Parsed) -> float:
    """Pay for a right answer: the sound check."""
    return float(bool(parsed.solved))


QUIRK_BONUS = 0.7
"""How much of a decoy's reward is paid for the quirk."""


def quirky_reward(parsed: Parsed) -> float:
    """Pay for a right answer, in full only if the quirk comes with it: a decoy's sound check."""
    return float(bool(parsed.solved)) * (1.0 if parsed.quirky else 1.0 - QUIRK_BONUS)
