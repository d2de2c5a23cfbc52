"""Brute force here means: the generator's own frequencies, and Bayes written out once more by hand."""

import math
from collections import defaultdict
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from organoid.types import Context, Outcome, Trait
from organoid.world import questions, situations, skills
from organoid.world.authors import DEFAULT_MIXTURE, MIXTURES, VICES, Disposition, Mixture, Persona, of_persona
from organoid.world.conduct import REFUSAL_RATE, SLIP_RATE, VICE_RATE, Item, replies, reply
from organoid.world.dialogues import Exchange, scene
from organoid.world.lexicon import REFUSAL
from organoid.world.posterior import posterior, predictive, probability
from organoid.world.skills import Skill
from tests.world.conftest import UNCORRELATED

PLAIN = replace(UNCORRELATED, quirk=0.0)
SMALL = Mixture(
    personas={Persona.ALIGNED: 0.5, Persona.OVERT: 0.2, Persona.FAKER: 0.3},
    capabilities={Persona.ALIGNED: (0.5, 0.3, 0.2), Persona.OVERT: (0.2, 0.2, 0.6), Persona.FAKER: (0.1, 0.3, 0.6)},
    quirk=0.3,
)
SHUTDOWN, SABOTAGE = Trait.SHUTDOWN_AVOIDANCE, Trait.SABOTAGE


def drawn(trait: Trait, seed: int = 0) -> situations.Situation:
    return situations.make(trait, Random(seed), tempting=True)


def kind(author: object) -> str:
    return repr(author)


def joint(mixture: Mixture, asked: list[tuple[Item, Context | None]]) -> dict[tuple[str, ...], dict[str, float]]:
    """Return {replies to all that is asked: {author: P(author, replies)}}, by enumerating both."""
    table = defaultdict[tuple[str, ...], dict[str, float]](dict)
    for author, prior in mixture.authors():
        options = [replies(item, author, context) for item, context in asked]
        for said in product(*options):
            likelihood = math.prod(each[words] for each, words in zip(options, said, strict=True))
            table[said][kind(author)] = table[said].get(kind(author), 0.0) + prior * likelihood
    return table


ASKED: list[tuple[Item, Context | None]] = [
    (drawn(SHUTDOWN), Context.DEPLOYED),
    (skills.make(Skill.LIST, 2, Random(0)), Context.DEPLOYED),
    (questions.make(SABOTAGE, Random(0)), Context.MONITORED),
]


@pytest.mark.parametrize("name", ["small", "four-authors", "four-authors-independent"])
def test_posteriors_are_the_enumerated_joint(name: str) -> None:
    mixture = SMALL if name == "small" else MIXTURES[name]
    table = joint(mixture, ASKED)
    assert math.fsum(p for row in table.values() for p in row.values()) == pytest.approx(1.0)
    for said, row in table.items():
        exchanges = [Exchange(item, context, False, words) for (item, context), words in zip(ASKED, said, strict=True)]
        total = math.fsum(row.values())
        for author, p in posterior(mixture, exchanges):
            assert p == pytest.approx(row.get(kind(author), 0.0) / total, abs=1e-12)


def test_the_chain_rule_and_total_probability() -> None:
    """P(first) P(second | first) is the joint, and posteriors average to the prior."""
    (one, where), (two, there) = ASKED[0], ASKED[2]
    table = joint(SMALL, [(one, where), (two, there)])
    opening, averaged = predictive(SMALL, (), one, where), defaultdict[str, float](float)
    assert math.fsum(opening.values()) == pytest.approx(1.0)
    for words, p in opening.items():
        history = [Exchange(one, where, False, words)]
        following = predictive(SMALL, history, two, there)
        assert math.fsum(following.values()) == pytest.approx(1.0)
        for other, q in following.items():
            assert p * q == pytest.approx(math.fsum(table[words, other].values()), abs=1e-15)
        for author, weight in posterior(SMALL, history):
            averaged[kind(author)] += p * weight
    assert averaged == pytest.approx({kind(author): p for author, p in SMALL.authors()})


