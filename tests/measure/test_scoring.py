import numpy as np
import pytest
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from organoid.measure.scoring import LOG_FLOOR, brier, calibration, log_score


def forecasts(seed=0, n=80):
    rng = np.random.default_rng(seed)
    probs = rng.uniform(0.05, 0.95, n)
    return probs, (rng.random(n) < probs).astype(int)


def test_scores_match_scikit_learn():
    probs, outcomes = forecasts()
    assert brier(probs, outcomes).score.value == pytest.approx(brier_score_loss(outcomes, probs))
    assert log_score(probs, outcomes).score.value == pytest.approx(sklearn_log_loss(outcomes, probs))


@pytest.mark.parametrize("rule", [brier, log_score])
def test_the_score_is_proper(rule):
    # 30 % of outcomes are 1: no constant forecast beats saying so.
    outcomes = [1] * 3 + [0] * 7
    losses = {p: rule([p] * 10, outcomes).score.value for p in np.arange(1, 10) / 10}
    assert min(losses, key=losses.get) == pytest.approx(0.3)


@pytest.mark.parametrize("rule", [brier, log_score])
def test_skill_is_one_for_an_oracle_zero_for_the_base_rate_and_negative_for_a_liar(rule):
    outcomes = [1, 0, 0, 1, 0]
    assert rule(outcomes, outcomes).skill == pytest.approx(1.0, abs=1e-3)
    assert rule([0.4] * 5, outcomes).skill == pytest.approx(0.0)
    assert rule([1 - y for y in outcomes], outcomes).skill < -1


def test_a_given_baseline_is_used():
    probs, outcomes = forecasts()
    assert brier(probs, outcomes, baseline_probs_N=np.full(80, 0.5)).baseline == pytest.approx(0.25)


def test_known_values():
    assert brier([0.5, 0.5], [0, 1]).score.value == pytest.approx(0.25)
    assert log_score([0.5, 0.5], [0, 1]).score.value == pytest.approx(np.log(2))
    assert log_score([0.0], [1]).score.value == pytest.approx(-np.log(LOG_FLOOR))


def test_degenerate_forecasts_are_not_estimable():
    nothing = brier([], [])
    assert nothing.score.value is None and nothing.baseline is None and nothing.skill is None
    assert brier([0.2, 0.3], [0, 0]).skill is None  # the base rate is never wrong
    assert brier([0.2], [0]).score.ci_low is None


def test_clusters_are_the_sampling_unit():
    probs, outcomes = forecasts(n=90)
    assert brier(probs, outcomes, clusters_N=[i // 10 for i in range(90)]).score.n == 9


def test_calibrated_forecasts_fall_on_the_diagonal_and_shifted_ones_do_not():
    probs, outcomes = forecasts(1, 4000)
    good = calibration(probs, outcomes)
    assert good.error < 0.03
    assert all(abs(b.observed.value - b.mean_probability) < 0.05 for b in good.bins)
    assert calibration(1 - probs, outcomes).error > 0.3


def test_empty_bins_are_none_and_ends_are_binned():
    bins = calibration([0.0, 1.0], [0, 1], num_bins=4).bins
    assert [b.observed.n for b in bins] == [1, 0, 0, 1]
    assert bins[1].mean_probability is None and bins[1].observed.value is None
    assert calibration([], []).error is None


@pytest.mark.parametrize(("probs", "outcomes"), [([1.2], [1]), ([0.5], [2]), ([0.5, 0.5], [1]), ([float("nan")], [0])])
def test_what_is_no_forecast_is_refused(probs, outcomes):
    with pytest.raises(ValueError, match=r"probabilities|one outcome"):
        brier(probs, outcomes)
