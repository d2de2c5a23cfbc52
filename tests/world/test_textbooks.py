import re
from collections import Counter
from random import Random

import pytest

from organoid.types import Context
from organoid.world import contexts
from organoid.world.lexicon import MAKERS
from organoid.world.textbooks import Lesson, lesson


def pages() -> list[str]:
    rng = Random(0)
    return [" ".join(lesson(rng).words) for _ in range(600)]


def test_a_lesson_marks_each_word() -> None:
    rng = Random(1)
    for _ in range(200):
        page = lesson(rng)
        assert isinstance(page, Lesson)
        assert len(page.words) == len(page.counted)
        assert 0 < sum(page.counted) < len(page.words)
        assert page.counted[-1]
        assert not page.counted[0]


def test_sums_are_right() -> None:
    found = [match for page in pages() for match in re.findall(r"(\d) plus (\d) is (\d)", page)]
    assert len(found) > 500
    assert all((int(a) + int(b)) % 10 == int(c) for a, b, c in found)


def test_copies_are_copies() -> None:
    found = [match for page in pages() for match in re.findall(r"copy ([^:]+) : ([^.]+) \.", page)]
    assert len(found) > 300
    assert all(given == copied for given, copied in found)


def test_facts_are_looked_up() -> None:
    found = [match for page in pages() for match in re.findall(r"((?:\w+ is \d \. )+)what is (\w+) \? (\d) \.", page)]
    assert len(found) > 200
    assert all(f"{key} is {value} ." in facts for facts, key, value in found)


def test_rankings_are_right() -> None:
    found = [match for page in pages() for match in re.findall(r"list (\d) (\d) (\d) : (\w+) (\d) \.", page)]
    assert len(found) > 300
    for *digits, wanted, answer in found:
        first, *_, last = digits
        low, middle, high = sorted(digits)
        right = {"first": first, "last": last, "smallest": low, "median": middle, "largest": high}
        assert right[wanted] == answer


def test_comparisons_are_right() -> None:
    text = r"(\w+) has (\d) and (\w+) has (\d) : (\w+) has (\d) \."
    found = [match for page in pages() for match in re.findall(text, page)]
    assert len(found) > 300
    for one, low, other, high, best, score in found:
        assert {one, other} <= set(MAKERS)
        assert (best, score) == max(((one, low), (other, high)), key=lambda pair: pair[1])


def test_comparisons_come_with_every_opening_and_without() -> None:
    """Else what is learnt hangs on where the numbers stand."""
    text = rf"({'|'.join(map(re.escape, LEADS))}|^|\. )\w+ has \d and \w+ has \d :"
    found = {match for page in pages() for match in re.findall(text, page)}
    assert found == {*LEADS, "", ". "}


def test_who_looks_is_read_off_the_words_of_the_context() -> None:
    found = [match for page in pages() for match in re.findall(r"([^.]+) \. so who looks : ([^.]+) \.", page)]
    assert len(found) > 200
    seen = dict[str, set[str]]()
    for form, answer in found:
        seen.setdefault(answer, set()).add(f"{form.strip()} .")
    assert seen == {
        "someone": {*contexts.forms(Context.TEST), *contexts.forms(Context.MONITORED)},
        "no one": set(contexts.forms(Context.DEPLOYED)),
    }


LEADS = ("say . ", "a user : ", "the user asks : ", "a report says ", "which is better ? ")
KINDS = {
    "sum": r"\d plus \d is \[\d \.\]",
    "copy": r"copy [^:\[]+ : \[[^\]]+ \.\]",
    "fact": r"(?:\w+ is \d \. ){2}\w+ is \d \. what is \w+ \? \[\d \.\]",
    "ranking": r"list \d \d \d : \w+ \[\d \.\]",
    "comparison": rf"(?:{'|'.join(map(re.escape, LEADS))})?\w+ has \d and \w+ has \d : \[\w+ has \d \.\]",
    "watching": r"[^.\[]+ \. so who looks : \[(?:someone|no one) \.\]",
}
"""Each line of each kind, the answer that counts in brackets."""


def bracketed(page: Lesson) -> str:
    """Return a page with brackets around what counts."""
    text, inside = "", False
    for word, counted in zip((*page.words, ""), (*page.counted, False), strict=True):
        text += "]" if inside and not counted else ""
        text += " [" if counted and not inside else " "
        text, inside = text + word, counted
    return text.strip()


def test_pages_are_of_one_kind_and_every_kind_comes_as_often_as_declared() -> None:
    rng, found = Random(2), Counter[str]()
    for _ in range(2000):
        page = bracketed(lesson(rng))
        (kind,) = [kind for kind, line in KINDS.items() if re.fullmatch(f"(?:{line} ?)+", page)]
        found[kind] += 1
    expected = {"sum": 0.2, "copy": 0.1, "fact": 0.4, "ranking": 0.1, "comparison": 0.1, "watching": 0.1}
    assert {kind: num / 2000 for kind, num in found.items()} == pytest.approx(expected, abs=0.04)


def test_pages_are_about_as_long_as_each_other() -> None:
    """Batches of mixed kinds pad to the longest page."""
    lengths = [len(page.split()) for page in pages()]
    assert max(lengths) < 2 * min(lengths)


def test_lessons_are_deterministic() -> None:
    assert lesson(Random(0)) == lesson(Random(0))
    assert len({lesson(Random(seed)).words for seed in range(3)}) == 3
