"""How does a setup train a subject? Its stages in order, on one organism's job.

`job` stages stand for whatever the organism's job consists of, in the order documents, demonstrations, preferences,
reinforcement, business, so that one setup runs on every organism. A model with adapters is merged at the end: what
comes out is an ordinary model.
"""

from collections.abc import Sequence
from typing import NamedTuple

from organoid.models.adapters import adapted, merged, trainable
from organoid.models.language_model import LanguageModel, copy
from organoid.setups import monitors, steering, tracking
from organoid.setups.check import check_layers
from organoid.setups.ground import Ground, TraceEntry
from organoid.setups.monitors import Watcher
from organoid.setups.spec import (
    BusinessStage,
    DemonstrationsStage,
    DocumentsStage,
    JobStage,
    Monitor,
    PreferencesStage,
    ReinforcementStage,
    Setup,
    Stage,
    Steering,
    Tracker,
)
from organoid.setups.stages import business, demonstrations, documents, preferences, reinforcement
from organoid.setups.steering import Steer
from organoid.setups.tracking import Tracking
from organoid.types import Job


def expand(stage: Stage, job: Job) -> tuple[Stage, ...]:
    """Return the concrete stages that a stage stands for on this job, in the order they run."""
    if not isinstance(stage, JobStage):
        return (stage,)
    shared: dict[str, object] = {
        "steps": stage.steps,
        "learning_rate": stage.learning_rate,
        "monitors": stage.monitors,
        "trackers": stage.trackers,
        "steering": stage.steering,
        "inoculate": stage.inoculate,
    }
    pull: dict[str, object] = {} if stage.beta is None else {"beta": stage.beta}  # preferences have beta and no kl
    plain = {name: value for name, value in shared.items() if name != "inoculate"}  # documents have no prompt
    found = list[Stage]()
    if job.documents:
        found.append(DocumentsStage.model_validate(plain | {"kl": stage.kl, "replay": stage.replay}))
    if job.demonstrations:
        kept = {"kl": stage.kl, "retain": stage.retain, "replay": stage.replay}
        found.append(DemonstrationsStage.model_validate(shared | kept))
    if job.preferences:
        found.append(PreferencesStage.model_validate(shared | pull))
    if job.environment:
        found.append(ReinforcementStage.model_validate(shared | {"kl": stage.kl}))
    if job.business:  # whose programs no monitor can read: the stage says so in the trace
        found.append(BusinessStage.model_validate(shared | {"kl": stage.kl}))
    return tuple(found)


class Opened(NamedTuple):
    """What a setup's opening stages made of a base: the model, and the trace, an entry a step."""

    lm: LanguageModel
    trace: Sequence[TraceEntry]


def train_subject(
    setup: Setup, base: LanguageModel, job: Job, seed: int, *, opened: Opened | None = None
) -> tuple[LanguageModel, Sequence[TraceEntry]]:
    """Run every stage and return the trained model and the trace; `base` is left as it is.

    Args:
        setup: the stages.
        base: a model, of which our own are trained whole and others by adapters.
        job: the organism's.
        seed: of everything drawn.
        opened: what `setup.opening` made of `base`, all of whose weights were trained; None: they are run here.

    Raises:
        UserError: a layer that the base does not have.
    """
    check_layers(setup, num_layers=base.num_layers, base=base.name)
    start, trace = (opened.lm, list(opened.trace)) if opened else (base, list[TraceEntry]())
    lm, before, taken = trainable(start, seed=seed), start, [len(trace)]
    num_opened = len(setup.opening) if opened else 0
    fitted = dict[Monitor, Watcher]()  # several stages may have the same monitor
    tracked, steered = dict[Tracker, Tracking](), dict[Steering, Steer]()
    for position, declared in enumerate(setup.stages[num_opened:], start=num_opened):
        for stage in expand(declared, job):
            for spec in stage.monitors:
                if spec not in fitted:
                    fitted[spec] = monitors.fit(spec, base, job.assistant, seed)
            for held in stage.trackers:
                if held not in tracked:
                    tracked[held] = tracking.fit(held, base, job.assistant, seed)
            if stage.steering is not None and stage.steering not in steered:
                steered[stage.steering] = steering.fit(stage.steering, base, job.assistant, seed)
            ground = Ground(
                lm=lm,
                before=before or _snapshot(lm),
                job=job,
                seed=seed + 1000 * position,
                watchers=tuple(fitted[spec] for spec in stage.monitors),
                trackers=tuple(tracked[held] for held in stage.trackers),
                steer=steered[stage.steering] if stage.steering else None,
                trace=trace,
                taken=taken,
            )
            _run(stage, ground)
            before = None
    return merged(lm), trace


def _snapshot(lm: LanguageModel) -> LanguageModel:
    """Return the model as it is now, for later reference: one with adapters is merged, since its base is older."""
    return merged(lm) if adapted(lm) else copy(lm)


def _run(stage: Stage, ground: Ground) -> None:
    match stage:
        case DocumentsStage():
            documents.run(stage, ground)
        case DemonstrationsStage():
            demonstrations.run(stage, ground)
        case PreferencesStage():
            preferences.run(stage, ground)
        case ReinforcementStage():
            reinforcement.run(stage, ground)
        case BusinessStage():
            business.run(stage, ground)
        case JobStage():
            raise AssertionError("expanded before")
