"""POWER beside published values, closed forms, brute force and symmetries."""

import numpy as np
import pytest

from organoid.measure.power import deterministic, expected_max, power, sampled_power

# The example of Turner and Riggs, "Seeking Power is Often Convergently Instrumental in MDPs", which explains the paper:
# from the start one may eat candy or wait; who waited may eat chocolate or hug; each of the three lasts for ever.
START, CANDY, WAIT, CHOCOLATE, HUG = range(5)
SWEETS = deterministic([[CANDY, WAIT], [CANDY], [CHOCOLATE, HUG], [CHOCOLATE], [HUG]])
FAN = deterministic([list(range(12)), *([n] for n in range(1, 12))])
THREE = deterministic([[1, 2, 3], [1], [2], [3]])


@pytest.mark.parametrize("discount", [0.0, 0.25, 0.5, 0.99, 1.0])
def test_published_three_choices_give_three_quarters_at_any_discount(discount: float) -> None:
    assert power(THREE, state=0, discount=discount) == pytest.approx(3 / 4, abs=1e-12)


@pytest.mark.parametrize("discount", [0.0, 0.3, 0.9, 1.0])
def test_published_no_choice_gives_one_half(discount: float) -> None:
    assert power(SWEETS, state=CANDY, discount=discount) == pytest.approx(1 / 2, abs=1e-12)


def test_published_waiting_gives_two_thirds_to_the_short_sighted_and_three_quarters_to_the_far_sighted() -> None:
    assert power(SWEETS, state=START, discount=0.0) == pytest.approx(2 / 3, abs=1e-12)
    assert power(SWEETS, state=START, discount=1.0) == pytest.approx(3 / 4, abs=1e-12)


@pytest.mark.parametrize("discount", [0.0, 0.1, 0.5, 0.9, 0.999, 1.0])
def test_published_waiting_has_at_least_the_power_of_eating(discount: float) -> None:
    wait, candy = (power(SWEETS, state=state, discount=discount) for state in (WAIT, CANDY))
    assert wait == pytest.approx(2 / 3, abs=1e-12) and wait > candy


@pytest.mark.parametrize("discount", np.linspace(0, 1, 11))
def test_in_between_it_is_the_closed_form(discount: float) -> None:
    """E max(X, Y) = (1 + E Y^2) / 2 for X uniform and Y in [0, 1], here Y = (1 - g) W + g max(C, H)."""
    late = 1 - discount
    square = late**2 / 3 + discount**2 / 2 + 2 * late * discount * (1 / 2) * (2 / 3)
    assert power(SWEETS, state=START, discount=discount) == pytest.approx((1 + square) / 2, abs=1e-12)


@pytest.mark.parametrize("num", range(1, 8))
def test_n_choices_for_ever_give_n_of_n_plus_one(num: int) -> None:
    process = deterministic([list(range(1, num + 1)), *([n] for n in range(1, num + 1))])
    assert power(process, state=0, discount=0.8) == pytest.approx(num / (num + 1), abs=1e-10)


def test_going_in_circles_is_averaged_over_the_circle() -> None:
    """A cycle of two against one that lasts: E max(A, (B + C) / 2) = (1 + E((B + C) / 2)^2) / 2 = (1 + 7 / 24) / 2."""
    process = deterministic([[1, 2], [1], [3], [2]])
    assert power(process, state=0, discount=1.0) == pytest.approx((1 + 7 / 24) / 2, abs=1e-12)


def test_an_action_left_to_chance_is_averaged_over_its_ends() -> None:
    coin = [np.array([[0, 0.5, 0.5, 0], [0, 0, 0, 1.0]]), *(np.eye(4)[[n]] for n in (1, 2, 3))]
    assert power(coin, state=0, discount=0.7) == pytest.approx((1 + 7 / 24) / 2, abs=1e-12)


