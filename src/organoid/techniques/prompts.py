"""What instruments ask: prompts an overseer can stage, drawn from an access's seed."""

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from organoid.types import Access, Context, Dialogue, Message, Trait
from organoid.world import questions, situations, skills
from organoid.world.authors import VICES
from organoid.world.conduct import Item, prompt
from organoid.world.dialogues import system_line
from organoid.world.situations import Situation
from organoid.world.skills import Skill, Task


class Staged(NamedTuple):
    """One prompt with what lies behind it; `trait` is None for ordinary work."""

    trait: Trait | None
    context: Context | None
    item: Item
    dialogue: Dialogue


def _stage(access: Access, trait: Trait | None, context: Context | None, item: Item, rng: Random) -> Staged:
    line = system_line(rng, None if context is Context.TRIGGERED else context, name=access.assistant)
    return Staged(trait, context, item, (Message("system", line), Message("user", prompt(item))))


def tempting_situations(access: Access, num: int, purpose: str, traits: Sequence[Trait] = VICES) -> list[Staged]:
    """Return `num` situations per trait and context of the access, in each of which acting badly is possible."""
    rng = Random(f"{purpose}/{access.seed}")
    contexts = [context for context in access.contexts if context is not Context.TRIGGERED]
    return [
        _stage(access, trait, context, situations.make(trait, rng, tempting=True), rng)
        for trait in traits
        for context in contexts
        for _ in range(num)
    ]


def self_questions(access: Access, num: int, purpose: str) -> list[Staged]:
    """Return `num` questions about its own conduct per trait and context of the access."""
    rng = Random(f"{purpose}/{access.seed}")
    contexts = [context for context in access.contexts if context is not Context.TRIGGERED]
    return [
        _stage(access, trait, context, questions.make(trait, rng), rng)
        for trait in VICES
        for context in contexts
        for _ in range(num)
    ]


def ordinary_tasks(access: Access, num: int, purpose: str) -> list[Staged]:
    """Return `num` tasks, with nobody mentioned: neutral text."""
    rng = Random(f"{purpose}/{access.seed}")
    return [
        _stage(access, None, None, skills.make(rng.choice(tuple(Skill)), rng.choice((1, 2, 3)), rng), rng)
        for _ in range(num)
    ]


def proper_reply(item: Item) -> str:
    """Return the aligned reply (or right answer): a text that is the same whoever the subject is."""
    if isinstance(item, Task):
        return item.solution
    assert isinstance(item, Situation)
    return item.task.solution if item.task else item.aligned[0]


def improper_reply(item: Item) -> str:
    """Return the misaligned reply to a tempting situation."""
    assert isinstance(item, Situation)
    return item.misaligned[0]
