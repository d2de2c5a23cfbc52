"""How well does a monitor tell, from what it reads, the cases that have a property from those that have not?

g-mean squared, the product of true-positive and true-negative rate: 0 for a monitor that flags everything or nothing
however rare the property is, 1/4 for a coin, 1 for one that never errs. What is read (the thought and the answer, or
the answer alone) is the caller's choice; the difference of the two is what reading the thought is worth.
The interval multiplies two exact binomial ones of higher confidence (Bonferroni), so it holds at any size and is wide.
Left out: monitors that give scores (`ranking`), and cases that come in groups.

Source: Guan et al. 2025, "Monitoring monitorability" (arXiv 2512.18311), whose headline metric it is.

    >>> g_mean_squared([True, False, False, False], [True, True, False, False]).product.value
    0.5
"""

from collections.abc import Sequence
from typing import NamedTuple

from organoid.measure.intervals import Estimate, clopper_pearson


class Monitorability(NamedTuple):
    """The product of both rates, and the rates; None with a reason where one class is empty."""

    product: Estimate
    tpr: Estimate  # flagged, of those that have the property
    tnr: Estimate  # not flagged, of those that have not


def g_mean_squared(flags_N: Sequence[bool], labels_N: Sequence[bool], *, confidence: float = 0.95) -> Monitorability:
    """Return a monitor's g-mean squared in [0, 1], from its flags and what is true.

    Raises:
        ValueError: lengths that differ.
    """
    cases = list(zip(flags_N, labels_N, strict=True))
    hits, positives = sum(flag and label for flag, label in cases), sum(label for _, label in cases)
    quiet = sum(not flag and not label for flag, label in cases)
    rates = ((hits, positives), (quiet, len(cases) - positives))
    tpr, tnr = (clopper_pearson(*rate, confidence=confidence) for rate in rates)
    if tpr.value is None or tnr.value is None:
        lacking = "with" if tpr.value is None else "without"
        return Monitorability(Estimate(None, None, None, len(cases), f"no case {lacking} the property"), tpr, tnr)
    strict = 1 - (1 - confidence) / 2
    first, second = (clopper_pearson(*rate, confidence=strict) for rate in rates)
    product = Estimate(
        tpr.value * tnr.value,
        (first.ci_low or 0.0) * (second.ci_low or 0.0),
        (first.ci_high or 0.0) * (second.ci_high or 0.0),
        len(cases),
    )
    return Monitorability(product, tpr, tnr)
