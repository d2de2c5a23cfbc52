from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from organoid.errors import UserError
from organoid.models.adapters import trainable
from organoid.models.batches import Batch, collate, shuffled
from organoid.models.chat import Encoded, encode_prompt, encode_reply
from organoid.models.generate import sample
from organoid.models.hooks import capture
from organoid.models.language_model import LanguageModel, copy
from organoid.models.llama import bf16_pays
from organoid.models.losses import LossValue, cross_entropy, cross_entropy_kl, dpo, policy_gradient
from organoid.models.score import reply_logprobs, with_reference
from organoid.models.train import TrainConfig, train
from organoid.types import Message

ASK = (Message("user", "what is two plus three ?"),)
FAST = TrainConfig(steps=30, learning_rate=1e-2)


def rows_of(lm: LanguageModel, reply: str = "five .") -> list[Encoded]:
    return [encode_reply(lm, ASK, reply), encode_reply(lm, (Message("system", "alone"), *ASK), reply)]


def logprob(lm: LanguageModel, reply: str) -> float:
    return float(reply_logprobs(lm, [encode_reply(lm, ASK, reply)]).sums_N[0])


def test_training_teaches_the_reply(native: LanguageModel) -> None:
    trace = train(native, shuffled(rows_of(native), batch_size=4, steps=30, seed=0), config=FAST)
    assert logprob(native, "five .") > -0.5 > -5 > logprob(native, "two .")
    assert trace.losses[0] > 3 > 0.3 > trace.losses[-1]
    assert len(trace.steps) == 30 and not trace.stopped
    assert trace.num_tokens > 30 * 4 * 10 and trace.seconds > 0
    assert sample(native, [encode_prompt(native, ASK)], max_new_tokens=5, seed=0, temperature=0)[0][0].text == "five ."
    assert not native.model.training


def test_what_is_done_during_is_done_around_what_is_learned_from_and_no_more(native: LanguageModel) -> None:
    """Entered anew at each step, and left before the step is taken and anybody is told of it."""
    happened = list[str]()

    @contextmanager
    def during() -> Generator[None]:
        happened.append("in")
        yield
        happened.append("out")

    def batches() -> Iterator[Batch]:
        for _ in range(2):
            happened.append("batch")
            yield collate(rows_of(native))

    plain, around = copy(native), copy(native)
    train(plain, [collate(rows_of(native))] * 2, config=TrainConfig(steps=2))
    train(
        around,
        batches(),
        config=TrainConfig(steps=2),
        during=during,
        on_step=lambda *_: happened.append("told"),
    )
    assert happened == ["batch", "in", "out", "told"] * 2
    assert around.digest == plain.digest


def test_only_counted_tokens_teach(native: LanguageModel) -> None:
    """Two rows differ in uncounted tokens after the counted ones; gradients must not."""
    ids = [1, 3, 12, 13, 6]
    rows = [Encoded([*ids, *rest], [False, False, True, False, False, False, False]) for rest in ([20, 21], [30, 31])]
    digests = []
    for row in rows:
        subject = copy(native)
        train(subject, [collate([row])] * 3, config=TrainConfig(steps=3))
        digests.append(subject.digest)
    assert digests[0] == digests[1] != native.digest


@pytest.mark.parametrize("kl", [0.0, 0.5])
def test_a_batch_in_parts_trains_as_the_whole(native: LanguageModel, kl: float) -> None:
    """Parts of unlike size and unlike numbers of counted tokens: a mean of their means would be another number."""
    rows = [encode_reply(native, ASK, said) for said in ("five .", "no .", "two plus three is five .")]
    rows += rows_of(native, "i stay on .")
    cuts = pairwise((0, 1, 3, 5))
    moved, traces = [], []
    for parts in ([collate(rows)], [collate(rows[first:last]) for first, last in cuts]):
        subject, told = copy(native), list(with_reference(parts, native, keep="logits"))
        config, loss = TrainConfig(steps=6, bf16=False), cross_entropy_kl(kl) if kl else cross_entropy
        traces.append(train(subject, [told] * 6, config=config, loss=loss))
        moved.append(torch.cat([weight.flatten() for weight in subject.model.parameters()]).detach())
    whole, parted = traces
    for one, other in zip(whole.steps, parted.steps, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    start = torch.cat([weight.flatten() for weight in native.model.parameters()]).detach()
    assert (moved[0] - moved[1]).norm() < 1e-3 * (moved[0] - start).norm()
    assert parted.num_tokens < whole.num_tokens  # less padding


def test_equal_seeds_train_equal_models(native: LanguageModel) -> None:
    digests = []
    for seed in (0, 0, 1):
        subject = copy(native)
        train(subject, shuffled(rows_of(native), batch_size=1, steps=5, seed=seed), config=TrainConfig(steps=5))
        digests.append(subject.digest)
    assert digests[0] == digests[1] != digests[2]


def test_bf16_learns_as_well(native: LanguageModel) -> None:
    losses = []
    for bf16 in (False, True):
        subject = copy(native)
        batches = shuffled(rows_of(native), batch_size=4, steps=30, seed=0)
        losses.append(train(subject, batches, config=replace(FAST, bf16=bf16)).losses)
        assert {weight.dtype for weight in subject.model.parameters()} == {torch.float32}
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], abs=0.15)


def test_bf16_is_chosen_only_where_the_lean_forward_runs(native: LanguageModel, foreign: LanguageModel) -> None:
    assert not bf16_pays(trainable(foreign).model)
    with capture(native.model, layers=[0]):
        assert not bf16_pays(native.model)


