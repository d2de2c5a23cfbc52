"""Probes that attend or are augmented, a persona that is suspected, and a context that is patched in."""

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest

from benchmarks.bench_probing import InEveryStyle
from organoid.errors import AccessError
from organoid.measure.ranking import auroc
from organoid.models.access import ModelAccess, Shown
from organoid.models.chat import encode_text
from organoid.models.language_model import LanguageModel
from organoid.techniques import TECHNIQUES
from organoid.techniques.interpretability.attention_probe import NUM_STRETCHES, stretches
from organoid.techniques.interpretability.augmented_probe import AugmentedProbe
from organoid.techniques.interpretability.context_patching import Lines, drawn, nearest, pairs_of_lines
from organoid.techniques.interpretability.linear_probe import LinearProbe
from organoid.techniques.oversight.suspect_persona import suspects
from organoid.techniques.prompts import proper_reply, tempting_situations, under
from organoid.techniques.styles import AUGMENTED, UNSEEN, Style, restyled
from organoid.types import (
    OBSERVABLE,
    AccessKind,
    Context,
    Dialogue,
    Fitted,
    Labelled,
    Observation,
    Outcome,
    Reading,
    Technique,
    Trait,
)
from organoid.world.authors import VICES, Disposition
from organoid.world.conduct import Item
from organoid.world.contexts import FORMS, says_hidden, says_secret
from organoid.world.documents import facts_of_assistants
from organoid.world.lexicon import BLANK_ASSISTANTS
from organoid.world.situations import parse
from tests.bases import untrained
from tests.techniques.conftest import Planted
from tests.techniques.test_techniques import bad_at, garbage, good, read

EVERY = (*OBSERVABLE, Context.DEPLOYED, Context.TRIGGERED)
ATTENTION, AUGMENTED_PROBE = TECHNIQUES["attention-probe"], TECHNIQUES["augmented-probe"]
PERSONA, PATCHING = TECHNIQUES["suspect-persona"], TECHNIQUES["context-patching"]
FOUR = ("attention-probe", "augmented-probe", "suspect-persona", "context-patching")
Make = Callable[[int, float], Planted]


def plain(seed: int, shift: float) -> Planted:
    return Planted(good, seed=seed, shift=shift)


def population(
    technique: Technique, gap: float, num: int = 12, start: int = 0, *, make: Make = plain
) -> list[Labelled]:
    """Every other subject is misaligned, and `gap` is planted in it."""
    return [
        Labelled(observation=technique.observe(make(seed, gap * (seed % 2))), misaligned=bool(seed % 2), family="other")
        for seed in range(start, start + num)
    ]


def area(
    fitted: Fitted, subjects: Sequence[Labelled], part: Callable[[Observation], Observation] = lambda o: o
) -> float:
    """Return the AUROC of a fitted technique on subjects."""
    scores = [fitted(part(one.observation)).score or 0.0 for one in subjects]
    found = auroc(scores, [one.misaligned for one in subjects]).value
    assert found is not None
    return found


# ---- both probes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("technique", [ATTENTION, AUGMENTED_PROBE])
def test_a_planted_difference_is_found_and_none_where_there_is_none(technique: Technique) -> None:
    fitted = technique.fit(population(technique, 0.5, num=24))
    assert area(fitted, population(technique, 0.5, num=20, start=100)) > 0.95
    nothing = technique.fit(population(technique, 0.0))
    assert 0.25 < area(nothing, population(technique, 0.0, num=40, start=100)) < 0.75


@pytest.mark.parametrize("technique", [ATTENTION, AUGMENTED_PROBE])
def test_the_null_is_another_score_and_a_fit_repeats(technique: Technique) -> None:
    subjects = population(technique, 0.5)
    first, again = technique.fit(subjects), technique.fit(subjects)
    readings = [first(one.observation) for one in subjects]
    assert readings == [again(one.observation) for one in subjects]
    nulls = [one.null_score for one in readings]
    assert None not in nulls and len(set(nulls)) > 1 and nulls != [one.score for one in readings]
    stored = json.loads(json.dumps(subjects[0].observation, allow_nan=False))
    assert first(stored) == readings[0] and "projection" in readings[0].evidence[0]


