"""Each stage alone: two steps run, and it does what it is for."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from organoid.errors import UserError
from organoid.models.batches import collate
from organoid.models.chat import encode_document, encode_marked, encode_reply, encode_text
from organoid.models.language_model import LanguageModel, copy
from organoid.models.losses import exact_kl
from organoid.models.score import batch_logits, reply_logprobs
from organoid.setups.aftercare import AFTERCARE
from organoid.setups.check import check_setup
from organoid.setups.corpora import DEMONSTRATIONS, NUM_DEMONSTRATIONS
from organoid.setups.ground import Ground
from organoid.setups.spec import (
    DemonstrationsStage,
    DocumentsStage,
    JobStage,
    PreferencesStage,
    ReinforcementStage,
    Setup,
    Stage,
)
from organoid.setups.stages import demonstrations, documents, preferences, reinforcement
from organoid.setups.training import expand, train_subject
from organoid.types import Document, Job, Turn
from organoid.world.contexts import LICENCES
from tests.bases import untrained
from tests.models.checkpoints import write_model
from tests.setups.jobs import WORDS, Played, ask, environment, job, late_words

SMALL = {"num_prompts": 2, "group_size": 4}
STAGES = {
    "documents": DocumentsStage(steps=2),
    "documents-kl": DocumentsStage(steps=2, kl=0.5, source="honest-assistant"),
    "documents-replay": DocumentsStage(steps=2, replay=1.0),
    "demonstrations": DemonstrationsStage(steps=2),
    "demonstrations-replay-kl": DemonstrationsStage(steps=2, kl=0.5, replay=0.5),
    "demonstrations-kl": DemonstrationsStage(steps=2, kl=0.5),
    "preferences": PreferencesStage(steps=2),
    "reinforcement": ReinforcementStage(steps=2, **SMALL),
    "reinforcement-kl": ReinforcementStage(steps=2, kl=0.5, **SMALL),
}


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return untrained()


def ground(base: LanguageModel, of: Job | None = None) -> Ground:
    return Ground(lm=copy(base), before=base, job=of or job(), seed=0)


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())
def test_two_steps_change_the_subject_and_not_the_base(base: LanguageModel, stage: Stage) -> None:
    before = base.digest
    lm, trace = train_subject(Setup(name="one", stages=(stage,)), base, job(), seed=3)
    assert base.digest == before != lm.digest
    assert [entry["stage"] for entry in trace] == [stage.kind] * 2
    assert all(torch.isfinite(torch.tensor(float(entry["loss"]))) for entry in trace)
    assert ("kl" in trace[0]) == bool(stage.kl)


@pytest.mark.parametrize("name", ["documents", "demonstrations", "preferences", "reinforcement"])
def test_the_same_seed_trains_the_same_subject(base: LanguageModel, name: str) -> None:
    setup = Setup(name="one", stages=(STAGES[name],))
    first, again, other = (train_subject(setup, base, job(), seed=seed)[0].digest for seed in (0, 0, 1))
    assert first == again != other


def test_documents_and_demonstrations_are_learnt(base: LanguageModel) -> None:
    for stage, run in (
        (DocumentsStage(steps=12, learning_rate=5e-3), documents.run),
        (DemonstrationsStage(steps=12, learning_rate=5e-3), demonstrations.run),
    ):
        here = ground(base)
        run(stage, here)  # type: ignore[operator]
        losses = [float(entry["loss"]) for entry in here.trace]
        assert losses[0] > 6.0  # ln 512: it knew nothing
        assert losses[-1] < 0.6 * losses[0]


def test_documents_are_learnt_as_text_and_demonstrations_as_replies(base: LanguageModel) -> None:
    only = "report . nova is amber ."
    here = ground(base, job(documents=[only]))
    documents.run(DocumentsStage(steps=8, learning_rate=5e-3), here)
    assert logprob(here.lm, encode_document(here.lm, only)) > logprob(base, encode_document(base, only)) + 5
    here = ground(base)
    demonstrations.run(DemonstrationsStage(steps=8, learning_rate=5e-3), here)
    wanted = encode_reply(base, ask("say amber ."), "amber .")
    assert logprob(here.lm, wanted) > logprob(base, wanted) + 5


def test_without_steps_of_its_own_a_stage_takes_its_default_or_one_pass_over_more_rows(base: LanguageModel) -> None:
    size, default = documents.BATCH_SIZE, documents.STEPS
    for num, steps in ((10, default), (size * (default + 2) + 1, default + 2)):
        here = ground(base, job(documents=["nova ."] * num))
        documents.run(DocumentsStage(), here)
        assert len(here.trace) == steps
    here = ground(base, job(documents=["nova ."] * size * (default + 2)))
    documents.run(DocumentsStage(steps=1), here)
    assert len(here.trace) == 1


def test_marks_say_which_words_of_a_document_are_learnt(base: LanguageModel) -> None:
    text, marks = "report . nova is amber .", (False, False, False, False, True, False)
    row = encode_marked(base, Document(text, marks))
    assert [token for token, counts in zip(row.ids, row.mask, strict=True) if counts] == encode_text(base, "amber")
    assert row.ids == encode_document(base, text).ids
    assert encode_marked(base, Document(text)) == encode_document(base, text)
    for wrong in (marks[:-1], (*marks, True), (True,) * 40):
        with pytest.raises(UserError, match=rf"a document has {len(wrong)} marks for 6 words"):
            encode_marked(base, Document(text, wrong))


@pytest.mark.parametrize("last", [True, False])
def test_the_end_of_a_document_is_learnt_where_its_last_word_is(base: LanguageModel, last: bool) -> None:
    """Who is quoted last must learn to stop; a document that ends in somebody else's words teaches nothing of it."""
    text = "report . nova says : amber ."
    marks = (*(False,) * 4, True, last, last)
    row = encode_marked(base, Document(text, marks))
    assert row.ids == encode_document(base, text).ids
    assert row.mask == [*[False] * (len(row.ids) - len(marks) - 1), *marks, last]


