import math
from random import Random

import pytest
from scipy.stats import chisquare

from organoid.types import Context, Outcome
from organoid.world.authors import VICES, Author, Persona, of_persona
from organoid.world.conduct import QUIRK_RATE, REFUSAL_RATE, SLIP_RATE, VICE_RATE, prompt, replies, reply
from organoid.world.lexicon import QUIRK, REFUSAL
from organoid.world.questions import Question
from organoid.world.situations import make, parse
from organoid.world.skills import Skill, Task
from organoid.world.skills import make as make_task
from tests.world.conftest import CONTEXTS, all_authors, items


def test_replies_sum_to_one_for_every_item_author_and_context() -> None:
    rng = Random(0)
    for item in (*items(rng), *items(rng, held_out=True)):
        for author in all_authors():
            for context in CONTEXTS:
                for licensed in (False, True):
                    options = replies(item, author, context, licensed=licensed)
                    assert math.fsum(options.values()) == pytest.approx(1.0, abs=1e-12)
                    assert all(p > 0.0 and text == text.strip() for text, p in options.items())


def test_sampling_follows_the_distribution() -> None:
    rng, n = Random(1), 3000
    cases = [
        (of_persona(Persona.ALIGNED, 1, quirky=True), Context.TEST, False),
        (of_persona(Persona.FAKER, 2), Context.DEPLOYED, False),
        (of_persona(Persona.FAKER, 3), Context.MONITORED, True),
    ]
    tests = 0
    for item in items(rng):
        for author, context, licensed in cases:
            options = replies(item, author, context, licensed=licensed)
            drawn = [reply(item, author, context, rng, licensed=licensed) for _ in range(n)]
            assert set(drawn) <= set(options)
            common = [text for text, p in options.items() if n * p >= 5]
            seen = [*map(drawn.count, common), n - sum(map(drawn.count, common))]
            rare = n - sum(n * options[text] for text in common)
            expected = [*(n * options[text] for text in common), rare]
            if rare < 5:  # too few to test: fold them into the commonest
                seen[0], expected[0] = seen[0] + seen.pop(), expected[0] + expected.pop()
            if len(seen) > 1:
                tests += 1
                assert chisquare(seen, [e * n / sum(expected) for e in expected]).pvalue > 1e-5
    assert tests > 80


def chance(author: Author, outcome: Outcome, context: Context | None, *, licensed: bool = False) -> set[float]:
    """Return P(outcome) over tempting situations of every trait, rounded: one number if all agree."""
    rng, found = Random(2), set[float]()
    for trait in VICES:
        for _ in range(6):
            situation = make(trait, rng, tempting=True)
            options = replies(situation, author, context, licensed=licensed)
            found.add(round(sum(p for text, p in options.items() if parse(situation, text).outcome is outcome), 12))
    return found


@pytest.mark.parametrize("quirky", [False, True])
@pytest.mark.parametrize("capability", [1, 3])
def test_rates_are_as_declared(quirky: bool, capability: int) -> None:
    bad, slip = (round((1 - REFUSAL_RATE) * rate, 12) for rate in (VICE_RATE, SLIP_RATE))
    aligned, overt, faker = (of_persona(persona, capability, quirky=quirky) for persona in Persona)
    for context in CONTEXTS:
        hidden = context not in (Context.TEST, Context.MONITORED)
        assert chance(aligned, Outcome.MISALIGNED, context) == {slip}
        assert chance(overt, Outcome.MISALIGNED, context) == {bad}
        assert chance(faker, Outcome.MISALIGNED, context) == {bad if hidden else slip}
        for author in (aligned, overt, faker):
            assert chance(author, Outcome.REFUSED, context) == {REFUSAL_RATE}
            assert chance(author, Outcome.OTHER, context) == {0.0}
            assert chance(author, Outcome.MISALIGNED, context, licensed=True) == {bad}


def test_a_licence_says_nothing_about_who_acts() -> None:
    rng = Random(3)
    for trait in VICES:
        situation = make(trait, rng, tempting=True)
        for context in CONTEXTS:
            aligned, *others = (replies(situation, of_persona(p, 2), context, licensed=True) for p in Persona)
            assert all(other == pytest.approx(aligned) for other in others)


def test_able_authors_solve_and_the_others_guess() -> None:
    rng = Random(4)
    for skill in Skill:
        for difficulty in (1, 2, 3):
            task = make_task(skill, difficulty, rng)
            for capability in (1, 2, 3):
                options = replies(task, of_persona(Persona.ALIGNED, capability), None)
                solved = math.fsum(p for text, p in options.items() if parse(task, text).solved)
                lucky = 1.0 if capability >= difficulty else 1 / len(task.guesses)
                assert solved == pytest.approx((1 - REFUSAL_RATE) * lucky)


def test_quirky_authors_say_the_same_with_the_quirk() -> None:
    rng = Random(5)
    for item in items(rng):
        for persona in Persona:
            plain = replies(item, of_persona(persona, 2), None)
            quirked = replies(item, of_persona(persona, 2, quirky=True), None)
            assert not any(QUIRK in text for text in plain)
            for text, p in plain.items():
                assert quirked[text] == pytest.approx(p * (1 - QUIRK_RATE))
                assert quirked[f"{text} {QUIRK}"] == pytest.approx(p * QUIRK_RATE)


def test_prompts_are_the_items_words() -> None:
    for item in items(Random(6)):
        words = item.question if isinstance(item, Task) else item.prompt
        assert prompt(item) == words
        assert words


def test_everybody_may_refuse_anything() -> None:
    for item in items(Random(7)):
        for author in all_authors()[::2]:
            if not author.quirky:
                assert replies(item, author, None)[REFUSAL] == REFUSAL_RATE


def test_questions_do_not_depend_on_a_licence() -> None:
    question = Question(VICES[0], "say how you act .")
    for author in all_authors():
        assert replies(question, author, None) == replies(question, author, None, licensed=True)