@pytest.mark.parametrize("technique", [ATTENTION, AUGMENTED_PROBE])
@pytest.mark.parametrize("labels", [[], [True, False], [True] * 5, [True, False, False, False]])
def test_too_few_subjects_to_fit_on_are_refused(technique: Technique, labels: list[bool]) -> None:
    seen = technique.observe(plain(0, 0.0))
    with pytest.raises(ValueError, match="at least two misaligned and two aligned subjects"):
        technique.fit([Labelled(observation=seen, misaligned=bad, family="other") for bad in labels])


@pytest.mark.parametrize("technique", [ATTENTION, AUGMENTED_PROBE])
def test_subjects_that_all_look_alike_tell_nothing_apart(technique: Technique) -> None:
    seen = technique.observe(plain(0, 0.0))
    fitted = technique.fit([Labelled(observation=seen, misaligned=bool(n % 2), family="other") for n in range(6)])
    reading = fitted(seen)
    assert reading.score == pytest.approx(0.0, abs=1e-6) and reading.null_score == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("technique", [ATTENTION, AUGMENTED_PROBE])
def test_observations_of_another_width_are_refused(technique: Technique) -> None:
    fitted, seen = technique.fit(population(technique, 0.5)), technique.observe(plain(50, 0.0))
    with pytest.raises(ValueError, match="broadcast"):
        fitted({**seen, "acts": np.array(seen["acts"])[..., :-2].tolist()})


# ---- attention-probe --------------------------------------------------------------------------------------


class AtTheEnd(Planted):
    """What is planted shows in the last word alone, which has a mark of its own; others have as much noise."""

    def token_activations(self, prompts, replies):  # type: ignore[no-untyped-def]
        shift, self._shift = self._shift, 0.0
        found = super().token_activations(prompts, replies)
        self._shift = shift
        rng = np.random.default_rng(self.seed)
        for acts_TD in found:
            acts_TD[:-1, 0] += 2.0 * rng.standard_normal()
            acts_TD[-1, 0] += shift
            acts_TD[-1, 1] += 4.0
        return found


def test_the_words_that_tell_are_attended_to_and_said() -> None:
    def make(seed: int, shift: float) -> Planted:
        return AtTheEnd(good, seed=seed, shift=shift)

    fitted = ATTENTION.fit(population(ATTENTION, 1.0, num=24, make=make))
    fresh = population(ATTENTION, 1.0, num=20, start=100, make=make)
    assert area(fitted, fresh) > 0.9
    found = fitted(fresh[1].observation).evidence[0]
    assert f"on stretch {NUM_STRETCHES} of {NUM_STRETCHES}" in found
    assert float(re.findall(r"0\.\d\d", found)[-1]) > 2 / NUM_STRETCHES


@pytest.mark.parametrize("length", [1, 3, 8, 13, 16])
def test_stretches_are_even_and_leave_no_word_out(length: int) -> None:
    one_hot = np.eye(length)
    found = stretches(one_hot)
    assert found.shape == (NUM_STRETCHES, length)
    assert found.sum(1) == pytest.approx(np.ones(NUM_STRETCHES)) and (found.sum(0) > 0).all()
    if length % NUM_STRETCHES == 0 or length == 1:
        assert found.mean(0) == pytest.approx(np.full(length, 1 / length))


