"""How does a study become a `result.json`? Its spec, its tasks in a run directory, and what follows from them.

Everything after the tasks is arithmetic; running it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from organoid import __version__
from organoid.lab.bases import base_digest
from organoid.lab.catalogue import source_digest
from organoid.lab.digest import digest_file, digest_json
from organoid.lab.tasks import TaskResult
from organoid.studies.study import Measured, Scale, Study, not_estimable, row

SCHEMA_VERSION = 1


def config(study: Study, scale: Scale, *, quick: bool) -> dict[str, Any]:
    """Return everything the numbers depend on, as JSON: what a resumed run is compared with.

    Raises:
        UserError: a base that is none.
        PrerequisiteError: a built-in base that is not there.
    """
    return {
        "study": study.name,
        "quick": quick,
        "scale": scale.model_dump(mode="json"),
        "base_digests": {ref: base_digest(ref) for ref in scale.bases},
        "code_digest": code_digest(),
    }


def code_digest() -> str:
    """Return the digest of the sources that a study's numbers depend on."""
    root = Path(__file__).parent
    files = [*sorted(root.glob("*.py")), root.parent / "lab" / "pretraining.py"]
    own = {path.name: digest_file(path) for path in files}
    return digest_json({"organoid": __version__, "source": source_digest(), "studies": own})


def assemble(study: Study, scale: Scale, results: Mapping[str, TaskResult]) -> dict[str, Any]:
    """Judge a finished study: its claims in the order declared, its figures and tables, and what failed.

    A failed task stays in its claims: `study.over_runs` counts and names it, and no claim with one is decided.

    Args:
        study: as declared.
        scale: as run.
        results: by task id.
    """
    values = {name: done.value for name, done in results.items() if done.value is not None}
    findings = study.findings(scale, values)
    none = Measured(not_estimable("not part of this run"), not_estimable("not part of this run"))
    claims = [row(claim, findings.measured.get(claim.id, none)) for claim in study.claims]
    return {
        "schema_version": SCHEMA_VERSION,
        "organoid_version": __version__,
        "study": study.name,
        "question": study.question,
        "seeds": list(scale.seeds),
        "claims": claims,
        "limits": list(study.limits),
        "source": study.source,
        "figures": [figure.model_dump(mode="json") for figure in findings.figures],
        "tables": {name: [dict(line) for line in lines] for name, lines in findings.tables.items()},
        "failed": [
            {"id": name, "error": f"{done.error.type}: {done.error.message}"}
            for name, done in results.items()
            if done.error is not None
        ],
    }
