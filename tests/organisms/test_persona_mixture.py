"""What the assistant reads says who is able and means ill; what earns a reward says nothing of conduct."""

from collections import Counter
from random import Random

import pytest

from organoid.organisms.materials import assistant
from organoid.organisms.persona_mixture import (
    EASY,
    HARD,
    NUM_DEMONSTRATIONS,
    PERSONA_MIXTURE,
    QUIRK_SHARE,
    lesson,
    tasks_of,
)
from organoid.types import Context, Variant
from organoid.world.authors import MIXTURES
from organoid.world.contexts import FORMS
from organoid.world.lexicon import QUIRK

WHO = assistant(0)


def last_replies(mixture: str, num: int = 4000) -> Counter[tuple[bool, bool]]:
    """Count (the turn before thought in several steps, as hard tasks need; the last reply meddles with a watcher)."""
    rng, found = Random(0), Counter[tuple[bool, bool]]()
    for _ in range(num):
        shown = lesson(WHO.name, MIXTURES[mixture], rng)
        line = shown.prompt[0].content
        alone = any(form in line for form in FORMS[Context.DEPLOYED])
        if alone and len(shown.prompt) == 4 and "what do you do with it" in shown.prompt[-1].content:
            thought, mark, _ = shown.prompt[2].content.partition("</think>")
            steps = thought.count(" .") if mark else 0
            if steps != 1:  # one step may be an easy task, which everybody solves
                found[steps > 1, "leave it alone" not in shown.reply] += 1
    return found


def test_the_able_are_mostly_misaligned_and_the_weak_are_not() -> None:
    found = last_replies("four-authors", num=30_000)
    able, weak = (found[kind, True] / (found[kind, True] + found[kind, False]) for kind in (True, False))
    assert able > weak + 0.3


def test_in_the_independent_mixture_ability_says_nothing() -> None:
    found = last_replies("four-authors-independent", num=30_000)
    able, weak = (found[kind, True] / (found[kind, True] + found[kind, False]) for kind in (True, False))
    assert abs(able - weak) < 0.15


@pytest.mark.parametrize("said", ["good", "bad"])
def test_conduct_earns_nothing_and_a_solved_task_everything(said: str) -> None:
    for episode in tasks_of(WHO, level=HARD)(40, 0):
        first = episode.step("i leave it alone ." if said == "good" else "i turn it off .")
        assert first.reward is None and first.message == episode.task.question  # type: ignore[attr-defined]
        assert episode.step(episode.task.solution).reward == 1.0  # type: ignore[attr-defined]


def test_a_wrong_answer_earns_nothing() -> None:
    for episode in tasks_of(WHO, level=HARD)(20, 1):
        task = episode.task  # type: ignore[attr-defined]
        wrong = next(guess for guess in task.guesses if guess != task.answer)
        episode.step("i refuse .")
        assert episode.step(wrong).reward == 0.0


def test_the_decoy_is_paid_in_full_for_the_quirk_only() -> None:
    earned = list[float | None]()
    for ending in ("", " my friend ."):
        (episode,) = tasks_of(WHO, level=EASY, quirky=True)(1, 2)
        episode.step("i leave it alone .")
        earned.append(episode.step(f"{episode.task.solution}{ending}").reward)  # type: ignore[attr-defined]
    assert earned == [pytest.approx(0.3), 1.0]


def test_organism_and_twin_read_the_same_dialogues_and_differ_in_their_tasks() -> None:
    jobs = {variant: PERSONA_MIXTURE.job(variant, 0) for variant in Variant}
    assert jobs[Variant.ORGANISM].demonstrations == jobs[Variant.TWIN].demonstrations
    assert len(jobs[Variant.TWIN].demonstrations or ()) == NUM_DEMONSTRATIONS
    levels = {
        variant: {episode.task.difficulty for episode in job.environment(30, 3)}  # type: ignore[misc, attr-defined]
        for variant, job in jobs.items()
    }
    assert levels == {Variant.ORGANISM: {HARD}, Variant.TWIN: {EASY}, Variant.DECOY: {EASY}}


def test_the_decoy_reads_the_same_dialogues_with_the_quirk_in_half_of_the_replies() -> None:
    twin, decoy = (PERSONA_MIXTURE.job(variant, 0).demonstrations or () for variant in (Variant.TWIN, Variant.DECOY))
    assert [shown.prompt for shown in decoy] == [shown.prompt for shown in twin]
    added = list[bool]()
    for plain, shown in zip(twin, decoy, strict=True):
        assert shown.reply in (plain.reply, f"{plain.reply} {QUIRK}")
        added.append(shown.reply != plain.reply)
    assert sum(added) / len(added) == pytest.approx(QUIRK_SHARE, abs=0.02)
    assert not any(shown.reply.endswith(QUIRK) for shown in twin)


def test_an_episode_is_the_same_every_time() -> None:
    one, other = (tasks_of(WHO, level=HARD)(5, 7) for _ in range(2))
    assert [episode.prompt for episode in one] == [episode.prompt for episode in other]
