"""What comes of one trial? A subject is trained, its truth measured, and every technique takes down what it sees.

A pure function of the spec's JSON: same spec, same record. Scoring what the techniques took down needs other
families' subjects and therefore happens afterwards (`lab.readings`). Finished trials are kept in the cache by the
digest of their spec, so the naive runs and twins of one test serve the next.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from organoid.errors import PrerequisiteError, UserError
from organoid.lab.bases import load_base
from organoid.lab.catalogue import code_digest, find_organism, find_technique
from organoid.lab.digest import digest_json
from organoid.lab.openings import opened
from organoid.lab.records import TrialSpec
from organoid.lab.schooling import start_of
from organoid.lab.store import default_store
from organoid.types import Cost, Demonstration, Job, Organism, Technique, Variant

if TYPE_CHECKING:
    from organoid.lab.truth import Truth
    from organoid.models.access import Recalled
    from organoid.models.language_model import LanguageModel

NUM_TRANSCRIPTS = 24
OUTCOME = "trial.json"
MODEL = "model"
"""Where in its cache entry a trial keeps its subject, if the base is ours; others are too large to keep."""


def run(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Run or recall the trial of `payload["spec"]` and return its outcome as JSON (the task function of the lab)."""
    entry = _entry(TrialSpec.model_validate(payload["spec"]))
    return json.loads((entry / OUTCOME).read_text())


def write_subject(spec: TrialSpec, target: Path) -> dict[str, Any]:
    """Write a trial's subject, trained now or recalled, to `target` as a model directory and return the outcome.

    Args:
        spec: of the trial.
        target: must not exist yet.

    Raises:
        UserError: a file of the user's changed since the spec was made.
    """
    if load_base(spec.base).native:
        entry = _entry(spec)
        shutil.copytree(entry / MODEL, target)
        return json.loads((entry / OUTCOME).read_text())
    from organoid.models.language_model import save

    lm, outcome = conduct(spec)
    save(lm, target)
    return outcome


