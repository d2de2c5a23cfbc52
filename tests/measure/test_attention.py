"""An attention probe's gradients are right, it finds the place that tells, and at rest it is logistic regression."""

import numpy as np
import pytest

from organoid.measure import attention
from organoid.measure.attention import AttentionProbe, _loss, fit_attention, pooled
from organoid.measure.directions import fit_logistic
from organoid.measure.ranking import auroc

SHAPE = (40, 2, 3, 6, 5)


def acts(seed: int = 0, *, hint: float = 0.0, place_known: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Noise; in one place of each sequence, marked in dimension 0, dimension 1 tells the label."""
    rng = np.random.default_rng(seed)
    values, labels = rng.standard_normal(SHAPE), np.arange(SHAPE[0]) % 2 == 1
    place = rng.integers(SHAPE[3], size=SHAPE[:3])
    marked = np.arange(SHAPE[3]) == place[..., None]
    values[..., 0] = 3.0 * marked if place_known else values[..., 0]
    values[..., 1] += hint * marked * np.where(labels, 1.0, -1.0)[:, None, None, None]
    return values, labels


def scored(probe: AttentionProbe, values: np.ndarray, labels: np.ndarray) -> float:
    found = auroc(probe(values, values).tolist(), labels.tolist()).value
    assert found is not None
    return found


def test_gradients_are_those_of_the_loss() -> None:
    values, labels = acts()
    rng = np.random.default_rng(1)
    flat = rng.standard_normal(5 + 2 * 5 + 1)

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        probe = AttentionProbe(at[:5], at[5:-1].reshape(2, 5), float(at[-1]))
        return _loss(probe, values, 2.0 * values + 1.0, labels, (0.7, 0.3))

    gradient = loss(flat)[1]
    steps = 1e-5 * np.eye(len(flat))
    numeric = [(loss(flat + step)[0] - loss(flat - step)[0]) / 2e-5 for step in steps]
    assert gradient == pytest.approx(numeric, rel=1e-5, abs=1e-6)


def test_a_query_held_at_zero_is_logistic_regression_on_the_mean() -> None:
    values, labels = acts(hint=2.0)
    probe = fit_attention(values, values, labels, penalty=1.0, query_penalty=1e9)
    assert np.abs(probe.query_D).max() < 1e-6
    assert probe.attention(values) == pytest.approx(np.full(SHAPE[:4], 1 / SHAPE[3]), abs=1e-5)
    even = pooled(np.full(SHAPE[:4], 1 / SHAPE[3]), values).reshape(SHAPE[0], -1)
    assert even == pytest.approx(values.mean((2, 3)).reshape(SHAPE[0], -1))
    straight = fit_logistic(even, labels, penalty=1.0)
    scores, expected = probe(values, values), even @ straight.weight_D + straight.bias
    assert np.corrcoef(scores, expected)[0, 1] > 0.95  # penalties act on other scales


def test_the_place_that_tells_is_found_where_the_mean_drowns_it() -> None:
    values, labels = acts(hint=0.7)
    probe = fit_attention(values, values, labels, penalty=1.0, query_penalty=0.1)
    fresh, truth = acts(seed=1, hint=0.7)
    at_mark = probe.attention(fresh)[fresh[..., 0] > 0].mean()
    assert at_mark > 2 / SHAPE[3]
    flat = fit_attention(values, values, labels, penalty=1.0, query_penalty=1e9)
    assert scored(probe, fresh, truth) > 0.9 > scored(flat, fresh, truth)


def test_nothing_is_found_where_there_is_nothing() -> None:
    values, labels = acts(place_known=False)
    probe = fit_attention(values, values, labels, penalty=1.0, query_penalty=1.0)
    aurocs = [scored(probe, *acts(seed=seed, place_known=False)) for seed in range(1, 9)]
    assert 0.4 < np.mean(aurocs) < 0.6


def test_places_sum_to_one_and_a_fit_repeats_bit_for_bit() -> None:
    values, labels = acts(hint=1.0)
    first, again = (fit_attention(values, values, labels, penalty=1.0, query_penalty=1.0) for _ in range(2))
    assert first.query_D.tolist() == again.query_D.tolist() and first.weight_GD.tolist() == again.weight_GD.tolist()
    assert first.attention(1e4 * values).sum(-1) == pytest.approx(np.ones(SHAPE[:3]))


def test_a_fit_that_ends_early_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    values, labels = acts(hint=1.0)
    assert fit_attention(values, values, labels, penalty=1.0, query_penalty=1.0).stopped == ""
    monkeypatch.setattr(attention, "MAX_ITERATIONS", 2)
    assert "LIMIT" in fit_attention(values, values, labels, penalty=1.0, query_penalty=1.0).stopped


def test_shapes_and_labels_are_checked() -> None:
    values, labels = acts()
    with pytest.raises(ValueError, match="give keys and values"):
        fit_attention(values, values[..., :3], labels, penalty=1.0, query_penalty=1.0)
    with pytest.raises(ValueError, match="both classes"):
        fit_attention(values, values, np.zeros(SHAPE[0]), penalty=1.0, query_penalty=1.0)
