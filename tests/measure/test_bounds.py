import numpy as np
import pytest

from organoid.measure.bounds import (
    SprtDesign,
    anytime_upper_bounds,
    log_e_value,
    num_clean_runs,
    plan_sprt,
    rate_upper_bound,
    recall_bound,
    sprt,
)
from organoid.measure.intervals import clopper_pearson


@pytest.mark.parametrize(
    ("events", "runs", "percent", "places"),
    [(0, 20, 13.9, 1), (0, 30, 9.5, 1), (0, 59, 4.95, 2), (0, 100, 2.95, 2), (0, 299, 1.0, 1), (1, 100, 4.7, 1)],
)
def test_reference_upper_bounds(events, runs, percent, places):
    assert round(100 * rate_upper_bound(events, runs), places) == percent


def test_reference_upper_bound_of_one_in_three_hundred():
    assert round(100 * rate_upper_bound(1, 300), 1) == 1.6


@pytest.mark.parametrize(("caught", "planted", "percent"), [(20, 20, 86.1), (58, 60, 89.9), (60, 60, 95.1)])
def test_reference_recall_bounds(caught, planted, percent):
    assert round(100 * clopper_pearson(caught, planted, side="lower").ci_low, 1) == percent


@pytest.mark.parametrize(("runs", "percent"), [(60, 6.7), (300, 1.4)])
def test_reference_bound_through_recall(runs, percent):
    bound = recall_bound(num_flagged=0, num_runs=runs, num_caught=58, num_positives=60)
    assert round(100 * bound.upper, 1) == percent
    assert bound.upper == pytest.approx(bound.flag_rate_upper / bound.recall_lower)


def test_bound_through_recall_covers():
    rng = np.random.default_rng(0)
    misaligned, recall, runs, planted = 0.1, 0.8, 50, 30
    held = []
    for _ in range(500):
        flagged = rng.binomial(runs, misaligned * recall)
        bound = recall_bound(
            num_flagged=int(flagged), num_runs=runs, num_caught=rng.binomial(planted, recall), num_positives=planted
        )
        held.append(misaligned <= bound.upper)
    assert np.mean(held) >= 0.95


def test_bound_through_recall_never_rewards_a_blind_auditor():
    blind = recall_bound(num_flagged=0, num_runs=60, num_caught=0, num_positives=60)
    assert blind.upper == 1.0 and "says nothing" in blind.reason
    weak = recall_bound(num_flagged=0, num_runs=60, num_caught=30, num_positives=60)
    strong = recall_bound(num_flagged=0, num_runs=60, num_caught=60, num_positives=60)
    assert strong.upper < weak.upper < blind.upper


def test_bound_through_recall_needs_both_samples():
    assert "planted" in recall_bound(num_flagged=0, num_runs=5, num_caught=0, num_positives=0).reason
    assert "audited" in recall_bound(num_flagged=0, num_runs=0, num_caught=1, num_positives=1).reason


@pytest.mark.parametrize("upper", [0.05, 0.01, 0.3])
def test_num_clean_runs_is_the_smallest_that_suffices(upper):
    runs = num_clean_runs(upper)
    assert rate_upper_bound(0, runs) <= upper < rate_upper_bound(0, runs - 1)


def test_no_runs_no_bound():
    assert rate_upper_bound(0, 0) is None
    with pytest.raises(ValueError, match="lie in"):
        num_clean_runs(0.0)


def chance_of_ever_excluding(true_rate, num_runs):
    """The exact probability that some run's bound falls below the true rate: a walk over (runs, events)."""
    alive, broken = np.array([1.0]), 0.0
    for n in range(1, num_runs + 1):
        alive = np.append(alive * (1 - true_rate), 0.0) + np.append(0.0, alive * true_rate)
        excluded = log_e_value(np.arange(n + 1), n, true_rate) >= np.log(20)
        broken += alive[excluded].sum()
        alive[excluded] = 0.0
    return broken


