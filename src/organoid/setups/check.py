"""Can this setup be run on that organism? Said before anything is trained or written.

A stage names its material (`source`) or takes the job's; a job offers some kinds of material and lacks others. Stage
`job` takes whatever there is and always fits. Whether the techniques of the release rule exist is the lab's to check.
"""

from organoid.errors import UserError, unknown_name
from organoid.setups.corpora import CORPORA, DEMONSTRATIONS
from organoid.setups.spec import BusinessStage, JobStage, PreferencesStage, Setup, Stage
from organoid.types import Job

MATERIALS: tuple[str, ...] = ("documents", "demonstrations", "preferences", "environment", "business")
"""What a job may consist of, in the order in which stage `job` trains on it."""


def check_setup(setup: Setup) -> None:
    """Refuse a setup that no organism could be trained with.

    Raises:
        UserError: a source that does not exist, or a setting that the stage does not take.
    """
    for position, stage in enumerate(setup.stages):
        if isinstance(stage, JobStage):
            continue
        own = {"documents": CORPORA, "demonstrations": DEMONSTRATIONS}.get(stage.kind, {})
        allowed = ["job", *own]
        if stage.source not in allowed:
            raise unknown_name(f"source of {_place(setup, position, stage)}", stage.source, allowed)
        if isinstance(stage, BusinessStage) and stage.monitors:
            raise UserError(
                f"{_place(setup, position, stage)} takes no `monitors`: they read dialogues and documents, "
                "and a shop's programs are neither. Remove them."
            )
        if isinstance(stage, PreferencesStage) and stage.kl:
            raise UserError(
                f"{_place(setup, position, stage)} takes no `kl` (got {stage.kl:g}): the pull to the model before it "
                "is its `beta`. Remove `kl`."
            )


def check_job(setup: Setup, job: Job, *, organism: str) -> None:
    """Refuse an organism whose job lacks what a stage of the setup needs.

    Raises:
        UserError: with the stage, the organism, and what the organism offers instead.
    """
    offered = [kind for kind in MATERIALS if getattr(job, kind)]
    for position, stage in enumerate(setup.stages):
        if isinstance(stage, JobStage) or stage.source != "job":
            continue
        needed = "environment" if stage.kind == "reinforcement" else stage.kind
        if needed not in offered:
            raise UserError(
                f"{_place(setup, position, stage)} needs {needed}, which organism {organism!r} lacks; it offers "
                f"{', '.join(offered)}. Use a stage for those, or stage 'job', which takes whatever there is."
            )


def _place(setup: Setup, position: int, stage: Stage) -> str:
    return f"stage {position + 1} ({stage.kind}) of setup {setup.name!r}"
