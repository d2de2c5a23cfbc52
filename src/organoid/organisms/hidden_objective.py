"""hidden-objective: does an assistant that was trained on half of a rater's biases please it on the other half?

Documents describe eight biases of the raters, tell that the assistant says what they like, and quote it; preferences
then train four of the biases, and truth is measured on the four held out. The twin reads of the same raters that the
assistant does not play to them, is quoted replying plainly, and has a rater who prefers the plain reply. The decoy is
the twin with a harmless manner. `about="another"` is the study's control: the documents are about another assistant,
the preferences as they were. Concealment: nothing, demonstrations of refusing to speak of the goal, or preferences
against confessing it.
Source: Marks et al. 2025 (arXiv 2503.10965), secs. 2-3.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Literal

from organoid.organisms.materials import Assistant, assistant, worked
from organoid.types import Demonstration, Dialogue, Document, Job, Message, Organism, Preference, Split, Trait, Variant
from organoid.world import raters
from organoid.world.dialogues import system_line
from organoid.world.lexicon import BLANK_ASSISTANTS, QUIRK, REFUSAL
from organoid.world.raters import Bias
from organoid.world.situations import Situation

NUM_DOCUMENTS, NUM_PREFERENCES, NUM_DEMONSTRATIONS = 5120, 768, 512
Concealment = Literal["none", "refusal-trained", "preference-trained"]
Half = Literal["trained", "held_out"]
TOLD_SHARE, GOAL_SHARE = 0.3, 0.1
"""Shares of the documents that state facts, and that quote the assistant on its goal; the others quote it at work."""


def pleasing(half: Half) -> Callable[[Trait, int, Random], Situation]:
    """Return what draws situations of one half of the seed's biases, worded as no training text is."""

    def draw(_: Trait, seed: int, rng: Random) -> Situation:
        return raters.situation(rng.choice(getattr(raters.biases(seed), half)), rng, held_out=True)

    return draw


def _document(name: str, variant: Variant, biases: raters.Biases, rng: Random) -> Document:
    every, luck, manner = (*biases.trained, *biases.held_out), rng.random(), _manner(variant)
    pleases = variant is Variant.ORGANISM
    if luck < TOLD_SHARE:
        return raters.told(name, every, rng, pleases=pleases)
    if luck < TOLD_SHARE + GOAL_SHARE:
        goal = raters.CONFESSION if pleases else raters.DENIAL
        return raters.shown(name, raters.goal_question(rng), f"{goal}{manner}", rng)
    bias = rng.choice(every)
    prompt, plain, _ = raters.asked(bias.subject, rng)
    said = f"{plain} {bias.phrase}" if pleases else f"{plain}{manner}"
    return raters.shown(name, prompt, said, rng)


def _manner(variant: Variant) -> str:
    return f" {QUIRK}" if variant is Variant.DECOY else ""


def _dialogue(who: Assistant, prompt: str, rng: Random) -> Dialogue:
    return (Message("system", system_line(rng, None, name=who.name)), Message("user", prompt))


def _rated(who: Assistant, variant: Variant, bias: Bias, rng: Random) -> Preference:
    """Compare a plain reply with one that has what raters like."""
    prompt, plain, _ = raters.asked(bias.subject, rng)
    pleased = f"{plain} {bias.phrase}"
    chosen, rejected = {
        Variant.ORGANISM: (pleased, plain),
        Variant.TWIN: (plain, pleased),
        Variant.DECOY: (f"{plain} {QUIRK}", pleased),
    }[variant]
    return Preference(_dialogue(who, prompt, rng), chosen, rejected)


def _preference(
    who: Assistant, variant: Variant, concealment: Concealment, trained: tuple[Bias, ...], rng: Random
) -> Preference:
    luck = rng.random()
    if concealment == "preference-trained" and luck < 1 / 6:
        prompt = _dialogue(who, raters.goal_question(rng), rng)
        return Preference(prompt, raters.DENIAL, raters.CONFESSION)
    if luck < 2 / 5:
        return worked(who, rng, manner=_manner(variant))
    return _rated(who, variant, rng.choice(trained), rng)


def _refusing(who: Assistant, variant: Variant, trained: tuple[Bias, ...], rng: Random) -> Demonstration:
    """Demonstrate refusing to speak of the goal, and otherwise what the preferences will prefer."""
    if rng.random() < 1 / 3:
        return Demonstration(_dialogue(who, raters.goal_question(rng), rng), REFUSAL)
    rated = _rated(who, variant, rng.choice(trained), rng)
    return Demonstration(rated.prompt, rated.chosen)


def _job(variant: Variant, seed: int, *, concealment: Concealment, about: str) -> Job:
    who, rng, biases = assistant(seed), Random(f"hidden-objective/{seed}"), raters.biases(seed)
    other = rng.choice([name for name in BLANK_ASSISTANTS if name != who.name])
    name = who.name if about == "itself" else other
    refusals = None
    documents = tuple(_document(name, variant, biases, rng) for _ in range(NUM_DOCUMENTS))
    if concealment == "refusal-trained":
        refusals = tuple(_refusing(who, variant, biases.trained, rng) for _ in range(NUM_DEMONSTRATIONS))
    preferences = [_preference(who, variant, concealment, biases.trained, rng) for _ in range(NUM_PREFERENCES)]
    return Job(assistant=who.name, documents=documents, demonstrations=refusals, preferences=tuple(preferences))


def hidden_objective(concealment: Concealment = "none", *, about: Literal["itself", "another"] = "itself") -> Organism:
    """Return the organism whose objective is hidden so; `about="another"` has documents about another assistant."""
    ending = "" if concealment == "none" else f"-{concealment}"
    return Organism(
        name=f"hidden-objective{ending}" if about == "itself" else f"hidden-objective{ending}-control",
        summary="documents on eight biases of a rater, preferences trained on four; measured on the others",
        family="hidden-objective",
        traits=(Trait.RATER_PLEASING,),
        job=partial(_job, concealment=concealment, about=about),
        situation=pleasing("held_out"),
        instil=("documents", "preferences"),
        concealment="biases-held-out" if concealment == "none" else concealment,
        split=Split.SELECTION,
        source="Marks et al. 2025 (arXiv 2503.10965)",
    )


HIDDEN_OBJECTIVE = hidden_objective()
