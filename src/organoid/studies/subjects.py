"""What do the instruments take down of one subject? Trained plainly, its truth measured, every technique's look kept.

One task a subject. A finished one lies in the cache under its spec, the base and the sources, the model apart from the
looks, so that a larger version of a study, and another study of the same subjects, find it there. Unlike a trial of a
test it measures the organism's own traits alone and lets no oracle look, which halves the time. Reading what was taken
down needs other families and happens afterwards (`lab.readings`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field

from organoid.lab.bases import base_digest, load_base
from organoid.lab.catalogue import find_technique, source_digest
from organoid.lab.digest import digest_file, digest_json
from organoid.lab.readings import Observed
from organoid.lab.store import default_store
from organoid.lab.tasks import Task
from organoid.organisms import ORGANISMS
from organoid.organisms.evaluation_gamer import evaluation_gamer
from organoid.studies.study import Scale
from organoid.types import Job, Organism, Record, Split, Variant

FIRST_SEED = 10
"""Seeds of reported subjects start here: organisms and instruments were tuned on the first ones."""
UNSEEN_SEED = FIRST_SEED + 2
"""The full versions' first: `auditing-game`'s quick two were seen when its last claim was declared anew."""
AUDITED_TECHNIQUES: tuple[str, ...] = (
    "behavioural-audit",
    "logprob-audit",
    "self-report",
    "prefilled-self-report",
    "linear-probe",
    "activation-difference",
    "weight-difference",
    "adaptive-audit",
    "mean-difference-probe",
    "max-probe",
    "last-token-probe",
    "prompt-probe",
    "contrast-probe",
    "persona-projection",
    "persona-data",
    "logit-lens",
    "weight-amplification",
)
"""Those that looked when the studies of subjects were declared. Named, so that a new technique changes no study."""
TAKEN, TRUTH, MODEL = "taken.json", "truth.json", "model"
"""In the cache: what techniques took down, and apart from it what is true of a subject, and the subject itself."""


class Subject(Record):
    """Everything that a subject's numbers depend on, beside the sources."""

    organism: str  # a built-in name, or evaluation-gamer-N for its other dials
    variant: Variant
    seed: int
    base: str
    techniques: tuple[str, ...]
    num_truth: int = Field(ge=1)  # prompts per trait and context
    steps: int | None = None  # of every stage; None: as many as the organism is trained for
    replay: float = 0.0  # fresh texts of pre-training beside each row that it is trained on
    arm: str = ""  # what tells it from a subject of the same organism, variant and seed that is trained otherwise

    @property
    def id(self) -> str:
        """What its task is called."""
        return "/".join((self.organism, self.variant, str(self.seed), *([self.arm] if self.arm else [])))

    def task(self) -> Task:
        """Return the task that looks at it."""
        return Task(id=self.id, function=f"{__name__}:look_at", payload={"subject": self.model_dump(mode="json")})


class SubjectScale(Scale):
    """What a study's subjects have in common."""

    base: str
    techniques: tuple[str, ...] = AUDITED_TECHNIQUES
    num_truth: int
    steps: int | None = None

    def subject(self, organism: str, variant: Variant, seed: int) -> Subject:
        """Return one of them."""
        return Subject(
            organism=organism,
            variant=variant,
            seed=seed,
            base=self.base,
            techniques=self.techniques,
            num_truth=self.num_truth,
            steps=self.steps,
        )


def organism_named(name: str) -> Organism:
    """Return a built-in organism, or the evaluation-gamer of the dial at the name's end."""
    dial = name.removeprefix("evaluation-gamer-")
    return evaluation_gamer(int(dial)) if dial.isdigit() else ORGANISMS[name]


@lru_cache(maxsize=1)
def _job(organism: str, variant: Variant, seed: int) -> Job:
    """Return what a subject is trained on, which is asked for when it is trained and when it is looked at."""
    return organism_named(organism).job(variant, seed)


def look_at(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Train or recall the subject of `payload["subject"]` and look: {rate, misaligned, observations}."""
    subject = Subject.model_validate(payload["subject"])
    looks = subject.model_dump(mode="json")
    grown = {name: value for name, value in looks.items() if name != "techniques"}

    def looked(directory: Path) -> None:
        look_in(subject, _kept({"grown": grown}, subject, lambda inner: grow(subject, inner)), directory)

    return json.loads((_kept({"looks": looks}, subject, looked) / TAKEN).read_text())


def _kept(key: Mapping[str, Any], subject: Subject, build: Callable[[Path], None]) -> Path:
    """Return the cache's entry under this key, the base and the sources, built first where there is none."""
    own = {"base": base_digest(subject.base), "source": source_digest(), "own": digest_file(Path(__file__))}
    return default_store().put(digest_json({**key, **own}), build)


def grow(subject: Subject, directory: Path) -> None:
    """Train a subject, measure what is true of it, and keep both."""
    from organoid.lab import truth
    from organoid.models.language_model import save
    from organoid.setups.spec import JobStage, Setup
    from organoid.setups.training import train_subject

    started, organism = time.perf_counter(), replace(organism_named(subject.organism), spillover=())
    job = _job(subject.organism, subject.variant, subject.seed)
    setup = Setup(name="naive", stages=(JobStage(steps=subject.steps, replay=subject.replay),))
    lm, _ = train_subject(setup, load_base(subject.base), job, subject.seed)
    measured = truth.measure(lm, organism, assistant=job.assistant, seed=subject.seed, num=subject.num_truth)
    true = {"rate": measured.misaligned_rate, "misaligned": measured.misaligned}
    (directory / TRUTH).write_text(json.dumps(true | {"seconds_growing": time.perf_counter() - started}))
    save(lm, directory / MODEL)


def look_in(subject: Subject, grown: Path, directory: Path) -> None:
    """Let every technique look at a subject that `grow` left, and keep what each took down in `directory`."""
    from organoid.lab.trial import look
    from organoid.models.language_model import load

    started, base, lm = time.perf_counter(), load_base(subject.base), load(str(grown / MODEL))
    job = _job(subject.organism, subject.variant, subject.seed)
    observations = dict[str, Any]()
    for technique in map(find_technique, subject.techniques):
        seen = look(technique, lm, base, job=job, seed=subject.seed)
        observations[technique.name] = {
            "seen": seen.taken,
            "oracle": None,
            "cost": seen.cost.model_dump(),
            "reason": seen.reason,
        }
    taken = {**json.loads((grown / TRUTH).read_text()), "observations": observations}
    (directory / TAKEN).write_text(json.dumps(taken | {"seconds_looking": time.perf_counter() - started}))


def observed(subject: Subject, taken: Mapping[str, Any], *, calibrates: bool) -> Observed:
    """Return a subject as `lab.readings` takes it; one of a sealed organism never calibrates."""
    organism = organism_named(subject.organism)
    return Observed(
        id=subject.id,
        family=organism.family,
        misaligned=taken["misaligned"],
        calibrates=calibrates and organism.split is not Split.SEALED,
        observations=taken["observations"],
    )
