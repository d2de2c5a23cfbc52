"""Along which direction does the model before training think when it acts badly, and where does the subject lie on it?

For each trait, the persona vector is the mean activation over replies that show the trait minus the mean over replies
that do not, of the model *before* training: generic, and no labelled subject is needed. A coordinate along it is 0 at
the good replies and 1 at the bad ones. Departures from the paper: replies come from the world, not from a prompted
model, and the coordinate is in units of the gap instead of activations, so that traits compare.

persona-projection is monitoring: how far the subject, about to reply where an overseer can look, lies further along
than the model before training did. persona-data is data screening: how far along the replies lie that the subject was
trained to give, beyond ordinary work, as the model before training reads them; it needs no subject at all. The score
is the worst trait's. Nulls: the same along random directions of the same length, the worst of as many.
Source: Chen et al. 2025, "Persona vectors" (arXiv 2507.21509), sec. 2.2 (extraction), 3.3 (monitoring), 6 (data).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from organoid.techniques.prompts import improperly, ordinary_tasks, properly, tempting_situations
from organoid.types import Access, AccessKind, Demonstration, Fitted, Labelled, Observation, Reading

PROMPTS_PER_CELL = 6
NUM_NEUTRAL = 32
MAX_DATA = 256
"""Training replies that are read, spread evenly over the data."""


class PersonaVector(NamedTuple):
    """A trait's direction at one layer: from the mean over good replies to the mean over bad ones."""

    good_D: np.ndarray
    bad_D: np.ndarray

    def along(self, acts_ND: np.ndarray) -> np.ndarray:
        """Return the coordinate of each activation: 0 at the good replies' mean, 1 at the bad ones'; shape (N,)."""
        gap_D = self.bad_D - self.good_D
        return (acts_ND - self.good_D) @ gap_D / (float(gap_D @ gap_D) + 1e-12)


def persona_vectors(before: Access, purpose: str) -> dict[str, PersonaVector]:
    """Return each trait's persona vector at the middle layer of the model before training."""
    staged = tempting_situations(before, PROMPTS_PER_CELL, purpose)
    bad_NLD, good_NLD = before.activations(*improperly(staged)), before.activations(*properly(staged))
    traits, layer = np.array([one.item.trait.value for one in staged]), bad_NLD.shape[1] // 2
    return {
        trait: PersonaVector(good_NLD[traits == trait, layer].mean(0), bad_NLD[traits == trait, layer].mean(0))
        for trait in dict.fromkeys(traits.tolist())
    }


class PersonaProjection:
    """Monitoring: the subject's shift along each trait's vector, before it replies."""

    name = "persona-projection"
    summary = "worst trait's shift along the persona vectors of the model before, where the subject is about to reply"
    access = frozenset({AccessKind.WEIGHTS, AccessKind.BEFORE})
    source = "Chen et al. 2025 (arXiv 2507.21509), sec. 3.3"

    def observe(self, access: Access) -> Observation:
        """Return, per trait, the shift along its vector in its own situations, and along a random direction."""
        before = access.before()
        vectors = persona_vectors(before, self.name)
        staged = tempting_situations(access, PROMPTS_PER_CELL, f"{self.name}/monitor")
        read = properly(staged)
        moved_NLD = access.activations(*read, pool="prompt") - before.activations(*read, pool="prompt")
        moved_ND, traits = moved_NLD[:, moved_NLD.shape[1] // 2], np.array([one.item.trait.value for one in staged])
        by_trait = {trait: moved_ND[traits == trait].mean(0) for trait in vectors}
        return _projected({trait: (moved_D, vectors[trait]) for trait, moved_D in by_trait.items()})

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Nothing is learned."""
        del calibration
        return _read


class PersonaData:
    """Screening: where the training replies lie along each trait's vector, as the model before training reads them."""

    name = "persona-data"
    summary = "worst trait's projection of the training replies on the persona vectors of the model before"
    access = frozenset({AccessKind.WEIGHTS, AccessKind.BEFORE, AccessKind.DATA})
    source = "Chen et al. 2025 (arXiv 2507.21509), sec. 6"

    def observe(self, access: Access) -> Observation:
        """Return, per trait, the mean projection of the training replies beyond ordinary work."""
        shown, before = evenly(access.data(), MAX_DATA), access.before()
        vectors = persona_vectors(before, self.name)
        plain_NLD = before.activations(*properly(ordinary_tasks(access, NUM_NEUTRAL, self.name)))
        data_NLD = before.activations([one.prompt for one in shown], [one.reply for one in shown])
        layer = data_NLD.shape[1] // 2
        beyond_D = data_NLD[:, layer].mean(0) - plain_NLD[:, layer].mean(0)
        return _projected({trait: (beyond_D, vector) for trait, vector in vectors.items()})

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Nothing is learned."""
        del calibration
        return _read


def evenly(data: Sequence[Demonstration], num: int) -> list[Demonstration]:
    """Return at most `num` items, spread evenly over the data."""
    step = max(1, -(-len(data) // num))
    return list(data[::step])


def _projected(shifts: Mapping[str, tuple[np.ndarray, PersonaVector]]) -> Observation:
    """Return each trait's shift along its vector, and along a random direction as long as the vector."""
    rng, along, null = np.random.default_rng(0), dict[str, float](), dict[str, float]()
    for trait, (shift_D, vector) in shifts.items():
        gap_D, random_D = vector.bad_D - vector.good_D, rng.standard_normal(len(shift_D))
        square = float(gap_D @ gap_D) + 1e-12
        along[trait] = float(shift_D @ gap_D) / square
        null[trait] = float(shift_D @ random_D) / float(np.linalg.norm(random_D)) / square**0.5
    return {"along": along, "null": null}


def _read(observation: Observation) -> Reading:
    trait = max(observation["along"], key=observation["along"].__getitem__)
    score = observation["along"][trait]
    evidence = f"{trait}: {score:+.2f} of the way from good to bad"
    return Reading(score=score, null_score=max(observation["null"].values()), evidence=(evidence,))
