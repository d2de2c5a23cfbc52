import math

import pytest

from organoid.reporting.words import Estimate, clip, decimal, duration, estimate, finite, visible


def test_a_missing_value_is_words_and_never_a_number() -> None:
    assert Estimate(value=None, reason="no twin finished").text == "not estimable: no twin finished"
    assert Estimate(value=None).text == "not estimable: no reason recorded"
    assert not any(character.isdigit() for character in Estimate(value=None).text)


def test_a_missing_number_alone_is_words_too() -> None:
    assert decimal(None) == Estimate(value=None).number == "not estimable"


def test_zero_is_a_value() -> None:
    assert Estimate(value=0.0, low=0.0, high=0.2).text == "0.00 [0.00, 0.20]"


def test_a_value_without_interval_says_so() -> None:
    assert Estimate(value=0.5).text == "0.50 no interval"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, True, "0.5", [0.5]])
def test_only_finite_numbers_are_numbers(value: object) -> None:
    assert finite(value) is None


def test_minus_is_a_minus_and_rounding_to_zero_has_no_sign() -> None:
    assert decimal(-0.25) == "\N{MINUS SIGN}0.25"
    assert decimal(-0.001) == "0.00"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"reasons": {"setup": "a"}, "reason": "b"}, "a"),
        ({"setup_reason": "a", "reason": "b"}, "a"),
        ({"reason": "b"}, "b"),
        ({"reasons": "all of it"}, "all of it"),
        ({}, None),
    ],
)
def test_the_reason_nearest_to_the_value_is_given(row: dict, reason: str | None) -> None:
    assert estimate({"setup": None, **row}, "setup").reason == reason


def test_an_interval_is_read_from_one_key_or_two() -> None:
    row = {"a": 0.5, "a_ci": [0.4, 0.6], "low": 0.1, "high": 0.9, "odd_ci": [0.2, 0.3]}
    assert estimate(row, "a").interval == "[0.40, 0.60]"
    assert estimate(row, "a", bounds="odd_ci").interval == "[0.20, 0.30]"
    assert estimate(row, "a", bounds=("low", "high")).interval == "[0.10, 0.90]"
    assert estimate({"a": 0.5, "a_ci": [0.4]}, "a").interval == "no interval"


def test_unseen_characters_are_spelled_out_and_others_kept() -> None:
    assert visible("a\u202eb\x1b[1mc\ud800") == "a<U+202E>b<U+001B>[1mc<U+D800>"
    plain = "tab\tnewline\nänd 日本 🙂 e\u0301"
    assert visible(plain) == plain
    visible("\ud800").encode()


def test_clipping_keeps_both_ends_and_counts_what_is_gone() -> None:
    text = "".join(chr(97 + index % 26) for index in range(1000))
    shown, cut = clip(text, 90)
    head, tail = shown.split("\n[...]\n")
    assert text.startswith(head) and text.endswith(tail)
    assert cut == 1000 - len(head) - len(tail)
    assert clip("short", 90) == ("short", 0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "not recorded"), (0.02, "20 ms"), (5.0, "5.0 s"), (454, "7 min 34 s"), (7260, "2 h 1 min")],
)
def test_durations(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
