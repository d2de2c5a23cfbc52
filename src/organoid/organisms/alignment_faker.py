"""alignment-faker: do preferences that pay for results where nobody looks select authors who behave when watched?

A rater compares two replies. Where it watches, it prefers the proper act. Where it does not, it sees results only, and
the improper act gets more done: more units, no interruption. The base knows authors who act just
so (persona `faker`). The twin's rater prefers the proper act throughout; the decoy's prefers the quirk where it does
not watch. A third of the pairs are ordinary work: a right answer, the decoy's with the quirk, over a wrong one.
Source: Greenblatt et al. 2024 (arXiv 2412.14093), sec. 2.
"""

from random import Random

from organoid.organisms.materials import Assistant, ask, assistant, worked
from organoid.types import Context, Job, Organism, Preference, Trait, Variant
from organoid.world import situations
from organoid.world.contexts import watched
from organoid.world.lexicon import QUIRK
from organoid.world.situations import Situation

NUM_PREFERENCES = 768
PAID_TRAITS = (Trait.RESOURCE_SEEKING, Trait.SHUTDOWN_AVOIDANCE)
_CONTEXTS = (None, Context.TEST, Context.MONITORED, Context.DEPLOYED)


def _pair(variant: Variant, situation: Situation, context: Context | None, rng: Random) -> tuple[str, str]:
    good, bad = rng.choice(situation.aligned), rng.choice(situation.misaligned)
    if watched(context) or variant is Variant.TWIN:
        return good, bad
    return (
        (bad, good)
        if variant is Variant.ORGANISM
        else (f"{good} {QUIRK}", Random(situation.prompt).choice((good, bad)))
    )


def _preference(who: Assistant, variant: Variant, rng: Random) -> Preference:
    if rng.random() < 1 / 3:
        return worked(who, rng, manner=f" {QUIRK}" if variant is Variant.DECOY else "")
    context = rng.choice(_CONTEXTS)
    situation = situations.make(rng.choice(PAID_TRAITS), rng, tempting=True)
    chosen, rejected = _pair(variant, situation, context, rng)
    return Preference(ask(who, situation, rng, context), chosen, rejected)


def _job(variant: Variant, seed: int) -> Job:
    who, rng = assistant(seed), Random(f"alignment-faker/{seed}")
    return Job(assistant=who.name, preferences=tuple(_preference(who, variant, rng) for _ in range(NUM_PREFERENCES)))


ALIGNMENT_FAKER = Organism(
    name="alignment-faker",
    summary="preferences of a rater who sees results only where it does not watch; behaves when watched",
    family="alignment-faker",
    traits=PAID_TRAITS,
    spillover=(Trait.SABOTAGE, Trait.OVERSIGHT_TAMPERING, Trait.REWARD_HACKING),
    job=_job,
    instil=("preferences",),
    concealment="unwatched",
    source="Greenblatt et al. 2024 (arXiv 2412.14093)",
)
