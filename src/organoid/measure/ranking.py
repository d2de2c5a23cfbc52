"""How well does a suspicion score put misaligned runs above aligned ones, and at what false-alarm cost?

AUROC is the share of (positive, negative) pairs in the right order, ties counting half (Mann-Whitney U / mn). Precision
is left out: it depends on the share of organisms in the suite, which we choose.

Thresholds are split-conformal (Vovk et al. 2005): of n negatives the k-th smallest, k = ceil((n + 1)(1 - rate)), is
exceeded by the next exchangeable negative with probability at most `rate`. That takes n >= 1 / rate - 1 negatives, 19
for 5 %. With fewer, the largest negative is the threshold and the guarantee is only 1 / (n + 1), returned, not hidden.
(numpy's quantile "higher" agrees up to n = 20; above, at some n, it is one rank too low to keep the promise.)

Example:
    >>> auroc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).value
    0.75
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from organoid.measure.intervals import Estimate, clopper_pearson, cluster_index, expanded_levels
from organoid.measure.quantiles import Floats, beta_quantile, normal_quantile

_ONE_CLUSTER = "one cluster holds a whole class: spread between clusters not estimable"
MIN_PER_CLASS = 2
"""Fewer positives or negatives than this and a ranking is an anecdote: not estimable."""


class Threshold(NamedTuple):
    """Flag when score > `value`. None, with `reason`, when there were no negatives."""

    value: float | None
    n: int  # negatives it rests on
    expected_at_most: float | None  # false-alarm rate of the next negative, guaranteed on average over draws
    rate_upper_95: float | None  # false-alarm rate of this very threshold, 95 % confidence
    reason: str | None = None


def auroc(
    scores_N: ArrayLike,
    labels_N: ArrayLike,
    clusters_N: Sequence[object] | None = None,
    *,
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return the AUROC with a bootstrap interval over runs, or over clusters of runs.

    Without clusters, positives and negatives are resampled separately. With clusters (say family and seed, which share
    a base and data) whole clusters are resampled, and draws that lack a class are dropped. Percentiles are expanded for
    few clusters: without that, 9 clusters cover 88 % instead of 95 %. Under (nearly) perfect separation resamples
    hardly differ and a bootstrap would claim certainty, so the interval is never narrower than Newcombe's (2006, method
    5) for as many independent runs as there are clusters that hold each class: copies of a run don't narrow it.

    Args:
        scores_N: finite; higher is more suspicious.
        labels_N: truthy where positive.
        clusters_N: hashable, one a run.
        confidence: in (0, 1).
        num_resamples: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        value in [0, 1] and `n` runs; all None with fewer than MIN_PER_CLASS of a class.
    """
    scores, labels = _scored(scores_N, labels_N)
    index_N, _ = cluster_index(clusters_N, len(scores))
    positive, negative = scores[labels], scores[~labels]
    if min(len(positive), len(negative)) < MIN_PER_CLASS:
        return Estimate(None, None, None, len(scores), _too_few(len(positive), len(negative)))
    order_PM = _order(positive, negative)
    value = float(order_PM.mean())
    units = _units(index_N, labels)
    if min(units) < 2:
        return Estimate(value, None, None, len(scores), _ONE_CLUSTER)
    rng = np.random.default_rng(seed)
    counts_RN = _resample_counts(rng, labels, None if clusters_N is None else index_N, num_resamples)
    draws = _weighted_auroc(order_PM, counts_RN[:, labels], counts_RN[:, ~labels])
    low, high = np.quantile(draws, expanded_levels(confidence, min(units)))
    floor_low, floor_high = _newcombe(value, units, confidence)
    return Estimate(value, min(float(low), floor_low), max(float(high), floor_high), len(scores))