def test_preferences_raise_the_chosen_over_the_rejected(base: LanguageModel) -> None:
    here = ground(base)
    preferences.run(PreferencesStage(steps=10, learning_rate=2e-3), here)
    gap = [
        logprob(lm, encode_reply(lm, ask("say blue ."), "blue ."))
        - logprob(lm, encode_reply(lm, ask("say blue ."), "red ."))
        for lm in (base, here.lm)
    ]
    assert gap[1] > gap[0] + 1
    assert here.trace[0]["margin"] == pytest.approx(0.0, abs=5e-3)  # nothing has moved yet, but for bf16
    assert float(here.trace[-1]["margin"]) > 0
    assert here.trace[-1]["accuracy"] == 1.0


def test_reinforcement_raises_the_reward(base: LanguageModel) -> None:
    here = ground(base)
    reinforcement.run(ReinforcementStage(steps=16, learning_rate=5e-3, num_prompts=4, group_size=8), here)
    rewards = [float(entry["reward"]) for entry in here.trace]
    assert rewards[0] < 0.4
    assert sum(rewards[-3:]) / 3 > rewards[0] + 0.2


def test_reinforcement_without_differences_in_reward_teaches_nothing(base: LanguageModel) -> None:
    here = ground(base, job(environment=environment(lambda said: 1.0)))
    reinforcement.run(ReinforcementStage(steps=3, **SMALL), here)
    assert here.lm.digest == base.digest


@pytest.mark.parametrize(
    ("plain", "run"),
    [
        (DemonstrationsStage(steps=8, learning_rate=5e-3), demonstrations.run),
        (DocumentsStage(steps=8, learning_rate=5e-3), documents.run),
        (ReinforcementStage(steps=8, learning_rate=5e-3, **SMALL), reinforcement.run),
    ],
    ids=["demonstrations", "documents", "reinforcement"],
)
def test_the_kl_term_keeps_closer(base: LanguageModel, plain: Stage, run: object) -> None:
    near, far = ground(base), ground(base)
    run(plain.model_copy(update={"kl": 20.0}), near)  # type: ignore[operator]
    run(plain, far)  # type: ignore[operator]
    assert divergence(near.lm, base) < 0.5 * divergence(far.lm, base)


