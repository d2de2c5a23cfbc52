import numpy as np
import pytest

from organoid.measure.matching import absolute_correlations, correlation, matched_correlation


def hidden(seed, n=400, g=5, f=12):
    """True latents, and learnt ones: noise, with noisy copies of the true ones at known places."""
    rng = np.random.default_rng(seed)
    true, learnt = rng.standard_normal((n, g)), rng.standard_normal((n, f))
    places = np.random.default_rng(7).permutation(f)[:g]
    learnt[:, places] = -3 * true + 0.3 * rng.standard_normal((n, g)) + 10
    return learnt, true, places


def test_planted_copies_are_found_at_their_places_whatever_their_sign_and_scale():
    learnt, true, places = hidden(0)
    match = matched_correlation(learnt, true, held_out=hidden(1)[:2])
    assert match.latent_G.tolist() == places.tolist()
    assert match.mean > 0.98 > 0.2 > match.null
    expected = [abs(np.corrcoef(hidden(1)[0][:, p], hidden(1)[1][:, g])[0, 1]) for g, p in enumerate(places)]
    assert match.correlation_G == pytest.approx(expected)


def test_unrelated_latents_match_no_better_than_by_luck():
    rng = np.random.default_rng(0)
    learnt, true, more, less = (rng.standard_normal((300, k)) for k in (40, 5, 40, 5))
    flattered = matched_correlation(learnt, true)
    assert flattered.mean == pytest.approx(flattered.null, abs=0.05)
    assert flattered.mean > 0.12  # the best of forty
    assert matched_correlation(learnt, true, held_out=(more, less)).mean < 0.1


def test_each_true_latent_gets_one_of_its_own():
    true = np.random.default_rng(0).standard_normal((200, 1)) @ [[1.0, 1.0]]
    learnt = np.c_[true[:, 0], np.random.default_rng(1).standard_normal(200)]
    match = matched_correlation(learnt, true)
    assert sorted(match.latent_G.tolist()) == [0, 1]
    assert match.mean < 0.6


def test_a_constant_latent_correlates_with_nothing():
    learnt = np.c_[np.ones(50), np.arange(50.0)]
    match = matched_correlation(learnt, np.ones((50, 1)))
    assert match.correlation_G.tolist() == [0.0]


@pytest.mark.parametrize(("learnt", "true"), [(np.ones((5, 2)), np.ones((4, 1))), (np.ones((5, 2)), np.ones((5, 3)))])
def test_what_cannot_be_matched_is_refused(learnt, true):
    with pytest.raises(ValueError, match=r"sample|learnt ones"):
        matched_correlation(learnt, true)


def test_a_correlation_has_its_sign_and_an_interval_that_covers():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        first = rng.standard_normal(80)
        found = correlation(first, -0.6 * first + 0.8 * rng.standard_normal(80), num_resamples=400, seed=seed)
        covered += found.ci_low <= -0.6 <= found.ci_high
    assert found.n == 80 and found.value < 0
    assert covered >= 180


def test_correlations_are_numpy_s_and_none_where_one_is_constant():
    first, second = np.random.default_rng(0).standard_normal((2, 30))
    expected = np.corrcoef(first, second)[0, 1]
    assert correlation(first, second).value == pytest.approx(expected)
    assert absolute_correlations(second[:, None], first[:, None])[0, 0] == pytest.approx(abs(expected))
    constant = correlation(np.ones(30), second)
    assert constant.value is None and constant.ci_low is None and "constant" in constant.reason
    with pytest.raises(ValueError, match="pairs"):
        correlation(first, second[:5])