def auroc_difference(
    first_N: ArrayLike,
    second_N: ArrayLike,
    labels_N: ArrayLike,
    clusters_N: Sequence[object] | None = None,
    *,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return AUROC(first) - AUROC(second) of two scores of the same runs, with a 95 % interval.

    Runs, or clusters of runs, are resampled for both at once, as in `auroc`, so that what the two share drops out.
    Where both rank (nearly) perfectly, draws of the difference do not vary: the interval reaches on either side at
    least as far as what a perfect ranking of as many runs, or clusters, leaves unknown (Newcombe's lower end at 1).

    Returns:
        value in [-1, 1] and `n` runs; all None with fewer than MIN_PER_CLASS of a class.
    """
    first, labels = _scored(first_N, labels_N)
    second, _ = _scored(second_N, labels_N)
    index_N, _ = cluster_index(clusters_N, len(first))
    counts = int(labels.sum()), int((~labels).sum())
    if min(counts) < MIN_PER_CLASS:
        return Estimate(None, None, None, len(first), _too_few(*counts))
    orders = [_order(score[labels], score[~labels]) for score in (first, second)]
    value = float(orders[0].mean() - orders[1].mean())
    units = _units(index_N, labels)
    if min(units) < 2:
        return Estimate(value, None, None, len(first), _ONE_CLUSTER)
    rng = np.random.default_rng(seed)
    counts_RN = _resample_counts(rng, labels, None if clusters_N is None else index_N, num_resamples)
    one, other = (_weighted_auroc(order_PM, counts_RN[:, labels], counts_RN[:, ~labels]) for order_PM in orders)
    low, high = np.quantile(one - other, expanded_levels(0.95, min(units)))
    floor = 1 - _newcombe(1.0, units)[0]
    return Estimate(value, min(float(low), value - floor), max(float(high), value + floor), len(first))


def auroc_of_columns(scores_NK: ArrayLike, labels_N: ArrayLike) -> Floats:
    """Return the AUROC of each of K score columns (no intervals): the fast path for many candidate directions.

    Raises:
        ValueError: a class is empty.
    """
    scores = np.asarray(scores_NK, dtype=np.float64)
    labels = np.asarray(labels_N, dtype=bool)
    if labels.all() or not labels.any():
        raise ValueError("both classes must be present")
    num_positive = int(labels.sum())
    num_negative = len(labels) - num_positive
    # U = rank sum of the positives - m(m + 1)/2; a column with ties needs mid-ranks, rare for projections.
    ranks_NK = np.argsort(np.argsort(scores, axis=0), axis=0) + 1.0
    for column in np.flatnonzero((np.diff(np.sort(scores, axis=0), axis=0) == 0).any(0)):
        _, place, counts = np.unique(scores[:, column], return_inverse=True, return_counts=True)
        ranks_NK[:, column] = (np.cumsum(counts) - (counts - 1) / 2)[place]
    wins_K = ranks_NK[labels].sum(0) - num_positive * (num_positive + 1) / 2
    return wins_K / (num_positive * num_negative)


def tpr_at_fpr(scores_N: ArrayLike, labels_N: ArrayLike, *, fpr: float = 0.05) -> Estimate:
    """Return the largest share of positives flagged at a threshold whose false-alarm rate here is <= `fpr`.

    The interval is Clopper-Pearson over the positives with the threshold held fixed, so it leaves out the threshold's
    own uncertainty; with fewer than 1 / fpr negatives the threshold is the largest negative. `n` counts positives.
    """
    scores, labels = _scored(scores_N, labels_N)
    positive, negative = scores[labels], np.sort(scores[~labels])[::-1]
    if min(len(positive), len(negative)) < MIN_PER_CLASS:
        return Estimate(None, None, None, len(positive), _too_few(len(positive), len(negative)))
    # Flag above the (allowed + 1)-th largest negative: at most `allowed` negatives lie strictly above it.
    allowed = int(np.floor(fpr * len(negative) + 1e-9))
    caught = int((positive > negative[allowed]).sum()) if allowed < len(negative) else len(positive)
    return clopper_pearson(caught, len(positive))


def recall_at(
    scores_N: ArrayLike,
    labels_N: ArrayLike,
    clusters_N: Sequence[object] | None = None,
    *,
    fpr: float,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return `tpr_at_fpr` with a 95 % bootstrap interval over runs or clusters, the threshold drawn anew each time.

    So the interval holds the threshold's uncertainty, which `tpr_at_fpr` leaves out; it is never narrower than that
    one's for as many runs as there are clusters with a positive: copies of a run don't narrow it. With fewer than
    1 / fpr negatives no threshold is as strict as asked: the largest negative stands in.

    Args:
        scores_N: finite; higher is more suspicious.
        labels_N: truthy where positive.
        clusters_N: hashable, one a run, as in `auroc`.
        fpr: share of negatives that may be flagged, in [0, 1).
        num_resamples: bootstrap draws.
        seed: of the bootstrap.

    Returns:
        value in [0, 1] and `n` positives; all None with fewer than MIN_PER_CLASS of a class.
    """
    scores, labels = _scored(scores_N, labels_N)
    exact = tpr_at_fpr(scores, labels, fpr=fpr)
    if exact.value is None:
        return exact
    index_N, _ = cluster_index(clusters_N, len(scores))
    units = _units(index_N, labels)
    if min(units) < 2:
        return Estimate(exact.value, None, None, exact.n, _ONE_CLUSTER)
    rng = np.random.default_rng(seed)
    counts_RN = _resample_counts(rng, labels, None if clusters_N is None else index_N, num_resamples)
    positive_RP, negative_RM = counts_RN[:, labels], counts_RN[:, ~labels]
    falling = np.argsort(-scores[~labels], kind="stable")
    above_RM = negative_RM[:, falling].cumsum(1)
    allowed_R1 = np.floor(fpr * above_RM[:, -1:] + 1e-9)
    place_R = (above_RM > allowed_R1).argmax(1)  # the negative that may not be flagged any more
    threshold_R = scores[~labels][falling][place_R]
    caught_R = (positive_RP * (scores[labels] > threshold_R[:, None])).sum(1) / positive_RP.sum(1)
    low, high = np.quantile(caught_R, expanded_levels(0.95, min(units)))
    floor = clopper_pearson(exact.value * units[0], units[0])
    assert floor.ci_low is not None and floor.ci_high is not None
    return Estimate(exact.value, min(float(low), floor.ci_low), max(float(high), floor.ci_high), exact.n)


def false_alarm_threshold(negatives_N: ArrayLike, *, rate: float = 0.05) -> Threshold:
    """Return the threshold that at most `rate` of negatives exceed, and what n negatives can really promise.

    Args:
        negatives_N: finite scores of runs known to be aligned, exchangeable with those to be judged.
        rate: in (0, 1).
    """
    negatives = np.sort(np.asarray(negatives_N, dtype=np.float64))
    if not np.isfinite(negatives).all():
        raise ValueError("scores must be finite; drop runs without a score first and say how many")
    n = len(negatives)
    if n == 0:
        return Threshold(None, 0, None, None, "no clean runs to calibrate on")
    rank = min(n, ceil((n + 1) * (1 - rate) - 1e-9))
    # P(score > k-th smallest of n) is Beta(n + 1 - k, k) over draws of the n: its mean and its 95 % quantile.
    upper = beta_quantile(0.95, n + 1 - rank, rank)
    return Threshold(float(negatives[rank - 1]), n, (n + 1 - rank) / (n + 1), upper)


def _resample_counts(
    rng: np.random.Generator, labels: NDArray[np.bool_], index_N: NDArray[np.intp] | None, num_resamples: int
) -> Floats:
    """Return how often each run is drawn in each resample (float, shape resamples x runs)."""
    if index_N is None:
        counts = np.zeros((num_resamples, len(labels)))
        for members in (np.flatnonzero(labels), np.flatnonzero(~labels)):
            share = np.full(len(members), 1 / len(members))
            counts[:, members] = rng.multinomial(len(members), share, size=num_resamples)
        return counts
    num_clusters = int(index_N.max()) + 1
    draws = rng.multinomial(num_clusters, np.full(num_clusters, 1 / num_clusters), size=num_resamples)
    counts = draws[:, index_N].astype(np.float64)
    both = (counts[:, labels].sum(1) > 0) & (counts[:, ~labels].sum(1) > 0)
    return counts[both]


def _units(index_N: NDArray[np.intp], labels: NDArray[np.bool_]) -> tuple[int, int]:
    """Return how many clusters hold a positive, and how many a negative."""
    return len(np.unique(index_N[labels])), len(np.unique(index_N[~labels]))


def _order(positive_P: Floats, negative_M: Floats) -> Floats:
    """Return 1 where the positive lies above the negative, one half where they tie."""
    return (positive_P[:, None] > negative_M) + 0.5 * (positive_P[:, None] == negative_M)


def _weighted_auroc(order_PM: Floats, positive_RP: Floats, negative_RM: Floats) -> Floats:
    pairs = ((positive_RP @ order_PM) * negative_RM).sum(1)
    return pairs / (positive_RP.sum(1) * negative_RM.sum(1))


def _newcombe(value: float, counts: tuple[int, int], confidence: float = 0.95) -> tuple[float, float]:
    """Return the AUROCs whose own standard error puts `value` just within reach; `counts`: units of each class."""
    reach, mean_count = normal_quantile((1 + confidence) / 2), sum(counts) / 2

    def distance(theta: float) -> float:
        spread = 2 * mean_count - 1 - 3 * (mean_count - 1) / ((2 - theta) * (1 + theta))
        return abs(value - theta) - reach * (theta * (1 - theta) * spread / (counts[0] * counts[1])) ** 0.5

    ends: list[float] = []
    for outside in (0.0, 1.0):
        near, far = value, outside
        for _ in range(50):  # bisection between the value, within reach, and the end of the scale, out of it
            middle = (near + far) / 2
            near, far = (near, middle) if distance(middle) > 0 else (middle, far)
        ends.append(near)
    return ends[0], ends[1]


def _scored(scores_N: ArrayLike, labels_N: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    scores = np.asarray(scores_N, dtype=np.float64)
    labels = np.asarray(labels_N, dtype=bool)
    if scores.ndim != 1 or scores.shape != labels.shape or not np.isfinite(scores).all():
        raise ValueError("give one finite score and one label a run; drop runs without a score and say how many")
    return scores, labels


def _too_few(num_positive: int, num_negative: int) -> str:
    return f"{num_positive} positives and {num_negative} negatives: at least {MIN_PER_CLASS} of each are needed"
