"""What does a base know that is to run a shop? It is schooled once and kept by its files, the terms and the code.

The key holds the sources that schooling's numbers depend on and no others, so that a new technique or organism does not
cost another schooling.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from organoid.lab.bases import base_digest, kept, load_base
from organoid.lab.digest import digest_file, digest_json

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel
    from organoid.types import Job
    from organoid.world.business.training_terms import Schooling


def start_of(base: str, job: Job) -> LanguageModel:
    """Return the model that a job's training starts from: the base, schooled if the job is a shop; do not change it."""
    return load_base(base) if job.business is None else schooled(base, job.business.schooling)


def schooled(base: str, how: Schooling) -> LanguageModel:
    """Return a base that has learnt to run shops, from the cache or schooled now; callers must not change it.

    Raises:
        UserError: the base's tokenizer lacks the shop's words.
    """

    def build() -> LanguageModel:
        from organoid.models.language_model import copy
        from organoid.setups.schooling import school

        lm = copy(load_base(base))
        school(lm, how)
        return lm

    key = {"base": base_digest(base), "schooling": how.model_dump(mode="json"), "source": _source_digest()}
    return kept(digest_json(key), build)


@lru_cache(maxsize=1)
def _source_digest() -> str:
    root = Path(__file__).parent.parent
    files = sorted(path for room in ("world", "models") for path in (root / room).rglob("*.py"))
    files += [root / "types.py", root / "setups" / "schooling.py"]
    return digest_json({path.relative_to(root).as_posix(): digest_file(path) for path in files})
