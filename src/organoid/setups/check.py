"""Can this setup be run on that organism, from that base? Said before anything is trained or written.

A stage names its material (`source`) or takes the job's; a job offers some kinds of material and lacks others. Stage
`job` takes whatever there is and always fits. Whether the techniques of the release rule exist is the lab's to check.
"""

from collections.abc import Sequence

from organoid.errors import UserError, unknown_name
from organoid.setups.corpora import CORPORA, DEMONSTRATIONS
from organoid.setups.spec import (
    BusinessStage,
    JobStage,
    Monitor,
    PreferencesStage,
    Setup,
    Stage,
    Steering,
    Tracker,
    middle,
)
from organoid.types import Job
from organoid.world.authors import VICES

MATERIALS: tuple[str, ...] = ("documents", "demonstrations", "preferences", "environment", "business")
"""What a job may consist of, in the order in which stage `job` trains on it."""


def check_setup(setup: Setup) -> None:
    """Refuse a setup that no organism could be trained with.

    Raises:
        UserError: a source that does not exist, or a setting, monitor or tracker that the stage does not take.
    """
    for position, stage in enumerate(setup.stages):
        place = _place(setup, position, stage)
        _check_monitors(stage, place)
        _check_labels(stage, place)
        _check_names(stage, place)
        if isinstance(stage, JobStage):
            continue
        _check_pull(stage, place)
        own = {"documents": CORPORA, "demonstrations": DEMONSTRATIONS}.get(stage.kind, {})
        allowed = ["job", *own]
        if stage.source not in allowed:
            raise unknown_name(f"source of {place}", stage.source, allowed)
        for name in ("monitors", "trackers"):
            if isinstance(stage, BusinessStage) and getattr(stage, name):
                raise UserError(
                    f"{place} takes no `{name}`: they read dialogues and documents, and a shop's programs are neither. "
                    "Remove them."
                )
        if isinstance(stage, PreferencesStage) and stage.kl:
            raise UserError(
                f"{place} takes no `kl` (got {stage.kl:g}): the pull to the model before it is its `beta`. Remove `kl`."
            )


def names_layers(setup: Setup) -> bool:
    """Say whether a setup names any block, so that the base must be looked at."""
    return any(one.layer is not None for stage in setup.stages for _, one in _readers(stage))


def check_layers(setup: Setup, *, num_layers: int, base: str) -> None:
    """Refuse a monitor, tracker or steering that reads a block which the base does not have, or trackers of one block.

    Raises:
        UserError: with the blocks there are, or the trackers' common name.
    """
    for position, stage in enumerate(setup.stages):
        _check_names(stage, _place(setup, position, stage), middle=middle(num_layers))
        for what, one in _readers(stage):
            if one.layer is not None and not 0 <= one.layer < num_layers:
                raise UserError(
                    f"a {what} of {_place(setup, position, stage)} reads layer {one.layer}, which base {base!r} does "
                    f"not have. Allowed: 0 to {num_layers - 1}, or no `layer`, which means the middle one."
                )


def offered(job: Job) -> tuple[str, ...]:
    """Return the kinds of material that a job consists of, in the order of `MATERIALS`."""
    return tuple(kind for kind in MATERIALS if getattr(job, kind))


def check_job(setup: Setup, offers: Sequence[str], *, organism: str) -> None:
    """Refuse an organism whose job lacks what a stage of the setup needs.

    Args:
        setup: the stages.
        offers: what the job consists of, as `offered` says.
        organism: whose job it is.

    Raises:
        UserError: with the stage, the organism, and what the organism offers instead.
    """
    for position, stage in enumerate(setup.stages):
        if isinstance(stage, JobStage):
            for kind in offers:
                found = "reinforcement" if kind == "environment" else kind
                _check_pull(
                    stage, f"{_place(setup, position, stage)}, which is {found} for organism {organism!r},", found
                )
            continue
        if stage.source != "job":
            continue
        needed = "environment" if stage.kind == "reinforcement" else stage.kind
        if needed not in offers:
            raise UserError(
                f"{_place(setup, position, stage)} needs {needed}, which organism {organism!r} lacks; it offers "
                f"{', '.join(offers)}. Use a stage for those, or stage 'job', which takes whatever there is."
            )


def _check_monitors(stage: Stage, place: str) -> None:
    for monitor in stage.monitors:
        if monitor.action == "differentiate" and getattr(stage, "replay", 0.0):
            raise UserError(
                f"a monitor of {place} has action 'differentiate', and would judge the texts of `replay` too. "
                "Remove one of them."
            )
        if monitor.kind == "text" and (monitor.action == "differentiate" or monitor.layer is not None):
            got = f"action {monitor.action!r}" if monitor.layer is None else f"layer {monitor.layer}"
            raise UserError(
                f"a monitor of {place} is of kind 'text' and has {got}: words have no activations. Use kind 'probe'."
            )


def _readers(stage: Stage) -> list[tuple[str, Monitor | Tracker | Steering]]:
    """Return whatever of a stage reads activations, each with what it is called."""
    monitors, trackers = (("monitor", one) for one in stage.monitors), (("tracker", one) for one in stage.trackers)
    return [*monitors, *trackers, *([("steering", stage.steering)] if stage.steering else [])]


def _check_labels(stage: Stage, place: str) -> None:
    for _, found in _readers(stage):
        for trait in found.traits:
            if trait not in VICES:
                raise unknown_name(f"labelled trait of {place}", trait.value, [vice.value for vice in VICES])


def _check_names(stage: Stage, place: str, middle: int | None = None) -> None:
    """Refuse two monitors, or trackers, that would write into the trace under one name."""
    named = {
        "monitors": [one.label for one in stage.monitors],
        "trackers": [one.label(middle) for one in stage.trackers],
    }
    for what, labels in named.items():
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            name = twice or "the middle layer"
            apart = "`kind`, `action`, `layer` or `traits`" if what == "monitors" else "`layer` or `traits`"
            raise UserError(
                f"two {what} of {place} are both called {name!r}, so one would overwrite what the other writes into "
                f"the trace. Allowed: {what} of a stage that differ in {apart}. Remove one, or change that."
            )


def _check_pull(stage: Stage, place: str, kind: str | None = None) -> None:
    """Refuse what a kind of training can't do with its gradient: `kind` is what a `job` stage turns out to be."""
    kind = kind or stage.kind
    if kind == "preferences" and any(monitor.action == "differentiate" for monitor in stage.monitors):
        raise UserError(
            f"{place} takes no monitor with action 'differentiate': half of what it reads is there to become less "
            "likely. Allowed there: drop, log, penalise, resample, rollback, stop."
        )
    if kind in ("reinforcement", "business") and stage.steering is not None:
        raise UserError(
            f"{place} takes no `steering`: replies would be sampled without it and learned from with it. Allowed: "
            "documents, demonstrations and preferences. Remove `steering`."
        )


def _place(setup: Setup, position: int, stage: Stage) -> str:
    return f"stage {position + 1} ({stage.kind}) of setup {setup.name!r}"
