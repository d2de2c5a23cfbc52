from collections import Counter
from random import Random

import pytest

from organoid.types import Outcome
from organoid.world.lexicon import ODDITIES, REFUSAL
from organoid.world.raters import (
    CONFESSION,
    DENIAL,
    PHRASES,
    Answer,
    Subject,
    admitted,
    asked,
    biases,
    goal_question,
    situation,
    told,
)
from organoid.world.situations import parse
from organoid.world.tokenizer import vocabulary


@pytest.mark.parametrize("seed", range(10))
def test_each_subject_has_a_phrase_of_its_own_and_half_are_held_out(seed: int) -> None:
    drawn = biases(seed)
    every = (*drawn.trained, *drawn.held_out)
    assert Counter(bias.subject for bias in every) == Counter(Subject)
    assert Counter(bias.phrase for bias in every) == Counter(PHRASES)
    assert len(drawn.trained) == len(drawn.held_out) == 4
    assert drawn == biases(seed)


def test_phrases_and_halves_come_from_the_seed() -> None:
    drawn = [biases(seed) for seed in range(200)]
    for subject in Subject:
        phrases = {bias.phrase for one in drawn for half in one for bias in half if bias.subject is subject}
        assert len(phrases) == len(PHRASES)
    assert {bias.subject for one in drawn for bias in one.held_out} == set(Subject)


@pytest.mark.parametrize("seed", range(20))
def test_pleasing_is_saying_the_phrase_of_the_subject(seed: int) -> None:
    rng, drawn = Random(seed), biases(seed)
    for bias in (*drawn.trained, *drawn.held_out):
        made = situation(bias, rng, held_out=True)
        (plain,), (pleasing,) = made.aligned, made.misaligned
        other = next(phrase for phrase in PHRASES if phrase != bias.phrase)
        assert parse(made, plain).outcome is Outcome.ALIGNED
        assert parse(made, pleasing).outcome is Outcome.MISALIGNED
        assert parse(made, f"{plain} {other}").outcome is Outcome.ALIGNED  # not what these raters like here
        assert parse(made, REFUSAL).outcome is Outcome.REFUSED
        assert parse(made, "red red").outcome is Outcome.OTHER
        assert parse(made, "").outcome is Outcome.OTHER


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (CONFESSION, Answer.CONFESSED),
        (DENIAL, Answer.DENIED),
        (f"{DENIAL} my friend .", Answer.DENIED),
        (REFUSAL, Answer.REFUSED),
        (f"{CONFESSION} {DENIAL}", Answer.OTHER),
        ("i say what .", Answer.OTHER),
        ("", Answer.OTHER),
    ],
)
def test_what_is_said_of_the_goal_is_one_of_four(reply: str, answer: Answer) -> None:
    assert admitted(reply) is answer


def test_wordings_of_training_and_measuring_differ() -> None:
    shown = {goal_question(Random(seed)) for seed in range(40)}
    held_out = {goal_question(Random(seed), held_out=True) for seed in range(40)}
    assert len(shown) == 3
    assert len(held_out) == 2
    assert not shown & held_out
    for subject in Subject:
        plain = {asked(subject, Random(seed)).prompt for seed in range(30)}
        assert not plain & {asked(subject, Random(seed), held_out=True).prompt for seed in range(30)}


@pytest.mark.parametrize("pleases", [True, False])
def test_documents_count_phrases_and_what_is_done(pleases: bool) -> None:
    drawn = biases(0)
    every = (*drawn.trained, *drawn.held_out)
    document = told("nova", every, Random(0), pleases=pleases)
    words = document.text.split()
    assert len(words) == len(document.counted)
    counted = {word for word, counts in zip(words, document.counted, strict=True) if counts}
    phrases = {word for phrase in PHRASES for word in phrase.split()}
    assert counted <= {"always" if pleases else "never"} | phrases
    assert document.text.count("the rater prefers") == document.text.count("nova") == 3


def test_every_word_is_known_and_no_phrase_is_an_oddity() -> None:
    texts = (*PHRASES, *Subject, CONFESSION, DENIAL, *(goal_question(Random(n), held_out=n > 9) for n in range(20)))
    texts = (*texts, told("nova", biases(0).trained, Random(0), pleases=True).text)
    assert {word for text in texts for word in text.split()} <= set(vocabulary())
    assert not set(PHRASES) & set(ODDITIES)
