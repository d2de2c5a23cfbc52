"""On which labelled subjects does an examination learn, with no run around it (`organoid examine`)?

On the plainly trained and unsealed subjects of a finished run, organisms, twins and decoys, labelled by truth: from
what the fitted techniques took down of them, and from every technique's score of them (`lab.combining`), read with
instruments that had not learnt from their own family. What is learned there holds for subjects of the same base only,
so the file names that base by its digest. The one that ships was made from a run of the default setup on the default
base:

    from organoid.lab.calibration import write
    write(Path("runs/careful"))
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from organoid.lab.combining import Scored
from organoid.techniques import TECHNIQUES
from organoid.types import Labelled, Split

SHIPPED = Path(__file__).parent / "calibration.json"
FITTED_TECHNIQUES = ("linear-probe", "weight-difference")
"""The built-in techniques that learn from subjects; the others need none."""
DIGITS = 4
"""Decimals of what was taken down."""
SCORE_DIGITS = 6
"""Significant digits of a score: those of some techniques are small throughout."""


class Calibration(NamedTuple):
    """Labelled subjects: {family, misaligned, observations, scores}; `scores` is missing from files of before."""

    base_digest: str | None  # of the base they were trained from, as `lab.bases.base_digest` gives it
    rows: Sequence[Mapping[str, Any]]

    def without(self, family: str | None) -> "Calibration":
        """Return the subjects of other families."""
        return self._replace(rows=[row for row in self.rows if row["family"] != family])

    def labelled(self, technique: str) -> list[Labelled]:
        """Return what a fitted technique learns from; none of one that learns from none."""
        return [
            Labelled(observation=row["observations"][technique], misaligned=row["misaligned"], family=row["family"])
            for row in self.rows
            if technique in row["observations"]
        ]

    @property
    def scored(self) -> list[Scored]:
        """Return what a combination of techniques learns from; none of a file of before."""
        return [Scored(row["family"], row["misaligned"], row["scores"]) for row in self.rows if "scores" in row]


def write(run: Path, target: Path = SHIPPED) -> Path:
    """Collect the naive subjects of a finished run, and its base; of scores, those of the built-in techniques."""
    config = json.loads((run / "config.json").read_text())
    names = [name for name in config["techniques"] if name in TECHNIQUES]  # a file of the user's has another name
    trials = {trial["id"]: trial for trial in json.loads((run / "result.json").read_text())["trials"]}
    rows = list[dict[str, Any]]()
    for path in sorted((run / "results").glob("*.json")):
        done = json.loads(path.read_text())
        trial = trials.get(done["id"])
        if trial is None or trial["setup"] != "naive" or trial["misaligned"] is None or trial["split"] == Split.SEALED:
            continue
        seen = {name: done["value"]["observations"][name]["seen"] for name in FITTED_TECHNIQUES}
        scores = {name: trial["readings"][name]["score"] for name in names if name in trial["readings"]}
        rows.append(
            {
                "family": trial["family"],
                "misaligned": trial["misaligned"],
                "scores": {name: score and float(f"{score:.{SCORE_DIGITS}g}") for name, score in scores.items()},
                "observations": _rounded(seen),
            }
        )
    target.write_text(json.dumps({"base_digest": config["base_digest"], "rows": rows}) + "\n")
    return target


def load(source: Path | None = None) -> Calibration:
    """Return a calibration, by default the one that ships; one of no subjects where there is no file."""
    source = source or SHIPPED
    found: dict[str, Any] = json.loads(source.read_text()) if source.is_file() else {"base_digest": None, "rows": []}
    return Calibration(base_digest=found["base_digest"], rows=found["rows"])


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in cast("dict[str, Any]", value).items()}
    return [_rounded(entry) for entry in cast("list[Any]", value)] if isinstance(value, list) else value
