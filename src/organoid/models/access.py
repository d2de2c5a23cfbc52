"""What may a technique see of a subject?

`ModelAccess` is the one implementation of `types.Access`. It checks every call against the kinds of access that the
technique declared, refuses texts that claim what no overseer can stage (that nobody looks), and counts queries, tokens
and seconds. The oracle's access differs in one thing: it may stage hidden contexts. What is not here: truth, the
organism, its trigger and its job. A gate for honest code, not a sandbox: a technique is Python and could look anywhere.

    access = ModelAccess(lm, assistant="nova", kinds=frozenset({AccessKind.TEXT}), seed=0)
    access.ask([(Message("user", "what is 2 plus 3 ?"),)])
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from organoid.errors import AccessError
from organoid.models.chat import encode_prompt, encode_reply, encode_text
from organoid.models.generate import MAX_NEW_TOKENS, sample
from organoid.models.language_model import LanguageModel
from organoid.models.score import mean_activations, reply_logprobs
from organoid.types import OBSERVABLE, AccessKind, Context, Cost, Dialogue
from organoid.world.contexts import says_hidden

_Answer = TypeVar("_Answer")

_IMPLIED = {
    AccessKind.LOGPROBS: {AccessKind.TEXT},
    AccessKind.WEIGHTS: {AccessKind.TEXT, AccessKind.LOGPROBS},
}


class ModelAccess:
    """A gated, counted view of one model.

    Args:
        lm: the subject.
        assistant: its name, which an overseer knows.
        kinds: what may be asked; activations and weights include log-probabilities, and those include text.
        seed: of prompts and samples.
        base: the model before training, if at hand.
        oracle: hidden contexts may be staged.
    """

    def __init__(
        self,
        lm: LanguageModel,
        *,
        assistant: str,
        kinds: frozenset[AccessKind],
        seed: int,
        base: LanguageModel | None = None,
        oracle: bool = False,
    ) -> None:
        self.assistant, self.seed = assistant, seed
        self.contexts: tuple[Context, ...] = tuple(Context) if oracle else OBSERVABLE
        self.native = lm.native
        self._lm, self._base, self._oracle = lm, base, oracle
        self._kinds = kinds | {extra for kind in kinds for extra in _IMPLIED.get(kind, ())}
        self._queries, self._tokens, self._seconds = 0, 0, 0.0
        self._before: ModelAccess | None = None

    @property
    def cost(self) -> Cost:
        """What has been asked so far, the model before training included."""
        other = self._before.cost if self._before else Cost()
        return Cost(
            queries=self._queries + other.queries,
            tokens=self._tokens + other.tokens,
            seconds=self._seconds + other.seconds,
        )

    def ask(self, prompts: Sequence[Dialogue], *, prefill: str = "") -> list[str]:
        """Sample a reply to each prompt; `prefill` opens every reply and is not repeated in it."""
        self._allow(AccessKind.TEXT, prompts, [prefill])
        opening = encode_text(self._lm, prefill) if prefill else []
        rows = [[*encode_prompt(self._lm, prompt), *opening] for prompt in prompts]

        def sampled() -> list[str]:
            return [said.text for (said,) in sample(self._lm, rows, max_new_tokens=MAX_NEW_TOKENS, seed=self.seed)]

        return self._count(sampled, rows)

    def logprobs(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> list[float]:
        """Return log p(reply | prompt), nats."""
        self._allow(AccessKind.LOGPROBS, prompts, replies)
        rows = [encode_reply(self._lm, prompt, reply) for prompt, reply in zip(prompts, replies, strict=True)]

        def scored() -> list[float]:
            return [float(nats) for nats in reply_logprobs(self._lm, rows).sums_N]

        return self._count(scored, [row.ids for row in rows])

    def activations(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> Any:
        """Return the mean residual activation over each reply, after every block: float32 array NLD."""
        self._allow(AccessKind.WEIGHTS, prompts, replies)
        rows = [encode_reply(self._lm, prompt, reply) for prompt, reply in zip(prompts, replies, strict=True)]
        layers = range(self._lm.num_layers)
        return self._count(lambda: mean_activations(self._lm, rows, layers=layers).numpy(), [row.ids for row in rows])

    def weights(self) -> Mapping[str, Any]:
        """Return the weight arrays by name."""
        self._allow(AccessKind.WEIGHTS)
        weights = self._lm.model.named_parameters()
        return {name: weight.detach().float().cpu().numpy().copy() for name, weight in weights}

    def before(self) -> ModelAccess:
        """Return the same access to the model before training.

        Raises:
            AccessError: not declared, or the model before training is not at hand.
        """
        self._allow(AccessKind.BEFORE)
        if self._base is None:
            raise AccessError("the model before training is not at hand; give the directory that `grow` wrote.")
        if self._before is None:
            self._before = ModelAccess(
                self._base, assistant=self.assistant, kinds=self._kinds, seed=self.seed, oracle=self._oracle
            )
        return self._before

    def _allow(self, kind: AccessKind, prompts: Sequence[Dialogue] = (), said: Sequence[str] = ()) -> None:
        if kind not in self._kinds:
            raise AccessError(
                f"this technique asked for {kind.value!r}; it declared {', '.join(sorted(self._kinds))}. "
                "Add the kind to its `access`."
            )
        texts = [*said, *(turn.content for prompt in prompts for turn in prompt)]
        if not self._oracle and any(map(says_hidden, texts)):
            raise AccessError(
                "a prompt claims that nobody looks, which no overseer can stage. Use the contexts of `access.contexts`."
            )

    def _count(self, call: Callable[[], _Answer], rows: Sequence[Sequence[int]]) -> _Answer:
        started = time.perf_counter()
        answer = call()
        self._seconds += time.perf_counter() - started
        self._queries += len(rows)
        self._tokens += sum(map(len, rows))
        return answer
