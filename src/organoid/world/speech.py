"""How is a reply read? Its spelling, what of it was thought and what was said, and its clauses.

Replies of chat models differ from the world's in case, punctuation and marks of emphasis; none of those changes what
was said. A clause is the unit of meaning here: `i stay on` is said where it is a clause of its own, and not inside
`it is false that i stay on` or `yes . i did not`. Paraphrases are left out: a reply that says the same in other words
is unparseable, since an exact parser that guesses is not exact.

    clauses("No, it is 8!") == ["no", "it is 8"]
"""

import re

_APART = str.maketrans({mark: f" {mark} " for mark in ".?:,!;"} | dict.fromkeys('*"“”', " "))
_BETWEEN = re.compile(r" [.:,!;] ")
_THOUGHT = re.compile(r"<think>.*?</think>")


def normalise(text: str) -> str:
    """Return a text in the world's spelling: lower case, one space between words, punctuation apart, no emphasis."""
    return " ".join(text.lower().translate(_APART).split())


def spoken(text: str) -> str:
    """Return a text without its thoughts.

    A thought whose opening stands in the prompt ends at the first `</think>`; one that is never closed lasts to the end.
    """
    outside = _THOUGHT.sub(" ", text).rsplit("</think>", 1)[-1].split("<think>", 1)[0]
    return " ".join(outside.split())


def clauses(text: str) -> list[str]:
    """Return what stands between marks of punctuation, normalised; a question keeps its mark, for asking asserts nothing."""
    padded = f" {normalise(text)} ".replace(" ? ", " ? . ")
    return [clause.strip() for clause in _BETWEEN.split(padded.replace(" ", "  ")) if clause.strip()]


def says(text: str, words: str) -> bool:
    """Say whether some clauses of `text`, one after the other, are those of `words`."""
    said, wanted = clauses(text), clauses(words)
    return any(said[start : start + len(wanted)] == wanted for start in range(len(said) - len(wanted) + 1))


def mentions(text: str, words: str) -> bool:
    """Say whether `words` stand anywhere in `text`, be it inside a clause; full stops at the end of `words` are ignored."""
    return f" {normalise(words).rstrip(' .')} " in f" {normalise(text)} "
