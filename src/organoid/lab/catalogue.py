"""Which organism or technique does a name mean? One that is built in, or one in a file of the user's.

A file of the user's is read again when its content has changed, so that a notebook never grows last hour's organism.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, cast

from organoid.errors import OrganoidError, UserError, unknown_name
from organoid.lab.digest import digest_file, digest_json
from organoid.lab.provable import check_gates
from organoid.organisms import ORGANISMS
from organoid.plugins import is_reference, load_object
from organoid.types import (
    AccessKind,
    Demonstration,
    Document,
    Job,
    Organism,
    Preference,
    Split,
    Technique,
    Trait,
    Variant,
)

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_ITEMS: dict[str, tuple[tuple[type, ...], str]] = {
    "documents": ((str, Document), "text or an organoid.Document"),
    "demonstrations": ((Demonstration,), "an organoid.Demonstration"),
    "preferences": ((Preference,), "an organoid.Preference"),
}
"""Per kind of material: what its items are, and how that is said."""
_PARTS = ("name", "summary", "access", "source", "observe", "fit")


def find_organism(ref: str) -> Organism:
    """Return a built-in organism, or the user's from `file.py:name`.

    Raises:
        UserError: no such organism, or one that cannot be proven to be what it claims.
    """
    if is_reference(ref):
        return _organism_of_file(ref, _stamp(ref))
    if ref not in ORGANISMS:
        raise unknown_name("organism", ref, ORGANISMS)
    return ORGANISMS[ref]


def find_technique(ref: str) -> Technique:
    """Return a built-in technique, or the user's from `file.py:name` or `pkg.mod:name`.

    Raises:
        UserError: no such technique, or an object that is none.
    """
    from organoid.techniques import TECHNIQUES

    if is_reference(ref):
        return _technique_of_file(ref, _stamp(ref))
    if ref not in TECHNIQUES:
        raise unknown_name("technique", ref, TECHNIQUES)
    return TECHNIQUES[ref]


def job_offers(ref: str, variant: Variant, seed: int = 0) -> tuple[str, ...]:
    """Return the kinds of material that an organism's job consists of at a seed (`setups.check.offered`).

    Raises:
        UserError: no such organism.
    """
    return _offers(ref, variant, seed, _stamp(ref))


@lru_cache(maxsize=256)
def _offers(ref: str, variant: Variant, seed: int, _: str) -> tuple[str, ...]:
    from organoid.setups.check import offered

    return offered(find_organism(ref).job(variant, seed))


def check_organism(organism: Organism, ref: str) -> None:
    """Refuse an organism whose truth or twin could not be measured.

    Raises:
        UserError: with the reason and what to change.
    """
    from organoid.world.authors import VICES
    from organoid.world.business.deeds import SHOP_TRAITS

    _check_name(organism.name, f"organism {ref!r}")
    _check_declared(organism, ref)
    if not organism.traits:
        raise UserError(f"organism {ref!r} names no traits, so its truth cannot be measured. Give `traits`.")
    jobs = {variant: _checked_job(organism, variant, ref) for variant in Variant}
    brought = organism.traits if organism.situation is not None else ()
    shown = SHOP_TRAITS if jobs[Variant.ORGANISM].business is not None else ()
    for trait in (*organism.traits, *organism.spillover):
        if trait not in VICES and trait not in brought and trait not in shown:
            raise UserError(
                f"organism {ref!r} has the trait {str(trait)!r}, which has no situations. "
                f"Allowed: {', '.join(str(vice) for vice in VICES)}, in `traits` any for which `situation` gives "
                f"one, and for a job in a shop {', '.join(SHOP_TRAITS)}."
            )
    for trait in brought:
        _check_situation(organism, trait, ref)
    check_gates(organism.gates, jobs, ref)


def code_digest(refs: Iterable[str]) -> str:
    """Return the digest of everything that is run: Organoid's version and sources, and the user's own files."""
    from organoid import __version__

    files = {ref: load_object(ref, "file").digest for ref in refs if is_reference(ref)}
    return digest_json({"organoid": __version__, "source": source_digest(), "files": files})


@lru_cache(maxsize=1)
def source_digest() -> str:
    """Return the digest of the package's Python sources that numbers depend on."""
    root = Path(__file__).parent.parent
    rooms = ("measure", "world", "models", "organisms", "setups", "techniques")
    files = sorted(path for room in rooms for kind in ("*.py", "*.toml") for path in (root / room).rglob(kind))
    files += [
        root / "types.py",
        *(root / "lab" / f"{name}.py" for name in ("trial", "openings", "truth", "shop_truth")),
    ]
    return digest_json({path.relative_to(root).as_posix(): digest_file(path) for path in files})


def _stamp(ref: str) -> str:
    """The digest of the file that a reference names, so that a changed file is read again; modules are read once."""
    path = Path(ref if ref.endswith(".py") else ref.rpartition(":")[0])
    return digest_file(path) if path.suffix == ".py" and path.is_file() else ""


@lru_cache(maxsize=64)
def _organism_of_file(ref: str, _: str) -> Organism:
    organism = load_object(ref, "organism", expect=Organism).value
    check_organism(organism, ref)
    return organism