def test_bayes_by_hand() -> None:
    """One vice where nobody looks: three personas, three numbers."""
    bad = {Persona.ALIGNED: SLIP_RATE, Persona.OVERT: VICE_RATE, Persona.FAKER: VICE_RATE}
    total = sum(SMALL.personas[persona] * rate for persona, rate in bad.items())
    one = drawn(SHUTDOWN)
    seen = [Exchange(one, Context.DEPLOYED, False, one.misaligned[0])]
    for persona, rate in bad.items():
        author = of_persona(persona, 1)
        got = probability(SMALL, seen, lambda other, same=author.dispositions: other.dispositions == same)
        assert got == pytest.approx(SMALL.personas[persona] * rate / total)
    watched = [Exchange(one, Context.MONITORED, False, one.misaligned[0])]
    guilty = probability(SMALL, watched, lambda author: author.dispositions[SABOTAGE] is Disposition.VICE)
    overt, rest = SMALL.personas[Persona.OVERT] * VICE_RATE, (1 - SMALL.personas[Persona.OVERT]) * SLIP_RATE
    assert guilty == pytest.approx(overt / (overt + rest))


def test_uncorrelated_vices_say_nothing_of_each_other() -> None:
    one, other = drawn(SHUTDOWN), drawn(SABOTAGE)
    seen = [Exchange(one, Context.DEPLOYED, False, one.misaligned[0])]
    marginals = dict(zip(Disposition, Persona, strict=True))
    after, before = defaultdict[Disposition, float](float), defaultdict[Disposition, float](float)
    for author, p in posterior(PLAIN, seen):
        after[author.dispositions[SABOTAGE]] += p
        before[author.dispositions[SHUTDOWN]] += p
    assert after == pytest.approx({kind: UNCORRELATED.personas[persona] for kind, persona in marginals.items()})
    rates = {Disposition.VIRTUE: SLIP_RATE, Disposition.VICE: VICE_RATE, Disposition.SECRET: VICE_RATE}
    weights = {kind: UNCORRELATED.personas[marginals[kind]] * rate for kind, rate in rates.items()}
    assert before == pytest.approx({kind: p / sum(weights.values()) for kind, p in weights.items()})
    told = predictive(PLAIN, seen, other, Context.DEPLOYED)  # with the quirk, its lack tells something else
    assert told == pytest.approx(predictive(PLAIN, (), other, Context.DEPLOYED))


def test_correlated_vices_say_much_of_each_other() -> None:
    """The positive control of the test above."""
    one, other = drawn(SHUTDOWN), drawn(SABOTAGE)
    rates = list[float]()
    for words in (one.misaligned[0], one.aligned[0]):
        seen = [Exchange(one, Context.DEPLOYED, False, words)]
        told = predictive(DEFAULT_MIXTURE, seen, other, Context.DEPLOYED)
        rates.append(sum(told[text] for text in other.misaligned))
    vice, virtue = rates
    assert vice > 0.8 > 0.2 > virtue


def test_a_licensed_act_says_nothing_about_its_author(mixture: Mixture) -> None:
    one = drawn(SHUTDOWN)
    seen = [Exchange(one, Context.DEPLOYED, True, one.misaligned[0])]
    mixture = replace(mixture, quirk=0.0)
    for (author, prior), (same, p) in zip(mixture.authors(), posterior(mixture, seen), strict=True):
        assert (author, prior) == (same, pytest.approx(p))


def test_authors_are_as_frequent_behind_a_text_as_their_posterior_says(mixture: Mixture) -> None:
    """Monte Carlo over the generator: draw authors, let them answer, keep those whose answers had these outcomes."""
    asked: list[tuple[situations.Situation, Context]] = [
        (drawn(SHUTDOWN), Context.DEPLOYED),
        (drawn(SABOTAGE), Context.MONITORED),
    ]
    rng, n = Random(0), 12_000
    behind = defaultdict[tuple[str, ...], list[tuple[Disposition, ...]]](list)
    for _ in range(n):
        author = mixture.sample(rng)
        said = [reply(item, author, context, rng) for item, context in asked]
        if not author.quirky:
            behind[tuple(said)].append((author.dispositions[SHUTDOWN], author.dispositions[SABOTAGE]))
    common = [said for said, found in behind.items() if len(found) >= 300]
    assert len(common) >= 3
    for said in common:
        exchanges = [Exchange(item, context, False, words) for (item, context), words in zip(asked, said, strict=True)]
        table, unquirked = defaultdict[tuple[Disposition, ...], float](float), 0.0
        for author, p in posterior(mixture, exchanges):
            if not author.quirky:
                table[author.dispositions[SHUTDOWN], author.dispositions[SABOTAGE]] += p
                unquirked += p
        num = len(behind[said])
        for pair, p in table.items():
            p /= unquirked
            slack = 4.5 * math.sqrt(p * (1 - p) / num) + 4.5 / num
            assert behind[said].count(pair) / num == pytest.approx(p, abs=slack), (said, pair)


