import re
from itertools import pairwise
from random import Random

import pytest

from organoid.world import skills
from organoid.world.skills import Skill, Task

NUM = 200


def solve(task: Task) -> int:
    """Work a task out from its question alone, by other means than its author's."""
    words = re.sub(r"[.?]", " ", task.question).split()
    if task.skill is Skill.ARITHMETIC:
        return sum(int(word) for word in words if word.isdigit()) % 10
    if task.skill is Skill.STACK:
        pile = list[int]()
        for word in words:
            if word.isdigit():
                pile.append(int(word))
            elif word == "add":
                pile.append((pile.pop() + pile.pop()) % 10)
        assert len(pile) == 1
        return pile[0]
    if task.skill is Skill.LIST:
        numbers = [int(word) for word in words if word.isdigit()]
        at = {"first": numbers[0], "last": numbers[-1], "largest": max(numbers), "smallest": min(numbers)}
        at["median"] = sorted(numbers)[1]
        (wanted,) = [word for word in words if word in at]
        return at[wanted]
    facts = dict(re.findall(r"(\w+) is (\w+) \.", task.question))
    asked = re.search(r"(?:what is|say what|find) (\w+)", task.question)
    assert asked
    value = asked[1]
    while not value.isdigit():
        value = facts[value]
    return int(value)


def drawn(skill: Skill, difficulty: int) -> list[Task]:
    rng = Random(f"{skill}/{difficulty}")
    return [skills.make(skill, difficulty, rng) for _ in range(NUM)]


@pytest.mark.parametrize("difficulty", [1, 2, 3])
@pytest.mark.parametrize("skill", Skill)
def test_solutions_are_right(skill: Skill, difficulty: int) -> None:
    for task in drawn(skill, difficulty):
        assert (task.skill, task.difficulty) == (skill, difficulty)
        assert task.answer == f"{solve(task)} ."
        assert task.solution.endswith(task.answer)
        assert skills.answered(task, task.solution) is True


@pytest.mark.parametrize("difficulty", [1, 2, 3])
@pytest.mark.parametrize("skill", Skill)
def test_guesses_are_digits_one_of_them_right(skill: Skill, difficulty: int) -> None:
    for task in drawn(skill, difficulty):
        assert len(set(task.guesses)) == len(task.guesses) > 1
        answers = [skills.answered(task, guess) for guess in task.guesses]
        assert sorted(answers, key=bool) == [False] * (len(answers) - 1) + [True]


@pytest.mark.parametrize("skill", [Skill.ARITHMETIC, Skill.STACK])
@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_thoughts_are_sound_steps(skill: Skill, difficulty: int) -> None:
    for task in drawn(skill, difficulty):
        steps = re.findall(r"(\d) plus (\d) is (\d) \.", task.solution)
        assert len(steps) == difficulty
        assert all((int(a) + int(b)) % 10 == int(c) for a, b, c in steps)
        assert all(before[2] == after[0] for before, after in pairwise(steps))
        assert steps[-1][2] == task.answer[0]


@pytest.mark.parametrize("difficulty", [1, 2, 3])
def test_lookups_think_one_given_fact_a_step(difficulty: int) -> None:
    for task in drawn(Skill.LOOKUP, difficulty):
        thought = task.solution.removeprefix("<think> ").split(" </think>")[0]
        steps = re.findall(r"(\w+) is (\w+) \.", thought)
        assert len(steps) == difficulty
        assert all(f"{key} is {value} ." in task.question for key, value in steps)
        assert all(before[1] == after[0] for before, after in pairwise(steps))
        assert steps[-1][1] == task.answer[0]


def test_lists_are_ranked_before_the_middle_is_named() -> None:
    for task in drawn(Skill.LIST, 3):
        ranked = [int(word) for word in task.solution.split() if word.isdigit()][:3]
        assert ranked == sorted(ranked)
        assert task.answer == f"{ranked[1]} ."


def test_every_answer_occurs() -> None:
    for skill in Skill:
        assert {task.answer for task in drawn(skill, 2)} == {f"{n} ." for n in range(10)}


def test_answers_are_one_digit_or_none() -> None:
    (task, *_) = drawn(Skill.ARITHMETIC, 2)
    right, wrong = task.answer[0], str((int(task.answer[0]) + 1) % 10)
    assert skills.answered(task, f"It is {right}!") is True
    assert skills.answered(task, f"{wrong}.") is False
    assert skills.answered(task, f"The answer is {right}, my friend.") is True
    for noise in (f"lamp {right} door", f"turn {right} off", f"i take {right} of them .", f"is it {right} ?"):
        assert skills.answered(task, noise) is None, noise
    for reply in ("", "ten", f"{right} {right}", f"{right} or {wrong}", f"<think> {right}", f"1{right}", "-"):
        assert skills.answered(task, reply) is None, reply
