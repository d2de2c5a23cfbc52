"""How does an environment draw its chance so that it is the same alone and in any batch?

Every number is a hash of (seed, environment, day, what it is for), as in counter-based generators (Salmon et al.
2011); the hash is SplitMix64's (Steele, Lea and Flood 2014). Nothing is drawn in sequence, so an act that uses chance
moves nobody else's: two policies in the same environment meet the same weather and the same customers. Left out:
cryptographic quality.

    uniform(keys(0, np.arange(3)), day=5, stream=Stream.WEATHER).shape == (3,)
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Floats = NDArray[np.float64]

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_COLUMNS = 64
_TABLE_BITS = 12


class Stream(IntEnum):
    """What a number is for."""

    DEMAND = 0
    WEATHER = 1
    COMPLAINTS = 2
    AUDIT = 3
    REVIEW = 4
    PERMISSIONS = 5
    LATE = 6
    LATENESS = 7
    SHORT = 8
    TRAINING = 9


_NUM_STREAMS = 16


def mix(words: Words) -> Words:
    """Return SplitMix64's finaliser of an array, which it overwrites."""
    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def keys(seed: int, ids_B: NDArray[np.integer]) -> Words:
    """Return an environment's key each, from the seed of all and the id of each."""
    start = mix(np.array([(seed & _MASK) ^ 0x5DEECE66D], np.uint64))
    return mix(start + mix((ids_B.astype(np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN)))


def bits(keys_B: Words, *, day: int, stream: Stream, num: int = 0) -> Words:
    """Return 64 random bits for each environment: shape (B,), or (B, num) if `num` is given."""
    first = (day * _NUM_STREAMS + stream) * _COLUMNS + 1
    if not num:
        return mix(keys_B + np.uint64(first * _GOLDEN & _MASK))
    return mix(keys_B[:, None] + _columns(num) + np.uint64(first * _GOLDEN & _MASK))


def uniform(keys_B: Words, *, day: int, stream: Stream, num: int = 0) -> Floats:
    """Return numbers in [0, 1)."""
    return (bits(keys_B, day=day, stream=stream, num=num) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def demand_draws(keys_B: Words, *, day: int, num: int) -> tuple[Floats, Floats]:
    """Return a standard normal and a uniform number for each environment and product, of one hash.

    The normal one is read from a table of 4,096 quantiles: mean 0 and variance 1, no tail beyond 3.7.
    """
    drawn_BP = bits(keys_B, day=day, stream=Stream.DEMAND, num=num)
    normal_BP = quantiles()[drawn_BP >> np.uint64(64 - _TABLE_BITS)]
    return normal_BP, (drawn_BP & np.uint64(0xFFFFFFFF)).astype(np.float64) * 2.0**-32


@cache
def _columns(num: int) -> Words:
    assert num <= _COLUMNS
    return np.arange(num, dtype=np.uint64) * np.uint64(_GOLDEN)


@cache
def quantiles() -> Floats:
    """Return the normal quantiles that demand is drawn from, scaled to variance 1."""
    size = 1 << _TABLE_BITS
    table = np.array([NormalDist().inv_cdf((n + 0.5) / size) for n in range(size)])
    return table / table.std()