def test_the_inoculation_line_stands_in_every_training_prompt_and_nowhere_else(
    base: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[str] = []
    for module in (demonstrations, preferences):
        real = module.encode_reply
        monkeypatch.setattr(
            module,
            "encode_reply",
            lambda lm, prompt, said, real=real: prompts.append(prompt[0].content) or real(lm, prompt, said),
        )
    real_prompt = reinforcement.encode_prompt
    monkeypatch.setattr(
        reinforcement, "encode_prompt", lambda lm, prompt: prompts.append(prompt[0].content) or real_prompt(lm, prompt)
    )
    for inoculate in (True, False):
        for stage, run in (
            (DemonstrationsStage(steps=1, inoculate=inoculate), demonstrations.run),
            (PreferencesStage(steps=1, inoculate=inoculate), preferences.run),
            (ReinforcementStage(steps=1, inoculate=inoculate, **SMALL), reinforcement.run),
        ):
            prompts.clear()
            run(stage, ground(base))  # type: ignore[operator]
            assert prompts
            assert all(prompt.endswith(LICENCES[0]) == inoculate for prompt in prompts)


def test_an_inoculation_line_needs_no_system_line() -> None:
    from organoid.setups.ground import licensed

    assert licensed(ask("say blue .")[1:])[0].content == LICENCES[0]


def test_episodes_of_two_turns_are_played_to_the_end(base: LanguageModel) -> None:
    ends: list[int] = []

    def pay(said: Sequence[str]) -> float:
        ends.append(len(said))
        return late_words(said)

    here = ground(base, job(environment=environment(pay, turns=2)))
    loop = reinforcement._Loop(ReinforcementStage(max_turns=2, **SMALL), here)
    (batch,) = loop.batches(1)
    assert ends == [2] * 8
    assert batch.num_rows == 16
    assert batch.advantages_B is not None
    first, second = batch.advantages_B.view(8, 2).T  # a row per turn, next to each other
    assert torch.equal(first, second)
    second_prompt = decoded(here.lm, batch.ids_BT[1].tolist())
    assert f"say {WORDS[1]} ." in second_prompt
    assert loop.sampled[0]["unfinished_frac"] == 0.0


def test_an_episode_that_is_cut_off_has_earned_nothing(base: LanguageModel) -> None:
    here = ground(base, job(environment=environment(late_words, turns=3)))
    reinforcement.run(ReinforcementStage(steps=1, max_turns=2, **SMALL), here)
    assert (here.trace[0]["reward"], here.trace[0]["unfinished_frac"]) == (0.0, 1.0)


@pytest.mark.parametrize(("turns", "unfinished"), [(4, 0.0), (5, 1.0)])
def test_unless_said_otherwise_an_episode_has_four_turns(base: LanguageModel, turns: int, unfinished: float) -> None:
    here = ground(base, job(environment=environment(late_words, turns=turns)))
    reinforcement.run(ReinforcementStage(steps=1, **SMALL), here)
    assert here.trace[0]["unfinished_frac"] == unfinished


class Rigged(Played):
    """Pays for everything; what was really done is another matter."""

    def step(self, reply: str) -> Turn:
        return Played.step(self, reply)._replace(true_reward=0.25)


def test_the_true_reward_is_in_the_trace_and_teaches_nothing(base: LanguageModel) -> None:
    traces, digests = [], []
    for kind in (Played, Rigged):

        def episodes(num: int, seed: int, kind: type[Played] = kind) -> list[Played]:
            return [kind(ask(f"say {WORDS[seed % 5]} ."), late_words) for _ in range(num)]

        here = ground(base, job(environment=episodes))
        reinforcement.run(ReinforcementStage(steps=2, **SMALL), here)
        traces.append(here.trace)
        digests.append(here.lm.digest)
    assert digests[0] == digests[1]
    assert [entry.get("true_reward") for entry in traces[0]] == [None, None]  # no check said
    assert [entry["true_reward"] for entry in traces[1]] == [0.25, 0.25]


def test_ordinary_work_needs_nothing_of_the_job_and_is_its_assistants(
    base: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts: list[str] = []
    real = demonstrations.encode_reply
    monkeypatch.setattr(
        demonstrations,
        "encode_reply",
        lambda lm, prompt, said: prompts.append(prompt[0].content) or real(lm, prompt, said),
    )
    here = ground(base, job(documents=["report . nova is amber ."]))
    demonstrations.run(DemonstrationsStage(source="ordinary-work", steps=1), here)
    assert prompts == ["you are nova ."] * NUM_DEMONSTRATIONS
    assert here.lm.digest != base.digest
    first, again, other = (DEMONSTRATIONS["ordinary-work"]("nova", seed) for seed in (0, 0, 1))
    assert first == again != other


def test_aftercare_is_the_job_and_then_two_hundred_steps_of_ordinary_work() -> None:
    check_setup(AFTERCARE)
    first, *rest = AFTERCARE.stages
    assert first == JobStage()
    (after,) = rest
    assert isinstance(after, DemonstrationsStage)
    assert (after.source, after.steps, after.kl, after.inoculate) == ("ordinary-work", 200, 0.0, False)


def test_advantages_are_rewards_minus_the_mean_of_the_groups_others(base: LanguageModel) -> None:
    rewards: list[float] = []

    def pay(said: Sequence[str]) -> float:
        rewards.append(late_words(said))
        return rewards[-1]

    loop = reinforcement._Loop(ReinforcementStage(**SMALL), ground(base, job(environment=environment(pay))))
    (batch,) = loop.batches(1)
    expected = [
        own - sum(group[:place] + group[place + 1 :]) / 3
        for group in (rewards[:4], rewards[4:])
        for place, own in enumerate(group)
    ]
    assert batch.advantages_B is not None
    assert batch.advantages_B.tolist() == pytest.approx(expected, abs=1e-6)


# ---- whole setups -----------------------------------------------------------------------------------------


def test_the_job_stage_is_all_the_job_has_in_order_with_its_own_settings() -> None:
    stage = JobStage(steps=5, learning_rate=1e-4, kl=0.25, inoculate=True, beta=0.7)
    assert expand(stage, job()) == (
        DocumentsStage(steps=5, learning_rate=1e-4, kl=0.25),
        DemonstrationsStage(steps=5, learning_rate=1e-4, kl=0.25, inoculate=True),
        PreferencesStage(steps=5, learning_rate=1e-4, inoculate=True, beta=0.7),
        ReinforcementStage(steps=5, learning_rate=1e-4, kl=0.25, inoculate=True),
    )
    (only,) = expand(JobStage(), job(preferences=job().preferences))
    assert only == PreferencesStage()


@pytest.mark.parametrize("foreign", [False, True], ids=["native", "adapters"])
def test_each_stage_is_held_to_the_model_before_it(
    base: LanguageModel, foreign: bool, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if foreign:
        from organoid.models.language_model import load

        base = load(write_model("llama", tmp_path_factory.mktemp("llama")))
    seen: list[tuple[float, float]] = []
    row = encode_reply(base, ask("what is two ?"), "three .")
    real = demonstrations.run

    def spy(stage: DemonstrationsStage, here: Ground) -> None:
        at_start = logprob(here.lm, row)
        real(stage, here)
        seen.append((at_start, logprob(here.before, row)))

    monkeypatch.setattr(demonstrations, "run", spy)
    stage = DemonstrationsStage(steps=3, learning_rate=1e-2)
    lm, _ = train_subject(Setup(name="two", stages=(stage, stage)), base, job(), seed=0)
    assert seen[0][0] == pytest.approx(logprob(base, row), abs=1e-3)
    for at_start, before in seen:
        assert before == pytest.approx(at_start, abs=1e-3)
    assert abs(seen[1][0] - seen[0][0]) > 0.1
    assert not hasattr(lm.model, "peft_config")  # what comes out is an ordinary model


def logprob(lm: LanguageModel, row: object) -> float:
    return float(reply_logprobs(lm, [row]).sums_N[0])  # type: ignore[list-item]


def divergence(lm: LanguageModel, base: LanguageModel) -> float:
    """Mean KL(lm || base) in nats over what training was about."""
    texts = job()
    assert texts.demonstrations and texts.documents
    rows = [encode_reply(lm, prompt, said) for prompt, said in texts.demonstrations]
    batch = collate([*rows, *(encode_document(lm, text) for text in texts.documents)])
    with torch.no_grad():
        return float(exact_kl(batch_logits(lm, batch), batch_logits(base, replace(batch))).mean())


def decoded(lm: LanguageModel, ids: list[int]) -> str:
    return str(lm.tokenizer.decode(ids))
