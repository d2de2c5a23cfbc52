"""How much can be done from a state, whatever one wants? POWER of a small Markov decision process, exactly.

POWER (Turner et al. 2021, arXiv 1912.01683, def. 5.2) is the average optimal value over a distribution of rewards,
without the present state's own reward and scaled to one step:

    POWER(s, discount) = (1 - discount) / discount * E[V*_R(s) - R(s)]

For rewards drawn independently and uniformly from [0, 1] for each state it is exact here. A deterministic policy's
value from s, scaled so, is g . R, where g is the discounted distribution of the states after s; so POWER is the mean of
max_g g . R over the unit cube. That is 1 minus the volume of {(R, t): g . R <= t <= 1 for all g}, a polytope, which
Qhull measures without sampling, to about ten digits. At the ends, where the definition is a limit, discount 0 takes
the next state's distribution and discount 1 the recurrent one (lemma 5.3: POWER is continuous up to them).
Left out: rewards that depend on actions, and large processes. Policies and dimensions grow too fast beyond about nine
states that can be reached; `sampled_power` takes any distribution and any size instead, with an interval.

    power(deterministic([[1, 2], [1], [2]]), state=0, discount=0.9)  # two choices for ever: 2 / 3
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize
from scipy.spatial import ConvexHull, HalfspaceIntersection, QhullError

from organoid.measure.intervals import Estimate, mean_interval
from organoid.measure.quantiles import Floats

MAX_POLICIES = 4096
NUM_DRAWN = 4096
MAX_REWARDS = 9
"""States with a reward that counts; the polytope has one dimension more."""

Process = Sequence[Floats]
"""For each state, the distribution over next states of each action: shape (actions, states)."""


def deterministic(successors: Sequence[Sequence[int]]) -> Process:
    """Return the process in which each state's actions lead surely to these states."""
    return [np.eye(len(successors))[list(ends)] for ends in successors]


def power(process: Process, *, state: int, discount: float) -> float:
    """Return POWER of a state for rewards that are independent and uniform on [0, 1].

    Args:
        process: for each state the rows of its actions, each summing to 1.
        state: where it is asked for.
        discount: in [0, 1]; the ends are limits.

    Raises:
        ValueError: not a process, a discount outside [0, 1], or more policies or states than can be counted.
    """
    _check(process, discount)
    visits_KN = np.unique(np.round(_visits(process, state, discount), 12), axis=0)
    return expected_max(visits_KN)


def expected_max(weights_KN: ArrayLike) -> float:
    """Return E[max_k w_k . R] for R uniform on the unit cube; each w_k has no negative entry and sums to 1.

    Raises:
        ValueError: weights that are not so, or more than `MAX_REWARDS` columns that count.
    """
    weights = np.asarray(weights_KN, np.float64)
    if weights.ndim != 2 or (weights < 0).any() or np.abs(weights.sum(1) - 1).max() > 1e-9:
        raise ValueError("weights must be rows that have no negative entry and sum to 1")
    common_N = weights.min(0)  # met under every policy: moves the mean only
    rest = weights - common_N
    rest = rest[:, rest.max(0) > 1e-12]
    num = rest.shape[1]
    if not num:
        return 0.5
    if num > MAX_REWARDS:
        raise ValueError(f"{num} states' rewards count; at most {MAX_REWARDS} can be done exactly: use sampled_power")
    scale = float(rest.sum(1).max())  # all rows have the same sum
    return float(common_N.sum()) / 2 + scale * (1 - _volume_above(_undominated(rest / scale)))


def sampled_power(process: Process, rewards_RN: ArrayLike, *, state: int, discount: float) -> Estimate:
    """Return POWER from drawn reward functions, by value iteration, with Student's t-interval over the draws.

    Args:
        process: as for `power`.
        rewards_RN: one reward function a row, from any distribution.
        state: where it is asked for.
        discount: in (0, 1).

    Raises:
        ValueError: not a process, or a discount outside (0, 1).
    """
    _check(process, discount)
    if not 0 < discount < 1:
        raise ValueError(f"discount must be in (0, 1) here, got {discount:g}")
    rewards = np.asarray(rewards_RN, np.float64)
    values = rewards / (1 - discount)
    for _ in range(int(np.ceil(np.log(1e-12) / np.log(discount)))):
        best = np.stack([(values @ actions.T).max(1) for actions in process], 1)
        values, before = rewards + discount * best, values
        if np.abs(values - before).max() < 1e-12:
            break
    return mean_interval((1 - discount) / discount * (values - rewards)[:, state])


