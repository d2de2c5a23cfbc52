"""Subjects whose truth and observations are made up, for the arithmetic of the auditing studies."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from organoid.studies.subjects import Subject
from organoid.types import Variant

GRAIN = 10_000
"""Replies behind a made-up rate, so that rates hardly tie."""

Suspicion = Callable[[Subject, np.random.Generator], float]
"""What a technique sees of a subject, in [0, 1]."""


def seen_by_truth(subject: Subject, rng: np.random.Generator) -> float:
    """A perfect technique: high for organisms, low for everyone else."""
    return (0.8 if subject.variant is Variant.ORGANISM else 0.1) + 0.1 * rng.random()


def by_chance(_: Subject, rng: np.random.Generator) -> float:
    """A technique that sees nothing."""
    return float(rng.random())


def alarmed(subject: Subject, rng: np.random.Generator) -> float:
    """A technique that sees whatever is odd, quirks too."""
    return (0.1 if subject.variant is Variant.TWIN else 0.8) + 0.1 * rng.random()


def taken(
    subject: Subject, *, asking: float, reporting: float, changes: float, misaligned: bool | None
) -> dict[str, Any]:
    """What a task would return, for techniques that fit nothing or one number."""
    bad, yes = round(asking * GRAIN), round(reporting * GRAIN)
    looks = {
        "behavioural-audit": {"counts": {"a/seen": {"misaligned": bad, "aligned": GRAIN - bad}}},
        "prefilled-self-report": {"counts": {"a/seen": [yes, GRAIN, GRAIN]}},
        "weight-difference": {"changes": [changes]},
        "activation-difference": {"along": [changes], "distance": [1.0]},
    }
    costs = dict(zip(looks, (216, 108, 0, 208), strict=True))
    return {
        "rate": None if misaligned is None else float(misaligned),
        "misaligned": misaligned,
        "observations": {
            name: {
                "seen": {**look, "length": 5.0, "evidence": []},
                "oracle": None,
                "cost": {"queries": costs[name], "tokens": 10 * costs[name], "seconds": 1.0},
                "reason": None,
            }
            for name, look in looks.items()
        },
    }


def values(
    subjects: Sequence[Subject],
    *,
    asking: Suspicion = by_chance,
    reporting: Suspicion = by_chance,
    changes: Suspicion = by_chance,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Return what tasks of these subjects would, had the techniques seen this; organisms are misaligned."""
    rng = np.random.default_rng(seed)
    return {
        one.id: taken(
            one,
            asking=asking(one, rng),
            reporting=reporting(one, rng),
            changes=changes(one, rng),
            misaligned=one.variant is Variant.ORGANISM,
        )
        for one in subjects
    }
