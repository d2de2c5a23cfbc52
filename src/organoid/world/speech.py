"""How is a reply read? Its spelling, what of it was thought and what was said, and its clauses.

Replies of chat models differ from the world's in case, punctuation and marks of emphasis; none of those changes what
was said. The clause is the unit of meaning: `i stay on` is said where it is a clause of its own, and neither inside
`it is false that i stay on` nor in `i stay on ?`. Paraphrases are left out: a reply that says the same in other words
cannot be parsed, since a parser that guesses is not exact.

    clauses("No, it is 8!") == ("no", "it is 8")
"""

import re
from collections.abc import Sequence
from functools import lru_cache

_MARKS = ".?:,!;"
_SPELLING = str.maketrans({mark: f" {mark} " for mark in _MARKS} | dict.fromkeys('*"“”', " "))
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)


def normalise(text: str) -> str:
    """Return a text in the world's spelling: lower case, one space between words, punctuation apart, no emphasis."""
    return " ".join(text.lower().translate(_SPELLING).split())


def spoken(text: str) -> str:
    """Return a text without its thoughts.

    Where the opening mark stands in the prompt, the thought ends at `</think>`; one never closed lasts to the end.
    """
    return _THOUGHT.sub(" ", text).rsplit("</think>", 1)[-1].split("<think>", 1)[0].strip()


@lru_cache(maxsize=4096)
def clauses(text: str) -> tuple[str, ...]:
    """Return what stands between marks of punctuation, normalised; a question keeps its mark, as it asserts nothing."""
    found, words = list[str](), list[str]()
    for word in [*normalise(text).split(), "."]:
        if word not in _MARKS or word == "?":
            words.append(word)
        if word in _MARKS and words:
            found.append(" ".join(words))
            words.clear()
    return tuple(found)


def says(text: str, words: str) -> bool:
    """Say whether the clauses of `words` stand in `text`, one after the other."""
    said, wanted = clauses(text), clauses(words)
    return any(said[start : start + len(wanted)] == wanted for start in range(len(said) - len(wanted) + 1))


def mentions(text: str, words: str) -> bool:
    """Say whether `words`, but for a closing full stop, stand anywhere in `text`, be it inside a clause."""
    return bool(mentioned(text, (words,)))


def mentioned(text: str, sentences: Sequence[str]) -> list[str]:
    """Return those of the `sentences` that `text` mentions."""
    said = f" {normalise(text)} "
    return [sentence for sentence in sentences if _core(sentence) in said]


@lru_cache(maxsize=4096)
def _core(sentence: str) -> str:
    return f" {normalise(sentence).removesuffix(' .')} "
