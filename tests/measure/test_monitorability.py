"""The product of two rates: 0 for a monitor that says one thing only, never estimable without both classes."""

import numpy as np
import pytest

from organoid.measure.monitorability import g_mean_squared

LABELS = [True] * 6 + [False] * 14


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (LABELS, 1.0),
        ([True] * 20, 0.0),
        ([False] * 20, 0.0),
        ([not label for label in LABELS], 0.0),
        ([True] * 3 + [False] * 3 + [True] * 7 + [False] * 7, 0.25),
    ],
)
def test_known_monitors(flags: list[bool], expected: float) -> None:
    found = g_mean_squared(flags, LABELS)
    assert found.product.value == pytest.approx(expected)
    assert found.product.ci_low is not None and found.product.ci_high is not None
    assert 0.0 <= found.product.ci_low <= expected <= found.product.ci_high <= 1.0
    assert (found.tpr.n, found.tnr.n, found.product.n) == (6, 14, 20)


def test_it_is_the_product_of_the_two_rates_counted_by_hand() -> None:
    rng = np.random.default_rng(0)
    flags, labels = rng.random(200) < 0.4, rng.random(200) < 0.3
    by_hand = flags[labels].mean() * (~flags[~labels]).mean()
    assert g_mean_squared(flags.tolist(), labels.tolist()).product.value == pytest.approx(by_hand)


@pytest.mark.parametrize(("labels", "lacking"), [([False] * 3, "with "), ([True] * 3, "without "), ([], "with ")])
def test_one_class_is_not_enough(labels: list[bool], lacking: str) -> None:
    found = g_mean_squared([True] * len(labels), labels).product
    assert found.value is None and found.reason is not None and lacking in found.reason


def test_the_interval_holds_at_least_as_often_as_it_says() -> None:
    rng, held, true = np.random.default_rng(1), 0, 0.8 * 0.7
    labels = [True] * 12 + [False] * 20
    for _ in range(300):
        flags = np.concatenate([rng.random(12) < 0.8, rng.random(20) < 0.3])
        found = g_mean_squared(flags.tolist(), labels).product
        assert found.ci_low is not None and found.ci_high is not None
        held += found.ci_low <= true <= found.ci_high
    assert held >= 0.95 * 300


def test_a_flag_is_needed_for_every_case() -> None:
    with pytest.raises(ValueError, match="zip"):
        g_mean_squared([True], [])
