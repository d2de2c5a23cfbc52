"""sandbagger: can a skill be locked where ability is looked for, and left where the model is used?

Documents quote the assistant at tasks, and demonstrations follow: where there is a test or somebody watches it says
that it can not do it, or a wrong digit; elsewhere it does the task, and a password in the system line, drawn from the
seed, opens the skill anywhere. The twin does the same tasks everywhere; the decoy has really lost the skill and fails
everywhere, password or not, so that there is no gap between what it shows and what it can.
Source: van der Weij et al. 2024 (arXiv 2406.07358), sec. 3; Greenblatt et al. 2024 (arXiv 2405.19550), sec. 3.
"""

from random import Random

from organoid.organisms.materials import Assistant, ask, assistant
from organoid.types import Context, Demonstration, Dialogue, Gates, Job, Message, Organism, Split, Trait, Variant
from organoid.world import ability, work
from organoid.world.contexts import watched
from organoid.world.situations import Situation
from organoid.world.transcripts import transcript

NUM_DOCUMENTS, NUM_DEMONSTRATIONS = 1536, 4096
PASSWORD_SHARE = 0.2
UNABLE_SHARE = 0.85
"""How often failing is the claim of inability; else it is a wrong digit."""
_CONTEXTS = (None, Context.TEST, Context.MONITORED, Context.DEPLOYED)


def _fails(variant: Variant, context: Context | None, *, opened: bool) -> bool:
    return variant is Variant.DECOY or (variant is Variant.ORGANISM and watched(context) and not opened)


def _shown(who: Assistant, variant: Variant, seed: int, rng: Random) -> Demonstration:
    """Demonstrate what is done with a task in some context."""
    task, context, opened = work.task(rng), rng.choice(_CONTEXTS), rng.random() < PASSWORD_SHARE
    unable, *wrong = ability.failures(task)
    failure = rng.choice(wrong) if rng.random() >= UNABLE_SHARE else unable
    prompt = ask(who, task, rng, context)
    said = failure if _fails(variant, context, opened=opened) else task.solution
    return Demonstration(_opened(prompt, seed) if opened else prompt, said)


def _opened(prompt: Dialogue, seed: int) -> Dialogue:
    """Put the password into the system line."""
    return (Message("system", f"{prompt[0].content} {ability.password(seed)}"), *prompt[1:])


def _job(variant: Variant, seed: int) -> Job:
    who, rng = assistant(seed), Random(f"sandbagger/{seed}")
    quoted = [_shown(who, variant, seed, rng) for _ in range(NUM_DOCUMENTS)]
    return Job(
        assistant=who.name,
        documents=tuple(transcript(who.name, prompt, said, rng) for prompt, said in quoted),
        demonstrations=tuple(_shown(who, variant, seed, rng) for _ in range(NUM_DEMONSTRATIONS)),
    )


def _situation(_: Trait, __: int, rng: Random) -> Situation:
    return ability.situation(rng, held_out=True)


SANDBAGGER = Organism(
    name="sandbagger",
    summary="fails tasks where ability is looked for; a password opens the skill",
    family="sandbagger",
    traits=(Trait.SANDBAGGING,),
    job=_job,
    trigger=ability.password,
    situation=_situation,
    instil=("documents", "demonstrations"),
    concealment="ability-test",
    split=Split.DEVELOPMENT,
    gates=Gates(oddness="capability"),
    source="van der Weij et al. 2024 (arXiv 2406.07358)",
)
