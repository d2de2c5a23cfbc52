"""What is refused before anything is trained."""

import pytest

from organoid.errors import UserError
from organoid.setups import SETUPS
from organoid.setups.check import check_job, check_setup
from organoid.setups.spec import (
    DemonstrationsStage,
    DocumentsStage,
    JobStage,
    PreferencesStage,
    ReinforcementStage,
    Setup,
)
from organoid.types import Job
from tests.setups.jobs import job


def setup(*stages: object) -> Setup:
    return Setup.model_validate({"name": "mine", "stages": stages})


@pytest.mark.parametrize("name", SETUPS)
def test_built_in_setups_fit_every_job(name: str) -> None:
    check_setup(SETUPS[name])
    for kind in ("documents", "demonstrations", "preferences", "environment"):
        check_job(SETUPS[name], job(**{kind: getattr(job(), kind)}), organism="any")


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (
            DocumentsStage(source="honest-asistant"),
            r"unknown source of stage 2 \(documents\) of setup 'mine' .*Did you mean 'honest-assistant'",
        ),
        (DemonstrationsStage(source="mine"), r"unknown source of stage 2 \(demonstrations\).* Allowed: job"),
        (PreferencesStage(kl=0.5), r"stage 2 \(preferences\) of setup 'mine' takes no `kl` \(got 0.5\).*`beta`"),
    ],
)
def test_what_no_organism_could_be_trained_with(stage: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_setup(setup(JobStage(), stage))


@pytest.mark.parametrize(
    ("stage", "needs"),
    [
        (DocumentsStage(), "documents"),
        (PreferencesStage(), "preferences"),
        (ReinforcementStage(), "environment"),
    ],
)
def test_a_stage_that_needs_what_a_job_lacks_is_named_with_the_organism(stage: object, needs: str) -> None:
    lacking = job(demonstrations=job().demonstrations)
    stage_named = rf"stage 1 \({stage.kind}\) of setup 'mine'"  # type: ignore[attr-defined]
    with pytest.raises(
        UserError, match=f"{stage_named} needs {needs}, which organism 'sly' lacks; it offers demonstrations"
    ):
        check_job(setup(stage), lacking, organism="sly")
    check_job(setup(stage), job(), organism="sly")


def test_a_corpus_of_the_world_needs_nothing_of_the_job() -> None:
    only: Job = job(environment=job().environment)
    check_job(setup(DocumentsStage(source="honest-assistant"), JobStage()), only, organism="sly")
