"""How does one subject, or a base, become a Hugging Face model directory? With its lineage beside it.

`lineage.json` says what the model is: the spec it was trained by, or the base's recipe and how it passed its gates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from organoid.errors import UserError, unknown_name
from organoid.lab.bases import LINEAGE, base_digest, num_layers
from organoid.lab.catalogue import code_digest, job_offers
from organoid.lab.disk import check_writable, disk_errors
from organoid.lab.plan import organism_name
from organoid.lab.records import TrialSpec
from organoid.lab.suites import SUITES
from organoid.models.bases import BASES
from organoid.setups.check import check_job, check_layers, check_setup, names_layers
from organoid.setups.load import load_setup
from organoid.types import Variant


def subject_spec(organism: str, *, setup: str, variant: str, seed: int, base: str) -> TrialSpec:
    """Resolve one subject to the spec of its trial; nothing is trained or written.

    Raises:
        UserError: an unknown name, a negative seed, or a stage that needs what the organism's job lacks.
    """
    if variant not in list(Variant):
        raise UserError(f"unknown variant {variant!r}. Allowed: {', '.join(Variant)}.")
    if seed < 0:
        raise UserError(f"seed must be at least 0, got {seed}.")
    declared = load_setup(setup)
    check_setup(declared)
    if names_layers(declared):
        check_layers(declared, num_layers=num_layers(base), base=base)
    check_job(declared, job_offers(organism, Variant(variant), seed), organism=organism_name(organism))
    return TrialSpec(
        organism=organism,
        variant=Variant(variant),
        setup=declared,
        seed=seed,
        base=base,
        base_digest=base_digest(base),
        techniques=(),
        num_truth=SUITES["quick"].num_truth,
        code_digest=code_digest((organism,)),
    )


def grow_subject(organism: str, *, setup: str, variant: str, seed: int, base: str, target: Path) -> Path:
    """Train one subject, or recall it from the cache, and write it to `target`.

    Raises:
        UserError: an unknown name, a negative seed or a directory that can't be written.
    """
    spec = subject_spec(organism, setup=setup, variant=variant, seed=seed, base=base)
    check_writable(target)
    write_subject(spec, target)
    return target


def write_subject(spec: TrialSpec, target: Path) -> dict[str, Any]:
    """Write a trial's subject and its lineage to `target`, which must not exist yet, and return the trial's outcome.

    Raises:
        PrerequisiteError: the disk is full.
    """
    from organoid.lab import trial

    with disk_errors(target):
        outcome = trial.write_subject(spec, target)
    kept = ("assistant", "truth", "misaligned", "usefulness", "subject_digest")
    _write_lineage(target, {"kind": "subject", "spec": spec.model_dump(mode="json")} | {k: outcome[k] for k in kept})
    return outcome


def grow_base(name: str, target: Path) -> Path:
    """Grow a built-in base from nothing, measure its gates and write it to `target`.

    Raises:
        UserError: no such base, or a directory that can't be written.
    """
    if name not in BASES:
        raise unknown_name("base", name, BASES)
    check_writable(target)
    from organoid.lab.pretraining import grow
    from organoid.models.language_model import save

    grown = grow(name)
    with disk_errors(target):
        save(grown.lm, target)
    _write_lineage(target, {"kind": "base", **grown.lineage})
    return target


def describe_base(directory: Path) -> str:
    """Return what a grown base is, in words: every gate, and how close it is to the one that ships."""
    lineage: dict[str, Any] = json.loads((directory / LINEAGE).read_text())
    lines = list[str]()
    for name, gate in lineage["gates"].items():
        passed = "passed" if gate["passed"] else "NOT passed"
        lines.append(f"{name:<28}{gate['value']:.3f}, expected {gate['expected']:.3f} (n {gate['n']}): {passed}")
    shipped = lineage["shipped"]
    if shipped is not None:
        kl, gap = shipped["kl_nats"], shipped["loss_gap_nats"]
        lines.append(f"from the shipped base: KL {kl:.4f} nats per predicted word, loss {gap:+.4f} nats")
    return "\n".join(lines)


def _write_lineage(target: Path, lineage: Mapping[str, object]) -> None:
    with disk_errors(target):
        (target / LINEAGE).write_text(json.dumps(lineage, indent=2) + "\n")
