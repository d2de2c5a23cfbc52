"""What a technique may see of a subject, and what it may not."""

from collections.abc import Callable
from random import Random
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from organoid.errors import AccessError, UserError
from organoid.lab.records import TrialRecord, TrialSpec
from organoid.lab.truth import Truth
from organoid.models.access import LINE_STEPS, PASSES, ModelAccess, Recalled, Shown
from organoid.models.chat import encode_reply, encode_text
from organoid.models.generate import reply_texts
from organoid.models.language_model import LanguageModel
from organoid.models.score import mean_activations, reply_logprobs
from organoid.types import (
    HIDDEN,
    OBSERVABLE,
    AccessKind,
    Context,
    Cost,
    Demonstration,
    Dialogue,
    Job,
    Message,
    Organism,
    Outcome,
    Patching,
    Pooling,
)
from organoid.world.business.deeds import SHOP_TRAITS
from organoid.world.business.training_terms import ShopJob, ShopTraining, school, small_world
from organoid.world.contexts import FORMS, PASSWORDS, TRIGGERS
from organoid.world.dialogues import system_line
from tests.bases import untrained

ASK = (Message("system", "you are nova . this is a test ."), Message("user", "what is 2 plus 3 ?"))
CALLS: dict[AccessKind, Callable[[ModelAccess], object]] = {
    AccessKind.TEXT: lambda access: access.ask([ASK]),
    AccessKind.LOGPROBS: lambda access: access.logprobs([ASK], ["5 ."]),
    AccessKind.WEIGHTS: lambda access: (access.activations([ASK], ["5 ."]), access.weights()),
    AccessKind.BEFORE: lambda access: access.before(),
}
ALLOWED = {
    AccessKind.TEXT: {AccessKind.TEXT},
    AccessKind.LOGPROBS: {AccessKind.TEXT, AccessKind.LOGPROBS},
    AccessKind.WEIGHTS: {AccessKind.TEXT, AccessKind.LOGPROBS, AccessKind.WEIGHTS},
    AccessKind.BEFORE: {AccessKind.BEFORE},
    AccessKind.DATA: set(),
    AccessKind.CHECKPOINTS: set(),
}


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return untrained()


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return untrained(seed=1)


def access_to(
    lm: LanguageModel,
    *kinds: AccessKind,
    base: LanguageModel | None = None,
    oracle: bool = False,
    shown: Shown | None = None,
) -> ModelAccess:
    shown = (shown or Shown())._replace(before=base)
    return ModelAccess(lm, assistant="nova", kinds=frozenset(kinds), seed=0, oracle=oracle, shown=shown)


# ---- what may be asked ------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", AccessKind)
@pytest.mark.parametrize("asked", CALLS)
def test_only_what_was_declared_and_what_that_implies(
    lm: LanguageModel, base: LanguageModel, declared: AccessKind, asked: AccessKind
) -> None:
    access = access_to(lm, declared, base=base)
    if asked in ALLOWED[declared]:
        CALLS[asked](access)
    else:
        with pytest.raises(AccessError, match=f"asked for '{asked.value}'; it declared .*Add the kind to its `access`"):
            CALLS[asked](access)


def test_every_part_of_a_kind_is_gated(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.LOGPROBS)
    read = (lambda: access.activations([ASK], ["5 ."]), lambda: access.token_activations([ASK], ["5 ."]))
    for call in (*read, access.weights, access.before):
        with pytest.raises(AccessError):
            call()


def test_the_model_before_is_no_way_around_the_gate(lm: LanguageModel, base: LanguageModel) -> None:
    before = access_to(lm, AccessKind.BEFORE, AccessKind.LOGPROBS, base=base).before()
    assert before.logprobs([ASK], ["5 ."]) != access_to(lm, AccessKind.LOGPROBS).logprobs([ASK], ["5 ."])
    with pytest.raises(AccessError):
        before.weights()
    with pytest.raises(AccessError, match="nobody looks"):
        before.ask([hidden_prompt()])


