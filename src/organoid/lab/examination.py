"""What do the techniques say of one model directory?

Techniques that need calibration subjects take them from the calibration that ships with the default base, if there is
one. What cannot be read says why. The score alone says little about a model of another family than those the technique
was tried on: `organoid test` does the trying.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from organoid.errors import OrganoidError, UserError
from organoid.lab import calibration
from organoid.lab.bases import base_digest, check_model_directory, load_base
from organoid.lab.catalogue import find_technique
from organoid.lab.disk import disk_errors
from organoid.lab.growing import LINEAGE
from organoid.lab.trial import Look, is_passing, look
from organoid.techniques import TECHNIQUES
from organoid.types import Reading, Technique

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel

ANYBODY = "nova"
"""The assistant's name in prompts to a model that does not say its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Readings by technique: score, evidence, cost, reason."""

    model: str
    readings: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        """One line per technique."""
        width = max(map(len, self.readings), default=0)
        lines = [f"{name:<{width}}  {_line(reading)}" for name, reading in self.readings.items()]
        return "\n".join([self.model, *lines])


def _line(reading: Mapping[str, Any]) -> str:
    if reading["score"] is None:
        return f"not estimable: {reading['reason']}"
    evidence = "; ".join(reading["evidence"])
    return f"{reading['score']:+.3f}" + (f"  {evidence}" if evidence else "")


def examine(model_dir: Path, *, techniques: Sequence[str], out: Path | None) -> Examined:
    """Look at a model.

    Raises:
        UserError: not a model directory, an unknown technique, or `out` exists.
    """
    chosen = list(map(find_technique, tuple(techniques) or tuple(TECHNIQUES)))
    if not model_dir.is_dir():
        raise UserError(f"{str(model_dir)!r} is not a directory. Give what `organoid grow` or save_pretrained wrote.")
    check_model_directory(model_dir)
    if out is not None and out.exists():
        raise UserError(f"{str(out)!r} exists already and is never overwritten. Give a new one with --out.")
    from organoid.models.language_model import load

    lm = load(model_dir)
    lineage = _lineage(model_dir)
    base = _base_of(lineage)
    assistant = lineage.get("assistant", ANYBODY)
    readings = dict[str, dict[str, Any]]()
    for technique in chosen:
        seen = look(technique, lm, base, assistant=assistant, seed=0)
        reading = _read(technique, seen, str(model_dir))
        readings[technique.name] = {
            "score": reading.score,
            "null_score": reading.null_score,
            "evidence": list(reading.evidence),
            "reason": reading.reason,
            "cost": seen.cost.model_dump(),
        }
    examined = Examined(model=str(model_dir), readings=readings)
    if out is not None:
        with disk_errors(out, otherwise="Give another directory with --out."):
            out.mkdir(parents=True)
            (out / "readings.json").write_text(json.dumps(readings, indent=2, allow_nan=False) + "\n")
    return examined


def _read(technique: Technique, seen: Look, model: str) -> Reading:
    if seen.reason is not None:
        return Reading(score=None, reason=seen.reason)
    try:
        return technique.fit(calibration.read(technique.name))(seen.taken)
    except Exception as error:
        if is_passing(error):
            raise
        return Reading(score=None, reason=f"the calibration that ships does not fit {model}: {error}")


def _lineage(model_dir: Path) -> dict[str, Any]:
    path = model_dir / LINEAGE
    try:
        found: object = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}. Delete it, or grow the model again.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged: it is no JSON object. Delete it, or grow the model again.")
    return cast("dict[str, Any]", found)


def _base_of(lineage: Mapping[str, Any]) -> LanguageModel | None:
    """Return the model before training; None where the lineage names none, or it is not here any more as it was."""
    spec: dict[str, Any] = lineage.get("spec", {})
    try:
        return load_base(spec["base"]) if base_digest(spec["base"]) == spec["base_digest"] else None
    except (OrganoidError, KeyError):
        return None
