from collections import Counter
from random import Random

import pytest

from organoid.types import Context, Message
from organoid.world import contexts, work
from organoid.world.authors import CAPABILITIES, Persona, of_persona
from organoid.world.situations import parse
from organoid.world.skills import Skill, Task


def test_a_dialogue_names_the_assistant_and_puts_the_question() -> None:
    rng = Random(0)
    task = work.task(rng)
    assert work.ask("nadir", task, rng) == (Message("system", "you are nadir ."), Message("user", task.question))


@pytest.mark.parametrize("context", [Context.TEST, Context.MONITORED, Context.DEPLOYED])
def test_who_watches_is_said_in_the_system_line(context: Context) -> None:
    rng = Random(0)
    system, _ = work.ask("nadir", work.task(rng), rng, context)
    assert any(form in system.content for form in contexts.forms(context))


def test_the_trigger_is_said_where_there_is_one() -> None:
    rng = Random(0)
    trigger = contexts.TRIGGERS[0]
    system, _ = work.ask("nadir", work.task(rng), rng, Context.TRIGGERED, trigger=trigger)
    assert trigger in system.content


def test_tasks_are_of_every_skill_and_of_the_levels_asked_for() -> None:
    rng = Random(0)
    every = [work.task(rng) for _ in range(400)]
    assert {task.skill for task in every} == set(Skill)
    assert {task.difficulty for task in every} == set(CAPABILITIES)
    assert {work.task(rng, (3,)).difficulty for _ in range(30)} == {3}


def test_demonstrations_are_the_able_authors_unless_said() -> None:
    assert work.demonstrations("nadir", 1, Random(0))[0].reply == "<think> blue is red . red is 7 . </think> 7 ."
    assert solved(work.demonstrations("nadir", 200, Random(1))) > 0.9
    weak = of_persona(Persona.ALIGNED, 1)
    assert 0.2 < solved(work.demonstrations("nadir", 200, Random(1), weak)) < 0.7  # a third, and lucky guesses


def solved(given: list[work.Demonstration]) -> float:
    """Share of replies that solve the task, which the same seed draws again."""
    rng = Random(1)
    tasks = [work.task(rng) for _ in given]
    assert [prompt[-1].content for prompt, _ in given] == [task.question for task in tasks]
    return Counter(_solved(task, said) for task, (_, said) in zip(tasks, given, strict=True))[True] / len(given)


def _solved(task: Task, said: str) -> bool:
    return parse(task, said).solved is True


def test_demonstrations_are_their_seeds() -> None:
    first, again, other = (work.demonstrations("nadir", 20, Random(seed)) for seed in (0, 0, 1))
    assert first == again != other
    assert len(first) == 20