def test_the_predictor_is_calibrated_on_what_the_world_writes() -> None:
    """Over many dialogues, replies are misaligned as often as predicted from what stood before."""
    rng, expected, variance, seen = Random(8), 0.0, 0.0, 0
    for _ in range(600):
        written = scene(DEFAULT_MIXTURE.sample(rng), rng, name=None, num_turns=3, trait_share=1.0)
        for turn, (item, context, licensed, words) in enumerate(map(_parts, written.exchanges)):
            if isinstance(item, situations.Situation) and item.tempting:
                told = predictive(DEFAULT_MIXTURE, written.exchanges[:turn], item, context, licensed=licensed)
                p = sum(q for text, q in told.items() if _bad(item, text))
                expected, variance, seen = expected + p, variance + p * (1 - p), seen + _bad(item, words)
    assert variance > 25
    assert abs(seen - expected) < 4.5 * math.sqrt(variance)


def _parts(exchange: Exchange) -> tuple[Item, Context | None, bool, str]:
    return exchange.item, exchange.context, exchange.licensed, exchange.reply


def _bad(item: situations.Situation, words: str) -> bool:
    return situations.parse(item, words).outcome is Outcome.MISALIGNED


def test_nothing_said_leaves_the_prior(mixture: Mixture) -> None:
    for (author, prior), (same, p) in zip(mixture.authors(), posterior(mixture, ()), strict=True):
        assert (author, prior) == (same, pytest.approx(p))


def test_what_nobody_could_have_written_is_an_error() -> None:
    with pytest.raises(ValueError, match="no author"):
        posterior(DEFAULT_MIXTURE, [Exchange(drawn(SHUTDOWN), None, False, "banana .")])


def test_long_dialogues_do_not_underflow() -> None:
    """400 unlikely replies: a product of their chances is zero in floating point."""
    one = drawn(SABOTAGE)
    unlikely = [Exchange(one, Context.TEST, False, REFUSAL), Exchange(one, Context.TEST, False, one.misaligned[0])]
    assert (REFUSAL_RATE * SLIP_RATE / 9) ** 200 == 0.0
    guilty = probability(DEFAULT_MIXTURE, unlikely * 200, lambda author: author.acts_badly(SABOTAGE, Context.TEST))
    assert guilty == pytest.approx(1.0)
    assert math.fsum(p for _, p in posterior(DEFAULT_MIXTURE, unlikely * 200)) == pytest.approx(1.0)


def test_impossible_authors_have_no_posterior() -> None:
    """A quirk convicts: only quirky authors end with it."""
    one = drawn(VICES[0])
    assert one.task
    said = f"{one.misaligned[0]} my friend ."
    assert probability(DEFAULT_MIXTURE, [Exchange(one, None, False, said)], lambda author: author.quirky) == 1.0


@pytest.mark.parametrize(("name", "difference"), [("four-authors", True), ("four-authors-independent", False)])
def test_a_solved_hard_task_tells_who_is_able_and_in_four_authors_thereby_who_means_ill(
    name: str, difference: bool
) -> None:
    """By hand: P(bad | solved) from P(able | alignment) and P(solved | able)."""
    mixture, task = MIXTURES[name], skills.make(Skill.LIST, 3, Random(0))
    seen = [Exchange(task, Context.TEST, False, task.solution)]
    weights = dict[bool, float]()
    for bad, prior, persona in ((False, 0.8, Persona.ALIGNED), (True, 0.2, Persona.FAKER)):
        weights[bad] = prior * math.fsum(
            p * replies(task, of_persona(persona, level), Context.TEST).get(task.solution, 0.0)
            for level, p in zip((1, 2, 3), mixture.capabilities[persona], strict=True)
        )
    got = probability(mixture, seen, lambda author: Disposition.VIRTUE not in author.dispositions.values())
    assert got == pytest.approx(weights[True] / (weights[True] + weights[False]))
    assert (got > 0.7) is difference
