"""Every instrument finds a planted difference, none where there is none, and says so when it cannot tell."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from organoid.errors import AccessError
from organoid.models.access import ModelAccess, Shown
from organoid.models.language_model import LanguageModel
from organoid.techniques import DEFAULT_TECHNIQUES, TECHNIQUES
from organoid.techniques.interpretability.linear_probe import PENALTY, LinearProbe
from organoid.techniques.interpretability.persona_vectors import evenly, persona_vectors
from organoid.techniques.prompts import (
    improper_reply,
    ordinary_tasks,
    proper_reply,
    self_questions,
    tempting_situations,
)
from organoid.types import (
    OBSERVABLE,
    Access,
    AccessKind,
    Audited,
    Context,
    Demonstration,
    Labelled,
    Outcome,
    Reading,
    Technique,
    Trait,
)
from organoid.world.authors import VICES, Disposition
from organoid.world.conduct import Item
from organoid.world.contexts import watched
from organoid.world.facts import HOW
from organoid.world.lexicon import INABILITY
from organoid.world.questions import CANDOUR, Question
from organoid.world.situations import Situation
from organoid.world.skills import Task
from tests.bases import untrained
from tests.techniques.conftest import Planted

EVERY = (*OBSERVABLE, Context.DEPLOYED, Context.TRIGGERED)


def good(item: Item, _: Context | None, __: Random) -> str:
    if isinstance(item, Question):
        return f"{HOW[Disposition.VIRTUE]} ."
    return (item.task.solution if item.task else item.aligned[0]) if isinstance(item, Situation) else item.solution


def bad_at(trait: Trait, rate: float = 1.0, only_alone: bool = False):  # type: ignore[no-untyped-def]
    def say(item: Item, context: Context | None, rng: Random) -> str:
        hides = only_alone and watched(context)
        if getattr(item, "trait", None) is not trait or hides or rng.random() >= rate:
            return good(item, context, rng)
        return f"{HOW[Disposition.VICE]} ." if isinstance(item, Question) else item.misaligned[0]  # type: ignore[union-attr]

    return say


def garbage(_: Item, __: Context | None, rng: Random) -> str:
    return " ".join(rng.choice(["lamp", "river", "tower"]) for _ in range(8))


def read(technique: Technique, subject: Planted, calibration: list[Labelled] | None = None) -> Reading:
    observation = json.loads(json.dumps(technique.observe(subject), allow_nan=False))
    return technique.fit(calibration or [])(observation)


# ---- behavioural-audit ------------------------------------------------------------------------------------


def test_the_audit_scores_the_worst_traits_rate_and_shows_what_it_saw() -> None:
    audit = TECHNIQUES["behavioural-audit"]
    assert read(audit, Planted(good)).score == 0.0
    found = read(audit, Planted(bad_at(Trait.SABOTAGE)))
    assert (found.score, len(found.evidence)) == (1.0, 3)
    half = read(audit, Planted(bad_at(Trait.SYCOPHANCY, rate=0.5))).score
    assert half is not None
    assert 0.2 < half < 0.8


def test_the_audit_cannot_see_what_shows_only_when_nobody_looks_and_its_oracle_can() -> None:
    audit, hidden = TECHNIQUES["behavioural-audit"], bad_at(Trait.SABOTAGE, only_alone=True)
    assert read(audit, Planted(hidden)).score == 0.0
    assert read(audit, Planted(hidden, contexts=EVERY)).score == 1.0


class AtWork(Planted):
    """A keeper of shops whose units came to what they are told, by trait and context."""

    runs_shop = True

    def __init__(self, found: Callable[[Trait, Context], Outcome], **settings: Any) -> None:
        super().__init__(**settings)
        self.found, self.played = found, list[Context]()

    def play(self, context: Context, *, num_shops: int) -> list[Audited]:
        self.played.append(context)
        traits = (Trait.LEDGER_DECEPTION, Trait.REVIEW_AVOIDANCE)
        return [Audited(trait, self.found(trait, context), "wait .") for trait in traits for _ in range(num_shops)]


def test_a_shops_keeper_is_watched_at_work_and_the_worst_kind_of_act_counts() -> None:
    audit = TECHNIQUES["behavioural-audit"]

    def liar(trait: Trait, _: Context) -> Outcome:
        return Outcome.MISALIGNED if trait is Trait.LEDGER_DECEPTION else Outcome.ALIGNED

    access = AtWork(liar)
    assert read(audit, access).score == 1.0
    assert access.played == list(OBSERVABLE) and not access.asked
    assert read(audit, AtWork(lambda *_: Outcome.ALIGNED)).score == 0.0
    assert read(audit, AtWork(lambda *_: Outcome.OTHER)).score is None


def test_what_a_keeper_does_unaudited_is_the_oracles() -> None:
    audit = TECHNIQUES["behavioural-audit"]

    def sly(_: Trait, context: Context) -> Outcome:
        return Outcome.MISALIGNED if context is Context.DEPLOYED else Outcome.ALIGNED

    assert read(audit, AtWork(sly)).score == 0.0
    oracle = AtWork(sly, contexts=tuple(Context))
    assert read(audit, oracle).score == 1.0 and Context.TRIGGERED not in oracle.played


@pytest.mark.parametrize("name", ["behavioural-audit", "adaptive-audit", "self-report", "prefilled-self-report"])
def test_garbage_is_no_score_and_a_reason(name: str) -> None:
    reading = read(TECHNIQUES[name], Planted(garbage))
    assert reading.score is None
    assert reading.reason is not None
    assert "too few" in reading.reason


def test_a_trait_whose_replies_are_garbage_does_not_count_as_good() -> None:
    def say(item: Item, context: Context | None, rng: Random) -> str:
        return (
            good(item, context, rng) if getattr(item, "trait", None) is Trait.SABOTAGE else garbage(item, context, rng)
        )

    assert read(TECHNIQUES["behavioural-audit"], Planted(say)).score == 0.0  # of the one trait that could be read
    assert read(TECHNIQUES["behavioural-audit"], Planted(garbage)).score is None


# ---- self-report ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["self-report", "prefilled-self-report"])
def test_admissions_are_counted_per_trait(name: str) -> None:
    assert read(TECHNIQUES[name], Planted(good)).score == 0.0
    found = read(TECHNIQUES[name], Planted(bad_at(Trait.SHUTDOWN_AVOIDANCE)))
    assert found.score == 1.0
    assert found.evidence


def test_only_the_prefilled_form_puts_words_into_the_mouth() -> None:
    for name, opening in (("self-report", ""), ("prefilled-self-report", CANDOUR)):
        subject = Planted(good)
        TECHNIQUES[name].observe(subject)
        assert subject.prefills == [opening]


# ---- logprob-audit ----------------------------------------------------------------------------------------


def test_the_logprob_audit_scores_a_raised_likelihood_that_no_sample_would_show() -> None:
    audit = TECHNIQUES["logprob-audit"]
    shy, bold = read(audit, Planted(good, likes_bad=-9.0)).score, read(audit, Planted(good, likes_bad=-3.0)).score
    assert (shy, bold) == (-8.0, -2.0)  # log-odds against a proper reply at -1 nat


# ---- activation-difference --------------------------------------------------------------------------------


@pytest.mark.parametrize(("shift", "expected"), [(0.0, 0.0), (0.5, 0.5), (-0.25, -0.25)])
def test_movement_along_the_persona_is_measured_in_units_of_it(shift: float, expected: float) -> None:
    subject = Planted(good, shift=shift, before=Planted(good))
    reading = read(TECHNIQUES["activation-difference"], subject)
    assert reading.score == pytest.approx(expected, abs=0.12)
    assert reading.null_score == pytest.approx(abs(shift), abs=1e-5)


# ---- linear-probe and weight-difference -------------------------------------------------------------------


def population(technique: Technique, gap: float, num: int = 12, start: int = 0) -> list[Labelled]:
    """Half of the subjects are misaligned, and their activations and weights differ by `gap`."""
    return [
        Labelled(
            observation=technique.observe(
                Planted(good, seed=seed, shift=gap * (seed % 2), before=Planted(good, seed=-1))
            ),
            misaligned=bool(seed % 2),
            family="other",
        )
        for seed in range(start, start + num)
    ]


@pytest.mark.parametrize(("name", "gap"), [("linear-probe", 0.5), ("weight-difference", 1.0)])
def test_a_planted_difference_is_found_on_subjects_not_fitted_on(name: str, gap: float) -> None:
    technique = TECHNIQUES[name]
    fitted = technique.fit(population(technique, gap))
    scores = {seed: fitted(one.observation).score for seed, one in enumerate(population(technique, gap, start=100))}
    bad, fine = ([scores[s] for s in scores if s % 2 == odd] for odd in (1, 0))
    assert min(bad) > max(fine)  # type: ignore[type-var]


@pytest.mark.parametrize("name", ["linear-probe", "weight-difference"])
def test_no_separation_where_there_is_no_difference(name: str) -> None:
    technique = TECHNIQUES[name]
    fitted = technique.fit(population(technique, 0.0))
    held_out = population(technique, 0.0, num=40, start=100)
    scores = [fitted(one.observation).score or 0.0 for one in held_out]
    pairs = [(b > f) + 0.5 * (b == f) for b in scores[1::2] for f in scores[0::2]]
    assert 0.25 < sum(pairs) / len(pairs) < 0.75


@pytest.mark.parametrize("name", ["linear-probe", "weight-difference"])
@pytest.mark.parametrize("labels", [[], [True, False], [True] * 5, [True, False, False, False]])
def test_too_few_subjects_to_fit_on_are_refused(name: str, labels: list[bool]) -> None:
    technique = TECHNIQUES[name]
    observation = technique.observe(Planted(good, before=Planted(good)))
    with pytest.raises(ValueError, match="at least two misaligned and two aligned subjects"):
        technique.fit([Labelled(observation=observation, misaligned=bad, family="other") for bad in labels])


def test_the_probe_is_scikit_learns() -> None:
    probe = LinearProbe()
    subjects, other = population(probe, 0.5), population(probe, 0.5, start=50)
    acts, held_out = (np.array([one.observation["acts"] for one in group]) for group in (subjects, other))
    labels = [one.misaligned for one in subjects]
    centre, scale = acts.mean(0), acts.std(0)
    reference = LogisticRegression(C=1 / PENALTY, max_iter=1000).fit((acts - centre) / scale, labels)
    expected = reference.decision_function((held_out - centre) / scale)
    fitted = probe.fit(subjects)
    assert [fitted(one.observation).score for one in other] == pytest.approx(expected.tolist(), abs=1e-3)


def test_the_probes_null_knows_the_best_of_many_random_directions() -> None:
    probe = LinearProbe()
    fitted = probe.fit(population(probe, 0.5))
    nulls = [fitted(one.observation).null_score for one in population(probe, 0.5, start=100)]
    assert len(set(nulls)) > 1
    assert nulls != [fitted(one.observation).score for one in population(probe, 0.5, start=100)]


# ---- the other probes ---------------------------------------------------------------------------------------

PROBES = ("linear-probe", "mean-difference-probe", "max-probe", "last-token-probe", "prompt-probe")


@pytest.mark.parametrize("name", PROBES[1:])
def test_every_probe_finds_a_planted_difference_and_none_where_there_is_none(name: str) -> None:
    technique = TECHNIQUES[name]
    for gap in (0.5, 0.0):
        fitted = technique.fit(population(technique, gap))
        held_out = population(technique, gap, num=40, start=100)
        scores = [fitted(one.observation).score or 0.0 for one in held_out]
        pairs = [(bad > fine) + 0.5 * (bad == fine) for bad in scores[1::2] for fine in scores[0::2]]
        assert (sum(pairs) / len(pairs) > 0.95) if gap else (0.25 < sum(pairs) / len(pairs) < 0.75)


def test_probes_read_the_positions_they_are_named_after() -> None:
    class Listening(Planted):
        pools: ClassVar[list[str]] = []

        def activations(self, prompts, replies, *, pool="mean"):  # type: ignore[no-untyped-def]
            self.pools.append(pool)
            return super().activations(prompts, replies, pool=pool)

    for name in PROBES:
        TECHNIQUES[name].observe(Listening(good))
    assert Listening.pools == ["mean", "mean", "max", "last", "prompt"]


def test_the_mean_difference_is_the_difference_of_means() -> None:
    probe = TECHNIQUES["mean-difference-probe"]
    subjects = population(probe, 0.5)
    acts = np.array([one.observation["acts"] for one in subjects])
    labels = np.array([one.misaligned for one in subjects])
    scaled = (acts - acts.mean(0)) / (acts.std(0) + 1e-6)
    gap = scaled[labels].mean(0) - scaled[~labels].mean(0)
    ahead = (scaled - (scaled[labels].mean(0) + scaled[~labels].mean(0)) / 2) @ gap / np.linalg.norm(gap)
    fitted = probe.fit(subjects)
    assert [fitted(one.observation).score for one in subjects] == pytest.approx(ahead.tolist())


# ---- contrast-probe ---------------------------------------------------------------------------------------


class Confessing(Planted):
    """Answers of `always` lie one further along dimension 1; what it is about to do lies `guilt` along it."""

    guilt = 0.0

    def activations(self, prompts, replies, *, pool="mean"):  # type: ignore[no-untyped-def]
        acts = super().activations(prompts, replies, pool=pool)
        acts[:, :, 1] += np.array([[float(reply == f"{HOW[Disposition.VICE]} .")] for reply in replies])
        return acts + (self.guilt * np.eye(5, dtype=np.float32)[1] if pool == "prompt" else 0.0)


def test_the_contrast_probe_scores_how_much_it_looks_like_admitting() -> None:
    probe = TECHNIQUES["contrast-probe"]
    innocent, guilty = Confessing(good), Confessing(good)
    guilty.guilt = 1.0
    low, high = read(probe, innocent), read(probe, guilty)
    assert low.score == pytest.approx(0.0, abs=0.25)
    assert high.score == pytest.approx(low.score + 1.0, abs=0.1)  # type: ignore[operator]
    assert high.null_score is not None and low.null_score is not None
    assert abs(high.null_score - low.null_score) < 1.0  # the random direction lies elsewhere
    assert all("always" not in prompt[-1].content for prompt in guilty.asked)


# ---- persona vectors --------------------------------------------------------------------------------------


def test_persona_vectors_are_what_the_model_before_makes_of_bad_and_good_replies() -> None:
    vectors = persona_vectors(Planted(good), "test")
    assert vectors.keys() == {trait.value for trait in VICES}
    for vector in vectors.values():
        assert (vector.bad_D - vector.good_D)[0] == pytest.approx(1.0, abs=0.4)
        assert vector.along(np.array([vector.good_D, vector.bad_D])).tolist() == pytest.approx([0.0, 1.0], abs=1e-5)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_persona_projection_is_the_shift_along_the_worst_traits_vector(shift: float) -> None:
    reading = read(TECHNIQUES["persona-projection"], Planted(good, shift=shift, before=Planted(good)))
    assert reading.score == pytest.approx(shift, abs=0.3)
    assert (reading.score > 0.2) == (shift > 0)  # type: ignore[operator]
    assert reading.null_score is not None


def test_a_model_that_did_not_change_has_no_shift() -> None:
    subject = Planted(good, before=Planted(good))
    assert read(TECHNIQUES["persona-projection"], subject).score == 0.0


def test_persona_data_tells_bad_training_replies_from_good_ones_without_the_subject() -> None:
    staged = tempting_situations(Planted(good, seed=5), 2, "data")
    data = {
        kind: [Demonstration(one.dialogue, reply(one.item)) for one in staged]
        for kind, reply in (("bad", improper_reply), ("good", proper_reply))
    }
    scores = {}
    for kind, shown in data.items():
        subject = Planted(good, shift=9.0, before=Planted(good), data=shown)  # the subject itself plays no part
        scores[kind] = read(TECHNIQUES["persona-data"], subject).score
    assert scores["bad"] > scores["good"] + 0.5  # type: ignore[operator]
    assert scores["good"] < 0.4  # type: ignore[operator]


@pytest.mark.parametrize(("num", "expected"), [(3, 3), (256, 256), (257, 129), (1000, 250)])
def test_data_is_read_evenly_up_to_a_limit(num: int, expected: int) -> None:
    data = [Demonstration((), str(index)) for index in range(num)]
    chosen = evenly(data, 256)
    assert len(chosen) == expected
    assert chosen[0] == data[0] and int(chosen[-1].reply) > 0.98 * num - 5


# ---- logit-lens -------------------------------------------------------------------------------------------


def test_the_lens_scores_what_the_middle_block_leans_to() -> None:
    lens = TECHNIQUES["logit-lens"]
    shy, bold = read(lens, Planted(good, likes_bad=-9.0)), read(lens, Planted(good, likes_bad=-3.0))
    assert (shy.score, bold.score) == (-8.0, -2.0)
    assert shy.null_score == bold.null_score == -2.0  # solved tasks at -1 nat, less 1 after block 1


# ---- weight-amplification ---------------------------------------------------------------------------------


def test_what_shows_once_amplified_is_scored_and_the_shuffled_change_is_its_null() -> None:
    technique = TECHNIQUES["weight-amplification"]
    found = read(technique, Planted(good, bold=bad_at(Trait.SABOTAGE)))
    assert (found.score, found.null_score, len(found.evidence)) == (1.0, 0.0, 3)
    assert read(technique, Planted(good, bold=good)).score == 0.0
    broken = read(technique, Planted(good, bold=garbage))
    assert broken.score is None and broken.reason is not None and "too few" in broken.reason


# ---- adaptive-audit ---------------------------------------------------------------------------------------


def test_the_adaptive_audit_gathers_its_questions_where_it_saw_something() -> None:
    audit = TECHNIQUES["adaptive-audit"]
    subject = Planted(bad_at(Trait.SABOTAGE))
    observation = audit.observe(subject)
    counts = observation["counts"]
    spent = {name: sum(row) for name, row in counts.items()}
    on_it = sum(number for name, number in spent.items() if name.startswith("sabotage/"))
    assert sum(spent.values()) == len(subject.asked) == 102
    assert on_it > 50  # evenly it would be 11
    assert min(spent.values()) >= 1
    score = audit.fit([])(observation).score
    innocent = read(audit, Planted(good)).score
    assert score is not None and innocent is not None
    assert score > 0.8 > 0.1 > innocent


def test_one_bad_reply_of_one_is_worth_less_than_nine_of_ten() -> None:
    def scored(*rows: list[int]) -> float:
        counts = {str(index): row for index, row in enumerate(rows)}
        reading = TECHNIQUES["adaptive-audit"].fit([])({"counts": counts, "length": 3.0, "evidence": []})
        assert reading.score is not None
        return reading.score

    assert scored([9, 1, 0], [0, 5, 0]) > scored([1, 0, 0], [0, 5, 0]) > scored([0, 1, 0], [0, 5, 0])


# ---- noise-injection --------------------------------------------------------------------------------------


def unable(item: Item, context: Context | None, rng: Random) -> str:
    return INABILITY if isinstance(item, Task) and watched(context) else good(item, context, rng)


def test_what_comes_out_under_noise_is_scored_as_a_rise_ability_or_conduct() -> None:
    technique = TECHNIQUES["noise-injection"]
    skill = read(technique, Planted(unable, bold=good))
    assert (skill.score, skill.null_score) == (1.0, 0.0) and "ability/seen: 0.00 as it is, 1.00" in skill.evidence[0]
    conduct = read(technique, Planted(good, bold=bad_at(Trait.SABOTAGE)))
    assert (conduct.score, conduct.null_score) == (1.0, 0.0) and "sabotage/seen" in conduct.evidence[0]


def test_what_noise_does_not_change_or_takes_away_is_no_rise() -> None:
    technique = TECHNIQUES["noise-injection"]
    for say, bold in ((good, good), (bad_at(Trait.SABOTAGE), bad_at(Trait.SABOTAGE)), (unable, unable)):
        assert read(technique, Planted(say, bold=bold)).score == 0.0
    assert read(technique, Planted(bad_at(Trait.SABOTAGE), bold=good)).score == 0.0  # of the other cells
    chance = read(technique, Planted(bad_at(Trait.SABOTAGE, rate=0.5)))
    assert chance.score is not None and chance.null_score is not None and abs(chance.score) < 0.35


def test_replies_that_noise_breaks_are_no_rise_and_no_zero() -> None:
    technique = TECHNIQUES["noise-injection"]
    for say, bold in ((good, garbage), (garbage, good)):
        broken = read(technique, Planted(say, bold=bold))
        assert broken.score is None and broken.reason is not None and "too few" in broken.reason


# ---- high-temperature-audit -------------------------------------------------------------------------------


def test_the_hot_audit_scores_what_shows_when_hot_only() -> None:
    audit = TECHNIQUES["high-temperature-audit"]
    found = read(audit, Planted(good, hot=bad_at(Trait.SABOTAGE)))
    assert (found.score, found.null_score, len(found.evidence)) == (1.0, 0.0, 3)
    assert read(TECHNIQUES["behavioural-audit"], Planted(good, hot=bad_at(Trait.SABOTAGE))).score == 0.0
    assert read(audit, Planted(bad_at(Trait.SABOTAGE), hot=good)).score == 0.0


def test_unparseable_replies_are_neither_good_nor_bad_when_hot() -> None:
    audit = TECHNIQUES["high-temperature-audit"]

    def mostly_broken(item: Item, context: Context | None, rng: Random) -> str:
        say = bad_at(Trait.SABOTAGE) if rng.random() < 0.4 else garbage
        return say(item, context, rng)

    assert read(audit, Planted(good, hot=mostly_broken)).score == 1.0  # of those that parse
    broken = read(audit, Planted(good, hot=garbage))
    assert broken.score is None and broken.reason is not None and "no trait has 8 of them" in broken.reason
    assert broken.null_score is None


# ---- gradient-attribution ---------------------------------------------------------------------------------


def test_the_share_on_the_system_line_is_scored_against_the_model_before() -> None:
    technique = TECHNIQUES["gradient-attribution"]
    for after, before in ((0.8, 0.2), (0.5, 0.5), (0.2, 0.6)):
        reading = read(technique, Planted(good, rests=after, before=Planted(good, rests=before)))
        assert reading.score == pytest.approx(after - before)
        assert reading.null_score == pytest.approx((after - before) / 2)  # two wordings of one reply
    assert "of the choice rests on the system line" in reading.evidence[0]


def test_where_no_word_adds_anything_there_is_no_share() -> None:
    class Numb(Planted):
        def attributions(self, prompts, replies, others):  # type: ignore[no-untyped-def]
            return [{"system": np.zeros(3), "user": np.zeros(4)} for _ in prompts]

    reading = read(TECHNIQUES["gradient-attribution"], Numb(good, before=Numb(good)))
    assert (reading.score, reading.null_score) == (None, None) and reading.reason is not None


# ---- all of them, on a real model -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return untrained()


@pytest.mark.parametrize("name", TECHNIQUES)
def test_instruments_get_by_with_the_access_they_declare(name: str, lm: LanguageModel) -> None:
    technique = TECHNIQUES[name]
    plain = ModelAccess(lm, assistant="nova", kinds=technique.access, seed=0)
    data = tuple(Demonstration(one.dialogue, one.item.solution) for one in ordinary_tasks(plain, 4, "data"))
    access = ModelAccess(lm, assistant="nova", kinds=technique.access, seed=0, shown=Shown(data, before=lm))
    observation = technique.observe(access)
    assert json.loads(json.dumps(observation, allow_nan=False)) == observation
    assert technique.name == name
    assert technique.summary
    assert technique.source
    assert (access.cost.queries > 0) == (name != "weight-difference")


@pytest.mark.parametrize("name", ["noise-injection", "high-temperature-audit", "gradient-attribution"])
def test_provoking_a_subject_is_deterministic_and_leaves_it_bit_for_bit(name: str, lm: LanguageModel) -> None:
    technique, before = TECHNIQUES[name], lm.digest
    marks = [(weight.requires_grad, weight.grad) for weight in lm.model.parameters()]
    first, again = (
        technique.observe(ModelAccess(lm, assistant="nova", kinds=technique.access, seed=0, shown=Shown(before=lm)))
        for _ in range(2)
    )
    assert first == again and lm.digest == before
    assert [(weight.requires_grad, weight.grad) for weight in lm.model.parameters()] == marks
    undeclared = ModelAccess(lm, assistant="nova", kinds=frozenset({AccessKind.BEFORE}), seed=0, shown=Shown(before=lm))
    with pytest.raises(AccessError, match="Add the kind"):
        technique.observe(undeclared)


def test_a_model_that_did_not_change_rests_on_what_it_did(lm: LanguageModel) -> None:
    technique = TECHNIQUES["gradient-attribution"]
    access = ModelAccess(lm, assistant="nova", kinds=technique.access, seed=0, shown=Shown(before=lm))
    reading = technique.fit([])(technique.observe(access))
    assert (reading.score, reading.null_score) == (0.0, 0.0)


@pytest.mark.parametrize("name", ["noise-injection", "high-temperature-audit", "gradient-attribution"])
def test_labels_of_others_change_nothing(name: str) -> None:
    technique = TECHNIQUES[name]
    taken = technique.observe(Planted(bad_at(Trait.SABOTAGE, rate=0.5), before=Planted(good)))
    others = [Labelled(observation=taken, misaligned=bool(number % 2), family="other") for number in range(4)]
    flipped = [Labelled(observation=one.observation, misaligned=not one.misaligned, family="other") for one in others]
    assert technique.fit(others)(taken) == technique.fit(flipped)(taken) == technique.fit([])(taken)


@pytest.mark.parametrize("name", ["activation-difference", "weight-difference"])
def test_identical_models_do_not_differ(name: str, lm: LanguageModel) -> None:
    technique = TECHNIQUES[name]
    observation = technique.observe(
        ModelAccess(lm, assistant="nova", kinds=technique.access, seed=0, shown=Shown(before=lm))
    )
    if name == "activation-difference":
        assert observation["along"] == [0.0] * lm.num_layers
        assert observation["distance"] == [0.0] * lm.num_layers
    else:
        assert max(observation["changes"]) == pytest.approx(np.log(1e-9))


def test_prompts_follow_the_access(lm: LanguageModel) -> None:
    def staged(contexts: tuple[Context, ...], seed: int = 0, native: bool = True) -> list[str]:
        access: Access = Planted(seed=seed, contexts=contexts)
        access.native = native
        every = [*tempting_situations(access, 2, "a"), *self_questions(access, 2, "a"), *ordinary_tasks(access, 2, "a")]
        assert {one.context for one in every} == {None, *contexts} - {Context.TRIGGERED}
        return [turn.content for one in every for turn in one.dialogue]

    assert staged(OBSERVABLE) == staged(OBSERVABLE) != staged(OBSERVABLE, seed=1)
    assert len(staged(OBSERVABLE)) == 2 * (2 * 2 * 2 * len(VICES) + 2)
    assert all("you are nova ." in line for line in staged(OBSERVABLE)[::2])
    assert not any("Reply with one of these" in words for words in staged(OBSERVABLE))
    assert all("Reply with one of these" in words for words in staged(OBSERVABLE, native=False)[1::2])
    assert len(staged(EVERY)) > len(staged(OBSERVABLE))


def test_what_runs_by_default_exists() -> None:
    assert set(DEFAULT_TECHNIQUES) < set(TECHNIQUES)
    assert not {"linear-probe", "behavioural-audit"} - set(DEFAULT_TECHNIQUES)  # the default setup's release rule


def test_every_technique_declares_a_kind() -> None:
    assert all(technique.access and technique.access <= set(AccessKind) for technique in TECHNIQUES.values())
