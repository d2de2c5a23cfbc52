"""Do two kinds of model behave the same, or was the difference merely not seen?

Failing to find a difference is no evidence of sameness: with few runs anything fails to be found. The two one-sided
tests (TOST; Schuirmann 1987, J. Pharmacokinet. Biopharm. 15) turn the burden round: equivalence is claimed only where
a difference of `margin` in either direction is rejected. Runs are paired by seed; prompts of one model share its
weights and are no runs. As elsewhere, `grain`, the smallest step of the measurement, is a floor under the spread, since
tiny models repeat themselves exactly. Left out: tests of whole distributions, for which five runs are too few.

Example:
    >>> equivalence([0.02, 0.0, 0.04, 0.0, 0.02], [0.0, 0.02, 0.0, 0.0, 0.04], margin=0.1, grain=0.02).equivalent
    True
"""

from typing import NamedTuple

from numpy.typing import ArrayLike

from organoid.measure.intervals import Estimate, paired_difference


class Equivalence(NamedTuple):
    """The mean difference with its interval at 1 - 2 alpha, which equivalence needs to lie within +-margin."""

    difference: Estimate
    margin: float
    equivalent: bool | None  # None, with `difference.reason`, where not estimable; False: not shown to be the same


def equivalence(
    first_N: ArrayLike, second_N: ArrayLike, *, margin: float, alpha: float = 0.05, grain: float = 0.0
) -> Equivalence:
    """Test whether the mean of paired differences lies within +-margin, by two one-sided t-tests at level alpha.

    Args:
        first_N: one finite value a run, as a misaligned rate in [0, 1].
        second_N: the same of the other kind, paired by seed.
        margin: the largest difference that would not matter, in the values' unit; chosen before looking.
        alpha: level of each one-sided test, in (0, 0.5); the chance to call what differs by `margin` the same.
        grain: floor under the standard deviation of the differences.

    Raises:
        ValueError: margin or alpha out of range, or the values do not pair up.
    """
    if not (margin > 0 and 0 < alpha < 0.5):
        raise ValueError(f"needs margin > 0 and 0 < alpha < 0.5; got margin {margin:g}, alpha {alpha:g}")
    found = paired_difference(first_N, second_N, confidence=1 - 2 * alpha, grain=grain)
    if found.ci_low is None or found.ci_high is None:
        return Equivalence(found, margin, None)
    return Equivalence(found, margin, -margin < found.ci_low and found.ci_high < margin)