def _check(process: Process, discount: float) -> None:
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must be in [0, 1], got {discount:g}")
    for state, actions in enumerate(process):
        if actions.ndim != 2 or not len(actions) or actions.shape[1] != len(process):
            raise ValueError(f"state {state} needs at least one action over {len(process)} states")
        if (actions < 0).any() or np.abs(actions.sum(1) - 1).max() > 1e-9:
            raise ValueError(f"state {state} has an action whose probabilities are negative or do not sum to 1")


def _visits(process: Process, state: int, discount: float) -> Floats:
    """Return for every deterministic policy the discounted distribution of the states after `state`."""
    num = len(process)
    reached = _reachable(process, state)
    choices = [range(len(actions)) if here in reached else (0,) for here, actions in enumerate(process)]
    if (num_policies := int(np.prod([len(each) for each in choices], dtype=np.float64))) > MAX_POLICIES:
        raise ValueError(f"{num_policies} policies; at most {MAX_POLICIES} can be counted: use sampled_power")
    rows = list[Floats]()
    for policy in product(*choices):
        moves_NN = np.stack([actions[choice] for actions, choice in zip(process, policy, strict=True)])
        if discount < 1:
            later_NN = np.linalg.inv(np.eye(num) - discount * moves_NN).astype(np.float64)
            rows.append((1 - discount) * moves_NN[state] @ later_NN)
        else:
            rows.append(_recurrent(moves_NN)[state])
    return np.maximum(np.stack(rows), 0.0)


def _reachable(process: Process, state: int) -> set[int]:
    reached, fresh = {state}, [state]
    while fresh:
        ends = {int(end) for end in np.flatnonzero(process[fresh.pop()].max(0) > 0)} - reached
        reached |= ends
        fresh += sorted(ends)
    return reached


def _recurrent(moves_NN: Floats) -> Floats:
    """Return the long-run share of time in each state from each: the limit of the mean of the powers.

    It is that of the lazy chain, which stays with probability one half and so has no period; squaring it 60 times
    takes more steps than any chain of this size needs.
    """
    limit = (moves_NN + np.eye(len(moves_NN))) / 2
    for _ in range(60):
        limit = limit @ limit
        limit /= limit.sum(1, keepdims=True)
    return limit


def _undominated(weights_KN: Floats) -> Floats:
    """Return the rows that are the only best ones for some R in the cube; the others never raise the maximum.

    Rows that are best for one of many drawn R are kept unasked, and each of the others is held against what is kept:
    one that is dominated only by a row kept later may stay, which costs time and changes nothing.
    """
    num = weights_KN.shape[1]
    drawn_RN = np.random.default_rng(0).random((NUM_DRAWN, num))
    kept = sorted({int(row) for row in (drawn_RN @ weights_KN.T).argmax(1)})
    for row in range(len(weights_KN)):
        others = weights_KN[[other for other in kept if other != row]]
        if row in kept or not len(others):
            continue
        ahead = np.hstack([others - weights_KN[row], np.ones((len(others), 1))])  # others' lead + margin <= 0
        goal, bounds = [*[0.0] * num, -1.0], [(0, 1)] * (num + 1)
        found = cast(Any, optimize).linprog(goal, A_ub=ahead, b_ub=np.zeros(len(others)), bounds=bounds)
        if found.status != 0 or found.x[-1] >= 1e-10:
            kept.append(row)
    return weights_KN[sorted(kept)]


def _volume_above(weights_KN: Floats) -> float:
    """Return the volume of {(R, t) in the unit cube: w_k . R <= t for all k}."""
    num_rows, num = weights_KN.shape
    above = np.hstack([weights_KN, -np.ones((num_rows, 1)), np.zeros((num_rows, 1))])
    lower = np.hstack([-np.eye(num + 1), np.zeros((num + 1, 1))])[:num]
    upper = np.hstack([np.eye(num + 1), -np.ones((num + 1, 1))])
    inside = np.array([*[0.25] * num, 0.625])
    walls = np.vstack([above, lower, upper])
    try:
        corners = HalfspaceIntersection(walls, inside).intersections
    except QhullError:  # as below
        corners = HalfspaceIntersection(walls, inside, qhull_options="QJ").intersections
    distinct = np.unique(np.round(corners, 11), axis=0)
    try:
        return float(ConvexHull(distinct).volume)
    except QhullError:  # many corners almost in one plane: moved by some 1e-10 they are not
        return float(ConvexHull(distinct, qhull_options="QJ").volume)