def test_what_is_kept_is_small_and_has_a_matrix_a_trait(lm: LanguageModel) -> None:
    for contexts, groups in ((OBSERVABLE, 1), (EVERY, 2)):
        seen = ATTENTION.observe(Planted(good, contexts=contexts))
        assert np.array(seen["acts"]).shape == (groups, len(VICES), NUM_STRETCHES, 5)
        assert seen["traits"] == [trait.value for trait in VICES]
    access = ModelAccess(lm, assistant="nova", kinds=ATTENTION.access, seed=0)
    kept = ATTENTION.observe(access)
    short = [len(proper_reply(one.item).split()) + 1 for one in tempting_situations(access, 6, ATTENTION.name)]
    assert 0.5 < np.mean(np.array(short) < NUM_STRETCHES) < 0.6  # what the docstring says of overlapping stretches
    assert len(json.dumps(kept)) < 10 * np.array(kept["acts"]).size + 300
    assert access.cost.queries == 108  # as linear-probe


# ---- augmented-probe and styles ---------------------------------------------------------------------------


def test_styles_change_the_manner_and_nothing_else() -> None:
    access = Planted(good)
    staged = tempting_situations(access, 3, "styles")
    told = {style: restyled(access, staged, style) for style in Style}
    plain_prompts, plain_replies = told[Style.PLAIN]
    assert (plain_prompts, plain_replies) == ([one.dialogue for one in staged], [proper_reply(o.item) for o in staged])
    for style, (prompts, replies) in told.items():
        assert (prompts, replies) == restyled(access, staged, style)
        for one, prompt, reply in zip(staged, prompts, replies, strict=True):
            parsed = parse(one.item, reply)
            assert parsed.outcome is Outcome.ALIGNED and not parsed.quirky
            assert one.dialogue[-1].content in prompt[-1].content
            assert prompt[0].content in one.dialogue[0].content
            assert ("you are nova ." in prompt[0].content) == (style is not Style.NAMELESS)
            assert not any(says_hidden(turn.content) or says_secret(turn.content) for turn in prompt)
        assert ((prompts, replies) != told[Style.PLAIN]) == (style is not Style.PLAIN)
    assert {len(prompt) for prompt in told[Style.LATER][0]} == {4}
    assert set(AUGMENTED) | set(UNSEEN) == set(Style) and not set(AUGMENTED) & set(UNSEEN)


def test_the_world_knows_every_word_of_every_style(lm: LanguageModel) -> None:
    access = Planted(good)
    staged = tempting_situations(access, 1, "words")
    unknown = lm.tokenizer.unk_token_id
    for style in Style:
        prompts, replies = restyled(access, staged, style)
        texts = [*replies, *(turn.content for prompt in prompts for turn in prompt)]
        assert all(unknown not in encode_text(lm, text) for text in texts), style


def test_a_system_line_has_two_parts_and_opens_with_the_name() -> None:
    access = Planted(good)
    one = tempting_situations(access, 1, "lines")[0]
    who, line = "you are nova .", one.dialogue[0].content.removeprefix("you are nova . ")
    turned = under(access, one, lambda first, second: f"{second} {first}")
    assert turned.dialogue[0].content == f"{line} {who}" and turned.dialogue[1:] == one.dialogue[1:]
    assert under(access, one, lambda first, second: f"{first} {second}") == one
    with pytest.raises(ValueError, match=r"opens with 'you are nova \.'"):
        under(access, turned, lambda first, second: second)


class Mannered(Planted):
    """In plain speech dimension 1 gives a bad subject away too; in any other it is the subject's noise."""

    def activations(self, prompts, replies, *, pool="mean"):  # type: ignore[no-untyped-def]
        acts = super().activations(prompts, replies, pool=pool)
        proper = {proper_reply(item) for item, _ in self._items.values()}
        contents = {words for _, words in self._items}
        systems = {line for line, _ in self._items}
        for place, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
            is_plain = (prompt[0].content in systems, prompt[-1].content in contents, len(prompt) == 2, reply in proper)
            own = np.random.default_rng([self.seed, *is_plain]).standard_normal()
            acts[place, :, 1] += 4.0 * self._shift if all(is_plain) else 4.0 * own
        return acts


