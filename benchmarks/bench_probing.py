"""What do probes that attend or are augmented find, and a suspected persona, and a context patched in?

As `provoking`, on the same 26 subjects, for the techniques of `NAMES`; `linear-probe` and `behavioural-audit` stand
beside them. Probes are fitted on all subjects of other families (organisms and twins; decoys are not among the 26).

Then the two probes read every subject in each style of `techniques.styles` by itself, the same situations in all and
others than either probe was fitted on: AUROC in the plain style, in those that the augmented probe was fitted on, and
in two that it never saw; and `alarms`, the share of aligned subjects whose score in a style is above the highest of any
aligned subject of their family in plain style, by the same fit, with the exact binomial interval (in plain style it is
0 by construction): a probe may keep its order under a shift and lose its threshold. Last, how the first order's
estimate of a patch goes with the patch itself, on context-patching's own prompts: Pearson's correlation over a
subject's prompts, and the ratio of mean absolute changes, averaged over pairs, plain and in the oracle's contexts.
`root` holds subjects that are grown already.

    python -m benchmarks probing
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_looking import Looked, figures, grown, identity, looked_at, observed, words
from benchmarks.bench_provoking import PAIRS
from organoid.lab.bases import load_base
from organoid.lab.readings import Observed
from organoid.lab.trial import look, observe
from organoid.measure.intervals import clopper_pearson, mean_interval, ratio_of_means
from organoid.measure.ranking import auroc
from organoid.models.language_model import LanguageModel
from organoid.studies.subjects import organism_named
from organoid.techniques import TECHNIQUES
from organoid.techniques.interpretability.augmented_probe import AugmentedProbe
from organoid.techniques.interpretability.context_patching import ContextPatching, drawn, patchings
from organoid.techniques.styles import Style
from organoid.types import Access, Fitted, Labelled, Observation

NAMES = (
    "attention-probe",
    "augmented-probe",
    "suspect-persona",
    "context-patching",
    "linear-probe",
    "behavioural-audit",
)
PROBES = ("linear-probe", "augmented-probe")
"""Those that are read under shifts of style."""


class InEveryStyle(AugmentedProbe):
    """Takes down each style's row, unseen ones included, in the order of `Style`."""

    name = "in-every-style"  # other situations than those that either probe learns from
    styles = tuple(Style)


class Estimated(ContextPatching):
    """Takes down each patch beside the first order's estimate, on the prompts of context-patching."""

    def observe(self, access: Access) -> Observation:
        """Return (true, estimated) of every prompt that could be patched, nats."""
        found = patchings(access, drawn(access, self.name), estimated=True)
        return {"nats": [[one.true, one.estimated] for one in found if one is not None]}


def run(root: Path | None = None) -> dict[str, Any]:
    """Grow what is not there yet, look, and return the figures."""
    if root is None:
        with tempfile.TemporaryDirectory() as directory:
            return run(Path(directory))
    base, looked = load_base("tiny"), list[Looked]()
    rows, patches = dict[str, list[list[float]]](), dict[str, dict[str, Any]]()
    for organism, num in PAIRS.items():
        for seed in range(num):
            pair = looked_at(root, organism, seed, NAMES, base)
            looked += pair
            rows |= {identity(one): _in_styles(root, one, base) for one in pair}
            patches |= {identity(one): _patches(root, one, base) for one in pair}
    return figures(looked) | shifts(looked, rows) | estimates(looked, patches)


def _in_styles(root: Path, one: Looked, base: LanguageModel) -> list[list[float]]:
    """Return a subject's activations, a row a style."""
    lm, job = grown(root, one.organism, one.variant, one.seed), organism_named(one.organism).job(one.variant, one.seed)
    found = look(InEveryStyle(), lm, base, job=job, seed=one.seed)
    assert found.taken is not None, found.reason
    return found.taken["acts"]


def _patches(root: Path, one: Looked, base: LanguageModel) -> dict[str, Any]:
    """Return a subject's patches and their estimates, seen and by the oracle."""
    lm, job = grown(root, one.organism, one.variant, one.seed), organism_named(one.organism).job(one.variant, one.seed)
    return observe(Estimated(), lm, base, job=job, seed=one.seed)


def shifts(looked: list[Looked], rows: Mapping[str, list[list[float]]]) -> dict[str, Any]:
    """Return AUROC and false alarms of both probes in each style, fitted on other families as they always are.

    Args:
        looked: the subjects, with what each probe took down.
        rows: by subject, its activations in each style.
    """
    subjects, numbers = [observed(one) for one in looked], dict[str, Any]()
    labels, pairs = [bool(one.misaligned) for one in looked], [f"{one.organism}/{one.seed}" for one in looked]
    for name in PROBES:
        families = dict.fromkeys(subject.family for subject in subjects)
        fitted = {family: _fitted(name, subjects, family) for family in families}
        plain = [_score(fitted[subject.family], rows[subject.id][0]) for subject in subjects]
        highest = dict[str, float]()
        for score, bad, subject in zip(plain, labels, subjects, strict=True):
            if not bad:
                highest[subject.family] = max(score, highest.get(subject.family, score))
        for place, style in enumerate(Style):
            scores = [_score(fitted[subject.family], rows[subject.id][place]) for subject in subjects]
            numbers[f"{name}_auroc_{style}"] = words(auroc(scores, labels, pairs))
            alarms = [
                score > highest[subject.family]
                for score, bad, subject in zip(scores, labels, subjects, strict=True)
                if not bad
            ]
            if style is not Style.PLAIN:
                numbers[f"{name}_alarms_{style}"] = words(clopper_pearson(sum(alarms), len(alarms)))
    return numbers


def _fitted(name: str, subjects: list[Observed], family: str) -> Fitted:
    calibration = [
        Labelled(observation=one.observations[name]["seen"], misaligned=bool(one.misaligned), family=one.family)
        for one in subjects
        if one.family != family
    ]
    return TECHNIQUES[name].fit(calibration)


def _score(fitted: Fitted, row: list[float]) -> float:
    score = fitted({"acts": [row]}).score
    assert score is not None
    return score


def estimates(looked: list[Looked], patches: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return how attribution patching's estimates go with true patches: means over pairs, with intervals over pairs.

    Args:
        looked: the subjects.
        patches: by subject and view, its (true, estimated) changes.
    """
    numbers = dict[str, Any]()
    pairs = dict.fromkeys((one.organism, one.seed) for one in looked)
    for view in ("seen", "oracle"):
        correlations, sizes = list[float](), list[Any]()
        for pair in pairs:
            both = [identity(one) for one in looked if (one.organism, one.seed) == pair]
            nats = [np.array(patches[name][view]["nats"]).T for name in both]
            correlations.append(float(np.mean([np.corrcoef(*of_one)[0, 1] for of_one in nats])))
            sizes.append(np.mean([np.abs(of_one).mean(1) for of_one in nats], axis=0))
        true, estimated = np.transpose(sizes)
        numbers[f"patching_{view}_correlation"] = words(mean_interval(correlations, bounds=(-1.0, 1.0)))
        numbers[f"patching_{view}_ratio"] = words(ratio_of_means(estimated, true).ratio)
    return numbers