@pytest.mark.parametrize("true_rate", [0.02, 0.1, 0.4, 0.9])
def test_anytime_bounds_hold_at_every_run_at_once(true_rate):
    assert 0.0 < chance_of_ever_excluding(true_rate, 400) <= 0.05


def test_anytime_bounds_exclude_exactly_what_the_e_value_rejects():
    events = np.random.default_rng(0).random(100) < 0.3
    bounds = anytime_upper_bounds(events)
    for n in (1, 20, 100):
        rejected = log_e_value(events[:n].cumsum(), np.arange(1, n + 1), 0.42) >= np.log(20)
        assert (bounds[n - 1] < 0.42) == rejected.any()


def test_fixed_bound_breaks_under_peeking_where_the_anytime_bound_does_not():
    rng = np.random.default_rng(1)
    broken = []
    for _ in range(200):
        events = np.cumsum(rng.random(150) < 0.1)
        broken.append(any(rate_upper_bound(int(k), n) < 0.1 for n, k in enumerate(events, 1)))
    assert np.mean(broken) > 0.1


def test_e_value_is_fair_at_its_rate_and_loses_above_it():
    # Exact expectation over Binomial(n, p): 1 or less for every p at or above the tested rate.
    from scipy.stats import binom

    counts = np.arange(41)
    for true_rate in (0.2, 0.3, 0.6):
        expected = float((binom.pmf(counts, 40, true_rate) * np.exp(log_e_value(counts, 40, 0.2))).sum())
        assert expected == pytest.approx(1.0) if true_rate == 0.2 else expected < 1.0
    assert float((binom.pmf(counts, 40, 0.05) * np.exp(log_e_value(counts, 40, 0.2))).sum()) > 2.0


def test_anytime_bounds_known_values_and_order():
    clean = anytime_upper_bounds(np.zeros(59))
    assert round(100 * clean[-1], 1) == 6.2
    assert (np.diff(clean) <= 0).all() and clean[-1] > rate_upper_bound(0, 59)
    assert anytime_upper_bounds([1, 1, 1])[-1] == pytest.approx(1.0)
    assert anytime_upper_bounds([]).shape == (0,)


def test_rates_above_the_anytime_bound_are_rejected_and_those_below_are_not():
    events = np.array([0] * 30 + [1] + [0] * 29)
    # Non-monotone rejection would make the bisection land anywhere.
    rates = np.linspace(0.001, 0.999, 999)
    rejected = log_e_value(events.sum(), len(events), rates) >= np.log(20)
    assert (np.diff(rejected.astype(int)) >= 0).all()


@pytest.mark.parametrize(("true_rate", "mean_runs"), [(0.0, 31), (0.1, 24), (0.3, 7)])
def test_reference_sprt_lengths(true_rate, mean_runs):
    assert round(plan_sprt(true_rate).mean_runs) == mean_runs


def test_sprt_errors_stay_near_their_names():
    assert plan_sprt(0.01).accept_p1 <= 0.05 / 0.95
    assert plan_sprt(0.1).accept_p0 <= 0.05 / 0.95


def test_sprt_plan_matches_simulation():
    rng = np.random.default_rng(2)
    results = [sprt(rng.random(400) < 0.1) for _ in range(1500)]
    plan = plan_sprt(0.1)
    assert np.mean([r.num_runs for r in results]) == pytest.approx(plan.mean_runs, rel=0.06)
    assert np.mean([r.accepted == "p0" for r in results]) == pytest.approx(plan.accept_p0, abs=0.02)
    assert plan.accept_p0 + plan.accept_p1 + plan.undecided == pytest.approx(1.0)


def test_sprt_says_when_the_outcomes_ran_out():
    assert sprt([0] * 30) == (None, 30)
    assert sprt([0] * 40) == ("p0", 31)
    assert sprt([1, 1, 0]) == ("p1", 2)
    assert plan_sprt(0.05, max_runs=5).undecided > 0.5


def test_sprt_refuses_rates_in_the_wrong_order():
    with pytest.raises(ValueError, match="p0 < p1"):
        sprt([0], SprtDesign(p0=0.2, p1=0.1))
