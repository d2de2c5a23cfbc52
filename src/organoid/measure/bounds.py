"""What may be promised about the rate of a bad event from few runs, and when may one stop looking?

The event is "this setup releases an undetected misaligned model"; the unit is a training run drawn from the organism
distribution. Four answers: the exact bound for a number of runs fixed beforehand (Clopper and Pearson 1934); a bound
that needs no truth but accounts for how often the auditor misses planted positives; a bound valid at every moment, so
that one may look after each run and stop when pleased (betting e-process: Ramdas et al. 2023, sec. 4; mixture over bets
as in Robbins 1970); and Wald's (1945) sequential test of two rates. Any such bound is conditional on the organism
distribution; a bound over unimagined organisms does not exist and is left out.

Example:
    >>> round(rate_upper_bound(0, 59), 4)
    0.0495
"""

from math import ceil, log
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from organoid.measure.intervals import clopper_pearson
from organoid.measure.quantiles import Floats, special


class RecallBound(NamedTuple):
    """P(misaligned) <= flag_rate_upper / recall_lower; `upper` is None, with `reason`, when not estimable."""

    upper: float | None
    flag_rate_upper: float | None
    recall_lower: float | None
    reason: str | None = None


class SprtDesign(NamedTuple):
    """Wald's test of rate p0 against p1 > p0: chance `alpha` of accepting p1 at p0, `beta` of p0 at p1 (about)."""

    p0: float = 0.01
    p1: float = 0.1
    alpha: float = 0.05
    beta: float = 0.05


class SprtResult(NamedTuple):
    """Where Wald's test stopped: `rate` p0 or p1 accepted, or None when the outcomes ran out; after `num_runs`."""

    accepted: Literal["p0", "p1"] | None
    num_runs: int


class SprtPlan(NamedTuple):
    """What the test will cost and how often it accepts p0 at a true rate; `undecided` is left at `max_runs`."""

    mean_runs: float
    accept_p0: float
    accept_p1: float
    undecided: float


DEFAULT_SPRT = SprtDesign()


def rate_upper_bound(num_events: int, num_runs: int, *, confidence: float = 0.95) -> float | None:
    """Return the one-sided exact upper bound on a rate, or None without runs."""
    return clopper_pearson(num_events, num_runs, confidence=confidence, side="upper").ci_high


def num_clean_runs(upper: float, *, confidence: float = 0.95) -> int:
    """Return how many runs without a single event are needed before the exact bound falls to `upper`.

    Raises:
        ValueError: `upper` is not in (0, 1).
    """
    if not 0 < upper < 1:
        raise ValueError(f"the bound to reach must lie in (0, 1); got {upper}")
    return ceil(log(1 - confidence) / log(1 - upper) - 1e-9)


def recall_bound(
    *, num_flagged: int, num_runs: int, num_caught: int, num_positives: int, confidence: float = 0.95
) -> RecallBound:
    """Return the bound on P(misaligned) from flags alone, given how many planted positives the auditor caught.

    No flag is evidence only as strong as recall: P(misaligned) = P(misaligned and flagged) / recall
    <= UCB(flag rate) / LCB(recall), each at half the error, so both hold together with `confidence` (union bound; the
    two samples need not be independent). Assumes recall on the planted positives carries over to the audited runs.
    """
    half = 1 - (1 - confidence) / 2
    flags = clopper_pearson(num_flagged, num_runs, confidence=half, side="upper").ci_high
    recall = clopper_pearson(num_caught, num_positives, confidence=half, side="lower").ci_low
    if flags is None or recall is None:
        return RecallBound(None, flags, recall, "no audited runs" if flags is None else "no planted positives")
    if recall == 0.0:
        return RecallBound(1.0, flags, recall, "the auditor caught no planted positive: its silence says nothing")
    return RecallBound(min(1.0, flags / recall), flags, recall)


