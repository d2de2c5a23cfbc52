"""What does it cost to fit a probe, and its control? Ours against a plain pipeline of scikit-learn, same penalty.

Ours is scikit-learn's solver too, with the scaling folded back into the direction, so a ratio near 1 is expected: what
is shown is that nothing is lost, in time or in the direction found (`cosine`). The difference of means and the control,
the best of 1,000 random directions, stand beside it. Shapes are the 60 calibration subjects of a test and the 220 of
`auditing-game`, two contexts of `tiny` each, and 5,000 tokens of a model twice as wide as both together.

    python -m benchmarks probe_fits
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.peers import median, ratio, take_turns, threads
from organoid.measure.directions import best_random_direction, cosine, difference_of_means, fit_logistic, linear_models
from organoid.measure.quantiles import Floats

TURNS = 15
PENALTY = 10.0
SHAPES = {"60x256": (60, 256), "220x256": (220, 256), "5000x512": (5000, 512)}
APART = 0.5
"""Standard deviations, of a dimension of spread 1, between the two means in each of a tenth of the dimensions."""


def run() -> dict[str, float]:
    """Return seconds of our fit, each other way's time over it, and the cosine between our direction and theirs."""
    numbers: dict[str, float] = {}
    for name, (rows, width) in SHAPES.items():
        acts_ND, labels_N = planted(rows, width)
        ours, plain = partial(_ours, acts_ND, labels_N), partial(_plain, acts_ND, labels_N)
        ways: Mapping[str, Callable[[], object]] = {
            "ours": ours,
            "sklearn": plain,
            "means": partial(difference_of_means, acts_ND, labels_N),
            "best_of_1000_random": partial(best_random_direction, acts_ND, labels_N),
        }
        with threads(1), threadpool_limits(limits=1):
            times = take_turns(ways, turns=TURNS)
        numbers[f"{name}_ours_s"] = median(times, "ours")
        numbers |= {f"{name}_{way}_over_ours": ratio(times, way, "ours") for way in ways if way != "ours"}
        found = cosine(ours(), plain())
        assert found is not None, "a fit on planted classes is not zero"
        numbers[f"{name}_cosine_to_sklearn"] = found
    return numbers


def planted(rows: int, width: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return activations (N, D) of two classes whose means differ in a tenth of the dimensions, and labels (N,)."""
    rng = np.random.default_rng(0)
    labels_N = np.arange(rows) % 2 == 1
    acts_ND = rng.standard_normal((rows, width)) * rng.uniform(0.5, 2.0, width)
    acts_ND[:, : width // 10] += APART * labels_N[:, None]
    return acts_ND, labels_N


def _ours(acts_ND: Floats, labels_N: NDArray[np.bool_]) -> Floats:
    return fit_logistic(acts_ND, labels_N, penalty=PENALTY).weight_D


def _plain(acts_ND: Floats, labels_N: NDArray[np.bool_]) -> Floats:
    pipeline, preprocessing = (cast("Any", import_module(f"sklearn.{part}")) for part in ("pipeline", "preprocessing"))
    scaler, model = preprocessing.StandardScaler(), linear_models().LogisticRegression(C=1 / PENALTY, max_iter=1000)
    pipeline.make_pipeline(scaler, model).fit(acts_ND, labels_N)
    return model.coef_[0] / scaler.scale_
