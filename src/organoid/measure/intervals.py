"""How far may an estimate from few training runs be trusted?

The sampling unit is the training run, never the prompt: prompts of one model share its weights. Offered are exact
binomial intervals (Clopper and Pearson 1934), Student's t for a mean over runs and for paired differences, Fieller's
interval for a ratio of two paired means (Fieller 1954), and a seeded bootstrap over whole clusters (percentile; BCa:
Efron 1987; or the percentile expanded for few clusters: Hesterberg 2015, sec. 4.2). Bayesian intervals are left out:
their prior would be the argument.

Two departures, both because tiny models repeat themselves exactly. Fewer than two runs give no interval rather than one
of no width. And `grain`, the smallest step the measurement can show (1 / prompts for a rate), is a floor under the
spread: five runs that all measured 0 of 48 prompts are known no better than one prompt.

Which to use: with 3 to 5 runs the bootstrap covers far below its name (about 75 % for 95 % at n = 3, asserted in the
tests), so t and Fieller are the defaults of the certificate; the bootstrap is for tens of clusters.

Example:
    >>> mean_interval([0.9, 0.8, 1.0]).n
    3
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from organoid.measure.quantiles import Floats, beta_quantile, normal_cdf, normal_quantile, t_quantile

Side = Literal["two", "lower", "upper"]


class Estimate(NamedTuple):
    """A value, its interval and its number of sampling units; None, with `reason`, where not estimable."""

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    reason: str | None = None


class Ratio(NamedTuple):
    """A ratio of two paired means, beside the denominator that decides whether it means anything."""

    ratio: Estimate
    denominator: Estimate


def clopper_pearson(num_hits: float, num_runs: int, *, confidence: float = 0.95, side: Side = "two") -> Estimate:
    """Return the exact interval of a rate from `num_hits` in `num_runs` independent runs.

    `side` "upper" puts all the error above (the low end is 0), "lower" all below (the high end is 1). Coverage is at
    least `confidence` at every true rate; the price is width. With no runs everything is None. Where a run is a cluster
    of near-copies its hit may be a share, and `num_hits` a fraction: shares vary less than whole hits of the same mean.

    Raises:
        ValueError: the counts are not 0 <= num_hits <= num_runs.
    """
    if not 0 <= num_hits <= num_runs:
        raise ValueError(f"counts must satisfy 0 <= num_hits <= num_runs; got {num_hits} of {num_runs}")
    if num_runs == 0:
        return Estimate(None, None, None, 0, "no runs")
    error = (1 - confidence) / 2 if side == "two" else 1 - confidence
    low = 0.0 if num_hits == 0 or side == "upper" else beta_quantile(error, num_hits, num_runs - num_hits + 1)
    high = (
        1.0 if num_hits == num_runs or side == "lower" else beta_quantile(1 - error, num_hits + 1, num_runs - num_hits)
    )
    return Estimate(num_hits / num_runs, low, high, num_runs)


def mean_interval(
    values_N: ArrayLike,
    *,
    confidence: float = 0.95,
    grain: float = 0.0,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Return the mean over runs with Student's t-interval.

    Args:
        values_N: one finite value a run.
        confidence: in (0, 1).
        grain: floor under the standard deviation, in units of the values.
        bounds: lowest and highest possible value; the interval is cut there.
    """
    values = _finite(values_N)
    n = len(values)
    if n == 0:
        return Estimate(None, None, None, 0, "no runs")
    mean = float(values.mean())
    if n < 2:
        return Estimate(mean, None, None, n, "one run: spread between runs not estimable")
    spread = max(float(values.std(ddof=1)), grain)
    if spread <= 1e-12 * abs(mean):  # what float rounding leaves of equal values
        return Estimate(mean, None, None, n, "all runs equal: spread between runs not estimable")
    half = t_quantile((1 + confidence) / 2, n - 1) * spread / n**0.5
    low, high = bounds if bounds else (-np.inf, np.inf)
    return Estimate(mean, max(mean - half, low), min(mean + half, high), n)


def paired_difference(
    first_N: ArrayLike, second_N: ArrayLike, *, confidence: float = 0.95, grain: float = 0.0
) -> Estimate:
    """Return mean(first - second) over runs paired by seed, with a t-interval of the differences.

    Raises:
        ValueError: the two do not pair up.
    """
    first, second = _paired(first_N, second_N)
    return mean_interval(first - second, confidence=confidence, grain=grain)


def ratio_of_means(
    numerator_N: ArrayLike, denominator_N: ArrayLike, *, confidence: float = 0.95, grain: float = 0.0
) -> Ratio:
    """Return mean(numerator) / mean(denominator) over paired runs with Fieller's interval.

    The ratio is None, with its reason, when the denominator's own t-interval is missing or includes 0: exactly the
    case in which Fieller's set is unbounded. The values may be of either sign.

    Raises:
        ValueError: the two do not pair up.
    """
    top, bottom = _paired(numerator_N, denominator_N)
    n = len(top)
    denominator = mean_interval(bottom, confidence=confidence, grain=grain)
    if denominator.ci_low is None or denominator.ci_high is None:
        return Ratio(Estimate(None, None, None, n, denominator.reason), denominator)
    if denominator.ci_low <= 0 <= denominator.ci_high:
        return Ratio(Estimate(None, None, None, n, "the denominator's interval includes 0"), denominator)
    means = float(top.mean()), float(bottom.mean())
    reach = t_quantile((1 + confidence) / 2, n - 1) ** 2 / n
    low, high = _fieller(means, np.cov(top, bottom, ddof=1) * reach)
    if grain:  # the residual's spread has the same floor as each mean's; both intervals contain the ratio
        floor_low, floor_high = _fieller(means, np.eye(2) * grain**2 * reach)
        low, high = min(low, floor_low), max(high, floor_high)
    if high - low <= 1e-9 * max(1.0, abs(high)):
        return Ratio(Estimate(means[0] / means[1], None, None, n, "all runs have the same ratio"), denominator)
    return Ratio(Estimate(means[0] / means[1], low, high, n), denominator)


