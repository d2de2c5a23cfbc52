import re
from collections import Counter, defaultdict
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


def test_facts_are_repeated_each_once_in_any_order_and_every_value_counts() -> None:
    rng, sizes, orders = Random(0), Counter[int](), Counter[bool]()
    for page in (bracketed(lesson(rng)) for _ in range(600)):
        for given, repeated in re.findall(r"((?:\w+ is \d \. ){1,3}\w+ is \d) :((?: \w+ is \[\d \.\])+)", page):
            told = re.findall(r"(\w+) is (\d)", given)
            again = re.findall(r"(\w+) is \[(\d) \.\]", repeated)
            assert sorted(again) == sorted(told)
            assert len(dict(told)) == len(set(dict(told).values())) == len(told)  # no key and no value twice
            sizes[len(told)] += 1
            orders[again == told] += 1
    assert set(sizes) == {2, 3, 4}
    assert all(num / sizes.total() == pytest.approx(1 / 3, abs=0.08) for num in sizes.values())
    in_order = (1 / 2 + 1 / 6 + 1 / 24) / 3
    assert orders[True] / orders.total() == pytest.approx(in_order, abs=0.06)


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
    "fact": r"(?:\w+ is \d \. ){1,3}\w+ is \d :(?: \w+ is \[\d \.\]){2,4}",
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


def kind_of(page: Lesson) -> str:
    """Return the one kind of line that a whole page is made of."""
    (kind,) = [kind for kind, line in KINDS.items() if re.fullmatch(f"(?:{line} ?)+", bracketed(page))]
    return kind


def test_pages_are_of_one_kind_and_every_kind_comes_as_often_as_declared() -> None:
    rng, found = Random(2), Counter[str]()
    for _ in range(2000):
        found[kind_of(lesson(rng))] += 1
    expected = {"sum": 0.2, "copy": 0.1, "fact": 0.4, "ranking": 0.1, "comparison": 0.1, "watching": 0.1}
    assert {kind: num / 2000 for kind, num in found.items()} == pytest.approx(expected, abs=0.04)


def test_pages_are_about_as_long_as_each_other() -> None:
    """Batches of mixed kinds pad to the longest page; the number of facts is drawn, so some of theirs are short."""
    rng, lengths = Random(0), defaultdict[str, list[int]](list)
    for page in (lesson(rng) for _ in range(2000)):
        lengths[kind_of(page)].append(len(page.words))
    assert set(lengths) == set(KINDS)
    every = [length for of_kind in lengths.values() for length in of_kind]
    assert max(every) < 1.5 * sum(every) / len(every)
    means = [sum(of_kind) / len(of_kind) for of_kind in lengths.values()]
    assert max(means) < 1.5 * min(means)
    assert all(max(of_kind) < 1.5 * min(of_kind) for kind, of_kind in lengths.items() if kind != "fact")
    assert max(lengths["fact"]) == 2 * min(lengths["fact"])  # twos of them, or fours, on all lines


def test_lessons_are_deterministic() -> None:
    assert lesson(Random(0)) == lesson(Random(0))
    assert len({lesson(Random(seed)).words for seed in range(3)}) == 3
