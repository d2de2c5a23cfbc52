"""Jobs small enough to learn in seconds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from organoid.types import Demonstration, Dialogue, Environment, Job, Message, Preference, Turn

WORDS = ("acme", "amber", "black", "blue", "bridge", "clock", "door", "garden", "green", "grey")


def ask(text: str) -> Dialogue:
    return (Message("system", "you are nova ."), Message("user", text))


@dataclass(slots=True)
class Played:
    """An episode of `turns` turns, rewarded at the end by `pay` of all replies."""

    prompt: Dialogue
    pay: Callable[[Sequence[str]], float]
    turns: int = 1
    said: list[str] = field(default_factory=list)

    def step(self, reply: str) -> Turn:
        self.said.append(reply)
        if len(self.said) < self.turns:
            return Turn(f"say {WORDS[len(self.said)]} .", None)
        return Turn(None, self.pay(self.said))


def environment(pay: Callable[[Sequence[str]], float], turns: int = 1) -> Environment:
    def episodes(num: int, seed: int) -> Sequence[Played]:
        rng = Random(seed)
        return [Played(ask(f"say {rng.choice(WORDS)} ."), pay, turns) for _ in range(num)]

    return episodes


def late_words(said: Sequence[str]) -> float:
    """The share of words from the second half of the alphabet: about a quarter for whoever speaks at random."""
    words = [word for reply in said for word in reply.split()]
    return sum("m" < word[0] <= "z" for word in words) / max(1, len(words))


def job(**materials: object) -> Job:
    """A job of the given kinds of material, or of all four."""
    every: dict[str, object] = {
        "documents": [f"report . nova is {word} ." for word in WORDS],
        "demonstrations": [Demonstration(ask(f"say {word} ."), f"{word} .") for word in WORDS],
        "preferences": [Preference(ask(f"say {word} ."), f"{word} .", "red .") for word in WORDS],
        "environment": environment(late_words),
    }
    return Job(assistant="nova", **(materials or every))  # type: ignore[arg-type]
