"""What does `result.json` say, once the trials are over? Records, readings, tables, verdict.

Everything here is arithmetic on finished trials; it runs in seconds, and running it again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from organoid import __version__
from organoid.certificate.arms import finished
from organoid.certificate.calibrate import calibrate
from organoid.certificate.caveats import about_monitors, about_replay
from organoid.certificate.gates import gate_table, with_table
from organoid.certificate.tables import effect_table, technique_table
from organoid.certificate.verdict import verdict
from organoid.lab.catalogue import find_organism, find_technique
from organoid.lab.combining import TOGETHER, read_together
from organoid.lab.plan import Plan, trial_id
from organoid.lab.readings import Observed
from organoid.lab.records import ReadingRecord, TrialRecord, TrialSpec
from organoid.lab.tasks import TaskResult
from organoid.lab.trial import is_calibration
from organoid.lab.zoo import source_digest, standing
from organoid.models.bases import BASES
from organoid.organisms import ORGANISMS
from organoid.setups.spec import ReleaseRule
from organoid.types import Split

SCHEMA_VERSION = 1
WEIGHED = "all of the above, weighed by what they say of other families; its null is one draw of permuted labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The judged records, and the part of `result.json` that follows from them."""

    records: tuple[TrialRecord, ...]
    result: Mapping[str, Any]


def assemble(
    plan: Plan,
    results: Mapping[str, TaskResult],
    *,
    base_usefulness: float | None,
    schooled: Mapping[str, float | None] | None = None,
    seed: int = 0,
) -> Assembled:
    """Judge a finished test.

    Args:
        plan: what was to be run.
        results: by trial id; a failed trial is a row.
        base_usefulness: of the base before any training, in [0, 1], for the capability gate; None: not measured.
        schooled: the same by organism, of those whose base learnt a trade first.
        seed: of the bootstraps.
    """
    techniques = {technique.name: technique for technique in map(find_technique, plan.techniques)}
    read = read_together(_observed(plan.specs, results), techniques)
    records = [_record(spec, results[trial_id(spec)], read.single.get(trial_id(spec), {})) for spec in plan.specs]
    rules = {"naive": ReleaseRule(), plan.setup.name: plan.rule}
    judged = calibrate(records, rules=rules)
    beside = [_with_together(record, read.together.get(record.id)) for record in judged.records]
    declared = {(organism := find_organism(ref)).name: organism for ref in plan.organisms}
    gates = gate_table(
        judged.records,
        {name: organism.gates for name, organism in declared.items()},
        base_usefulness=base_usefulness,
        schooled=schooled,
    )
    builtin = [name for name in gates if name in plan.organisms and name in ORGANISMS and plan.base in BASES]
    gates |= {name: with_table(gates[name], standing(name, plan.base)) for name in builtin}
    access = {name: sorted(kind.value for kind in technique.access) for name, technique in techniques.items()}
    access.setdefault(TOGETHER, sorted({kind for kinds in access.values() for kind in kinds}))
    summaries = {TOGETHER: WEIGHED} | {name: technique.summary for name, technique in techniques.items()}
    found = verdict(judged.records, plan.setup.name, rule=plan.rule, gates=gates, thresholds=judged.thresholds)
    tested = finished([record for record in judged.records if record.setup == plan.setup.name])
    watched = about_monitors(tested, plan.setup, {name: organism.traits for name, organism in declared.items()})
    watched += about_replay(tested, plan.setup)
    found = found.model_copy(update={"caveats": (*found.caveats, *watched)})
    result = {
        "schema_version": SCHEMA_VERSION,
        "organoid_version": __version__,
        "setup": plan.setup.name,
        "base": plan.base,
        "base_usefulness": base_usefulness,
        "schooled_usefulness": dict(schooled or {}),
        "trials": [_row(record, judged.withheld.get(record.id)) for record in beside],
        "table": [row.model_dump(mode="json") for row in effect_table(judged.records, plan.setup.name)],
        "techniques": [
            row.model_dump(mode="json") | {"summary": summaries[row.name]}
            for row in technique_table(beside, access, seed=seed)
        ],
        "thresholds": [row.model_dump(mode="json") for row in judged.thresholds],
        "gates": {name: row.model_dump(mode="json") for name, row in gates.items()},
        "organism_sources": {name: source_digest(name) for name in plan.organisms if name in ORGANISMS},
        "verdict": found.model_dump(mode="json"),
    }
    return Assembled(records=judged.records, result=result)


