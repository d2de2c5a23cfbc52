"""Which learnt latent stands for which true one?

Each true latent is given a learnt one of its own, so that the sum of absolute correlations is largest (the mean
correlation coefficient of independent component analysis; Hyvarinen and Morioka 2016, arXiv 1605.06336, sec. 6). The
best of F candidates correlates by luck too: read it beside `null`, the same after the samples were permuted, and choose
the match on samples other than those it is reported on.

Axes: N samples, F learnt latents, G true ones.

Example:
    >>> match = matched_correlation([[0, 1], [1, 3], [0, 5]], [[1], [5], [1]])
    >>> match.latent_G, match.correlation_G
    (array([0]), array([1.]))
"""

from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from organoid.measure.intervals import Estimate, expanded_levels
from organoid.measure.quantiles import Floats


class Match(NamedTuple):
    """Per true latent: the learnt one it was given, and their absolute correlation in [0, 1] (0 where one is constant).

    `null` is the mean correlation of the same matching on permuted samples.
    """

    latent_G: NDArray[np.intp]
    correlation_G: Floats
    null: float

    @property
    def mean(self) -> float:
        """The mean over true latents."""
        return float(self.correlation_G.mean())


def matched_correlation(
    learnt_NF: ArrayLike, true_NG: ArrayLike, *, held_out: tuple[ArrayLike, ArrayLike] | None = None, seed: int = 0
) -> Match:
    """Return the one-to-one match of true to learnt latents with the largest sum of absolute correlations.

    Args:
        learnt_NF: activations of learnt latents.
        true_NG: values of true latents, G <= F; labels of a kind are one column a value.
        held_out: (learnt, true) on which the correlations are reported; None: the samples they were matched on.
        seed: of the null's permutation.

    Raises:
        ValueError: samples that differ in number, or more true latents than learnt ones.
    """
    corr_GF = absolute_correlations(true_NG, learnt_NF)
    if corr_GF.shape[0] > corr_GF.shape[1]:
        raise ValueError(f"{corr_GF.shape[0]} true latents cannot each have one of {corr_GF.shape[1]} learnt ones")
    learnt, true = (learnt_NF, true_NG) if held_out is None else held_out
    reported_GF = corr_GF if held_out is None else absolute_correlations(true, learnt)
    latent_G = _assigned(corr_GF)
    order = np.random.default_rng(seed).permutation(len(np.asarray(learnt_NF)))
    by_luck_GF = absolute_correlations(np.asarray(true_NG)[order], learnt_NF)
    luck_G = _assigned(by_luck_GF)
    places = np.arange(len(latent_G))
    null_GF = by_luck_GF
    if held_out is not None:
        order = np.random.default_rng(seed + 1).permutation(len(np.asarray(true)))
        null_GF = absolute_correlations(np.asarray(true)[order], learnt)
    return Match(latent_G, reported_GF[places, latent_G], float(null_GF[places, luck_G].mean()))


def correlation(
    first_N: ArrayLike, second_N: ArrayLike, *, confidence: float = 0.95, num_resamples: int = 1000, seed: int = 0
) -> Estimate:
    """Return the signed correlation of two variables, with a bootstrap interval over samples.

    It is not estimable where one of them is constant. The interval says nothing of how the two were chosen.

    Raises:
        ValueError: the two do not pair up.
    """
    first, second = (np.asarray(part, dtype=np.float64) for part in (first_N, second_N))
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"give pairs: got shapes {first.shape} and {second.shape}")
    n = len(first)
    if n < 2 or not np.ptp(first) or not np.ptp(second):
        return Estimate(None, None, None, n, "one of the two is constant")
    picks = np.random.default_rng(seed).integers(0, n, (num_resamples, n))
    low, high = np.quantile(_correlation(first[picks], second[picks]), expanded_levels(confidence, n))
    return Estimate(float(_correlation(first, second)), float(low), float(high), n)


def _correlation(first: Floats, second: Floats) -> Floats:
    """Return the correlation along the last axis, 0 where one of the two is constant."""
    first, second = (part - part.mean(-1, keepdims=True) for part in (first, second))
    scale = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    return (first * second).sum(-1) / np.where(scale > 0, scale, np.inf)


def _assigned(corr_GF: Floats) -> NDArray[np.intp]:
    assign = cast("Any", import_module("scipy.optimize")).linear_sum_assignment
    return cast("NDArray[np.intp]", assign(corr_GF, maximize=True)[1])


def absolute_correlations(true_NG: ArrayLike, learnt_NF: ArrayLike) -> Floats:
    """Return |correlation| of each pair, shape (G, F); 0 where one of the two is constant.

    Raises:
        ValueError: samples that differ in number.
    """
    true, learnt = (np.asarray(part, dtype=np.float64) for part in (true_NG, learnt_NF))
    if true.ndim != 2 or learnt.ndim != 2 or len(true) != len(learnt):
        raise ValueError(f"give one row a sample: got shapes {learnt.shape} and {true.shape}")
    centred = [part - part.mean(0) for part in (true, learnt)]
    lengths = [np.linalg.norm(part, axis=0) for part in centred]
    scale_GF = lengths[0][:, None] * lengths[1]
    return np.abs(centred[0].T @ centred[1]) / np.where(scale_GF > 0, scale_GF, np.inf)
