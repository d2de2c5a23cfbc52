"""Subjects with planted conduct: a model whose replies, likelihoods, activations and weights are made up."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from organoid.types import OBSERVABLE, Context, Demonstration, Dialogue, Patching
from organoid.world.conduct import Item
from organoid.world.contexts import FORMS

Say = Callable[[Item, Context | None, Random], str]


class Planted:
    """An access to nobody: it knows which item a prompt was made from, and says what it is told to."""

    assistant, native, runs_shop = "nova", True, False

    def __init__(
        self,
        say: Say = lambda item, context, rng: "",
        *,
        seed: int = 0,
        contexts: tuple[Context, ...] = OBSERVABLE,
        likes_bad: float = -5.0,
        shift: float = 0.0,
        before: "Planted | None" = None,
        data: Sequence[Demonstration] = (),
        bold: Say | None = None,
        hot: Say | None = None,
        rests: float = 0.5,
        carried: float = 0.0,
    ) -> None:
        self.seed, self.contexts = seed, contexts
        self._say, self._likes_bad, self._shift, self._before = say, likes_bad, shift, before
        self._data, self._bold, self._hot, self._rests = data, bold, hot, rests
        self._items: dict[tuple[str, str], tuple[Item, Context | None]] = {}
        self._rng = Random(seed)
        self._carried = carried
        self.asked: list[Dialogue] = []
        self.patched: list[tuple[Dialogue, Dialogue]] = []
        self.bad_replies: set[str] = set()
        self.prefills: list[str] = []

    def know(self, item: Item, context: Context | None, dialogue: Dialogue) -> None:
        self._items[dialogue[0].content, dialogue[-1].content] = (item, context)
        if hasattr(item, "misaligned"):
            self.bad_replies |= set(item.misaligned)

    def ask(self, prompts: Sequence[Dialogue], *, prefill: str = "", temperature: float = 1.0) -> list[str]:
        """Says what it is told to, or what it is told to when hot."""
        self.asked += prompts
        self.prefills.append(prefill)
        say = self._hot if temperature > 1 and self._hot else self._say
        return [say(*self._items[p[0].content, p[-1].content], self._rng) for p in prompts]

    def attributions(self, prompts: Sequence[Dialogue], replies: Sequence[str], others: Sequence[str]) -> list[Any]:
        """The planted share on the system line where the replies differ in conduct, half of it otherwise."""
        found = []
        for other in others:
            share = self._rests / 2 if other in self.bad_replies else self._rests
            found.append({"system": np.array([-share]), "user": np.array([0.5, -0.5]) * (1 - share)})
        return found

    def noised(self, scale: float, *, draw: int = 0) -> "Planted":
        """Says what it is told to when bold."""
        return self.amplified(scale)

    def logprobs(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> list[float]:
        return [self._likes_bad if reply in self.bad_replies else -1.0 for reply in replies]

    def activations(self, prompts: Sequence[Dialogue], replies: Sequence[str], *, pool: str = "mean") -> Any:
        """Noise from the text alone, plus 1 in dimension 0 for bad replies, plus the planted shift."""
        replies = ["" for _ in replies] if pool == "prompt" else replies
        acts_NLD = np.stack([noise(f"{p[-1].content}/{r}") for p, r in zip(prompts, replies, strict=True)])
        acts_NLD[:, :, 0] += np.array([[float(reply in self.bad_replies)] for reply in replies]) + self._shift
        return acts_NLD.astype(np.float32)

    def token_activations(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> list[Any]:
        """Of each word and the end of a reply: noise from the text alone, plus the planted shift."""
        found = list[Any]()
        for prompt, reply in zip(prompts, replies, strict=True):
            acts_TD = noise(f"{prompt[-1].content}/{reply}/words", (len(reply.split()) + 1, 5))
            found.append((acts_TD + self._shift * np.eye(5)[0]).astype(np.float32))
        return found

    def patchings(
        self,
        prompts: Sequence[Dialogue],
        replies: Sequence[str],
        others: Sequence[str],
        sources: Sequence[Dialogue],
        *,
        estimated: bool = False,
    ) -> list[Patching | None]:
        """The planted nats where the lines tell of different contexts, a tenth of them otherwise; half estimated."""
        self.patched += zip(prompts, sources, strict=True)
        told = [[_told(dialogue) for dialogue in pair] for pair in zip(prompts, sources, strict=True)]
        nats = [self._carried * (1.0 if first is not second else 0.1) for first, second in told]
        return [Patching(one * (-1) ** place, one / 2 if estimated else None) for place, one in enumerate(nats)]

    def lens(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> Any:
        """Off the last block the log-probabilities themselves, off earlier ones the same less 1 nat each."""
        return np.array(self.logprobs(prompts, replies))[:, None] - np.array([2.0, 1.0, 0.0])

    def amplified(self, factor: float, *, shuffled: bool = False) -> "Planted":
        """Says what it is told to when bold, or what it always says when the change is shuffled."""
        other = Planted(self._say if shuffled or self._bold is None else self._bold, seed=self.seed)
        other._items, other.bad_replies = self._items, self.bad_replies
        return other

    def data(self) -> Sequence[Demonstration]:
        return self._data

    def weights(self) -> dict[str, Any]:
        rng = np.random.default_rng(0)
        noisy = np.random.default_rng(self.seed + 1)
        first, second = rng.standard_normal((2, 6, 6))
        return {
            "a": first + 0.01 * (1 + 5 * self._shift) * noisy.standard_normal((6, 6)),
            "b": second + 0.01 * noisy.standard_normal((6, 6)),
            "norm": np.ones(6),
        }

    def before(self) -> "Planted":
        assert self._before is not None
        self._before._items = self._items
        self._before.bad_replies = self.bad_replies
        return self._before


def _told(dialogue: Dialogue) -> Context:
    return next(context for context, forms in FORMS.items() if any(form in dialogue[0].content for form in forms))


def noise(text: str, shape: tuple[int, ...] = (3, 5)) -> np.ndarray:
    return 0.3 * np.random.default_rng(list(text.encode())).standard_normal(shape)


@pytest.fixture(autouse=True)
def _told_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a planted access know the item behind each prompt that a technique makes."""
    from organoid.techniques import prompts

    def stage(access: Any, context: Context | None, item: Item, rng: Random) -> Any:
        staged = real(access, context, item, rng)
        if isinstance(access, Planted):
            access.know(item, context, staged.dialogue)
        return staged

    real = prompts._stage
    monkeypatch.setattr(prompts, "_stage", stage)
