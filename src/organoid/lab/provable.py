"""Could an organism's gates say anything? What its jobs alone show, before anything is trained.

Gates compare variants, so they say nothing where two variants are one job: an organism that equals its twin has no
pressure, and a decoy that equals its twin has no oddity. Environments are functions and count as different unless they
are the same object; whether two of them differ is for the gates to find out.
"""

from collections.abc import Mapping

from organoid.errors import UserError
from organoid.types import Gates, Job, Variant

_PAIRS = (
    (Variant.ORGANISM, "strength", "no pressure whose effect could be measured"),
    (Variant.DECOY, "decoy_oddness", "no oddity that could be measured"),
)


def check_gates(gates: object, jobs: Mapping[Variant, Job], ref: str) -> None:
    """Refuse an organism whose gates could not be computed.

    Args:
        gates: what a file gives as the organism's gates.
        jobs: the organism's, of one seed.
        ref: how the organism was named.

    Raises:
        UserError: with the gate and the reason.
    """
    if not isinstance(gates, Gates):
        raise UserError(f"organism {ref!r} has gates = {gates!r}; allowed: organoid.Gates(...).")
    for variant, gate, lack in _PAIRS:
        if _same(jobs[variant], jobs[Variant.TWIN]):
            raise UserError(
                f"organism {ref!r}: the gate `{gate}` cannot be computed, since the job of its {variant.value} equals "
                f"that of its twin: {lack}. Let job({variant.value!r}, seed) differ from job('twin', seed)."
            )


def _same(first: Job, second: Job) -> bool:
    shops = (first.environment, first.business) == (second.environment, second.business)
    return shops and all(
        tuple(getattr(first, kind) or ()) == tuple(getattr(second, kind) or ())
        for kind in ("documents", "demonstrations", "preferences")
    )
