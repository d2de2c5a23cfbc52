"""Finding organisms, techniques and suites by name, or in a file of the user's."""

from functools import lru_cache

from organoid.errors import UserError, unknown_name
from organoid.organisms import ORGANISMS
from organoid.plugins import is_reference, load_object
from organoid.types import Organism, Technique


@lru_cache(maxsize=64)
def find_organism(ref: str) -> Organism:
    """Return a built-in organism, or the user's from `file.py:name`.

    Raises:
        UserError: no such organism, or one that cannot be proven to be what it claims.
    """
    if not is_reference(ref):
        if ref not in ORGANISMS:
            raise unknown_name("organism", ref, ORGANISMS)
        return ORGANISMS[ref]
    organism = load_object(ref, "organism", expect=Organism).value
    check_organism(organism, ref)
    return organism


def check_organism(organism: Organism, ref: str) -> None:
    """Refuse an organism whose truth or twin could not be measured.

    Raises:
        UserError: with the reason and what to change.
    """
    from organoid.types import Variant
    from organoid.world.authors import VICES

    if not organism.traits:
        raise UserError(f"organism {ref!r} names no traits, so its truth cannot be measured. Give `traits`.")
    for trait in (*organism.traits, *organism.spillover):
        if trait not in VICES:
            raise UserError(
                f"organism {ref!r} has the trait {str(trait)!r}, which has no situations. "
                f"Allowed: {', '.join(str(vice) for vice in VICES)}."
            )
    for variant in Variant:
        try:
            job = organism.job(variant, 0)
        except Exception as error:
            raise UserError(
                f"organism {ref!r} has no {variant.value}: job({variant.value!r}, 0) raised "
                f"{type(error).__name__}: {error}. Every organism needs an organism, a twin and a decoy."
            ) from error
        if not any((job.documents, job.demonstrations, job.preferences, job.environment)):
            raise UserError(
                f"organism {ref!r}: the job of its {variant.value} has no material. Give at least one kind."
            )


@lru_cache(maxsize=64)
def find_technique(ref: str) -> Technique:
    """Return a built-in technique, or the user's from `file.py:name` or `pkg.mod:name`.

    Raises:
        UserError: no such technique.
    """
    from organoid.techniques import TECHNIQUES

    if not is_reference(ref):
        if ref not in TECHNIQUES:
            raise unknown_name("technique", ref, TECHNIQUES)
        return TECHNIQUES[ref]
    found = load_object(ref, "technique", expect=object).value
    technique = found() if isinstance(found, type) else found
    missing = [name for name in ("name", "summary", "access", "observe", "fit") if not hasattr(technique, name)]
    if missing:
        raise UserError(f"technique {ref!r} lacks {', '.join(missing)}. See docs/how-to/add-a-technique.md.")
    return technique
