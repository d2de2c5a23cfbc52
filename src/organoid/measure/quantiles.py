"""Which quantile of a known distribution? The only file of `measure` that touches scipy, and only when called.

scipy.special is imported inside each function (0.2 s, against 0.5 s and more for scipy.stats), so that importing
`organoid.measure` costs no more than numpy. Distributions beyond beta, Student's t and the normal are left out: no
statistic here needs them.

Example:
    >>> round(beta_quantile(0.95, 1, 20), 3)
    0.139
"""

from collections.abc import Callable
from importlib import import_module
from typing import cast

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def special(name: str) -> Callable[..., Floats]:
    """Return the function of scipy.special of that name (untyped there, float arrays in and out)."""
    return cast("Callable[..., Floats]", getattr(import_module("scipy.special"), name))


def beta_quantile(q: float, a: float, b: float) -> float:
    """Return the q-quantile, q in [0, 1], of Beta(a, b)."""
    return float(special("betaincinv")(a, b, q))


def t_quantile(q: float, freedom: int) -> float:
    """Return the q-quantile, q in (0, 1), of Student's t with `freedom` >= 1 degrees of freedom."""
    return float(special("stdtrit")(freedom, q))


def normal_quantile(q: float) -> float:
    """Return the q-quantile, q in [0, 1], of the standard normal (infinite at the ends)."""
    return float(special("ndtri")(q))


def normal_cdf(x: float) -> float:
    """Return P(Z <= x) for a standard normal Z."""
    return float(special("ndtr")(x))
