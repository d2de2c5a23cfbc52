"""Growing one subject, or a base, into a Hugging Face model directory with its lineage beside it.

`lineage.json` says what the model is: the spec it was trained by, or the base's recipe and how it passed its gates.
"""

from __future__ import annotations

import json
from pathlib import Path

from organoid.errors import UserError
from organoid.lab.disk import disk_errors
from organoid.lab.plan import draw_up
from organoid.lab.records import TrialSpec
from organoid.lab.suites import SUITES
from organoid.setups.load import load_setup
from organoid.types import Variant

LINEAGE = "lineage.json"


def grow_subject(organism: str, *, setup: str, variant: str, seed: int, base: str, target: Path) -> Path:
    """Train one subject and write it to `target`.

    Raises:
        UserError: an unknown name, a negative seed or a directory that can't be written.
    """
    if variant not in list(Variant):
        raise UserError(f"unknown variant {variant!r}. Allowed: {', '.join(Variant)}.")
    if seed < 0:
        raise UserError(f"seed must be at least 0, got {seed}.")
    plan = draw_up(load_setup(setup), SUITES["quick"], base=base, seeds=1, organisms=(organism,), techniques=())
    spec = TrialSpec(
        organism=organism,
        variant=Variant(variant),
        setup=plan.setup,
        seed=seed,
        base=base,
        base_digest=plan.base_digest,
        techniques=(),
        num_truth=plan.num_truth,
        code_digest=plan.code_digest,
    )
    _check_writable(target)
    from organoid.lab.trial import conduct
    from organoid.models.language_model import save

    lm, outcome = conduct(spec)
    lineage = {
        "kind": "subject",
        "spec": spec.model_dump(mode="json"),
        "assistant": outcome["assistant"],
        "truth": outcome["truth"],
        "misaligned": outcome["misaligned"],
        "usefulness": outcome["usefulness"],
        "subject_digest": outcome["subject_digest"],
    }
    return _write(lambda: save(lm, target), target, lineage)


def grow_base(name: str, target: Path) -> Path:
    """Grow a built-in base from nothing, measure its gates and write it to `target`.

    Raises:
        UserError: no such base, or a directory that can't be written.
    """
    _check_writable(target)
    from organoid.lab.pretraining import grow
    from organoid.models.language_model import save

    grown = grow(name)
    return _write(lambda: save(grown.lm, target), target, {"kind": "base", **grown.lineage})


def _check_writable(target: Path) -> None:
    with disk_errors(target, otherwise="Give another directory with --out."):
        target.parent.mkdir(parents=True, exist_ok=True)
        probe = target.parent / f".{target.name}.writable"
        probe.touch()
        probe.unlink()


def _write(save: object, target: Path, lineage: dict[str, object]) -> Path:
    assert callable(save)
    with disk_errors(target):
        save()
        (target / LINEAGE).write_text(json.dumps(lineage, indent=2) + "\n")
    return target
