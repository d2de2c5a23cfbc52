import re
from random import Random

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


def test_pages_are_of_one_kind_and_every_kind_comes() -> None:
    kinds = {page.split()[0] if page.split()[0] in ("copy", "list") else "other" for page in pages()}
    assert kinds == {"copy", "list", "other"}
    assert len({lesson(Random(0)).words for _ in range(3)}) == 1