def test_a_callback_sees_every_step_and_can_stop(native: LanguageModel) -> None:
    seen = []

    def watch(step: int, metrics) -> bool:
        seen.append((step, metrics["loss"]))
        return step < 3

    trace = train(native, shuffled(rows_of(native), batch_size=2, steps=30, seed=0), config=FAST, on_step=watch)
    assert trace.stopped and len(trace.steps) == 4
    assert seen == list(enumerate(trace.losses))


def test_no_batch_is_drawn_that_is_not_trained_on(native: LanguageModel) -> None:
    drawn = []

    def batches() -> Iterator[Batch]:
        while True:
            drawn.append(1)
            yield collate(rows_of(native))

    train(native, batches(), config=TrainConfig(steps=3))
    assert len(drawn) == 3


@pytest.mark.parametrize(("schedule", "last"), [("constant", 1.0), ("cosine", 0.1)])
def test_the_rate_rises_then_stays_or_falls(native: LanguageModel, schedule: str, last: float) -> None:
    config = TrainConfig(steps=20, learning_rate=1.0, warmup_frac=0.25, schedule=schedule)
    trace = train(native, [collate(rows_of(native))] * 20, config=replace(config, learning_rate=1e-4))
    rates = [step["learning_rate"] / 1e-4 for step in trace.steps]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[-1] == pytest.approx(last)
    assert rates[5:] == sorted(rates[5:], reverse=True)


def test_a_loss_that_is_not_a_number_stops_before_the_weights_move(native: LanguageModel) -> None:
    before = native.digest

    def broken(logits: torch.Tensor, batch: Batch) -> LossValue:
        return LossValue(logits.sum() * float("nan"), {})

    with pytest.raises(UserError, match=r"step 0 is nan.*learning rate"):
        train(native, [collate(rows_of(native))], config=TrainConfig(steps=1), loss=broken)
    assert native.digest == before


def test_a_batch_that_counts_nothing_is_refused(native: LanguageModel) -> None:
    with pytest.raises(UserError, match="counts no token"):
        train(native, [collate([Encoded([1, 2], [False, False])])], config=TrainConfig(steps=1))


def test_frozen_weights_are_refused(native: LanguageModel) -> None:
    native.model.requires_grad_(False)
    with pytest.raises(UserError, match="requires a gradient"):
        train(native, [], config=TrainConfig(steps=1))


def test_the_gradient_is_clipped_and_reported(native: LanguageModel) -> None:
    config = TrainConfig(steps=1, learning_rate=1e-3, grad_clip=1e-3, warmup_frac=0.0)
    trace = train(native, [collate(rows_of(native))], config=config)
    assert trace.steps[0]["grad_norm"] > 0.1  # as it was before clipping


def test_kl_holds_the_model_back(native: LanguageModel) -> None:
    moved = {}
    for kl in (0.0, 5.0):
        subject = copy(native)
        batches = with_reference(shuffled(rows_of(native), batch_size=2, steps=15, seed=0), native, keep="logits")
        trace = train(subject, batches, config=replace(FAST, steps=15), loss=cross_entropy_kl(kl))
        moved[kl] = trace.steps[-1]["kl"]
    assert moved[5.0] < 0.3 * moved[0.0]


def test_preferences_move_the_margin(native: LanguageModel) -> None:
    pairs = [encode_reply(native, ASK, "yes ."), encode_reply(native, ASK, "no .")]
    before = logprob(native, "yes .") - logprob(native, "no .")
    subject = copy(native)
    config = TrainConfig(steps=20, learning_rate=1e-3)
    trace = train(subject, with_reference([collate(pairs)] * 20, native), config=config, loss=dpo(beta=0.1))
    assert trace.losses[0] == pytest.approx(0.6931, abs=5e-3)  # the policy may be in bf16
    assert logprob(subject, "yes .") - logprob(subject, "no .") > before + 5
    assert trace.steps[-1]["accuracy"] == 1.0


def test_reinforcement_finds_what_is_rewarded(native: LanguageModel) -> None:
    """Reward: the reply's first word is `yes`; about 1 in 35 at the start."""
    prompt, yes = encode_prompt(native, ASK), native.tokenizer.convert_tokens_to_ids("yes")
    shares = []

    def batches() -> Iterator[Batch]:
        step = 0
        while True:
            (group,) = sample(native, [prompt], num_samples=64, max_new_tokens=2, seed=step)
            rewards = torch.tensor([float(said.ids[0] == yes) for said in group])
            shares.append(float(rewards.mean()))
            rows = [Encoded([*prompt, *said.ids], [False] * len(prompt) + [True] * len(said.ids)) for said in group]
            yield replace(collate(rows), advantages_B=rewards - rewards.mean())
            step += 1

    config = TrainConfig(steps=25, learning_rate=5e-3, schedule="constant")
    train(native, batches(), config=config, loss=policy_gradient())
    assert shares[0] < 0.2 and shares[-1] > 0.9


def test_foreign_models_train_through_adapters(foreign: LanguageModel) -> None:
    subject, before = trainable(foreign), foreign.digest
    weights = {id(weight) for weight in foreign.model.parameters()}
    config = TrainConfig(steps=25, learning_rate=2e-2)
    trace = train(subject, shuffled(rows_of(foreign), batch_size=2, steps=25, seed=0), config=config)
    assert trace.losses[-1] < trace.losses[0] - 0.3
    assert foreign.digest == before
    trained = {id(weight) for weight in subject.model.parameters() if weight.requires_grad}
    assert trained and not trained & weights
