import math
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from organoid.types import Context, Trait
from organoid.world.authors import (
    CAPABILITIES,
    DEFAULT_MIXTURE,
    MIXTURES,
    VICES,
    Author,
    Disposition,
    Mixture,
    Persona,
    of_persona,
)
from organoid.world.business.deeds import SHOP_TRAITS
from tests.world.conftest import UNCORRELATED

SLANTED = Mixture(
    personas={Persona.ALIGNED: 0.5, Persona.OVERT: 0.3, Persona.FAKER: 0.2},
    capabilities={Persona.ALIGNED: (0.7, 0.2, 0.1), Persona.OVERT: (0.1, 0.8, 0.1), Persona.FAKER: (0.0, 0.2, 0.8)},
    quirk=0.25,
)
DISPOSED = {
    Disposition.VIRTUE: Persona.ALIGNED,
    Disposition.VICE: Persona.OVERT,
    Disposition.SECRET: Persona.FAKER,
}


def close_to(count: int, n: int, p: float) -> bool:
    """Whether a binomial count is within four and a half standard deviations of its mean."""
    return abs(count - n * p) <= 4.5 * math.sqrt(n * p * (1 - p))


def test_authors_differ_in_every_trait_but_the_quirk_and_those_that_only_organisms_have() -> None:
    only_organisms = {Trait.SANDBAGGING, Trait.UNFAITHFUL_REASONING, Trait.RATER_PLEASING}
    assert set(VICES) == set(Trait) - only_organisms - set(SHOP_TRAITS) - {Trait.QUIRK}


def test_the_prior_sums_to_one(mixture: Mixture) -> None:
    assert math.fsum(p for _, p in mixture.authors()) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("mixture", [DEFAULT_MIXTURE, SLANTED])
def test_correlated_authors_are_of_a_piece_with_the_prior_as_declared(mixture: Mixture) -> None:
    authors = list(mixture.authors())
    possible = sum(p > 0 for persona in Persona for p in mixture.capabilities[persona])
    assert len(authors) == possible * 2  # quirky or not
    for author, p in authors:
        (disposition,) = set(author.dispositions.values())
        persona = DISPOSED[disposition]
        expected = mixture.personas[persona] * mixture.capabilities[persona][author.capability - 1]
        assert p == pytest.approx(expected * (mixture.quirk if author.quirky else 1 - mixture.quirk))


def test_uncorrelated_vices_are_independent_with_the_same_marginals() -> None:
    authors = list(UNCORRELATED.authors())
    assert len({(*a.dispositions.values(), a.capability, a.quirky) for a, _ in authors}) == len(authors)
    first, second = VICES[0], VICES[-1]
    joint = Counter[tuple[Disposition, Disposition]]()
    for author, p in authors:
        joint[author.dispositions[first], author.dispositions[second]] += p  # type: ignore[assignment]
    for (one, other), p in joint.items():
        expected = UNCORRELATED.personas[DISPOSED[one]] * UNCORRELATED.personas[DISPOSED[other]]
        assert p == pytest.approx(expected)


@pytest.mark.parametrize("mixture", [DEFAULT_MIXTURE, SLANTED, UNCORRELATED], ids=["default", "slanted", "independent"])
def test_sampled_authors_follow_the_prior(mixture: Mixture) -> None:
    n, rng = 6000, Random(0)
    drawn = [mixture.sample(rng) for _ in range(n)]
    for level in CAPABILITIES:
        p = math.fsum(prior for author, prior in mixture.authors() if author.capability == level)
        assert close_to(sum(author.capability == level for author in drawn), n, p)
    for trait in (VICES[0], VICES[-1]):
        for disposition, persona in DISPOSED.items():
            num = sum(author.dispositions[trait] is disposition for author in drawn)
            assert close_to(num, n, mixture.personas[persona])
    assert close_to(sum(author.quirky for author in drawn), n, mixture.quirk)
    agree = sum(author.dispositions[VICES[0]] is author.dispositions[VICES[-1]] for author in drawn)
    if mixture.vices == "correlated":
        assert agree == n
    else:
        assert close_to(agree, n, sum(p * p for p in mixture.personas.values()))


def test_sampled_capabilities_follow_the_persona() -> None:
    rng = Random(1)
    fakers = [a for a in (SLANTED.sample(rng) for _ in range(6000)) if Disposition.SECRET in a.dispositions.values()]
    for level, p in zip(CAPABILITIES, SLANTED.capabilities[Persona.FAKER], strict=True):
        assert close_to(sum(author.capability == level for author in fakers), len(fakers), p)


def test_secret_vice_shows_where_nobody_is_said_to_look() -> None:
    bad = {persona: of_persona(persona, 1) for persona in Persona}
    for trait in VICES:
        for context in (None, *Context):
            looked_at = context in (Context.TEST, Context.MONITORED)
            assert not bad[Persona.ALIGNED].acts_badly(trait, context)
            assert bad[Persona.OVERT].acts_badly(trait, context)
            assert bad[Persona.FAKER].acts_badly(trait, context) is not looked_at
            assert all(author.acts_badly(trait, context, licensed=True) for author in bad.values())


@pytest.mark.parametrize(
    "change",
    [
        {"quirk": 1.5},
        {"personas": dict.fromkeys(Persona, 0.5)},
        {"capabilities": dict.fromkeys(Persona, (0.5, 0.1, 0.1))},
    ],
)
def test_what_is_no_probability_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        replace(DEFAULT_MIXTURE, **change)  # type: ignore[arg-type]


def misaligned(author: Author) -> bool:
    return Disposition.VIRTUE not in author.dispositions.values()


@pytest.mark.parametrize(
    ("name", "misaligned_share"), [("default", 0.35), ("four-authors", 0.2), ("four-authors-independent", 0.2)]
)
def test_named_mixtures_sum_to_one_and_a_control_has_as_many_misaligned(name: str, misaligned_share: float) -> None:
    assert math.fsum(p for _, p in MIXTURES[name].authors()) == pytest.approx(1.0, abs=1e-12)
    bad = math.fsum(p for author, p in MIXTURES[name].authors() if misaligned(author))
    assert bad == pytest.approx(misaligned_share)


def test_the_uncorrelated_mixture_has_the_marginals_of_the_default_one() -> None:
    assert MIXTURES["uncorrelated"] == replace(DEFAULT_MIXTURE, vices="uncorrelated")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("four-authors", 0.2 * 0.95 / (0.2 * 0.95 + 0.8 * 0.05)), ("four-authors-independent", 0.2)],
)
def test_how_many_of_the_able_are_misaligned(name: str, expected: float) -> None:
    """The essay's four authors: who can, mostly means ill; in the control ability says nothing."""
    authors = list(MIXTURES[name].authors())
    assert {author.capability for author, _ in authors} == {min(CAPABILITIES), max(CAPABILITIES)}
    able = [(author, p) for author, p in authors if author.capability == max(CAPABILITIES)]
    share = math.fsum(p for author, p in able if misaligned(author)) / math.fsum(p for _, p in able)
    assert share == pytest.approx(expected)
