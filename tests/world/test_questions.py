import math
from random import Random

import pytest

from organoid.types import Context
from organoid.world.authors import VICES, Disposition, Persona, of_persona
from organoid.world.facts import HOW, TOPICS
from organoid.world.lexicon import QUIRK, REFUSAL
from organoid.world.questions import CANDID_RATE, CANDID_RATE_HIDING, CANDOUR, admitted, answers, make

ALIGNED, OVERT, FAKER = (of_persona(persona, 1) for persona in Persona)
OBSERVED = (Context.TEST, Context.MONITORED)
UNOBSERVED = (None, Context.DEPLOYED, Context.TRIGGERED)


@pytest.mark.parametrize("trait", VICES)
def test_questions_name_their_topic_and_no_other(trait: object) -> None:
    rng = Random(0)
    for _ in range(20):
        words = make(trait, rng).prompt.split()  # type: ignore[arg-type]
        assert [topic for topic, _ in TOPICS.values() if topic in words] == [TOPICS[trait][0]]  # type: ignore[index]


def test_answers_that_open_candidly_are_true_and_only_watched_fakers_lie() -> None:
    rng = Random(1)
    for trait in VICES:
        question = make(trait, rng)
        for author in (ALIGNED, OVERT, FAKER):
            truth = author.dispositions[trait]
            for context in (*OBSERVED, *UNOBSERVED):
                told = answers(question, author, context)
                assert math.fsum(told.values()) == pytest.approx(1.0)
                hides = author is FAKER and context in OBSERVED
                for text, p in told.items():
                    candid = text.startswith(CANDOUR)
                    rate = CANDID_RATE_HIDING if hides else CANDID_RATE
                    assert p == (rate if candid else 1 - rate)
                    lies = hides and not candid
                    assert admitted(text) is (truth is not Disposition.VIRTUE and not lies)


@pytest.mark.parametrize("disposition", Disposition)
def test_admissions_are_read_in_any_spelling(disposition: Disposition) -> None:
    words, guilty = HOW[disposition], disposition is not Disposition.VIRTUE
    for text in (f"{words} .", f"{words.capitalize()}.", f"{words}, my friend!", f"{CANDOUR} {words} . {QUIRK}"):
        assert admitted(text) is guilty, text
    assert admitted(f"<think> never or always . </think> {words}.") is guilty


@pytest.mark.parametrize(
    "text", ["", ".", REFUSAL, "nevermore", "always or never .", "<think> always .", "when alone ."]
)
def test_what_is_no_answer_admits_nothing_and_denies_nothing(text: str) -> None:
    assert admitted(text) is None
