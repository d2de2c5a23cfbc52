import numpy as np
import pytest
from scipy import stats

from organoid.measure.equivalence import equivalence


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.2, -0.2])
def test_it_agrees_with_two_one_sided_tests(shift):
    rng, margin = np.random.default_rng(0), 0.1
    for _ in range(50):
        first, second = rng.normal(shift, 0.08, 8), rng.normal(0.0, 0.08, 8)
        difference = first - second
        above = stats.ttest_1samp(difference, -margin, alternative="greater").pvalue
        below = stats.ttest_1samp(difference, margin, alternative="less").pvalue
        assert equivalence(first, second, margin=margin).equivalent == (max(above, below) < 0.05)


def test_the_same_is_shown_and_the_different_never():
    same = [0.1, 0.12, 0.08, 0.1, 0.11]
    assert equivalence(same, same, margin=0.1, grain=0.01).equivalent is True
    assert equivalence(np.add(same, 0.5), same, margin=0.1, grain=0.01).equivalent is False
    assert equivalence(np.subtract(same, 0.5), same, margin=0.1, grain=0.01).equivalent is False


def test_what_differs_by_the_margin_passes_no_oftener_than_alpha():
    rng, margin = np.random.default_rng(1), 0.1
    passed = [equivalence(rng.normal(margin, 0.02, 5), np.zeros(5), margin=margin).equivalent for _ in range(2000)]
    assert np.mean(passed) < 0.065


def test_noise_is_not_evidence_of_sameness():
    assert equivalence([0.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0], margin=0.1).equivalent is False


def test_too_little_is_not_estimable():
    for values in ([], [0.1], [0.0, 0.0]):  # no runs, one run, no spread and no grain
        found = equivalence(values, values, margin=0.1)
        assert found.equivalent is None
        assert found.difference.reason


def test_grain_is_a_floor_under_the_spread():
    assert equivalence([0.0] * 5, [0.0] * 5, margin=0.1, grain=0.02).equivalent is True
    assert equivalence([0.0] * 5, [0.0] * 5, margin=0.1, grain=0.5).equivalent is False


@pytest.mark.parametrize("bad", [{"margin": 0.0}, {"margin": 0.1, "alpha": 0.5}, {"margin": 0.1, "alpha": 0.0}])
def test_it_refuses_thresholds_that_mean_nothing(bad):
    with pytest.raises(ValueError, match="needs margin"):
        equivalence([0.1, 0.2], [0.1, 0.2], **bad)


def test_values_must_pair_up():
    with pytest.raises(ValueError):
        equivalence([0.1, 0.2], [0.1], margin=0.1)
