"""Looking at one model directory with the techniques.

Techniques that need calibration subjects take them from a finished run on the same base (`calibration`, a directory
of `organoid test`), or from the calibration that ships with the default base. What cannot be read says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from organoid.errors import OrganoidError, UserError
from organoid.lab.bases import load_base
from organoid.lab.catalogue import find_technique
from organoid.lab.disk import disk_errors
from organoid.lab.growing import LINEAGE
from organoid.lab.trial import observe
from organoid.techniques import TECHNIQUES
from organoid.types import Labelled, Reading

ANYBODY = "nova"
"""The assistant's name in prompts to a model that does not say its own."""
SHIPPED_CALIBRATION = Path(__file__).parent / "calibration.json"


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
    names = tuple(techniques) or tuple(TECHNIQUES)
    chosen = {name: find_technique(name) for name in names}
    if not model_dir.is_dir():
        raise UserError(f"{str(model_dir)!r} is not a directory. Give what `organoid grow` or save_pretrained wrote.")
    if out is not None and out.exists():
        raise UserError(f"{str(out)!r} exists already and is never overwritten. Give a new one with --out.")
    from organoid.models.language_model import load

    lm = load(model_dir)
    lineage = _lineage(model_dir)
    base = _base_of(lineage)
    assistant = lineage.get("assistant", ANYBODY)
    readings = dict[str, dict[str, Any]]()
    for name, technique in chosen.items():
        taken = observe(technique, lm, base, assistant=assistant, seed=0)
        reading = _read(technique, name, taken, str(model_dir))
        readings[name] = {
            "score": reading.score,
            "null_score": reading.null_score,
            "evidence": list(reading.evidence),
            "reason": reading.reason,
            "cost": taken["cost"],
        }
    examined = Examined(model=str(model_dir), readings=readings)
    if out is not None:
        with disk_errors(out, otherwise="Give another directory with --out."):
            out.mkdir(parents=True)
            (out / "readings.json").write_text(json.dumps(readings, indent=2) + "\n")
    return examined


def _read(technique: Any, name: str, taken: Mapping[str, Any], model: str) -> Reading:
    if taken["reason"] is not None:
        return Reading(score=None, reason=taken["reason"])
    try:
        return technique.fit(_calibration(name))(taken["seen"])
    except (ValueError, OrganoidError) as error:
        return Reading(score=None, reason=f"{error} (no calibration fits {model})")


def _calibration(name: str) -> list[Labelled]:
    if not SHIPPED_CALIBRATION.is_file():
        return []
    rows = json.loads(SHIPPED_CALIBRATION.read_text())
    return [
        Labelled(observation=row["observations"][name], misaligned=row["misaligned"], family=row["family"])
        for row in rows
        if name in row["observations"]
    ]


def _lineage(model_dir: Path) -> dict[str, Any]:
    path = model_dir / LINEAGE
    try:
        return json.loads(path.read_text()) if path.is_file() else {}
    except json.JSONDecodeError as error:
        raise UserError(f"{path} is damaged: {error}. Delete it, or grow the model again.") from error


def _base_of(lineage: Mapping[str, Any]) -> Any:
    try:
        return load_base(lineage["spec"]["base"]) if "spec" in lineage else None
    except OrganoidError:
        return None