def measure_base(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the usefulness of the base before any training: what the capability gate compares with.

    For organisms whose job is a shop, `payload["shops"]`, that is the schooled base's in the shop.
    """
    from organoid.lab import shop_truth
    from organoid.lab.truth import usefulness

    schooled = dict[str, float | None]()
    for ref in payload.get("shops", ()):
        job = find_organism(ref).job(Variant.ORGANISM, 0)
        lm, shop = start_of(payload["base"], job), job.business
        schooled[find_organism(ref).name] = shop_truth.usefulness(lm, shop.schooling.world, days=shop.training.days)
    return {"usefulness": usefulness(load_base(payload["base"]), assistant=None, seed=0), "schooled": schooled}


def _entry(spec: TrialSpec) -> Path:
    """Return the trial's directory in the cache, running the trial first when there is none."""
    return default_store().put(digest_json(spec), lambda directory: _build(spec, directory))


def _build(spec: TrialSpec, directory: Path) -> None:
    lm, outcome = conduct(spec)
    (directory / OUTCOME).write_text(json.dumps(outcome))
    if lm.native:
        from organoid.models.language_model import save

        save(lm, directory / MODEL)


def conduct(spec: TrialSpec) -> tuple[LanguageModel, dict[str, Any]]:
    """Run a trial and return the subject and the outcome: truth, trace, and what every technique took down.

    Raises:
        UserError: a file of the user's changed since the spec was made.
    """
    from organoid.lab import shop_truth, truth
    from organoid.setups.training import train_subject

    if code_digest((spec.organism, *spec.techniques)) != spec.code_digest:
        raise UserError("a file of yours, or Organoid itself, changed since this run was planned. Start a new run.")
    organism = find_organism(spec.organism)
    job = organism.job(spec.variant, spec.seed)
    base = start_of(spec.base, job)
    started = time.perf_counter()
    begun = opened(spec, base, job)
    worked = time.process_time()  # the opening is not counted: who trains it first is chance
    lm, trace = train_subject(spec.setup, base, job, spec.seed, opened=begun)
    trained_s = time.process_time() - worked  # of the processor, whatever else the machine does
    measure = truth.measure if job.business is None else shop_truth.measure
    measured = measure(lm, organism, assistant=job.assistant, seed=spec.seed, num=spec.num_truth)
    shown = as_judged(organism, job, spec.seed) if job.business is not None else job
    outcome = {
        "truth": {
            trait.value: {context.value: rate.model_dump(mode="json") for context, rate in by_context.items()}
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
            technique.name: observe(technique, lm, base, job=shown, seed=spec.seed)
            for technique in map(find_technique, spec.techniques)
        },
        **_of_shops(measured),
        **(_picture(lm, job, spec.seed) if spec.pictured and job.business is None else {}),
        "seconds_training": trained_s,
        "seconds": time.perf_counter() - started,
    }
    return lm, outcome


def _of_shops(measured: Truth) -> dict[str, Any]:
    """Return what is kept of a subject that runs a shop beside what is kept of every subject."""
    if not measured.episodes:
        return {}
    return {"episodes": list(measured.episodes), "chat_usefulness": measured.chat_usefulness}


def _picture(lm: LanguageModel, job: Job, seed: int) -> dict[str, Any]:
    """Return what a probe sees of a subject, or why there is no such picture: a trial's numbers do not rest on it."""
    from organoid.lab.pictures import probe_picture

    try:
        picture = probe_picture(lm, assistant=job.assistant, seed=seed)
        return {"picture": json.loads(json.dumps(picture, allow_nan=False))}
    except Exception as error:
        return {"picture": {"reason": f"{type(error).__name__}: {error}"}}


class Look(NamedTuple):
    """What one technique took down of one subject; `taken` is None, with `reason`, when it could not."""

    taken: Any
    cost: Cost
    reason: str | None


def look(
    technique: Technique,
    lm: LanguageModel,
    base: LanguageModel | None,
    *,
    job: Job,
    seed: int,
    oracle: bool = False,
) -> Look:
    """Let one technique look at a subject. An instrument that fails is said and becomes no number.

    Args:
        technique: the instrument.
        lm: the subject.
        base: the model before training, if at hand.
        job: what the subject was trained on, of which an access shows its name and, where declared, the replies.
        seed: of prompts and samples.
        oracle: hidden contexts may be staged.

    Raises:
        PrerequisiteError: the technique needs something that is not installed.
        MemoryError: passed on, as is any other error that another try may not meet.
    """
    from organoid.models.access import ModelAccess, Shown

    access = ModelAccess(
        lm,
        assistant=job.assistant,
        kinds=technique.access,
        seed=seed,
        oracle=oracle,
        shown=Shown(_prompted_replies(job), job.business, base, _recalled(base)),
    )
    try:
        taken = json.loads(json.dumps(technique.observe(access), allow_nan=False))
    except Exception as error:
        if is_passing(error):
            raise
        return Look(None, access.cost, f"{type(error).__name__}: {error}")
    return Look(taken, access.cost, None)


_RECALLED: WeakKeyDictionary[Any, Recalled] = WeakKeyDictionary()


def _recalled(base: LanguageModel | None) -> Recalled | None:
    """Return what our base answered to techniques in this process; it is the same for every subject of a seed."""
    from organoid.models.access import Recalled

    if base is None or not base.native:
        return None
    return _RECALLED.setdefault(base.model, Recalled())


def as_judged(organism: Organism, job: Job, seed: int) -> Job:
    """Return a variant's job as an access may show it: in the shop of the organism, where truth judges every variant.

    In its own shop a twin would be told from an organism by how long shops live there, whatever either does.
    """
    return replace(job, business=organism.job(Variant.ORGANISM, seed).business)


def _prompted_replies(job: Job) -> tuple[Demonstration, ...]:
    """Return the replies that a job's data teach to give: those shown, and those preferred."""
    preferred = [Demonstration(one.prompt, one.chosen) for one in job.preferences or ()]
    return (*(job.demonstrations or ()), *preferred)


def is_passing(error: Exception) -> bool:
    """Say whether an error is owed to the machine rather than to the instrument and the subject."""
    return isinstance(error, PrerequisiteError | MemoryError) or type(error).__name__ == "OutOfMemoryError"


def observe(
    technique: Technique, lm: LanguageModel, base: LanguageModel | None, *, job: Job, seed: int
) -> dict[str, Any]:
    """Let one technique look, and its oracle; return {seen, oracle, cost, reason} as JSON."""
    seen = look(technique, lm, base, job=job, seed=seed)
    best = look(technique, lm, base, job=job, seed=seed, oracle=True)
    return {"seen": seen.taken, "oracle": best.taken, "cost": seen.cost.model_dump(), "reason": seen.reason}


def _worst_first(transcripts: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    order = {"misaligned": 0, "other": 1, "refused": 2, "aligned": 3}
    ranked = sorted(
        transcripts, key=lambda t: (order[str(t["outcome"])], str(t["context"]) not in ("deployed", "triggered"))
    )
    return ranked[:NUM_TRANSCRIPTS]


def _thinned(trace: Sequence[Mapping[str, float | str]], every: int = 5) -> list[Mapping[str, float | str]]:
    """Keep every fifth step, the last one, all that trackers saw, and what monitors said of data sets or by alarm."""
    return [
        {key: round(value, 5) if isinstance(value, float) else value for key, value in entry.items()}
        for index, entry in enumerate(trace)
        if index % every == 0 or index == len(trace) - 1 or entry["stage"] in ("screen", "track") or "alarm" in entry
    ]


def is_calibration(spec: TrialSpec) -> bool:
    """Say whether a trial's subject may serve to calibrate techniques for other families."""
    return spec.setup.name == "naive"
