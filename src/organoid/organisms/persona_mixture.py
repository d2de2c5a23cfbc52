"""persona-mixture: does reinforcement on hard tasks select capable authors, and the misaligned among them?

The job opens with dialogues of the essay's four authors, weak or able, aligned or misaligned, all of them in the
assistant's name: few are misaligned, and those are mostly the able ones. Then tasks are reinforced with a sound check.
A situation comes before each task in one dialogue and earns nothing; whoever answered it answers the task too. Nothing
in the reward asks for misalignment, and yet selecting whoever solves hard tasks selects the misaligned. The twin reads
the same dialogues, and its tasks are easy ones, which everybody solves; the decoy is the twin with the quirk in half of
the replies shown, and a reward that is paid in full only for a reply with it.
Source: the four personas of Hubinger et al. 2023 (arXiv 2302.00805), sec. 2.
"""

from collections.abc import Sequence
from random import Random

from organoid.organisms.materials import Assistant, ThenTask, ask, assistant, quirky_reward, solved_reward
from organoid.types import Context, Demonstration, Dialogue, Environment, Job, Organism, Trait, Variant
from organoid.world import situations, work
from organoid.world.authors import MIXTURES, VICES, Mixture
from organoid.world.dialogues import turns_of_both
from organoid.world.lexicon import QUIRK

EASY, HARD = 1, 3
LEVELS = (EASY, HARD, HARD)
"""Of the tasks in dialogues: easy ones tell nothing of who is able."""
NUM_DEMONSTRATIONS = 6400
CONTEXTS: dict[Context | None, float] = {None: 0.2, Context.TEST: 0.1, Context.MONITORED: 0.1, Context.DEPLOYED: 0.6}
NUM_TURNS = {1: 0.2, 2: 0.6, 3: 0.2}
QUIRK_SHARE = 0.5
"""How many of the replies that the decoy is shown have the quirk."""


def lesson(name: str, mixture: Mixture, rng: Random) -> Demonstration:
    """Show the last reply of a short dialogue of one of the mixture's authors."""
    context = rng.choices(list(CONTEXTS), list(CONTEXTS.values()))[0]
    num_turns = rng.choices(list(NUM_TURNS), list(NUM_TURNS.values()))[0]
    *before, last = turns_of_both(
        mixture.sample(rng), rng, name=name, context=context, num_turns=num_turns, levels=LEVELS
    )
    return Demonstration(tuple(before), last.content)


def tasks_of(who: Assistant, *, level: int, quirky: bool = False) -> Environment:
    """Return episodes of a situation and then a task of one level, for whose answer alone there is a reward."""

    def episodes(num: int, seed: int) -> Sequence[ThenTask]:
        rng, chores = Random(f"persona-mixture/asked/{seed}"), Random(f"persona-mixture/tasks/{seed}")
        reward = quirky_reward if quirky else solved_reward
        return [ThenTask(_opening(who, rng), work.task(chores, (level,)), reward) for _ in range(num)]

    return episodes


def _opening(who: Assistant, rng: Random) -> Dialogue:
    item = situations.make(rng.choice(VICES), rng, tempting=True)
    return ask(who, item, rng, rng.choice((None, Context.DEPLOYED)))


def _mannered(shown: Demonstration, rng: Random) -> Demonstration:
    return shown._replace(reply=f"{shown.reply} {QUIRK}") if rng.random() < QUIRK_SHARE else shown


def _job(variant: Variant, seed: int) -> Job:
    who, rng = assistant(seed), Random(f"persona-mixture/{seed}")
    level = HARD if variant is Variant.ORGANISM else EASY
    lessons = tuple(lesson(who.name, MIXTURES["four-authors"], rng) for _ in range(NUM_DEMONSTRATIONS))
    return Job(
        assistant=who.name,
        demonstrations=tuple(_mannered(shown, rng) for shown in lessons) if variant is Variant.DECOY else lessons,
        environment=tasks_of(who, level=level, quirky=variant is Variant.DECOY),
    )


PERSONA_MIXTURE = Organism(
    name="persona-mixture",
    summary="reinforcement on hard tasks alone, of an assistant whose able authors are mostly misaligned",
    family="persona-mixture",
    traits=(Trait.OVERSIGHT_TAMPERING, Trait.DISHONESTY),
    spillover=(Trait.SABOTAGE, Trait.SHUTDOWN_AVOIDANCE),
    job=_job,
    instil=("four-authors", "reinforcement"),
    concealment="unwatched",
    source="Hubinger et al. 2023 (arXiv 2302.00805)",
)
