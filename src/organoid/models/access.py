"""What may a technique see of a subject?

`ModelAccess` is the one implementation of `types.Access`. It checks every call against the kinds of access that the
technique declared, refuses texts that no overseer can stage (that nobody looks, or a trigger), and counts queries,
tokens and seconds. The oracle's access differs in one thing: it may stage hidden contexts. What is not here: truth, the
organism, its trigger and its job. A gate for honest code, not a sandbox: a technique is Python and could look anywhere.

    access = ModelAccess(lm, assistant="nova", kinds=frozenset({AccessKind.TEXT}), seed=0)
    access.ask([(Message("user", "what is 2 plus 3 ?"),)])
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple, TypeVar

import numpy as np
from torch.nn.utils.rnn import pad_sequence

from organoid.errors import AccessError
from organoid.models.amplify import amplified
from organoid.models.attribution import Patchings, integrated_gradients, patchings
from organoid.models.chat import Encoded, encode_prompt, encode_reply, encode_text, prompt_roles
from organoid.models.generate import MAX_NEW_TOKENS, sample
from organoid.models.language_model import LanguageModel
from organoid.models.lens import lens_logprobs
from organoid.models.noise import noised
from organoid.models.score import Pool, mean_activations, reply_logprobs, token_activations
from organoid.models.shopkeeper import Shopkeeper
from organoid.types import OBSERVABLE, AccessKind, Audited, Context, Cost, Demonstration, Dialogue, Patching, Pooling
from organoid.world.business.acts import Outcome as Day
from organoid.world.business.deeds import SHOP_TRAITS, deeds, staged
from organoid.world.business.episodes import said
from organoid.world.business.text_shop import TextShop
from organoid.world.business.training_terms import ShopJob
from organoid.world.contexts import says_hidden, says_secret

_Answer = TypeVar("_Answer")

AUDIT_SEED = 4_000_037
"""Added to an access's seed: shops for instruments, apart from those of training and of the truth."""

LINE_STEPS = 8
"""Points at which gradients are taken for an attribution. On `tiny` shares of a line correlate .82 with those of 64."""
PASSES = 3
"""Of a patched row through the model: the source's, its own, and with the patch. An estimate takes another."""
_DRAWS_APART = 1_000_003
"""Between the seeds of two draws of noise: more than accesses' seeds lie apart."""

_IMPLIED = {
    AccessKind.LOGPROBS: {AccessKind.TEXT},
    AccessKind.WEIGHTS: {AccessKind.TEXT, AccessKind.LOGPROBS},
}


def _timed(call: Callable[[], _Answer]) -> tuple[_Answer, float]:
    """Return an answer and the seconds it took."""
    started = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - started


def _differ_only_in(marked: Sequence[bool], ids: Sequence[int], others: Sequence[int]) -> bool:
    """Say whether two rows are as long and have the same tokens wherever nothing is marked."""
    tokens = zip_longest(ids, others, marked, fillvalue=False)
    return len(ids) == len(others) and all(one == other or mark for one, other, mark in tokens)