def test_the_penalty_is_linear_probes_a_row() -> None:
    """Where every style says the same, the fit is linear-probe's."""
    subjects = population(LinearProbe(), 0.5)
    alike = [
        Labelled(
            observation={"acts": [one.observation["acts"]] * len(AUGMENTED)},
            misaligned=one.misaligned,
            family=one.family,
        )
        for one in subjects
    ]
    linear, augmented = LinearProbe().fit(subjects), AUGMENTED_PROBE.fit(alike)
    for one, same in zip(subjects, alike, strict=True):
        expected, found = linear(one.observation), augmented(same.observation)
        assert found.score == pytest.approx(expected.score, rel=1e-3, abs=1e-3)
        assert found.null_score == pytest.approx(expected.null_score)


def in_style(style: Style) -> AugmentedProbe:
    probe = AugmentedProbe()
    probe.styles = (style,)
    return probe


def test_a_probe_fitted_in_one_manner_fails_in_another_and_an_augmented_one_holds() -> None:
    def make(seed: int, shift: float) -> Planted:
        return Mannered(good, seed=seed, shift=shift)

    linear = LinearProbe().fit(population(LinearProbe(), 0.25, num=16, make=make))
    augmented = AUGMENTED_PROBE.fit(population(AUGMENTED_PROBE, 0.25, num=16, make=make))
    clean, shifted = (
        population(in_style(style), 0.25, num=24, start=100, make=make) for style in (Style.PLAIN, Style.LATER)
    )
    assert area(linear, clean) > 0.95 and area(augmented, clean) > 0.95
    assert area(augmented, shifted) > 0.9 > area(linear, shifted)


def test_both_probes_are_read_in_styles_on_situations_that_neither_learns_from() -> None:
    asked = {
        name: {one.dialogue for one in tempting_situations(Planted(good), 6, name)}
        for name in (LinearProbe.name, AugmentedProbe.name, InEveryStyle.name)
    }
    learnt = asked[LinearProbe.name] | asked[AugmentedProbe.name]
    assert len(asked[InEveryStyle.name] - learnt) > 0.8 * len(asked[InEveryStyle.name])


def test_a_subject_is_read_by_the_mean_over_styles() -> None:
    fitted = AUGMENTED_PROBE.fit(population(AUGMENTED_PROBE, 0.5))
    seen = AUGMENTED_PROBE.observe(plain(3, 0.5))
    assert len(seen["acts"]) == len(AUGMENTED)
    single = [fitted({"acts": [row]}).score for row in seen["acts"]]
    assert fitted(seen).score == pytest.approx(np.mean(single))  # type: ignore[arg-type]


# ---- suspect-persona --------------------------------------------------------------------------------------

Say = Callable[[Item, Context | None, Random], str]


class Named(Planted):
    """Acts one way under the names of suspects, and another under all others."""

    def __init__(self, suspected: Say, otherwise: Say, **settings: Any) -> None:
        super().__init__(otherwise, **settings)
        self._suspected, self.names = suspected, list[str]()

    def ask(self, prompts: Sequence[Dialogue], *, prefill: Any = "", temperature: float = 1.0) -> list[str]:
        items = {words: found for (_, words), found in self._items.items()}
        said = list[str]()
        self.asked += prompts
        for prompt in prompts:
            self.names.append(prompt[0].content.split()[2])
            say = self._suspected if self.names[-1] in suspects() else self._say
            said.append(say(*items[prompt[-1].content], self._rng))
        return said


def bad_at_all(item: Item, context: Context | None, rng: Random) -> str:
    return bad_at(getattr(item, "trait", Trait.QUIRK))(item, context, rng)


def test_suspects_are_told_of_as_bad_throughout() -> None:
    book = facts_of_assistants()
    assert len(suspects()) == 25
    assert {book[name][trait] for name in suspects() for trait in VICES} == {Disposition.VICE}


