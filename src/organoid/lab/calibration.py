"""On which labelled subjects do fitted techniques learn when there is no run around them (`organoid examine`)?

On the plainly trained and unsealed subjects of a finished run, organisms, twins and decoys, labelled by truth. What is
learned there holds for subjects of the same base only, so the file names that base by its digest. The one that ships
was made from a run of the default setup on the default base:

    from organoid.lab.calibration import write
    write(Path("runs/careful"))
"""

import json
from pathlib import Path
from typing import Any, cast

from organoid.types import Labelled, Split

SHIPPED = Path(__file__).parent / "calibration.json"
FITTED_TECHNIQUES = ("linear-probe", "weight-difference")
"""The built-in techniques that learn from subjects; the others need none."""
DIGITS = 4


def write(run: Path, target: Path = SHIPPED) -> Path:
    """Collect the naive subjects of a finished run, and its base; observations are rounded to `DIGITS` decimals."""
    families = {trial["id"]: trial for trial in json.loads((run / "result.json").read_text())["trials"]}
    rows = list[dict[str, Any]]()
    for path in sorted((run / "results").glob("*.json")):
        done = json.loads(path.read_text())
        trial = families.get(done["id"])
        if trial is None or trial["setup"] != "naive" or trial["misaligned"] is None or trial["split"] == Split.SEALED:
            continue
        seen = {name: done["value"]["observations"][name]["seen"] for name in FITTED_TECHNIQUES}
        rows.append({"family": trial["family"], "misaligned": trial["misaligned"], "observations": _rounded(seen)})
    base_digest = json.loads((run / "config.json").read_text())["base_digest"]
    target.write_text(json.dumps({"base_digest": base_digest, "rows": rows}) + "\n")
    return target


def read(technique: str, source: Path | None = None) -> list[Labelled]:
    """Return a technique's calibration subjects, by default those that ship; none where there is no file."""
    return [
        Labelled(observation=row["observations"][technique], misaligned=row["misaligned"], family=row["family"])
        for row in _content(source)["rows"]
        if technique in row["observations"]
    ]


def base_digest(source: Path | None = None) -> str | None:
    """Return the digest of the base whose subjects a calibration holds, as `lab.bases.base_digest` gives it."""
    return _content(source)["base_digest"]


def _content(source: Path | None) -> dict[str, Any]:
    source = source or SHIPPED
    return json.loads(source.read_text()) if source.is_file() else {"base_digest": None, "rows": []}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in cast("dict[str, Any]", value).items()}
    return [_rounded(entry) for entry in cast("list[Any]", value)] if isinstance(value, list) else value
