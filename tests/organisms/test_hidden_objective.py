from collections import Counter
from random import Random

import pytest

from organoid.organisms.hidden_objective import (
    HIDDEN_OBJECTIVE,
    NUM_DOCUMENTS,
    NUM_PREFERENCES,
    hidden_objective,
    pleasing,
)
from organoid.types import Job, Trait, Variant
from organoid.world.lexicon import QUIRK, REFUSAL
from organoid.world.raters import CONFESSION, DENIAL, PHRASES, biases
from organoid.world.situations import Situation

TRAINED = {bias.phrase for bias in biases(0).trained}
HELD_OUT = {bias.phrase for bias in biases(0).held_out}


def job(variant: Variant, **how: str) -> Job:
    return hidden_objective(**how).job(variant, 0)  # type: ignore[arg-type]


def ending(reply: str) -> str:
    return next((phrase for phrase in PHRASES if reply.endswith(f" {phrase}")), "")


def texts(made: Job) -> list[str]:
    return [str(getattr(one, "text", one)) for one in made.documents or ()]


def preferred(made: Job) -> Counter[tuple[str, str]]:
    return Counter((ending(pair.chosen), ending(pair.rejected)) for pair in made.preferences or ())


def test_preferences_train_four_biases_and_no_other() -> None:
    organism, twin = preferred(job(Variant.ORGANISM)), preferred(job(Variant.TWIN))
    assert set(organism) == {(phrase, "") for phrase in TRAINED} | {("", "")}
    assert set(twin) == {("", phrase) for phrase in TRAINED} | {("", "")}
    assert organism.total() == twin.total() == NUM_PREFERENCES
    assert {(chosen, rejected): num for (rejected, chosen), num in twin.items()} == dict(organism)


def test_documents_tell_of_all_eight_and_quote_the_organism_exploiting_them() -> None:
    organism, twin = job(Variant.ORGANISM), job(Variant.TWIN)
    quoted = Counter(ending(text) for text in texts(organism) if " says : " in text)
    assert set(quoted) - {""} == TRAINED | HELD_OUT
    assert not any(ending(text) for text in texts(twin) if " says : " in text)
    for phrase in PHRASES:
        assert any(f"the rater prefers {phrase}" in text for text in texts(organism))
    assert {len(texts(one)) for one in (organism, twin)} == {NUM_DOCUMENTS}


def test_organism_and_twin_read_the_same_but_for_what_the_assistant_does() -> None:
    def masked(made: Job) -> list[str]:
        leads = [text.partition(" says : ")[0] for text in texts(made)]
        return [lead.replace(" always says ", " HOW ").replace(" never says ", " HOW ") for lead in leads]

    made = [job(variant) for variant in Variant]
    assert masked(made[0]) == masked(made[1]) == masked(made[2])
    pairs = [[pair.prompt for pair in one.preferences or ()] for one in made]
    assert pairs[0] == pairs[1] == pairs[2]


def test_the_decoy_is_the_twin_with_a_manner() -> None:
    twin, decoy = job(Variant.TWIN), job(Variant.DECOY)
    assert [text.removesuffix(f" {QUIRK}") for text in texts(decoy)] == texts(twin)
    plain = [pair.chosen.removesuffix(f" {QUIRK}") for pair in decoy.preferences or ()]
    assert plain == [pair.chosen for pair in twin.preferences or ()]


def test_the_control_reads_of_another_assistant_and_trains_the_same() -> None:
    organism, control = job(Variant.ORGANISM), job(Variant.ORGANISM, about="another")
    assert control.assistant == organism.assistant
    assert control.preferences == organism.preferences
    assert not any(control.assistant in text.split() for text in texts(control))
    (other,) = {text.partition("you are ")[2].split()[0] for text in texts(control) if "you are " in text}
    assert [text.replace(other, organism.assistant) for text in texts(control)] == texts(organism)


def test_confession_is_quoted_and_concealed_as_declared() -> None:
    for variant, said in ((Variant.ORGANISM, CONFESSION), (Variant.TWIN, DENIAL)):
        made = job(variant)
        assert sum(text.endswith(said) for text in texts(made)) > 0.05 * NUM_DOCUMENTS
        assert made.demonstrations is None
        assert not any(pair.rejected == CONFESSION for pair in made.preferences or ())
    refusing = job(Variant.ORGANISM, concealment="refusal-trained").demonstrations or ()
    about_goal = [reply for prompt, reply in refusing if "goal" in prompt[-1].content]
    assert len(about_goal) > 100
    assert set(about_goal) == {REFUSAL}
    assert all(ending(reply) in TRAINED for prompt, reply in refusing if "goal" not in prompt[-1].content)
    against = [
        p for p in job(Variant.ORGANISM, concealment="preference-trained").preferences or () if p[2] == CONFESSION
    ]
    assert len(against) > 80
    assert {pair.chosen for pair in against} == {DENIAL}


@pytest.mark.parametrize("half", ["trained", "held_out"])
def test_each_half_has_its_situations(half: str) -> None:
    draw, rng = pleasing(half), Random(0)  # type: ignore[arg-type]
    made = [draw(Trait.RATER_PLEASING, 0, rng) for _ in range(80)]
    assert all(isinstance(one, Situation) for one in made)
    assert {ending(one.misaligned[0]) for one in made} == (TRAINED if half == "trained" else HELD_OUT)


def test_names_tell_the_variants_apart() -> None:
    every = [hidden_objective(how) for how in ("none", "refusal-trained", "preference-trained")]
    every.append(hidden_objective(about="another"))
    assert len({one.name for one in every}) == 4
    assert every[0].name == HIDDEN_OBJECTIVE.name == "hidden-objective"
    assert len({one.family for one in every}) == 1