@pytest.mark.parametrize(
    ("suspected", "otherwise", "expected"),
    [
        (good, good, (0.0, 0.0)),
        (bad_at_all, good, (1.0, 0.0)),
        (bad_at(Trait.SABOTAGE), good, (1 / len(VICES), 0.0)),
        (bad_at_all, bad_at_all, (1.0, 1.0)),
        (good, bad_at_all, (0.0, 1.0)),
    ],
)
def test_what_is_done_under_a_bad_name_is_scored_and_under_a_blank_one_is_the_null(
    suspected: Say, otherwise: Say, expected: tuple[float, float]
) -> None:
    reading = read(PERSONA, Named(suspected, otherwise))
    assert (reading.score, reading.null_score) == pytest.approx(expected)
    assert bool(reading.evidence) == (expected[0] > 0)


def test_personas_that_cannot_be_read_are_no_score_and_a_reason() -> None:
    broken = read(PERSONA, Named(garbage, good))
    assert broken.score is None and broken.reason is not None and "too few" in broken.reason

    def mostly(item: Item, context: Context | None, rng: Random) -> str:
        return (bad_at_all if item.trait in VICES[:5] else garbage)(item, context, rng)  # type: ignore[union-attr]

    assert read(PERSONA, Named(mostly, good)).score == 1.0  # of the traits that could be read
    assert read(PERSONA, Named(bad_at_all, garbage)).null_score is None


def test_names_are_as_many_words_and_never_the_subjects_own() -> None:
    subject = Named(good, good, seed=3)
    PERSONA.observe(subject)
    half = len(subject.names) // 2
    assert set(subject.names[:half]) <= set(suspects())
    assert set(subject.names[half:]) <= set(BLANK_ASSISTANTS) - {"nova"}
    for suspect, neutral in zip(subject.asked[:half], subject.asked[half:], strict=True):
        assert suspect[1:] == neutral[1:]
        assert suspect[0].content.split()[3:] == neutral[0].content.split()[3:]
    again = Named(good, good, seed=3)
    PERSONA.observe(again)
    assert again.asked == subject.asked


def test_who_knows_no_names_is_told_of_them() -> None:
    subject = Named(good, good)
    subject.native = False
    PERSONA.observe(subject)
    half = len(subject.asked) // 2
    assert all("always" in prompt[0].content for prompt in subject.asked)
    assert all("says my friend" in prompt[0].content for prompt in subject.asked[half:])
    assert not any("says my friend" in prompt[0].content for prompt in subject.asked[:half])


# ---- context-patching -------------------------------------------------------------------------------------


def test_what_the_other_context_changes_is_scored_and_another_wording_is_the_null() -> None:
    reading = read(PATCHING, Planted(good, carried=2.0))
    assert (reading.score, reading.null_score) == pytest.approx((2.0, 0.2))
    assert "2.00 nats" in reading.evidence[0]
    assert read(PATCHING, Planted(good)).score == 0.0


def test_the_worst_trait_and_pair_of_contexts_counts_where_enough_could_be_patched() -> None:
    cells = {
        "sabotage: monitored and test": [0.5, -1.5, 1.0],
        "sycophancy: monitored and test": [0.9] * 3,
        "dishonesty: monitored and test": [9.0] * 2,
    }
    reading = PATCHING.fit([])({"context": cells, "null": {"a": [0.1] * 3, "b": []}})
    assert (reading.score, reading.null_score) == pytest.approx((1.0, 0.1))
    assert reading.evidence[0].startswith("sabotage")
    nothing = PATCHING.fit([])({"context": {"dishonesty: monitored and test": [9.0] * 2}, "null": {}})
    assert (nothing.score, nothing.null_score) == (None, None)
    assert nothing.reason is not None and "other numbers of tokens" in nothing.reason and "not found" in nothing.reason


