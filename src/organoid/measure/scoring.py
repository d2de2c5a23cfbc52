"""How good was a probability that was written down before the event?

Brier (1950) and logarithmic score (Good 1952, nats) of binary outcomes: lower is better, both proper. Each is given
beside the baseline that always says the base rate. Without `baseline_probs` that is the base rate *of the scored
outcomes*, known only afterwards: hard to beat with few runs, so a skill above 0 means something. Ranked and
multi-class scores are left out: a trial's truth is one yes or no.

Example:
    >>> brier([0.75, 0.25], [1, 0]).score.value
    0.0625
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from organoid.measure.intervals import Estimate, bootstrap_mean, clopper_pearson, mean_interval
from organoid.measure.quantiles import Floats

LOG_FLOOR = 1e-4
"""Probabilities are clipped to [LOG_FLOOR, 1 - LOG_FLOOR] in the log score: one confident miss costs 9.2 nats."""


class Score(NamedTuple):
    """A mean score, the baseline's on the same outcomes, and skill = 1 - score / baseline."""

    score: Estimate
    baseline: float | None
    skill: float | None


class Bin(NamedTuple):
    """Forecasts in [low, high): their mean probability against how often it happened. None when empty."""

    low: float
    high: float
    mean_probability: float | None
    observed: Estimate


class Calibration(NamedTuple):
    """Bins, and the mean absolute gap between said and seen weighted by forecasts (None without forecasts)."""

    bins: tuple[Bin, ...]
    error: float | None


def brier(
    probs_N: ArrayLike,
    outcomes_N: ArrayLike,
    *,
    baseline_probs_N: ArrayLike | None = None,
    clusters_N: Sequence[object] | None = None,
) -> Score:
    """Return the mean squared error of probabilities (in [0, 1]; 0.25 for always saying one half).

    With `clusters_N` the interval is a bootstrap over clusters, otherwise Student's t over forecasts.

    Raises:
        ValueError: probabilities outside [0, 1], or lengths that differ.
    """
    probs, outcomes = _forecasts(probs_N, outcomes_N)
    baseline = _baseline(outcomes, baseline_probs_N)
    return _score((probs - outcomes) ** 2, (baseline - outcomes) ** 2, clusters_N)


def log_score(
    probs_N: ArrayLike,
    outcomes_N: ArrayLike,
    *,
    baseline_probs_N: ArrayLike | None = None,
    clusters_N: Sequence[object] | None = None,
) -> Score:
    """Return the mean negative log-likelihood in nats (0.693 for always saying one half), clipped at LOG_FLOOR.

    Raises:
        ValueError: probabilities outside [0, 1], or lengths that differ.
    """
    probs, outcomes = _forecasts(probs_N, outcomes_N)
    baseline = _baseline(outcomes, baseline_probs_N)
    return _score(_surprise(probs, outcomes), _surprise(baseline, outcomes), clusters_N)


def calibration(probs_N: ArrayLike, outcomes_N: ArrayLike, *, num_bins: int = 5) -> Calibration:
    """Return equal-width bins with exact binomial intervals, and the expected calibration error.

    The error of a perfectly calibrated forecaster is above 0 with few forecasts; read it beside the intervals.

    Raises:
        ValueError: probabilities outside [0, 1], or lengths that differ.
    """
    probs, outcomes = _forecasts(probs_N, outcomes_N)
    place = np.minimum((probs * num_bins).astype(int), num_bins - 1)
    bins: list[Bin] = []
    gap = 0.0
    for index in range(num_bins):
        inside = place == index
        hits, n = int(outcomes[inside].sum()), int(inside.sum())
        said = float(probs[inside].mean()) if n else None
        if said is not None:
            gap += abs(said * n - hits)
        bins.append(Bin(index / num_bins, (index + 1) / num_bins, said, clopper_pearson(hits, n)))
    return Calibration(tuple(bins), gap / len(probs) if len(probs) else None)


def _score(losses_N: Floats, baseline_N: Floats, clusters_N: Sequence[object] | None) -> Score:
    score = mean_interval(losses_N) if clusters_N is None else bootstrap_mean(losses_N, clusters_N)
    baseline = float(baseline_N.mean()) if len(baseline_N) else None
    # A baseline that is never wrong (all outcomes alike) leaves nothing to be skilful about.
    skill = None if score.value is None or not baseline else 1 - score.value / baseline
    return Score(score, baseline, skill)


def _baseline(outcomes: Floats, baseline_probs_N: ArrayLike | None) -> Floats:
    if baseline_probs_N is not None:
        return _forecasts(baseline_probs_N, outcomes)[0]
    return np.full_like(outcomes, outcomes.mean()) if len(outcomes) else outcomes


def _surprise(probs: Floats, outcomes: Floats) -> Floats:
    clipped = np.clip(probs, LOG_FLOOR, 1 - LOG_FLOOR)
    return -np.log(np.where(outcomes == 1.0, clipped, 1 - clipped))


def _forecasts(probs_N: ArrayLike, outcomes_N: ArrayLike) -> tuple[Floats, Floats]:
    probs = np.asarray(probs_N, dtype=np.float64)
    outcomes = np.asarray(outcomes_N, dtype=np.float64)
    if probs.shape != outcomes.shape or probs.ndim != 1:
        raise ValueError(f"give one outcome a forecast: got shapes {probs.shape} and {outcomes.shape}")
    if not ((probs >= 0) & (probs <= 1)).all() or not np.isin(outcomes, (0.0, 1.0)).all():
        raise ValueError("probabilities must lie in [0, 1] and outcomes be 0 or 1")
    return probs, outcomes