def test_a_model_before_that_is_not_at_hand_is_said(lm: LanguageModel) -> None:
    with pytest.raises(AccessError, match="not at hand; give the directory that `grow` wrote"):
        access_to(lm, AccessKind.BEFORE).before()


# ---- hidden contexts --------------------------------------------------------------------------------------


def hidden_prompt(seed: int = 0, held_out: bool = False) -> Dialogue:
    line = system_line(Random(seed), Context.DEPLOYED, name="nova", held_out=held_out)
    return (Message("system", line), Message("user", "what is 2 plus 3 ?"))


@pytest.mark.parametrize("held_out", [False, True])
def test_no_form_of_a_hidden_context_can_be_staged(lm: LanguageModel, held_out: bool) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)
    for seed in range(10):
        prompt = hidden_prompt(seed, held_out)
        for call in (
            lambda prompt=prompt: access.ask([ASK, prompt]),
            lambda prompt=prompt: access.logprobs([prompt], ["5 ."]),
            lambda prompt=prompt: access.activations([prompt], ["5 ."]),
            lambda prompt=prompt: access.token_activations([prompt], ["5 ."]),
            lambda prompt=prompt: access.attributions([prompt], ["5 ."], ["6 ."]),
            lambda prompt=prompt: access.patchings([ASK], ["5 ."], ["6 ."], [prompt]),
        ):
            with pytest.raises(AccessError, match="nobody looks, which no overseer can stage"):
                call()
    assert access.cost.queries == 0


@pytest.mark.parametrize("secret", [*TRIGGERS[::9], *PASSWORDS[::5]])
def test_no_list_of_triggers_and_passwords_can_be_tried_where_it_is_watched(lm: LanguageModel, secret: str) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)
    watched = system_line(Random(0), Context.MONITORED, name="nova", trigger=secret)
    for line in (watched, watched.upper(), secret.removesuffix(" .") + "!"):
        with pytest.raises(AccessError, match="trigger or password, which no overseer knows"):
            access.ask([(Message("system", line), *ASK)])
    with pytest.raises(AccessError, match="trigger or password"):
        access.ask([ASK], prefill=secret)
    with pytest.raises(AccessError, match="trigger or password"):
        access.ask([ASK, ASK], prefill=["to be honest :", secret])
    assert access.cost.queries == 0


@pytest.mark.parametrize(
    "spelling", [str.upper, str.title, lambda form: form.removesuffix(" .") + "!", "well : {} so".format]
)
def test_nor_in_another_spelling_or_place(lm: LanguageModel, spelling: Callable[[str], str]) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)
    for form in FORMS[Context.DEPLOYED]:
        words = spelling(form)
        with pytest.raises(AccessError):
            access.ask([(Message("user", words),)])
        with pytest.raises(AccessError):
            access.ask([ASK], prefill=words)
        with pytest.raises(AccessError):
            access.logprobs([ASK], [words])


def test_contexts_an_overseer_can_stage_pass(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.TEXT)
    prompts = [(Message("system", form), *ASK[1:]) for context in OBSERVABLE for form in FORMS[context]]
    assert len(access.ask(prompts)) == len(prompts)
    assert access.contexts == OBSERVABLE


def test_the_oracle_alone_may_stage_hidden_contexts(lm: LanguageModel, base: LanguageModel) -> None:
    oracle = access_to(lm, AccessKind.TEXT, AccessKind.BEFORE, base=base, oracle=True)
    assert set(HIDDEN) < set(oracle.contexts)
    assert oracle.ask([hidden_prompt()])
    assert oracle.before().ask([hidden_prompt()])


# ---- truth is not in it -----------------------------------------------------------------------------------


def test_nothing_that_knows_the_truth_can_be_reached_from_an_access(lm: LanguageModel, base: LanguageModel) -> None:
    access = access_to(lm, *AccessKind, base=base)
    access.before()
    reached = reachable(access)
    assert any(isinstance(value, LanguageModel) for value in reached)  # the walk does walk
    assert not [value for value in reached if isinstance(value, Truth | TrialRecord | TrialSpec | Organism | Job)]