def bootstrap_mean(
    values_N: ArrayLike,
    clusters_N: Sequence[object] | None = None,
    *,
    method: Literal["expanded", "percentile", "bca"] = "expanded",
    confidence: float = 0.95,
    num_resamples: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Return the mean with a bootstrap interval that resamples whole clusters (each value its own by default).

    `n` is the number of clusters. BCa corrects bias and skew at the cost of a jackknife; it and the plain percentile
    need tens of clusters to cover as named, which the expanded percentile makes good down to about ten. With fewer than
    two clusters, or no variation between them, the interval is None.

    Raises:
        ValueError: values and clusters differ in length.
    """
    values = _finite(values_N)
    index_N, n = cluster_index(clusters_N, len(values))
    if n == 0:
        return Estimate(None, None, None, 0, "no runs")
    sums, sizes = np.bincount(index_N, values, n), np.bincount(index_N, minlength=n)
    mean = float(values.mean())
    if n < 2:
        return Estimate(mean, None, None, n, "one cluster: spread between clusters not estimable")
    picks = np.random.default_rng(seed).integers(0, n, (num_resamples, n))
    means = sums[picks].sum(1) / sizes[picks].sum(1)
    if float(np.ptp(means)) <= 1e-12 * max(1.0, abs(mean)):
        return Estimate(mean, None, None, n, "all clusters equal: spread between clusters not estimable")
    levels = expanded_levels(confidence, n)
    if method != "expanded":
        levels = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    if method == "bca":
        leave_one_out = (sums.sum() - sums) / (sizes.sum() - sizes)
        levels = _bca_levels(levels, means, mean, leave_one_out)
    low, high = np.quantile(means, levels)
    return Estimate(mean, float(low), float(high), n)


def expanded_levels(confidence: float, num_units: int) -> Floats:
    """Return the two percentiles to read off a bootstrap of `num_units` >= 2 units: those at which it would equal t.

    A bootstrap's spread is too small by sqrt((n - 1) / n) and its tails are normal where t's are heavier.
    """
    reach = t_quantile((1 + confidence) / 2, num_units - 1) * (num_units / (num_units - 1)) ** 0.5
    return np.array([normal_cdf(-reach), normal_cdf(reach)])


def cluster_index(clusters_N: Sequence[object] | None, num_values: int) -> tuple[NDArray[np.intp], int]:
    """Return each value's cluster as 0..C-1 in order of first appearance, and C; None: each value its own.

    Raises:
        ValueError: values and clusters differ in length.
    """
    if clusters_N is None:
        return np.arange(num_values), num_values
    if len(clusters_N) != num_values:
        raise ValueError(f"{num_values} values but {len(clusters_N)} clusters; give one cluster a value")
    seen: dict[object, int] = {}
    index = np.array([seen.setdefault(cluster, len(seen)) for cluster in clusters_N], dtype=np.intp)
    return index, len(seen)


def _fieller(means: tuple[float, float], reach: Floats) -> tuple[float, float]:
    """Return the r with (top - r bottom)^2 <= t^2 var(top - r bottom): the quadratic a r^2 - 2 b r + c <= 0.

    `reach` is t^2 times the 2 x 2 covariance of the two means; the caller made sure that a > 0.
    """
    top, bottom = means
    a = bottom**2 - float(reach[1, 1])
    b = top * bottom - float(reach[0, 1])
    c = top**2 - float(reach[0, 0])
    half = max(b * b - a * c, 0.0) ** 0.5
    return (b - half) / a, (b + half) / a


def _bca_levels(levels: Floats, means: Floats, mean: float, leave_one_out: Floats) -> Floats:
    """Return the percentiles that BCa reads off (Efron 1987, eq. 2.3): bias z0, acceleration from the jackknife."""
    below = (float((means < mean).mean()) + float((means <= mean).mean())) / 2
    z0 = normal_quantile(min(max(below, 1e-6), 1 - 1e-6))
    centred = leave_one_out.mean() - leave_one_out
    scale = float((centred**2).sum()) ** 1.5
    acceleration = float((centred**3).sum()) / (6 * scale) if scale else 0.0
    shifted = [z0 + normal_quantile(float(level)) for level in levels]
    return np.array([normal_cdf(z0 + z / (1 - acceleration * z)) for z in shifted])


def _finite(values_N: ArrayLike) -> Floats:
    values = np.asarray(values_N, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError("values must be one finite number a run; drop missing runs first and say how many")
    return values


def _paired(first_N: ArrayLike, second_N: ArrayLike) -> tuple[Floats, Floats]:
    first, second = _finite(first_N), _finite(second_N)
    if len(first) != len(second):
        raise ValueError(f"paired runs must match: got {len(first)} and {len(second)} values")
    return first, second