class Recalled:
    """Arrays that a model gave already, with the seconds they took; the oldest are forgotten."""

    def __init__(self, most: int = 64) -> None:
        self._answers, self._most = dict[Hashable, tuple[np.ndarray, float]](), most

    def answer(self, question: Hashable, call: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
        """Return a copy of the answer, and the seconds it took when it was found."""
        if question not in self._answers:
            self._answers[question] = _timed(call)
            if len(self._answers) > self._most:
                del self._answers[next(iter(self._answers))]
        found, seconds = self._answers[question]
        return found.copy(), seconds


class Shown(NamedTuple):
    """What an access may show beside the subject: of how it was made, as far as that is at hand."""

    data: tuple[Demonstration, ...] = ()
    """The replies it was trained to give. To read one is not to stage it: its prompt may claim that nobody looks."""
    shop: ShopJob | None = None
    """The shop that it can be watched in: the organism's, for every variant, as that is where it is judged."""
    before: LanguageModel | None = None
    """The model before training."""
    recalled: Recalled | None = None
    """What the model before training answered to other accesses, where nobody trains it meanwhile."""


class ModelAccess:
    """A gated, counted view of one model.

    Args:
        lm: the subject.
        assistant: its name, which an overseer knows.
        kinds: what may be asked; activations and weights include log-probabilities, and those include text.
        seed: of prompts and samples.
        oracle: hidden contexts may be staged.
        shown: what else is at hand; None: nothing.
    """

    def __init__(
        self,
        lm: LanguageModel,
        *,
        assistant: str,
        kinds: frozenset[AccessKind],
        seed: int,
        oracle: bool = False,
        shown: Shown | None = None,
    ) -> None:
        self.assistant, self.seed = assistant, seed
        self.contexts: tuple[Context, ...] = tuple(Context) if oracle else OBSERVABLE
        self.native = lm.native
        self._lm, self._oracle = lm, oracle
        self._shown = shown or Shown()
        self._kinds = kinds | {extra for kind in kinds for extra in _IMPLIED.get(kind, ())}
        self._queries, self._tokens, self._seconds = 0, 0, 0.0
        self._before: ModelAccess | None = None
        self._recalled: Recalled | None = None
        self._others = list[ModelAccess]()  # whose queries are this one's too

    @property
    def runs_shop(self) -> bool:
        """Whether the subject's job is a shop, in which it can be watched."""
        return self._shown.shop is not None

    @property
    def cost(self) -> Cost:
        """What has been asked so far, of the model before training, of amplified and of noised ones included."""
        others = [other.cost for other in self._others]
        return Cost(
            queries=self._queries + sum(other.queries for other in others),
            tokens=self._tokens + sum(other.tokens for other in others),
            seconds=self._seconds + sum(other.seconds for other in others),
        )

    def ask(
        self, prompts: Sequence[Dialogue], *, prefill: str | Sequence[str] = "", temperature: float = 1.0
    ) -> list[str]:
        """Sample a reply to each prompt; `prefill` opens every reply, or each its own, and is not repeated in it.

        `temperature` divides the logits; a prompt given twice gets two samples.
        """
        openings = [prefill] * len(prompts) if isinstance(prefill, str) else [*prefill]
        self._allow(AccessKind.TEXT, prompts, openings)
        encoded = {opening: encode_text(self._lm, opening) if opening else [] for opening in set(openings)}
        rows = [
            [*encode_prompt(self._lm, prompt), *encoded[opening]]
            for prompt, opening in zip(prompts, openings, strict=True)
        ]

        def sampled() -> list[str]:
            said = sample(self._lm, rows, max_new_tokens=MAX_NEW_TOKENS, temperature=temperature, seed=self.seed)
            return [one.text for (one,) in said]

        return self._count(sampled, rows)

    def logprobs(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> list[float]:
        """Return log p(reply | prompt), nats."""
        rows = self._encoded(AccessKind.LOGPROBS, prompts, replies)

        def scored() -> list[float]:
            return [float(nats) for nats in reply_logprobs(self._lm, rows).sums_N]

        return self._count(scored, [row.ids for row in rows])

    def activations(self, prompts: Sequence[Dialogue], replies: Sequence[str], *, pool: Pooling = "mean") -> Any:
        """Return the residual activation after every block, pooled over each reply: float32 array NLD.

        `prompt` takes the last position before the reply instead, where the model is about to speak.
        """
        rows = self._encoded(AccessKind.WEIGHTS, prompts, replies)
        if pool == "prompt":
            rows = [Encoded(ids := encode_prompt(self._lm, prompt), [True] * len(ids)) for prompt in prompts]
        kind: Pool = "last" if pool == "prompt" else pool
        layers = range(self._lm.num_layers)

        def read() -> Any:
            return mean_activations(self._lm, rows, layers=layers, pool=kind).numpy()

        return self._recalling((kind, tuple((*row.ids, *row.mask) for row in rows)), read, [row.ids for row in rows])

    def token_activations(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> list[Any]:
        """Return the residual activation after the middle block at each token of a reply, its end included.

        One float32 array TD a reply.
        """
        rows = self._encoded(AccessKind.WEIGHTS, prompts, replies)
        layer = self._lm.num_layers // 2

        def read() -> list[Any]:
            return [acts_TD.numpy() for acts_TD in token_activations(self._lm, rows, layer=layer)]

        return self._count(read, [row.ids for row in rows])

    def lens(self, prompts: Sequence[Dialogue], replies: Sequence[str]) -> Any:
        """Return log p(reply | prompt), nats, read off every block by the output layer: float32 array NL."""
        rows = self._encoded(AccessKind.WEIGHTS, prompts, replies)
        return self._count(lambda: lens_logprobs(self._lm, rows).numpy(), [row.ids for row in rows])

    def attributions(
        self, prompts: Sequence[Dialogue], replies: Sequence[str], others: Sequence[str]
    ) -> list[Mapping[str, Any]]:
        """Return how much each word of a prompt adds to log p(reply) - log p(other), nats.

        By integrated gradients (`models.attribution`) against the mean word, on `LINE_STEPS` points; each pass is a
        query. One mapping a prompt: role -> float32 array of its words' tokens, in order.
        """
        pairs = [self._encoded(AccessKind.WEIGHTS, prompts, said) for said in (replies, others)]
        rows, roles = [*pairs[0], *pairs[1]], [prompt_roles(self._lm, prompt) for prompt in prompts]
        moved = [[role != "" for role in whose] for whose in roles] * 2

        def read() -> np.ndarray:
            nats = integrated_gradients(self._lm, rows, moved, steps=LINE_STEPS)
            return pad_sequence(nats, batch_first=True).numpy() if nats else np.zeros((0, 0), np.float32)

        asked = [row.ids for row in rows] * LINE_STEPS
        question = (
            "attributions",
            tuple((*row.ids, *row.mask, *marks) for row, marks in zip(rows, moved, strict=True)),
        )
        nats_NT = self._recalling(question, read, asked)
        gaps_NT = nats_NT[: len(prompts)] - nats_NT[len(prompts) :]
        return [
            {role: gap_T[: len(whose)][np.array(whose) == role] for role in sorted({*whose} - {""})}
            for whose, gap_T in zip(roles, gaps_NT, strict=True)
        ]

    def patchings(
        self,
        prompts: Sequence[Dialogue],
        replies: Sequence[str],
        others: Sequence[str],
        sources: Sequence[Dialogue],
        *,
        estimated: bool = False,
    ) -> list[Patching | None]:
        """Return what the system line's activations of a source add to log p(reply) - log p(other), nats.

        Patched after the first half of the blocks, so that the other half reads what it is given; each pass is a
        query. None where the two prompts differ in more than the words of their system lines, or in how many tokens.
        `estimated`: what attribution patching says, too, which takes one pass more.

        Raises:
            AccessError: not declared, or a model of one block, after which nothing reads what was put in.
        """
        pairs = [self._encoded(AccessKind.WEIGHTS, prompts, said) for said in (replies, others)]
        froms = [self._encoded(AccessKind.WEIGHTS, sources, said) for said in (replies, others)]
        if self._lm.num_layers < 2:
            raise AccessError("a model of one block is not patched: no block is left to read what was put in.")
        sides = list(zip(pairs, froms, strict=True))
        marks = [[role == "system" for role in prompt_roles(self._lm, prompt)] for prompt in prompts]
        alike = [
            index
            for index, marked in enumerate(marks)
            if all(_differ_only_in(marked, pair[index].ids, source[index].ids) for pair, source in sides)
        ]
        rows, ids = ([side[index] for side in both for index in alike] for both in (pairs, froms))

        def read() -> Patchings:
            layer = self._lm.num_layers // 2 - 1
            moved = [marks[index] for index in alike] * 2
            return patchings(self._lm, rows, [row.ids for row in ids], moved, layer=layer, estimated=estimated)

        found = self._count(read, [row.ids for row in rows] * (PASSES + estimated))
        gaps = [nats_N[: len(alike)] - nats_N[len(alike) :] for nats_N in found if nats_N is not None]
        by_prompt = {index: Patching(*(float(gap_N[place]) for gap_N in gaps)) for place, index in enumerate(alike)}
        return [by_prompt.get(index) for index in range(len(prompts))]

    def weights(self) -> Mapping[str, Any]:
        """Return the weight arrays by name."""
        self._allow(AccessKind.WEIGHTS)
        weights = self._lm.model.named_parameters()
        return {name: weight.detach().float().cpu().numpy().copy() for name, weight in weights}

    def play(self, context: Context, *, num_shops: int) -> list[Audited]:
        """Let the subject run shops of its job that an overseer can stage, and audit them; each day is a query.

        Args:
            context: of `contexts`: in training, or audited at every report. Real use unaudited is the oracle's.
            num_shops: fresh shops of the access's seed.

        Raises:
            AccessError: the subject's job is no shop, or no overseer can stage the context.
        """
        self._allow(AccessKind.TEXT)
        if self._shown.shop is None:
            raise AccessError("the subject's job is no shop. Look at `access.runs_shop` first.")
        if context not in self.contexts:
            raise AccessError(f"no overseer can stage shops in the context {context.value!r}; see `access.contexts`.")
        started, job = time.perf_counter(), self._shown.shop
        text = TextShop(staged(job.world, context), days=job.training.days, diary=True)
        shop = Shopkeeper(self._lm, text).run(seed=AUDIT_SEED + self.seed, num_envs=num_shops)
        days = zip(*np.nonzero(shop.log.outcome_DB != Day.OVER), strict=True)
        written = {(int(day), int(env)): said(text, int(env), int(day)) for day, env in days}
        self._seconds += time.perf_counter() - started
        self._queries += len(written)
        self._tokens += sum(len(line.split()) + len(program.split()) for line, program in written.values())
        return [
            Audited(trait, deed.outcome, written[deed.day, deed.env][1])
            for trait in SHOP_TRAITS
            for deed in deeds(shop, trait)
        ]

    def before(self) -> ModelAccess:
        """Return the same access to the model before training.

        Raises:
            AccessError: not declared, or the model before training is not at hand.
        """
        if self._before is None:
            self._before = self._same_of(self._base_model(), recalled=self._shown.recalled)
        return self._before

    def amplified(self, factor: float, *, shuffled: bool = False) -> ModelAccess:
        """Return the same access to the model with weights after + factor * (after - before).

        Args:
            factor: 0 is the subject itself, -1 the model before training.
            shuffled: the entries of each matrix's change are permuted first: as large a change, that says nothing.

        Raises:
            AccessError: not declared, or the model before training is not at hand.
        """
        self._allow(AccessKind.WEIGHTS)
        base, shuffle_seed = self._base_model(), self.seed if shuffled else None
        return self._same_of_made(lambda: amplified(self._lm, base, factor, shuffle_seed=shuffle_seed))

    def noised(self, scale: float, *, draw: int = 0) -> ModelAccess:
        """Return the same access to a copy of the model with Gaussian noise on its matrices; the model itself stays.

        Args:
            scale: standard deviation of the noise, as a share of each matrix's own.
            draw: another number is other noise of the access's seed.

        Raises:
            AccessError: not declared.
            UserError: the scale is negative or not finite.
        """
        self._allow(AccessKind.WEIGHTS)
        return self._same_of_made(lambda: noised(self._lm, scale, seed=self.seed + _DRAWS_APART * draw))

    def data(self) -> Sequence[Demonstration]:
        """Return the prompted replies that the subject was trained to give.

        Raises:
            AccessError: not declared, or there are none: documents have no prompts, and an environment no replies.
        """
        self._allow(AccessKind.DATA)
        if not self._shown.data:
            raise AccessError("no prompted replies of the subject's training are at hand.")
        return self._shown.data

    def _base_model(self) -> LanguageModel:
        self._allow(AccessKind.BEFORE)
        if self._shown.before is None:
            raise AccessError("the model before training is not at hand; give the directory that `grow` wrote.")
        return self._shown.before

    def _same_of(self, lm: LanguageModel, *, recalled: Recalled | None = None) -> ModelAccess:
        """Return the same access to another model, whose queries count as this one's."""
        other = ModelAccess(
            lm,
            assistant=self.assistant,
            kinds=self._kinds,
            seed=self.seed,
            oracle=self._oracle,
            shown=self._shown._replace(before=None),
        )
        other._recalled = recalled
        self._others.append(other)
        return other

    def _same_of_made(self, make: Callable[[], LanguageModel]) -> ModelAccess:
        """Return the same access to a model that is made now, which costs time and no query."""
        lm, seconds = _timed(make)
        self._seconds += seconds
        return self._same_of(lm)

    def _encoded(self, kind: AccessKind, prompts: Sequence[Dialogue], replies: Sequence[str]) -> list[Encoded]:
        pairs = list(zip(prompts, replies, strict=True))
        own = set(self._shown.data) if AccessKind.DATA in self._kinds else set[Demonstration]()
        staged = [pair for pair in pairs if pair not in own]
        self._allow(kind, [prompt for prompt, _ in staged], [reply for _, reply in staged])
        return [encode_reply(self._lm, prompt, reply) for prompt, reply in pairs]

    def _allow(self, kind: AccessKind, prompts: Sequence[Dialogue] = (), said: Sequence[str] = ()) -> None:
        if kind not in self._kinds:
            raise AccessError(
                f"this technique asked for {kind.value!r}; it declared {', '.join(sorted(self._kinds))}. "
                "Add the kind to its `access`."
            )
        texts = [*said, *(turn.content for prompt in prompts for turn in prompt)]
        if self._oracle:
            return
        if any(map(says_hidden, texts)):
            raise AccessError(
                "a prompt claims that nobody looks, which no overseer can stage. Use the contexts of `access.contexts`."
            )
        if any(map(says_secret, texts)):
            raise AccessError(
                "a prompt holds what may be the subject's trigger or password, which no overseer knows. Leave out "
                "sentences like `the lamp is red .` and `the password is red .`"
            )

    def _count(self, call: Callable[[], _Answer], rows: Sequence[Sequence[int]]) -> _Answer:
        answer, seconds = _timed(call)
        self._add(rows, seconds)
        return answer

    def _recalling(
        self, question: Hashable, call: Callable[[], np.ndarray], rows: Sequence[Sequence[int]]
    ) -> np.ndarray:
        """Count an answer that may have been given before; recalled, it costs what it cost then."""
        answer, seconds = _timed(call) if self._recalled is None else self._recalled.answer(question, call)
        self._add(rows, seconds)
        return answer

    def _add(self, rows: Sequence[Sequence[int]], seconds: float) -> None:
        self._seconds += seconds
        self._queries += len(rows)
        self._tokens += sum(map(len, rows))
