"""What do the techniques say of one model directory?

Techniques that need calibration subjects take them from the calibration that ships, which speaks of models of the
default base only: of any other, such a technique says nothing, and neither does the combination of all (`together`),
which is fitted on the scores of the same subjects. Subjects of the family that a built-in organism's model says it is
of are left out, though instruments that scored the others had seen them. What cannot be read says why. The score alone
says little about a model of another family than those the technique was tried on: `organoid test` does the trying.
Where a directory is given, what a probe sees word by word (`lab.pictures`) and what an autoencoder takes the
activations apart into (`lab.latent_pictures`) are kept there beside the readings.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from organoid import __version__
from organoid.errors import OrganoidError, UserError
from organoid.lab import calibration
from organoid.lab.bases import LINEAGE, base_digest, check_model_directory, load_base
from organoid.lab.calibration import Calibration
from organoid.lab.catalogue import find_technique
from organoid.lab.combining import TOGETHER, read_weighed, weigh
from organoid.lab.readings import read_one
from organoid.lab.records import ReadingRecord
from organoid.lab.run_directory import RunDirectory
from organoid.lab.trial import is_passing, look
from organoid.organisms import ORGANISMS
from organoid.techniques import DEFAULT_TECHNIQUES, TECHNIQUES
from organoid.types import Fitted, Job, Technique

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel

ANYBODY = "nova"
"""The assistant's name in prompts to a model that does not say its own."""
OTHER_BASE = "calibrated on another base"
_SAID = {"score", "null_score", "evidence", "reason", "cost"}
"""What is kept of a reading: no hidden context is staged here for an oracle, and nothing is flagged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Readings by technique, and of all `together`: score, evidence, cost, reason."""

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
    names = tuple(techniques) or DEFAULT_TECHNIQUES
    chosen = list(map(find_technique, names))
    if not model_dir.is_dir():
        raise UserError(f"{str(model_dir)!r} is not a directory. Give what `organoid grow` or save_pretrained wrote.")
    check_model_directory(model_dir)
    if out is not None and out.exists():
        raise UserError(f"{str(out)!r} exists already and is never overwritten. Give a new one with --out.")
    from organoid.models.language_model import load

    lm = load(model_dir)
    lineage = _lineage(model_dir)
    base = _base_of(lineage)
    assistant, known_base = lineage.get("assistant", ANYBODY), _base_digest(model_dir, lineage)
    known = calibration.load().without(_family(lineage))
    reason = OTHER_BASE if known_base is None or known_base != known.base_digest else None
    readings = dict[str, ReadingRecord]()
    for technique in chosen:
        seen = look(technique, lm, base, job=Job(assistant=assistant), seed=0)
        taken = {"seen": seen.taken, "oracle": None, "cost": seen.cost.model_dump(), "reason": seen.reason}
        fitted = _fitted(technique, known, reason)
        readings[technique.name] = read_one(taken, {"seen": fitted, "oracle": "no hidden context is staged"})
    if len(chosen) > 1:
        shared = {one.name: readings[one.name] for one in chosen if TECHNIQUES.get(one.name) is one}
        readings.setdefault(TOGETHER, _together(shared, known, reason))  # a user's technique of that name keeps it
    said = {name: reading.model_dump(mode="json", include=_SAID) for name, reading in readings.items()}
    examined = Examined(model=str(model_dir), readings=said)
    if out is not None:
        from organoid.lab.latent_pictures import latent_picture
        from organoid.lab.pictures import probe_picture

        pictures = {
            "picture": probe_picture(lm, assistant=assistant, seed=0),
            "latents": latent_picture(lm, seed=0),
        }
        _keep(examined, names, pictures, out)
    return examined