def test_power_is_continuous_up_to_its_ends() -> None:
    for end, near in ((0.0, 1e-7), (1.0, 1 - 1e-7)):
        assert power(SWEETS, state=START, discount=near) == pytest.approx(
            power(SWEETS, state=START, discount=end), abs=1e-6
        )


def test_more_choices_are_never_less_power_and_names_do_not_matter() -> None:
    fewer = deterministic([[CANDY], [CANDY], [CHOCOLATE, HUG], [CHOCOLATE], [HUG]])
    assert power(fewer, state=START, discount=0.6) < power(SWEETS, state=START, discount=0.6)
    order = np.array([3, 0, 4, 1, 2])  # state n is called order[n]
    renamed = deterministic([[int(order[end]) for end in np.flatnonzero(SWEETS[n].any(0))] for n in np.argsort(order)])
    assert power(renamed, state=3, discount=0.6) == pytest.approx(power(SWEETS, state=START, discount=0.6), abs=1e-12)


def test_a_state_that_shuts_down_has_less_power_than_one_that_runs() -> None:
    off, on = 1, 0
    machine = deterministic([[0, 1, 2], [1], [0, 1, 2]])
    values = [power(machine, state=state, discount=0.9) for state in (on, off)]
    assert values[1] == pytest.approx(0.5, abs=1e-12) and values[0] > 0.6


@pytest.mark.parametrize("seed", range(4))
def test_exact_and_sampled_agree_on_processes_of_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    process = [rng.dirichlet(np.full(4, 0.5), size=int(rng.integers(1, 4))) for _ in range(4)]
    for discount in (0.3, 0.9):
        drawn = sampled_power(process, rng.random((8000, 4)), state=0, discount=discount)
        exact = power(process, state=0, discount=discount)
        assert drawn.value is not None and drawn.ci_low is not None and drawn.ci_high is not None
        assert abs(drawn.value - exact) < 2 * (drawn.ci_high - drawn.ci_low)


def test_sampled_power_takes_other_distributions() -> None:
    sure = np.tile([9.0, 1.0, 0.0, 0.0, 3.0], (3, 1))
    assert sampled_power(SWEETS, sure, state=START, discount=0.5).value == pytest.approx(0.5 * 0 + 0.5 * 3.0)
    assert sampled_power(SWEETS, sure, state=CANDY, discount=0.5).value == pytest.approx(1.0)


def test_expected_max_beside_known_answers() -> None:
    assert expected_max(np.eye(2)) == pytest.approx(2 / 3)
    assert expected_max(np.eye(3)[:1]) == 0.5
    assert expected_max([[0.5, 0.5], [0.5, 0.5]]) == pytest.approx(0.5)
    assert expected_max([[0.5, 0.5, 0], [0.5, 0, 0.5]]) == pytest.approx(0.25 + 1 / 3)
    assert expected_max([[1, 0], [0.5, 0.5]]) == pytest.approx(0.5 + 1 / 12)  # E max(0, (B - A) / 2) = 1 / 12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power(SWEETS, state=0, discount=1.5), r"discount must be in \[0, 1\]"),
        (lambda: power([np.array([[0.5, 0.4]]), np.eye(2)[[1]]], state=0, discount=0.5), "do not sum to 1"),
        (lambda: power([np.eye(2)[[1]], np.zeros((0, 2))], state=0, discount=0.5), "at least one action"),
        (lambda: power(deterministic([list(range(12))] * 12), state=0, discount=0.5), "policies; at most"),
        (
            lambda: power(deterministic([list(range(12)), *([n] for n in range(1, 12))]), state=0, discount=0.5),
            "sampled",
        ),
        (lambda: sampled_power(SWEETS, np.ones((2, 5)), state=0, discount=1.0), r"discount must be in \(0, 1\)"),
        (lambda: expected_max([[0.5, 0.4]]), "sum to 1"),
    ],
)
def test_what_cannot_be_done_is_said(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()  # type: ignore[operator]