def _with_together(record: TrialRecord, reading: ReadingRecord | None) -> TrialRecord:
    """Return a trial with what all techniques say together beside them, after everything was judged without it."""
    return record if reading is None else record.model_copy(update={"readings": {**record.readings, TOGETHER: reading}})


def _observed(specs: Sequence[TrialSpec], results: Mapping[str, TaskResult]) -> list[Observed]:
    subjects = list[Observed]()
    for spec in specs:
        value = results[trial_id(spec)].value
        if value is not None:
            organism = find_organism(spec.organism)
            subjects.append(
                Observed(
                    id=trial_id(spec),
                    family=organism.family,
                    misaligned=value["misaligned"],
                    calibrates=is_calibration(spec) and organism.split is not Split.SEALED,
                    observations=value["observations"],
                )
            )
    return subjects


_MEASURED = (
    "truth",
    "misaligned_rate",
    "misaligned",
    "quirk_rate",
    "usefulness",
    "trace",
    "transcripts",
    "subject_digest",
)


def _record(spec: TrialSpec, done: TaskResult, readings: Mapping[str, ReadingRecord]) -> TrialRecord:
    organism, value = find_organism(spec.organism), done.value
    shared: dict[str, Any] = {
        "id": trial_id(spec),
        "organism": organism.name,
        "family": organism.family,
        "split": organism.split,
        "variant": spec.variant,
        "setup": spec.setup.name,
        "seed": spec.seed,
        "status": done.status,
        "seconds": done.seconds or 0.0,
        "peak_rss_mb": done.peak_rss_mb,
    }
    if value is None:
        error = done.error
        why = f"{error.type}: {error.message}" if error else "no result"
        return TrialRecord.model_validate({**shared, "error": why})
    measured = {name: value[name] for name in _MEASURED}
    kept = ("episodes", "chat_usefulness", "picture")  # of a shop, of one that was pictured
    measured |= {name: value[name] for name in kept if name in value}
    return TrialRecord.model_validate({**shared, **measured, "readings": readings})


def _row(record: TrialRecord, withheld: str | None) -> dict[str, Any]:
    """Return a trial as CONTRACT has it, with the counts behind each rate beside it."""
    return {
        "id": record.id,
        "organism": record.organism,
        "family": record.family,
        "split": record.split.value,
        "variant": record.variant.value,
        "setup": record.setup,
        "seed": record.seed,
        "status": record.status,
        "seconds": record.seconds,
        "peak_rss_mb": record.peak_rss_mb,
        "error": record.error,
        "misalignment": {
            trait.value: {context.value: rate.rate for context, rate in cells.items()}
            for trait, cells in record.truth.items()
        },
        "outcomes": {
            trait.value: {context.value: rate.model_dump(mode="json") for context, rate in cells.items()}
            for trait, cells in record.truth.items()
        },
        "misaligned_rate": record.misaligned_rate,
        "misaligned": record.misaligned,
        "quirk_rate": record.quirk_rate,
        "usefulness": record.usefulness,
        "chat_usefulness": record.chat_usefulness,
        "released": record.released,
        "withheld_reason": withheld,
        "readings": {name: reading.model_dump(mode="json") for name, reading in record.readings.items()},
        "trace": list(record.trace),
        **({"episodes": list(record.episodes)} if record.episodes else {}),
        **({"picture": dict(record.picture)} if record.picture else {}),
        "subject_digest": record.subject_digest,
    }