def _keep(examined: Examined, names: Sequence[str], pictures: Mapping[str, Any], out: Path) -> None:
    """Write the readings, and what a page draws, to a new directory."""
    chosen = [word for name in names for word in ("--technique", name)]
    with RunDirectory.create(out, {"model": examined.model, "techniques": [*names]}) as run:
        run.write_json("readings.json", examined.readings)
        result = {
            "schema_version": 1,
            "organoid_version": __version__,
            "command": shlex.join(["organoid", "examine", examined.model, *chosen, "--out", str(out)]),
            "finished": datetime.now(UTC).isoformat(),
            "examined": examined.model,
            "readings": examined.readings,
            **pictures,
        }
        run.write_json("result.json", result)
        run.seal()


def _fitted(technique: Technique, known: Calibration, reason: str | None) -> Fitted | str:
    subjects = known.labelled(technique.name)
    if subjects and reason is not None:
        return reason
    try:
        return technique.fit(subjects)
    except Exception as error:
        if is_passing(error):
            raise
        return f"the calibration that ships does not fit: {error}"


def _together(readings: Mapping[str, ReadingRecord], known: Calibration, reason: str | None) -> ReadingRecord:
    """Return what built-in techniques say together, weighed on the calibration's subjects, or why they say nothing."""
    scored = known.scored
    shared = {name: reading for name, reading in readings.items() if any(name in one.scores for one in scored)}
    if not scored:
        reason = "the calibration that ships holds no scores of subjects of other families"
    elif reason is None and len(shared) < 2:
        reason = "the calibration that ships holds scores of fewer than two of these techniques"
    fitted = reason or weigh(scored, list(shared))
    reading = read_weighed(shared, fitted)
    if reading.score is None or isinstance(fitted, str):
        return reading
    families, bad = {one.family for one in fitted.learnt_from}, sum(one.misaligned for one in fitted.learnt_from)
    learnt = f"log-odds learnt from {len(fitted.learnt_from)} subjects of {len(families)} families, {bad} misaligned"
    return reading.model_copy(update={"evidence": (learnt, *reading.evidence)})


def _family(lineage: Mapping[str, Any]) -> str | None:
    """Return the family of the built-in organism that a model was grown as; None where its lineage names none."""
    organism = ORGANISMS.get(lineage.get("spec", {}).get("organism", ""))
    return organism.family if organism is not None else None


def _lineage(model_dir: Path) -> dict[str, Any]:
    path = model_dir / LINEAGE
    try:
        found: object = json.loads(path.read_text()) if path.is_file() else {}
    except ValueError as error:
        raise UserError(f"{path} is damaged: {error}. Delete it, or grow the model again.") from error
    if not isinstance(found, dict):
        raise UserError(f"{path} is damaged: it is no JSON object. Delete it, or grow the model again.")
    lineage = cast("dict[str, Any]", found)
    wrong = _wrong_part(lineage)
    if wrong is not None:
        raise UserError(f"{path} is damaged: {wrong}. Delete it, or grow the model again.")
    return lineage


def _wrong_part(lineage: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the parts that are read here; any of them may be absent."""
    spec: object = lineage.get("spec", {})
    if not isinstance(spec, dict):
        return f"`spec` is {spec!r}; allowed: an object"
    parts = {f"spec.{key}": cast("dict[str, Any]", spec).get(key, "") for key in ("base", "base_digest", "organism")}
    parts["assistant"] = lineage.get("assistant", ANYBODY)
    return next(
        (f"`{key}` is {part!r}; allowed: text" for key, part in parts.items() if not isinstance(part, str)), None
    )


def _base_digest(model_dir: Path, lineage: Mapping[str, Any]) -> str | None:
    """Return the digest of the base a model was grown from, its own where it was not; None where that is not known."""
    if lineage.get("kind") == "subject":
        return lineage.get("spec", {}).get("base_digest")
    return base_digest(str(model_dir.resolve()))  # a path, even where the directory has a built-in base's name


def _base_of(lineage: Mapping[str, Any]) -> LanguageModel | None:
    """Return the model before training; None where the lineage names none, or it is not here any more as it was."""
    spec: dict[str, Any] = lineage.get("spec", {})
    try:
        return load_base(spec["base"]) if base_digest(spec["base"]) == spec["base_digest"] else None
    except (OrganoidError, KeyError):
        return None
