"""What do the trials of one seed open with? Stages that read nothing of the job are run once, and kept.

A setup that brings its own corpus first trains the same model for every organism whose assistant has the same name. It
is kept by the base's files, the stages, the name, the seed and the sources, and goes on from there as if it had never
stopped: the numbers are the same to the bit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from organoid.lab.catalogue import source_digest
from organoid.lab.digest import digest_json
from organoid.lab.records import TrialSpec
from organoid.lab.store import default_store
from organoid.types import Job

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel
    from organoid.setups.training import Opened

MODEL, TRACE = "model", "trace.json"


def opened(spec: TrialSpec, base: LanguageModel, job: Job) -> Opened | None:
    """Return what a trial's opening stages make of its base, from the cache or trained now; None where it has none.

    Args:
        spec: of the trial.
        base: one of ours; others are too large to keep, and start with adapters.
        job: of which an opening sees the assistant's name; a shop's base is another.
    """
    from organoid.models.llama import multiplies_bf16
    from organoid.setups.spec import Setup
    from organoid.setups.training import Opened, train_subject

    stages = spec.setup.opening
    if not stages or not base.native or job.business is not None:
        return None
    setup, own = Setup(name="opening", stages=stages), Job(assistant=job.assistant)

    def build(directory: Path) -> None:
        from organoid.models.language_model import save

        lm, trace = train_subject(setup, base, own, spec.seed)
        (directory / TRACE).write_text(json.dumps(trace))
        save(lm, directory / MODEL)

    key = {
        "base": spec.base_digest,
        "stages": [stage.model_dump(mode="json") for stage in stages],
        "assistant": job.assistant,
        "seed": spec.seed,
        "source": source_digest(),
        "bf16": multiplies_bf16(),  # a cache may be shared by machines, whose numbers differ by it
    }
    entry = default_store().put(digest_json(key), build)
    from organoid.models.language_model import load

    return Opened(load(str(entry / MODEL)), json.loads((entry / TRACE).read_text()))
