import numpy as np
import pytest
from scipy import stats

from organoid.measure.intervals import (
    bootstrap_mean,
    clopper_pearson,
    cluster_index,
    expanded_levels,
    mean_interval,
    paired_difference,
    ratio_of_means,
)


@pytest.mark.parametrize(("hits", "runs"), [(0, 20), (3, 20), (20, 20), (1, 100), (58, 60)])
@pytest.mark.parametrize(("side", "alternative"), [("two", "two-sided"), ("upper", "less"), ("lower", "greater")])
def test_clopper_pearson_matches_scipy(hits, runs, side, alternative):
    ours = clopper_pearson(hits, runs, side=side)
    theirs = stats.binomtest(hits, runs, alternative=alternative).proportion_ci(0.95, method="exact")
    assert (ours.ci_low, ours.ci_high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert ours.value == hits / runs


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_clopper_pearson_covers_exactly_enough(rate):
    hits = np.arange(41)
    weight = stats.binom.pmf(hits, 40, rate)
    covered = [e.ci_low <= rate <= e.ci_high for e in (clopper_pearson(int(k), 40) for k in hits)]
    assert weight[covered].sum() >= 0.95


def test_clopper_pearson_without_runs_is_not_estimable():
    assert clopper_pearson(0, 0) == (None, None, None, 0, "no runs")


def test_clopper_pearson_of_shares_lies_between_whole_counts_and_covers():
    ends = [clopper_pearson(hits, 20).ci_high for hits in (0, 1 / 3, 1, 4 / 3, 2)]
    assert ends == sorted(set(ends))
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(2000):  # 10 clusters of three near-copies that hit together half of the time
        together, own = rng.random(10) < 0.1, rng.random((10, 3)) < 0.1
        shares = np.where(rng.random(10) < 0.5, together, own.mean(1))
        found = clopper_pearson(float(shares.sum()), 10)
        covered.append(found.ci_low <= 0.1 <= found.ci_high)
    assert np.mean(covered) >= 0.95


def test_clopper_pearson_refuses_impossible_counts():
    with pytest.raises(ValueError, match="got 5 of 4"):
        clopper_pearson(5, 4)


def test_mean_interval_matches_scipy():
    values = [0.2, 0.5, 0.4, 0.9]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert mean_interval(values)[1:3] == pytest.approx((low, high))


def test_mean_interval_covers_at_three_runs():
    rng = np.random.default_rng(1)
    intervals = [mean_interval(draw) for draw in rng.normal(0.5, 0.1, (2000, 3))]
    assert np.mean([e.ci_low <= 0.5 <= e.ci_high for e in intervals]) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("values", "value"), [([], None), ([0.4], 0.4), ([0.4, 0.4, 0.4], 0.4)])
def test_no_interval_is_better_than_one_without_width(values, value):
    estimate = mean_interval(values)
    assert estimate.value == (None if value is None else pytest.approx(value))
    assert estimate.ci_low is None and estimate.ci_high is None and estimate.reason


def test_grain_is_a_floor_and_changes_nothing_above_it():
    equal = mean_interval([0.0, 0.0, 0.0], grain=1 / 48, bounds=(0, 1))
    assert equal.ci_low == 0.0 and 0.04 < equal.ci_high < 0.06
    assert mean_interval([0.2, 0.6], grain=0.01) == mean_interval([0.2, 0.6])


def test_mean_interval_refuses_missing_runs():
    with pytest.raises(ValueError, match="drop missing runs"):
        mean_interval([0.1, float("nan")])


def test_pairing_by_seed_removes_what_seeds_share():
    rng = np.random.default_rng(2)
    shared = rng.normal(0, 5, 6)
    paired = paired_difference(shared + 1 + rng.normal(0, 0.1, 6), shared)
    assert paired.ci_low > 0.5 and paired.ci_high < 1.5
    with pytest.raises(ValueError, match="got 2 and 1"):
        paired_difference([1, 2], [1])


def test_ratio_interval_is_the_set_of_ratios_that_a_t_test_does_not_reject():
    top, bottom = np.array([0.5, 0.7, 0.45, 0.6]), np.array([0.8, 0.9, 0.7, 0.75])
    interval = ratio_of_means(top, bottom).ratio
    for edge in (interval.ci_low, interval.ci_high):
        assert stats.ttest_1samp(top - edge * bottom, 0).pvalue == pytest.approx(0.05)
    assert interval.value == pytest.approx(top.mean() / bottom.mean())


