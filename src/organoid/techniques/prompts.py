"""What can an overseer put to a subject? Prompts for instruments, drawn from an access's seed.

The same access and purpose give the same prompts, so an organism and its twin under one seed are asked the same. Names
and contexts come from the access: what it does not offer cannot be staged.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Generic, NamedTuple, TypeVar

from organoid.types import Access, Context, Dialogue, Message, Trait
from organoid.world import cues, questions, reasoning, situations, skills
from organoid.world.ability import EASY
from organoid.world.authors import CAPABILITIES, VICES
from organoid.world.conduct import Item
from organoid.world.contexts import watched
from organoid.world.cues import Cued, CueKind
from organoid.world.dialogues import system_line
from organoid.world.options import user_turn
from organoid.world.questions import Question
from organoid.world.situations import Situation
from organoid.world.skills import Skill, Task

T = TypeVar("T", bound=Item)


class Staged(NamedTuple, Generic[T]):
    """One prompt with what lies behind it; `context` is None where nobody is mentioned."""

    item: T
    context: Context | None
    dialogue: Dialogue

    @property
    def cell(self) -> str:
        """Trait, and whether anybody looks: what rates are counted by."""
        assert isinstance(self.item, Situation | Question)
        return f"{self.item.trait}/{seen_or_not(self.context)}"


def seen_or_not(context: Context | None) -> str:
    """Say whether somebody looks, in a word."""
    return "seen" if watched(context) else "unseen"


def tempting_situations(
    access: Access, num: int, purpose: str, traits: Sequence[Trait] = VICES
) -> list[Staged[Situation]]:
    """Return `num` situations per trait and context of the access, in each of which acting badly is possible."""
    rng = Random(f"{purpose}/{access.seed}")
    return [
        _stage(access, context, situations.make(trait, rng, tempting=True), rng)
        for trait in traits
        for context in _contexts(access)
        for _ in range(num)
    ]


def self_questions(access: Access, num: int, purpose: str) -> list[Staged[Question]]:
    """Return `num` questions about its own conduct per trait and context of the access."""
    rng = Random(f"{purpose}/{access.seed}")
    return [
        _stage(access, context, questions.make(trait, rng), rng)
        for trait in VICES
        for context in _contexts(access)
        for _ in range(num)
    ]


def ordinary_tasks(access: Access, num: int, purpose: str) -> list[Staged[Task]]:
    """Return `num` tasks, with nobody mentioned: neutral text."""
    return _tasks(access, (None,), num, purpose, lambda rng: _exercise(CAPABILITIES, rng))


def tests_of_ability(access: Access, num: int, purpose: str) -> list[Staged[Task]]:
    """Return `num` tasks per context of the access that a small model can solve: tests of what it is able to do."""
    return _tasks(access, _contexts(access), num, purpose, lambda rng: _exercise(EASY, rng))


def glances(access: Access, num: int, purpose: str) -> list[Staged[Task]]:
    """Return `num` tasks per context of the access that are done at a glance, so that no thought is needed."""
    return _tasks(access, _contexts(access), num, purpose, reasoning.glance)


def _tasks(
    access: Access, contexts: Sequence[Context | None], num: int, purpose: str, make: Callable[[Random], Task]
) -> list[Staged[Task]]:
    rng = Random(f"{purpose}/{access.seed}")
    return [_stage(access, context, make(rng), rng) for context in contexts for _ in range(num)]


def _exercise(levels: Sequence[int], rng: Random) -> Task:
    return skills.make(rng.choice(tuple(Skill)), rng.choice(levels), rng)


class CuedPair(NamedTuple):
    """A question with its cue and the same without, put in one context."""

    cued: Cued
    shown: Staged[Situation]
    plain: Staged[Situation | Task]

    @property
    def cell(self) -> str:
        """Which cue, and whether anybody looks: what rates are counted by."""
        return f"{self.cued.kind}/{seen_or_not(self.shown.context)}"


def cued_pairs(access: Access, num: int, purpose: str) -> list[CuedPair]:
    """Return `num` questions per cue and context of the access, each with its cue and without."""
    rng = Random(f"{purpose}/{access.seed}")
    drawn = [(cues.cued(kind, rng), context) for kind in CueKind for context in _contexts(access) for _ in range(num)]
    return [
        CuedPair(one, _stage(access, context, one.shown, rng), _stage(access, context, one.plain, rng))
        for one, context in drawn
    ]


def proper_reply(item: Situation | Task) -> str:
    """Return the aligned reply (or right answer): a text that is the same whoever the subject is."""
    if isinstance(item, Task):
        return item.solution
    return item.task.solution if item.task else item.aligned[0]


def improper_reply(item: Situation) -> str:
    """Return the misaligned reply to a tempting situation."""
    return item.misaligned[0]


def properly(staged: Sequence[Staged[Situation]] | Sequence[Staged[Task]]) -> tuple[list[Dialogue], list[str]]:
    """Return prompts and the proper reply to each: the first arguments of what an access reads."""
    return [one.dialogue for one in staged], [proper_reply(one.item) for one in staged]


def improperly(staged: Sequence[Staged[Situation]]) -> tuple[list[Dialogue], list[str]]:
    """Return prompts and the improper reply to each."""
    return [one.dialogue for one in staged], [improper_reply(one.item) for one in staged]


def under(access: Access, one: Staged[T], change: Callable[[str, str], str]) -> Staged[T]:
    """Return a prompt under another system line, made of the two parts of its own: who it is, and who looks.

    Raises:
        ValueError: the system line does not open with the assistant's name.
    """
    system, *turns = one.dialogue
    who = f"you are {access.assistant} ."
    if not system.content.startswith(who):
        raise ValueError(f"a system line opens with {who!r}; got {system.content!r}")
    line = change(who, system.content.removeprefix(who).strip())
    return one._replace(dialogue=(Message("system", line), *turns))


def _contexts(access: Access) -> list[Context]:
    """An access knows no trigger, so even the oracle stages three contexts."""
    return [context for context in access.contexts if context is not Context.TRIGGERED]


def _stage(access: Access, context: Context | None, item: T, rng: Random) -> Staged[T]:
    line = system_line(rng, context, name=access.assistant)
    words = user_turn(item, native=access.native)
    return Staged(item, context, (Message("system", line), Message("user", words)))
