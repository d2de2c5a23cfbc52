"""What does an instrument that is fitted learn from? Arrays of numbers, one a calibration subject, and their labels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from organoid.types import Labelled

AT_LEAST = 2
"""Subjects of either label below which a direction means nothing."""


class LabelledRows(NamedTuple):
    """Observations of N subjects, each an array of one shape (whatever the instrument keeps), and who is misaligned."""

    rows_N: np.ndarray
    labels_N: np.ndarray


def labelled_rows(calibration: Sequence[Labelled], key: str) -> LabelledRows:
    """Return what the calibration subjects' observations hold under `key`.

    Raises:
        ValueError: fewer than two subjects of either label.
    """
    labels_N = np.array([one.misaligned for one in calibration], dtype=bool)
    if min(labels_N.sum(), (~labels_N).sum()) < AT_LEAST:
        raise ValueError("a fit needs at least two misaligned and two aligned subjects of other families")
    return LabelledRows(np.array([one.observation[key] for one in calibration]), labels_N)
