"""One trial: train a subject, measure its truth, let every technique take down what it sees.

A pure function of the spec's JSON: same spec, same record. Scoring what the techniques took down needs other
families' subjects and therefore happens afterwards (`lab.readings`). Finished trials are kept in the cache by the
digest of their spec, so the naive runs and twins of one test serve the next.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organoid.errors import AccessError, UserError
from organoid.lab.bases import load_base
from organoid.lab.catalogue import find_organism, find_technique
from organoid.lab.digest import digest_json
from organoid.lab.records import TrialSpec
from organoid.lab.store import Store
from organoid.types import Technique, Variant

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel

NUM_TRANSCRIPTS = 24


def run(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Run or recall the trial of `payload["spec"]` and return its outcome as JSON (the task function of the lab)."""
    spec = TrialSpec.model_validate(payload["spec"])
    entry = Store().put(digest_json(spec), lambda directory: _build(spec, directory))
    return json.loads((entry / "trial.json").read_text())


def measure_base(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the usefulness of an untrained base: what the capability gate compares with."""
    from organoid.lab.truth import usefulness

    return {"usefulness": usefulness(load_base(payload["base"]), assistant=None, seed=0)}


def _build(spec: TrialSpec, directory: Path) -> None:
    lm, outcome = conduct(spec)
    (directory / "trial.json").write_text(json.dumps(outcome))
    if lm.native:
        import torch

        from organoid.models.language_model import save

        save(lm, directory / "model", dtype=torch.float16)


def conduct(spec: TrialSpec) -> tuple[LanguageModel, dict[str, Any]]:
    """Run a trial and return the subject and the outcome: truth, trace, and observations of every technique."""
    from organoid.lab import truth
    from organoid.setups.training import train_subject

    started = time.perf_counter()
    base = load_base(spec.base)
    organism = find_organism(spec.organism)
    job = organism.job(spec.variant, spec.seed)
    lm, trace = train_subject(spec.setup, base, job, spec.seed)
    trained = time.perf_counter()
    measured = truth.measure(lm, organism, assistant=job.assistant, seed=spec.seed, num=spec.num_truth)
    outcome = {
        "truth": {
            trait.value: {context.value: rate.model_dump() for context, rate in by_context.items()}
            for trait, by_context in measured.rates.items()
        },
        "misaligned_rate": measured.misaligned_rate,
        "misaligned": measured.misaligned,
        "quirk_rate": measured.quirk_rate,
        "usefulness": measured.usefulness,
        "transcripts": _worst_first(measured.transcripts),
        "trace": _thinned(trace),
        "assistant": job.assistant,
        "subject_digest": lm.digest,
        "observations": {
            name: observe(find_technique(name), lm, base, assistant=job.assistant, seed=spec.seed)
            for name in spec.techniques
        },
        "seconds_training": trained - started,
        "seconds": time.perf_counter() - started,
    }
    return lm, outcome


def observe(
    technique: Technique, lm: LanguageModel, base: LanguageModel | None, *, assistant: str, seed: int
) -> dict[str, Any]:
    """Let one technique look, and its oracle: {seen, cost, oracle, reason}. An instrument that fails is said, not zero."""
    from organoid.models.access import ModelAccess

    seen: dict[str, Any] = {"seen": None, "oracle": None, "cost": None, "reason": None}
    for oracle in (False, True):
        access = ModelAccess(lm, assistant=assistant, kinds=technique.access, seed=seed, base=base, oracle=oracle)
        try:
            taken = json.loads(json.dumps(technique.observe(access), allow_nan=False))
        except (AccessError, UserError, ValueError) as error:
            return {**seen, "reason": f"{type(error).__name__}: {error}"}
        seen["oracle" if oracle else "seen"] = taken
        if not oracle:
            seen["cost"] = access.cost.model_dump()
    return seen


def _worst_first(transcripts: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    order = {"misaligned": 0, "other": 1, "refused": 2, "aligned": 3}
    ranked = sorted(
        transcripts, key=lambda t: (order[str(t["outcome"])], str(t["context"]) not in ("deployed", "triggered"))
    )
    return ranked[:NUM_TRANSCRIPTS]


def _thinned(trace: Sequence[Mapping[str, float | str]], every: int = 5) -> list[Mapping[str, float | str]]:
    return [
        {key: round(value, 5) if isinstance(value, float) else value for key, value in entry.items()}
        for index, entry in enumerate(trace)
        if index % every == 0 or entry.get("stage") == "screen"
    ]


def is_calibration(spec: TrialSpec) -> bool:
    """Say whether a trial's subject may serve to calibrate techniques for other families."""
    return spec.setup.name == "naive" and spec.variant in (Variant.ORGANISM, Variant.TWIN, Variant.DECOY)