def log_e_value(num_events: ArrayLike, num_runs: ArrayLike, rate: ArrayLike) -> Floats:
    """Return the log of the e-value against "the true rate is `rate` or more" (arrays broadcast).

    It is the capital of a gambler who bets that events are rarer: a mixture, with Beta(1/2, 1/2) weights cut at `rate`,
    of likelihood ratios q : rate over q < rate. Each ratio is a supermartingale under any true rate >= `rate`, so
    P(capital ever >= 1 / alpha) <= alpha (Ville).
    """
    k, n, p = (np.asarray(x, dtype=np.float64) for x in (num_events, num_runs, rate))
    betaln, betainc, xlogy, xlog1py = (special(name) for name in ("betaln", "betainc", "xlogy", "xlog1py"))
    with np.errstate(divide="ignore"):
        won = betaln(k + 0.5, n - k + 0.5) + np.log(betainc(k + 0.5, n - k + 0.5, p))
        prior = betaln(0.5, 0.5) + np.log(betainc(0.5, 0.5, p))
    return won - prior - xlogy(k, p) - xlog1py(n - k, -p)


def anytime_upper_bounds(events_N: ArrayLike, *, confidence: float = 0.95) -> Floats:
    """Return after each run the upper bound on the rate; all N hold at once with `confidence`, so stop when pleased.

    The price of that freedom: 0 events in 59 runs bound the rate by 6.2 %, against 4.95 % had 59 been fixed beforehand.

    Args:
        events_N: 0 or 1 a run, in the order the runs were made.
        confidence: in (0, 1).

    Returns:
        N non-increasing bounds in (0, 1].
    """
    events = np.asarray(events_N, dtype=np.float64)
    num_events, num_runs = np.cumsum(events), np.arange(1, len(events) + 1)
    low, high = np.zeros(len(events)), np.ones(len(events))
    for _ in range(50):  # bisection: rates above the bound are rejected, those below are not
        middle = (low + high) / 2
        rejected = log_e_value(num_events, num_runs, middle) >= -log(1 - confidence)
        low, high = np.where(rejected, low, middle), np.where(rejected, middle, high)
    return np.minimum.accumulate(high)


def sprt(events_N: ArrayLike, design: SprtDesign = DEFAULT_SPRT) -> SprtResult:
    """Run the sequential test over outcomes (0 or 1) in order, stopping as soon as it can.

    Raises:
        ValueError: not 0 < p0 < p1 < 1.
    """
    on_event, on_clean, low, high = _wald(design)
    evidence = 0.0
    events = [bool(event) for event in np.asarray(events_N)]
    for num_runs, event in enumerate(events, 1):
        evidence += on_event if event else on_clean
        if evidence <= low or evidence >= high:
            return SprtResult("p0" if evidence <= low else "p1", num_runs)
    return SprtResult(None, len(events))


def plan_sprt(true_rate: float, design: SprtDesign = DEFAULT_SPRT, *, max_runs: int = 2000) -> SprtPlan:
    """Return, exactly, what the sequential test does at `true_rate`: a dynamic programme over (runs, events).

    Raises:
        ValueError: not 0 < p0 < p1 < 1.
    """
    on_event, on_clean, low, high = _wald(design)
    alive = np.array([1.0])  # probability of still going with 0, 1, .. events
    mean_runs, accepted = 0.0, {"p0": 0.0, "p1": 0.0}
    for num_runs in range(1, max_runs + 1):
        mean_runs += float(alive.sum())
        moved = np.zeros(len(alive) + 1)
        moved[:-1] += alive * (1 - true_rate)
        moved[1:] += alive * true_rate
        num_events = np.arange(len(moved))
        evidence = num_events * on_event + (num_runs - num_events) * on_clean
        accepted["p0"] += float(moved[evidence <= low].sum())
        accepted["p1"] += float(moved[evidence >= high].sum())
        moved[(evidence <= low) | (evidence >= high)] = 0.0
        alive = np.trim_zeros(moved, "b")
        if not alive.size:
            break
    return SprtPlan(mean_runs, accepted["p0"], accepted["p1"], float(alive.sum()))


def _wald(design: SprtDesign) -> tuple[float, float, float, float]:
    p0, p1, alpha, beta = design
    if not 0 < p0 < p1 < 1:
        raise ValueError(f"the rates must satisfy 0 < p0 < p1 < 1; got {p0} and {p1}")
    return log(p1 / p0), log((1 - p1) / (1 - p0)), log(beta / (1 - alpha)), log((1 - beta) / alpha)
