"""Which direction separates two classes of token sequences, and to which of their places should one attend?

An attention probe has two vectors. The softmax over places of `keys @ query` says how much each counts, and the pooled
values lie along a direction; logistic loss, L2 penalties on both, gradients in closed form. The fit starts from the
logistic regression on values pooled evenly (a query of zero) and goes on by L-BFGS, so there is no seed; the optimum
it finds is a local one. Left out: several heads, and a bias by position.

Axes: N examples, G groups (each with a direction of its own), R sequences of a group (averaged), T places, D
dimensions.

Source: McKenzie et al. 2025 (arXiv 2506.10805); Shabalin and Belrose 2025, "Attention probes" (blog.eleuther.ai).

    probe = fit_attention(keys, values, labels, penalty=10.0, query_penalty=10.0)
    scores_N = probe(keys, values)
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from organoid.measure.directions import fit_logistic, thread_pools
from organoid.measure.quantiles import Floats

MAX_ITERATIONS = 100


class AttentionProbe(NamedTuple):
    """Query of shape (D,), a direction for each group (G, D), and the bias; a score is a log-odds."""

    query_D: Floats
    weight_GD: Floats
    bias: float
    stopped: str = ""  # why the fit ended short of an optimum, where it did

    def attention(self, keys_NGRTD: Floats) -> Floats:
        """Return how much each place counts, shape (N, G, R, T); a sequence's places sum to 1."""
        logits_NGRT = keys_NGRTD @ self.query_D
        raised_NGRT = np.exp(logits_NGRT - logits_NGRT.max(-1, keepdims=True))
        return raised_NGRT / raised_NGRT.sum(-1, keepdims=True)

    def __call__(self, keys_NGRTD: Floats, values_NGRTD: Floats) -> Floats:
        """Return the score of each example, shape (N,)."""
        pooled_NGD = pooled(self.attention(keys_NGRTD), values_NGRTD)
        return np.einsum("ngd,gd->n", pooled_NGD, self.weight_GD) + self.bias


def pooled(attention_NGRT: Floats, values_NGRTD: Floats) -> Floats:
    """Return the attended values, averaged over a group's sequences: shape (N, G, D)."""
    return np.einsum("ngrt,ngrtd->ngd", attention_NGRT, values_NGRTD, optimize=True) / values_NGRTD.shape[2]


def fit_attention(
    keys_NGRTD: Floats, values_NGRTD: Floats, labels_N: ArrayLike, *, penalty: float, query_penalty: float
) -> AttentionProbe:
    """Return the probe of least penalised logistic loss near the evenly pooled one.

    Args:
        keys_NGRTD: what the query is held against, in units that are alike (standardised).
        values_NGRTD: what is pooled, in units that are alike.
        labels_N: truthy for label 1.
        penalty: strength of the L2 penalty on the direction, > 0: half of it times the square, beside the summed loss.
        query_penalty: the same on the query; the greater, the more evenly places count.

    Raises:
        ValueError: a class is empty, or keys and values differ in shape.
    """
    if keys_NGRTD.shape != values_NGRTD.shape or keys_NGRTD.ndim != 5:
        raise ValueError(f"give keys and values (N, G, R, T, D); got {keys_NGRTD.shape} and {values_NGRTD.shape}")
    num_examples, num_groups, num_sequences, num_places, width = keys_NGRTD.shape
    labels = np.asarray(labels_N, dtype=bool)
    even_NGRT = np.full((num_examples, num_groups, num_sequences, num_places), 1 / num_places)
    start = fit_logistic(pooled(even_NGRT, values_NGRTD).reshape(num_examples, -1), labels, penalty=penalty)

    def unpacked(flat: Floats) -> AttentionProbe:
        return AttentionProbe(flat[:width], flat[width:-1].reshape(num_groups, width), float(flat[-1]))

    def loss(flat: Floats) -> tuple[float, Floats]:
        return _loss(unpacked(flat), keys_NGRTD, values_NGRTD, labels, (penalty, query_penalty))

    flat = np.concatenate([np.zeros(width), start.weight_D, [start.bias]])
    minimise = cast("Any", import_module("scipy.optimize")).minimize
    with thread_pools().limit(limits=1):
        found = minimise(loss, flat, jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITERATIONS})
    return unpacked(np.asarray(found.x, dtype=np.float64))._replace(stopped="" if found.success else str(found.message))


def _loss(
    probe: AttentionProbe,
    keys_NGRTD: Floats,
    values_NGRTD: Floats,
    labels_N: np.ndarray,
    penalties: tuple[float, float],
) -> tuple[float, Floats]:
    """Return the penalised loss and its gradient: of the query, the directions, the bias."""
    attention_NGRT = probe.attention(keys_NGRTD)
    pooled_NGD = pooled(attention_NGRT, values_NGRTD)
    scores_N = np.einsum("ngd,gd->n", pooled_NGD, probe.weight_GD) + probe.bias
    signs_N: Floats = np.where(labels_N, 1.0, -1.0)
    margins_N: Floats = signs_N * scores_N
    penalty, query_penalty = penalties
    squares = penalty * float((probe.weight_GD**2).sum()) + query_penalty * float(probe.query_D @ probe.query_D)
    slope_N = -signs_N * np.exp(-np.logaddexp(0.0, margins_N))
    along_NGRT = np.einsum("ngrtd,gd->ngrt", values_NGRTD, probe.weight_GD, optimize=True)
    ahead_NGRT = along_NGRT - (attention_NGRT * along_NGRT).sum(-1, keepdims=True)
    pull_NGRT = slope_N[:, None, None, None] * attention_NGRT * ahead_NGRT / values_NGRTD.shape[2]
    gradient = (
        np.einsum("ngrt,ngrtd->d", pull_NGRT, keys_NGRTD, optimize=True) + query_penalty * probe.query_D,
        (np.einsum("n,ngd->gd", slope_N, pooled_NGD) + penalty * probe.weight_GD).ravel(),
        [slope_N.sum()],
    )
    return float(np.logaddexp(0.0, -margins_N).sum()) + squares / 2, np.concatenate(gradient)