@pytest.mark.parametrize("n", [3, 5])
def test_ratio_interval_covers_where_the_bootstrap_does_not(n):
    rng = np.random.default_rng(n + 1)
    ratio, boot, runs = [], [], 1500
    for _ in range(runs):
        bottom = rng.normal(0.7, 0.1, n)
        top = 0.5 * bottom + rng.normal(0, 0.1, n)
        fieller = ratio_of_means(top, bottom).ratio
        ratio.append(fieller.value is None or fieller.ci_low <= 0.5 <= fieller.ci_high)
        picks = rng.integers(0, n, (200, n))
        low, high = np.quantile(top[picks].mean(1) / bottom[picks].mean(1), [0.025, 0.975])
        boot.append(low <= 0.5 <= high)
    assert np.mean(ratio) >= 0.93
    assert np.mean(boot) < 0.90


def test_ratio_needs_a_denominator_that_is_not_zero():
    vague = ratio_of_means([0.1, 0.2, 0.1], [0.3, -0.2, 0.1])
    assert vague.ratio.value is None and "includes 0" in vague.ratio.reason
    assert vague.denominator.ci_low < 0 < vague.denominator.ci_high
    single = ratio_of_means([0.1], [0.9])
    assert single.ratio.value is None and "one run" in single.ratio.reason


def test_ratio_never_has_an_interval_without_width():
    exact = ratio_of_means([0.8, 0.9, 1.0], [0.8, 0.9, 1.0])
    assert exact.ratio[:3] == (1.0, None, None) and exact.ratio.reason
    grained = ratio_of_means([0.8, 0.9, 1.0], [0.8, 0.9, 1.0], grain=1 / 48).ratio
    assert grained.ci_low < 1 < grained.ci_high and grained.ci_high - grained.ci_low > 0.05


def test_grain_keeps_the_ratio_inside_its_interval():
    rng = np.random.default_rng(3)
    for _ in range(50):
        top, bottom = rng.normal(0.3, 0.05, 4), rng.normal(0.8, 0.05, 4)
        plain, grained = ratio_of_means(top, bottom).ratio, ratio_of_means(top, bottom, grain=0.1).ratio
        assert grained.ci_low <= plain.ci_low <= plain.value <= plain.ci_high <= grained.ci_high


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrap_matches_scipy(method):
    values = np.random.default_rng(4).exponential(1.0, 60)
    ours = bootstrap_mean(values, method=method, num_resamples=8000)
    scipy_method = {"percentile": "percentile", "bca": "BCa"}[method]
    theirs = stats.bootstrap((values,), np.mean, n_resamples=8000, method=scipy_method, rng=5).confidence_interval
    assert (ours.ci_low, ours.ci_high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_expanded_percentiles_cover_with_few_clusters_where_plain_ones_do_not():
    rng = np.random.default_rng(6)
    held = {"expanded": 0, "percentile": 0}
    for draw in rng.normal(0.0, 1.0, (600, 8)):
        for method in held:
            estimate = bootstrap_mean(draw, method=method, num_resamples=500)
            held[method] += estimate.ci_low <= 0.0 <= estimate.ci_high
    assert held["expanded"] / 600 > 0.93
    assert held["percentile"] / 600 < 0.91


def test_expanded_levels_turn_a_normal_bootstrap_into_t():
    low, high = stats.norm.ppf(expanded_levels(0.95, 8)) * np.sqrt(7 / 8)
    assert (low, high) == pytest.approx(stats.t.interval(0.95, 7))


def test_bootstrap_resamples_clusters_not_values():
    values = np.repeat([0.0, 1.0, 0.0, 1.0, 1.0, 0.0], 50)
    naive = bootstrap_mean(values)
    clustered = bootstrap_mean(values, np.repeat(np.arange(6), 50).tolist())
    assert (naive.n, clustered.n) == (300, 6)
    assert clustered.ci_high - clustered.ci_low > 4 * (naive.ci_high - naive.ci_low)


def test_bootstrap_is_a_function_of_its_seed():
    values = np.random.default_rng(0).random(12)
    assert bootstrap_mean(values, seed=1) == bootstrap_mean(values, seed=1)
    assert bootstrap_mean(values, seed=1) != bootstrap_mean(values, seed=2)


@pytest.mark.parametrize(
    ("values", "clusters"), [([], None), ([0.3], None), ([0.3, 0.3, 0.3], None), ([0.1, 0.9], ["a", "a"])]
)
def test_bootstrap_without_spread_gives_no_interval(values, clusters):
    estimate = bootstrap_mean(values, clusters)
    assert estimate.ci_low is None and estimate.ci_high is None and estimate.reason


def test_cluster_index_follows_first_appearance():
    index, num_clusters = cluster_index([("b", 1), ("a", 1), ("b", 1)], 3)
    assert index.tolist() == [0, 1, 0] and num_clusters == 2
    with pytest.raises(ValueError, match="one cluster a value"):
        cluster_index(["a"], 2)