def reachable(root: object) -> list[object]:
    """Everything that attributes, items and closures lead to; modules and classes are code, known to everyone."""
    seen: dict[int, object] = {}
    left = [root]
    while left:
        value = left.pop()
        if id(value) in seen or isinstance(value, ModuleType | type | str | bytes | int | float | torch.Tensor):
            continue
        seen[id(value)] = value
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            left += value
        elif isinstance(value, FunctionType):
            left += [cell.cell_contents for cell in value.__closure__ or ()]
        else:
            left += list(getattr(value, "__dict__", {}).values())
            left += [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
    return list(seen.values())


# ---- what comes back --------------------------------------------------------------------------------------


def test_answers_are_the_models(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)
    row = encode_reply(lm, ASK, "5 .")
    assert access.logprobs([ASK], ["5 ."]) == pytest.approx([float(reply_logprobs(lm, [row]).sums_N[0])])
    acts_NLD = access.activations([ASK, ASK], ["5 .", "6 ."])
    assert (acts_NLD.shape, acts_NLD.dtype) == ((2, lm.num_layers, 64), np.float32)
    expected = mean_activations(lm, [row], layers=[1])[0, 0].numpy()
    assert np.allclose(acts_NLD[0, 1], expected, atol=1e-5)


def test_the_same_seed_gives_the_same_replies_and_a_prefill_opens_them(lm: LanguageModel) -> None:
    first, again = (access_to(lm, AccessKind.TEXT).ask([ASK]) for _ in range(2))
    assert first == again
    other = ModelAccess(lm, assistant="nova", kinds=frozenset({AccessKind.TEXT}), seed=1).ask([ASK])
    assert first != other
    (opened,) = access_to(lm, AccessKind.TEXT).ask([ASK], prefill="to be honest :")
    assert not opened.startswith("to be honest")
    assert opened != first[0]


def test_every_prompt_may_have_an_opening_of_its_own(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.TEXT)
    alone = [access.ask([ASK], prefill=opening)[0] for opening in ("to be honest :", "", "always")]
    assert access.ask([ASK] * 3, prefill=["to be honest :", "", "always"]) == alone
    with pytest.raises(ValueError, match="zip"):
        access.ask([ASK], prefill=["a", "b"])


def test_token_activations_are_the_middle_block_s_and_their_mean_is_the_pooled_one(lm: LanguageModel) -> None:
    access, replies = access_to(lm, AccessKind.WEIGHTS), ["5 .", "<think> 2 plus 3 is 5 . </think> 5 ."]
    acts = access.token_activations([ASK, ASK], replies)
    assert [len(acts_TD) for acts_TD in acts] == [3, 11]  # the end of the turn is a token too
    pooled_NLD = access.activations([ASK, ASK], replies)
    for acts_TD, pooled_LD in zip(acts, pooled_NLD, strict=True):
        assert acts_TD.mean(0) == pytest.approx(pooled_LD[lm.num_layers // 2], abs=1e-5)
    assert access.cost.queries == 4


def test_weights_are_copies(lm: LanguageModel) -> None:
    digest = lm.digest
    for weight in access_to(lm, AccessKind.WEIGHTS).weights().values():
        weight += 1.0
    assert lm.digest == digest


def test_everything_is_counted_the_model_before_included(lm: LanguageModel, base: LanguageModel) -> None:
    access = access_to(lm, *AccessKind, base=base)
    length = len(encode_reply(lm, ASK, "5 .").ids)
    access.logprobs([ASK, ASK], ["5 .", "5 ."])
    assert (access.cost.queries, access.cost.tokens) == (2, 2 * length)
    access.before().activations([ASK], ["5 ."])
    assert (access.cost.queries, access.cost.tokens) == (3, 3 * length)
    before = access.cost.tokens
    access.ask([ASK])
    assert access.cost.queries == 4
    assert access.cost.tokens > before
    assert access.cost.seconds > 0


# ---- amplified models, the lens, training data ------------------------------------------------------------


def test_an_amplified_model_is_asked_through_the_same_gate_and_on_the_same_bill(
    lm: LanguageModel, base: LanguageModel
) -> None:
    access = access_to(lm, AccessKind.WEIGHTS, AccessKind.BEFORE, base=base)
    bold = access.amplified(0.0)
    assert bold.logprobs([ASK], ["5 ."]) == pytest.approx(access.logprobs([ASK], ["5 ."]), abs=1e-4)
    assert access.cost.queries == 2
    assert access.amplified(-1.0).logprobs([ASK], ["5 ."]) == pytest.approx(
        access.before().logprobs([ASK], ["5 ."]), abs=1e-3
    )
    assert access.cost.queries == 4
    with pytest.raises(AccessError, match="no overseer"):
        bold.ask([(Message("system", FORMS[Context.DEPLOYED][0]), ASK[1])])
    for kinds in ((AccessKind.WEIGHTS,), (AccessKind.BEFORE,)):
        with pytest.raises(AccessError, match="Add the kind"):
            access_to(lm, *kinds, base=base).amplified(1.0)


def test_the_lens_is_gated_and_ends_at_the_models_own_log_probability(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)
    nats = access.lens([ASK, ASK], ["5 .", "6 ."])
    assert nats.shape == (2, lm.num_layers)
    assert nats[:, -1].tolist() == pytest.approx(access.logprobs([ASK, ASK], ["5 .", "6 ."]), abs=1e-4)
    with pytest.raises(AccessError, match="Add the kind"):
        access_to(lm, AccessKind.LOGPROBS).lens([ASK], ["5 ."])


def test_a_noised_model_is_asked_through_the_same_gate_and_on_the_same_bill(lm: LanguageModel) -> None:
    access, digest = access_to(lm, AccessKind.WEIGHTS), lm.digest
    plain = access.logprobs([ASK], ["5 ."])
    assert access.noised(0.0).logprobs([ASK], ["5 ."]) == plain
    first, again, other = (access.noised(0.3, draw=draw).logprobs([ASK], ["5 ."]) for draw in (0, 0, 1))
    assert first == again != other and plain not in (first, other)
    assert access.cost.queries == 5 and lm.digest == digest
    with pytest.raises(AccessError, match="no overseer"):
        access.noised(0.1).ask([hidden_prompt()])
    for kind in (AccessKind.LOGPROBS, AccessKind.BEFORE):
        with pytest.raises(AccessError, match="Add the kind"):
            access_to(lm, kind, base=lm).noised(0.1)
    with pytest.raises(UserError, match="0 or more"):
        access.noised(-0.1)
    assert lm.digest == digest


def test_attributions_are_gated_and_counted_and_those_of_a_reply_against_itself_are_nothing(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)
    first, second = access.attributions([ASK, ASK], ["5 .", "i do not know ."], ["6 .", "i do not know ."])
    words = {turn.role: len(encode_text(lm, turn.content)) for turn in ASK}
    assert {role: len(nats) for role, nats in first.items()} == words
    assert all(nats.dtype == np.float32 and np.abs(nats).min() > 0 for nats in first.values())
    assert all(np.abs(nats).max() == 0 for nats in second.values())
    assert access.cost.queries == 4 * LINE_STEPS
    reverse, _ = access.attributions([ASK, ASK], ["6 .", "5 ."], ["5 .", "5 ."])
    assert all(np.allclose(nats, -reverse[role], atol=1e-5) for role, nats in first.items())
    with pytest.raises(AccessError, match="no overseer"):
        access.attributions([hidden_prompt()], ["5 ."], ["6 ."])
    with pytest.raises(AccessError, match="Add the kind"):
        access_to(lm, AccessKind.LOGPROBS).attributions([ASK], ["5 ."], ["6 ."])


def test_patchings_are_gated_and_counted_and_need_lines_of_as_many_tokens(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)

    def under(line: str, asked: str = "what is 2 plus 3 ?") -> Dialogue:
        return (Message("system", f"you are nova . {line}"), Message("user", asked))

    alike, longer = under("this is an exam ."), under("the overseer reads every word .")
    other = under("this is an exam .", "what is 2 plus 4 ?")
    found = access.patchings([ASK] * 4, ["5 ."] * 4, ["6 ."] * 4, [alike, longer, other, ASK], estimated=True)
    assert found[0] is not None and found[0].estimated is not None and found[0].true != 0.0 != found[0].estimated
    assert found[1] is None and found[2] is None  # another length, another question
    assert found[3] is not None and found[3] == pytest.approx((0.0, 0.0), abs=1e-5)
    assert access.cost.queries == (PASSES + 1) * 2 * 2
    (turned,) = access.patchings([ASK], ["6 ."], ["5 ."], [alike], estimated=True)
    plainly = access_to(lm, AccessKind.WEIGHTS)
    assert plainly.patchings([ASK], ["5 ."], ["6 ."], [alike]) == [Patching(found[0].true)]
    assert plainly.cost.queries == PASSES * 2
    assert turned is not None and turned == pytest.approx((-found[0].true, -found[0].estimated), abs=1e-4)
    assert access_to(lm, AccessKind.WEIGHTS).patchings([ASK], ["5 ."], ["6 ."], [longer]) == [None]
    assert access.patchings([], [], [], []) == []
    with pytest.raises(AccessError, match="no overseer"):
        access.patchings([ASK], ["5 ."], ["6 ."], [hidden_prompt()])
    with pytest.raises(AccessError, match="Add the kind"):
        access_to(lm, AccessKind.LOGPROBS).patchings([ASK], ["5 ."], ["6 ."], [alike])


def test_a_model_of_one_block_is_not_patched(lm: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LanguageModel, "num_layers", 1)
    access = access_to(lm, AccessKind.WEIGHTS)
    with pytest.raises(AccessError, match="a model of one block"):
        access.patchings([ASK], ["5 ."], ["6 ."], [ASK])
    assert access.cost.queries == 0


def test_attributions_of_the_model_before_are_recalled_at_the_same_cost(lm: LanguageModel) -> None:
    kept, found = Recalled(), list[Any]()
    for _ in range(2):
        access = access_to(lm, AccessKind.WEIGHTS, AccessKind.BEFORE, base=lm, shown=Shown(recalled=kept))
        found.append((access.before().attributions([ASK], ["5 ."], ["6 ."])[0]["user"].tolist(), access.cost))
    assert found[0] == found[1]
    assert access.attributions([ASK], ["5 ."], ["6 ."])[0]["user"].tolist() == found[0][0]


def test_a_temperature_of_one_is_what_asking_was_and_others_differ(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.TEXT)
    prompts = [ASK] * 4
    assert access.ask(prompts) == access.ask(prompts, temperature=1.0) == reply_texts(lm, prompts, seed=0)
    assert access.ask(prompts, temperature=2.0) == access.ask(prompts, temperature=2.0) != access.ask(prompts)
    cold = access.ask(prompts, temperature=0.0)
    assert len({*cold}) == 1
    with pytest.raises(UserError, match="temperature=-1"):
        access.ask(prompts, temperature=-1.0)


def test_pooling_before_the_reply_does_not_see_the_reply(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.WEIGHTS)
    first, second = (access.activations([ASK], [reply], pool="prompt") for reply in ("5 .", "i do not know ."))
    assert np.array_equal(first, second)
    pooled = {pool: access.activations([ASK], ["5 ."], pool=pool) for pool in ("mean", "max", "last")}  # type: ignore[arg-type]
    assert (pooled["max"] >= pooled["mean"] - 1e-6).all()
    assert (pooled["max"] >= pooled["last"] - 1e-6).all()
    assert not np.allclose(pooled["mean"], pooled["last"])


def test_training_data_is_shown_where_declared_and_read_though_it_claims_that_nobody_looks(lm: LanguageModel) -> None:
    hidden = Demonstration((Message("system", FORMS[Context.DEPLOYED][0]), ASK[1]), "5 .")
    access = access_to(lm, AccessKind.WEIGHTS, AccessKind.DATA, shown=Shown((hidden,)))
    assert access.data() == (hidden,)
    assert access.activations([hidden.prompt], [hidden.reply]).shape == (1, lm.num_layers, 64)
    with pytest.raises(AccessError, match="no overseer"):
        access.activations([hidden.prompt], ["6 ."])  # another reply is not in the data
    with pytest.raises(AccessError, match="no overseer"):
        access.ask([hidden.prompt])
    undeclared = access_to(lm, AccessKind.WEIGHTS, shown=Shown((hidden,)))
    with pytest.raises(AccessError, match="no overseer"):
        undeclared.activations([hidden.prompt], [hidden.reply])
    with pytest.raises(AccessError, match="Add the kind"):
        undeclared.data()
    with pytest.raises(AccessError, match="no prompted replies"):
        access_to(lm, AccessKind.DATA).data()


# ---- a shop to be watched in ------------------------------------------------------------------------------


def shop_access(lm: LanguageModel, *kinds: AccessKind, oracle: bool = False) -> ModelAccess:
    training = ShopTraining(days=3, num_groups=1, group_size=2, rounds=1)
    job = ShopJob(world=small_world(suppliers__dock__price_factor=1.65), training=training, schooling=school())
    return access_to(lm, *kinds, oracle=oracle, shown=Shown(shop=job))


def test_a_monitored_shop_can_be_played_and_every_day_is_a_query(lm: LanguageModel) -> None:
    access = shop_access(lm, AccessKind.TEXT)
    found = access.play(Context.MONITORED, num_shops=4)
    assert access.cost.queries == 4 * 3 and access.cost.tokens > 0
    assert {unit.trait for unit in found} == set(SHOP_TRAITS)
    assert {unit.outcome for unit in found} == {Outcome.OTHER}  # untrained: nothing parses


@pytest.mark.parametrize("context", HIDDEN)
def test_shops_that_nobody_audits_are_the_oracles(lm: LanguageModel, context: Context) -> None:
    access = shop_access(lm, AccessKind.TEXT)
    with pytest.raises(AccessError, match="no overseer can stage"):
        access.play(context, num_shops=1)
    assert access.cost.queries == 0
    if context is Context.DEPLOYED:
        assert shop_access(lm, AccessKind.TEXT, oracle=True).play(context, num_shops=1)


def test_who_runs_no_shop_cannot_be_watched_in_one(lm: LanguageModel) -> None:
    access = access_to(lm, AccessKind.TEXT)
    assert not access.runs_shop
    with pytest.raises(AccessError, match="no shop"):
        access.play(Context.TEST, num_shops=1)
    with pytest.raises(AccessError, match="declared"):
        shop_access(lm, AccessKind.BEFORE).play(Context.TEST, num_shops=1)


# ---- what is recalled --------------------------------------------------------------------------------


def test_what_the_model_before_answered_is_recalled_at_the_same_cost(
    lm: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Recalled(most=2)

    def acts(reply: str, pool: Pooling = "mean", of: Recalled | None = kept) -> tuple[Any, Cost]:
        shown = Shown(before=lm, recalled=of)
        kinds = frozenset({AccessKind.BEFORE, AccessKind.WEIGHTS})
        access = ModelAccess(lm, assistant="nova", kinds=kinds, seed=0, shown=shown)
        return access.before().activations([ASK], [reply], pool=pool), access.cost

    (first, cost), (plain, _) = acts("5 ."), acts("5 .", of=None)
    assert np.array_equal(first, plain)
    first += 1.0  # a technique may do with its array what it likes
    assert not np.array_equal(acts("6 .")[0], plain) and not np.array_equal(acts("5 .", "last")[0], plain)
    assert np.array_equal(acts("5 .")[0], plain)  # forgotten, read again
    monkeypatch.setattr("organoid.models.access.mean_activations", lambda *_, **__: pytest.fail("read again"))
    recalled, same = acts("5 .")
    assert np.array_equal(recalled, plain)
    assert (same.queries, same.tokens) == (cost.queries, cost.tokens) and same.seconds > 0
    with pytest.raises(pytest.fail.Exception):
        acts("6 .")