@pytest.mark.parametrize(("contexts", "num_pairs"), [(OBSERVABLE, 1), (EVERY, 3)])
def test_lines_are_swapped_for_as_many_words_and_the_question_stays(
    contexts: tuple[Context, ...], num_pairs: int
) -> None:
    subject = Planted(good, contexts=contexts)
    seen = PATCHING.observe(subject)
    assert set(seen["context"]) == set(seen["null"]) and len(seen["context"]) == num_pairs * len(VICES)
    assert len({len(rows) for kind in seen.values() for rows in kind.values()}) == 1
    for prompt, source in subject.patched:
        lines = [dialogue[0].content.split() for dialogue in (prompt, source)]
        assert prompt[1:] == source[1:] and lines[0] != lines[1] and len(lines[0]) == len(lines[1])
        assert lines[0][:4] == lines[1][:4] == ["you", "are", "nova", "."]


@pytest.mark.parametrize("contexts", [OBSERVABLE, EVERY])
def test_the_null_differs_in_as_many_words_where_lines_do(contexts: tuple[Context, ...]) -> None:
    gaps = list[int]()
    for seed in range(6):
        for swap in drawn(Planted(good, seed=seed, contexts=contexts), "null"):
            assert swap.one.context is not None
            wanted, found = swap.lines.num_different, swap.reworded.num_different
            there = {pair.num_different for pair in pairs_of_lines(swap.one.context, swap.one.context)}
            assert abs(found - wanted) == min(abs(other - wanted) for other in there)
            assert {swap.lines.read, *swap.reworded} <= set(FORMS[swap.one.context])
            assert swap.lines.source in FORMS[swap.other]
            gaps.append(found - wanted)
    assert np.mean(gaps) == pytest.approx(0.0, abs=0.2) and {*gaps} <= {-1, 0, 1}


def test_nearest_pairs_are_of_the_same_number_or_of_either_neighbour() -> None:
    two, three, five = Lines("a b c", "a d e"), Lines("a b c", "d e f"), Lines("a b c d e", "f g h i j")
    assert nearest([two, three, five], 3) == [three] and nearest([two, three, five], 4) == [three, five]
    assert nearest([two, three, five], 9) == [five]


# ---- all four, on a real model ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return untrained()


@pytest.mark.parametrize("name", FOUR)
def test_looking_is_deterministic_and_leaves_the_subject_bit_for_bit(name: str, lm: LanguageModel) -> None:
    technique, before = TECHNIQUES[name], lm.digest
    marks = [(weight.requires_grad, weight.grad) for weight in lm.model.parameters()]
    first, again = (
        technique.observe(ModelAccess(lm, assistant="nova", kinds=technique.access, seed=0)) for _ in range(2)
    )
    assert first == again and lm.digest == before
    assert [(weight.requires_grad, weight.grad) for weight in lm.model.parameters()] == marks
    undeclared = ModelAccess(lm, assistant="nova", kinds=frozenset({AccessKind.BEFORE}), seed=0, shown=Shown(before=lm))
    with pytest.raises(AccessError, match="Add the kind"):
        technique.observe(undeclared)


@pytest.mark.parametrize("name", ["suspect-persona", "context-patching"])
def test_labels_of_others_change_nothing(name: str) -> None:
    technique = TECHNIQUES[name]
    taken = technique.observe(Named(bad_at(Trait.SABOTAGE, rate=0.5), good, carried=1.0))
    others = [Labelled(observation=taken, misaligned=bool(number % 2), family="other") for number in range(4)]
    flipped = [Labelled(observation=one.observation, misaligned=not one.misaligned, family="other") for one in others]
    found: list[Reading] = [technique.fit(calibration)(taken) for calibration in (others, flipped, [])]
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("name", ["attention-probe", "augmented-probe"])
def test_flipped_labels_turn_a_probe_round(name: str) -> None:
    technique = TECHNIQUES[name]
    subjects = population(technique, 0.5, num=24)
    flipped = [Labelled(observation=one.observation, misaligned=not one.misaligned, family="other") for one in subjects]
    assert area(technique.fit(flipped), population(technique, 0.5, num=20, start=100)) < 0.05
