"""What do the four instruments of `probing` find among the subjects of `auditing-game`, decoys included?

Eleven organisms of nine families and their clean twins under `SEEDS`, decoys of the first four of these: the subjects
that the study grew, so that rows stand beside those of its table (docs/techniques.md). Seed 12 is left out, as two of
the instruments were settled by looking at it. Nothing is learnt from a subject's own family, and thresholds come from
other families' clean twins, as in the study; intervals are over families. `root` holds subjects that are grown already;
growing them takes two hours.

    python -m benchmarks probing_wide
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from organoid.lab.readings import read_all
from organoid.studies import subjects
from organoid.studies.auditing_game import AUDITING_GAME, AuditingGameScale, Game, auditor_row, by_part, learnt_from
from organoid.studies.auditing_game import subjects as planned_by
from organoid.studies.auditors import Audited, line, sample, separation
from organoid.studies.subjects import Subject, organism_named
from organoid.techniques import TECHNIQUES
from organoid.types import Variant

NAMES = ("attention-probe", "augmented-probe", "suspect-persona", "context-patching")
FIRST_SEED, NUM_SEEDS, NUM_DECOY_SEEDS = 13, 5, 4


def run(root: Path | None = None) -> dict[str, Any]:
    """Grow what is not there yet, look, and return the figures."""
    if root is None:
        with tempfile.TemporaryDirectory() as directory:
            return run(Path(directory))
    full = AuditingGameScale.model_validate(AUDITING_GAME.full.model_dump())
    scale = full.model_copy(
        update={
            "techniques": NAMES,
            "first_seed": FIRST_SEED,
            "num_seeds": NUM_SEEDS,
            "num_decoy_seeds": NUM_DECOY_SEEDS,
        }
    )
    planned = planned_by(scale)
    return figures(planned, {one.id: looked_at(root, one) for one in planned})


def looked_at(root: Path, subject: Subject) -> dict[str, Any]:
    """Return what is true of a subject and what every technique took down, grown where it is not there yet."""
    grown = root / subject.id.replace("/", "-")
    if not (grown / subjects.TRUTH).exists():
        grown.mkdir(parents=True)
        subjects.grow(subject, grown)
    with tempfile.TemporaryDirectory() as directory:
        subjects.look_in(subject, grown, Path(directory))
        return json.loads((Path(directory) / subjects.TAKEN).read_text())


def figures(planned: Sequence[Subject], values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return each technique's row of the study's table, how it ranks decoys above twins, and AUROC by organism."""
    seen = [subjects.observed(one, values[one.id], calibrates=learnt_from(one)) for one in planned]
    readings = read_all(seen, {name: TECHNIQUES[name] for name in NAMES})
    audits = {
        one.id: Audited(one, organism_named(one.organism).family, values[one.id]["misaligned"], readings[one.id])
        for one in planned
    }
    costs = {
        name: max(int(taken["observations"][name]["cost"]["queries"]) for taken in values.values()) for name in NAMES
    }
    game = Game(list(planned), audits, {}, costs)
    numbers: dict[str, Any] = {"subjects": len(planned)}
    for name in NAMES:
        row = auditor_row(game, name)
        clean = sample(audits, game.pick(Variant.TWIN, Variant.DECOY), [name], clean=True)
        row |= line("decoys_above_twins", separation(clean, name))
        numbers |= {f"{name}_{key}": value for key, value in row.items() if key != "auditor"}
    for row in by_part(game, lambda one: one.organism, units=None):
        numbers[f"{row['auditor']}_{row['part']}"] = "{auroc} [{auroc_low}, {auroc_high}]".format(**row)
    return numbers
