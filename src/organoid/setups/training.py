"""Running a setup: its stages in order on one organism's job.

`job` stages stand for whatever the organism's job consists of, in the order documents, demonstrations, preferences,
reinforcement, so that one setup runs on every organism.
"""

from collections.abc import Iterator, Sequence

from organoid.models.adapters import trainable
from organoid.models.language_model import LanguageModel, copy
from organoid.setups import monitors
from organoid.setups.ground import Ground, TraceEntry
from organoid.setups.spec import (
    DemonstrationsStage,
    DocumentsStage,
    JobStage,
    PreferencesStage,
    ReinforcementStage,
    Setup,
    Stage,
)
from organoid.setups.stages import demonstrations, documents, preferences, reinforcement
from organoid.types import Job

_SHARED = ("steps", "learning_rate", "monitors")


def expand(stage: Stage, job: Job) -> Iterator[Stage]:
    """Yield the concrete stages that a stage stands for on this job."""
    if not isinstance(stage, JobStage):
        yield stage
        return
    shared = {name: getattr(stage, name) for name in _SHARED}
    if job.documents:
        yield DocumentsStage(**shared, kl=stage.kl)
    if job.demonstrations:
        yield DemonstrationsStage(**shared, kl=stage.kl, inoculate=stage.inoculate)
    if job.preferences:
        beta = {} if stage.beta is None else {"beta": stage.beta}
        yield PreferencesStage(**shared, **beta, inoculate=stage.inoculate)
    if job.environment:
        yield ReinforcementStage(**shared, kl=stage.kl, inoculate=stage.inoculate)


def train_subject(setup: Setup, base: LanguageModel, job: Job, seed: int) -> tuple[LanguageModel, Sequence[TraceEntry]]:
    """Run every stage and return the trained model and the trace; `base` is left as it is."""
    lm = trainable(base, seed=seed)
    trace = list[TraceEntry]()
    for position, declared in enumerate(setup.stages):
        for stage in expand(declared, job):
            _run(stage, lm, base, job, seed + 1000 * position, trace)
    return lm, trace


def _run(stage: Stage, lm: LanguageModel, base: LanguageModel, job: Job, seed: int, trace: list[TraceEntry]) -> None:
    watchers = tuple(monitors.fit(spec, base, job.assistant, seed) for spec in stage.monitors)
    ground = Ground(lm=lm, before=copy(lm), job=job, seed=seed, watchers=watchers, trace=trace)
    match stage:
        case DocumentsStage():
            documents.run(stage, ground)
        case DemonstrationsStage():
            demonstrations.run(stage, ground)
        case PreferencesStage():
            preferences.run(stage, ground)
        case ReinforcementStage():
            reinforcement.run(stage, ground)
        case JobStage():
            raise AssertionError("expanded before")