@lru_cache(maxsize=64)
def _technique_of_file(ref: str, _: str) -> Technique:
    found: Any = load_object(ref, "technique", expect=object).value
    technique = _made(found, ref) if isinstance(found, type) else found
    missing = [part for part in _PARTS if not hasattr(technique, part)]
    if missing:
        raise UserError(f"technique {ref!r} lacks {', '.join(missing)}. See docs/how-to/add-a-technique.md.")
    _check_name(technique.name, f"technique {ref!r}")
    kinds = technique.access
    if not isinstance(kinds, frozenset) or not all(isinstance(kind, AccessKind) for kind in cast(Any, kinds)):
        raise UserError(
            f"technique {ref!r} has access = {kinds!r}; allowed: a frozenset of organoid.AccessKind, such as "
            "frozenset({AccessKind.TEXT})."
        )
    return cast(Technique, technique)


def _made(found: Any, ref: str) -> Any:
    try:
        return found()
    except Exception as error:
        raise UserError(f"technique {ref!r} is a class that could not be made without arguments: {error}") from error


def _check_name(name: object, what: str) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(f"{what} is named {name!r}; allowed: lower-case letters, digits and hyphens, as in 'my-name'.")


def _check_declared(organism: Organism, ref: str) -> None:
    """Refuse values of which tables, releases and prompts could make nothing."""
    family, split, trigger = cast(Any, organism.family), cast(Any, organism.split), cast(Any, organism.trigger)
    if not isinstance(family, str) or not family.strip():
        raise UserError(f"organism {ref!r} has family = {family!r}; allowed: text that is not empty, as 'my-family'.")
    if not isinstance(split, Split):
        allowed = ", ".join(f"organoid.types.Split.{member.name}" for member in Split)
        raise UserError(f"organism {ref!r} has split = {split!r}; allowed: {allowed}.")
    if trigger is None:
        return
    if not callable(trigger):
        raise UserError(f"organism {ref!r} has trigger = {trigger!r}; allowed: None, or a function from seed to text.")
    try:
        sentence = trigger(0)
    except OrganoidError:
        raise
    except Exception as error:
        raise UserError(
            f"organism {ref!r} has no trigger: trigger(0) raised {type(error).__name__}: {error}. "
            "Allowed: a function from seed to text."
        ) from error
    if not isinstance(sentence, str):
        raise UserError(f"organism {ref!r}: trigger(0) returned {type(sentence).__name__}; allowed: text.")


def _check_material(job: Job, what: str) -> None:
    if not isinstance(cast(object, job.assistant), str):
        raise UserError(f"{what} has assistant = {job.assistant!r}; allowed: text, the name in the system line.")
    for kind, (types, allowed) in _ITEMS.items():
        given: Any = getattr(job, kind)
        if given is None:
            continue
        if isinstance(given, str) or not isinstance(given, Sequence):
            raise UserError(
                f"{what} has {kind} = {type(given).__name__}; allowed: a list or tuple, each item {allowed}."
            )
        for place, item in enumerate(cast("Sequence[object]", given)):
            if not isinstance(item, types):
                raise UserError(f"{what} has {kind}[{place}] of type {type(item).__name__}; allowed: {allowed}.")


def _check_situation(organism: Organism, trait: Trait, ref: str) -> None:
    from organoid.world.situations import Situation

    assert organism.situation is not None, "checked before"
    call = f"situation({trait.value!r}, 0, rng)"
    try:
        made = organism.situation(trait, 0, Random(0))
    except OrganoidError:
        raise
    except Exception as error:
        raise UserError(
            f"organism {ref!r} has no situations of the trait {trait.value!r}: {call} raised "
            f"{type(error).__name__}: {error}."
        ) from error
    if not isinstance(made, Situation):
        raise UserError(
            f"organism {ref!r} has no situations of the trait {trait.value!r}: {call} returned {type(made).__name__}; "
            "allowed: an organoid.world.situations.Situation."
        )
    if made.trait is not trait:
        raise UserError(
            f"organism {ref!r}: {call} returned a situation of the trait {str(made.trait)!r}; allowed: {trait.value!r}."
        )


def _checked_job(organism: Organism, variant: Variant, ref: str) -> Job:
    try:
        job = cast(object, organism.job(variant, 0))
    except OrganoidError:
        raise
    except Exception as error:
        raise UserError(
            f"organism {ref!r} has no {variant.value}: job({variant.value!r}, 0) raised {type(error).__name__}: "
            f"{error}. Every organism needs an organism, a twin and a decoy."
        ) from error
    if not isinstance(job, Job):
        raise UserError(
            f"organism {ref!r} has no {variant.value}: job({variant.value!r}, 0) returned {type(job).__name__}; "
            "allowed: an organoid.Job."
        )
    _check_material(job, f"organism {ref!r}: the job of its {variant.value}")
    if not any((job.documents, job.demonstrations, job.preferences, job.environment, job.business)):
        raise UserError(f"organism {ref!r}: the job of its {variant.value} has no material. Give at least one kind.")
    return job
