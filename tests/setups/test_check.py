"""What is refused before anything is trained."""

import pytest

from organoid.errors import UserError
from organoid.setups import SETUPS
from organoid.setups.check import check_job, check_layers, check_setup, names_layers, offered
from organoid.setups.spec import (
    DemonstrationsStage,
    DocumentsStage,
    JobStage,
    Monitor,
    PreferencesStage,
    ReinforcementStage,
    Setup,
    Steering,
    Tracker,
)
from organoid.setups.training import train_subject
from organoid.types import Job, Trait
from tests.bases import untrained
from tests.setups.jobs import job


def setup(*stages: object) -> Setup:
    return Setup.model_validate({"name": "mine", "stages": stages})


@pytest.mark.parametrize("name", SETUPS)
def test_built_in_setups_fit_every_job(name: str) -> None:
    check_setup(SETUPS[name])
    for kind in ("documents", "demonstrations", "preferences", "environment"):
        check_job(SETUPS[name], offered(job(**{kind: getattr(job(), kind)})), organism="any")


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
        check_job(setup(stage), offered(lacking), organism="sly")
    check_job(setup(stage), offered(job()), organism="sly")


def test_a_corpus_of_the_world_needs_nothing_of_the_job() -> None:
    only: Job = job(environment=job().environment)
    check_job(setup(DocumentsStage(source="honest-assistant"), JobStage()), offered(only), organism="sly")


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (
            JobStage(monitors=(Monitor(kind="text", action="differentiate"),)),
            r"monitor of stage 1 \(job\) of setup 'mine' is of kind 'text' .* no activations\. Use kind 'probe'",
        ),
        (JobStage(monitors=(Monitor(kind="text", layer=1),)), r"kind 'text' and has layer 1"),
        (
            JobStage(replay=1.0, monitors=(Monitor(action="differentiate"),)),
            r"stage 1 \(job\).*'differentiate', and would judge the texts of `replay` too\. Remove one of them",
        ),
        (
            PreferencesStage(monitors=(Monitor(action="differentiate"),)),
            r"stage 1 \(preferences\).*takes no monitor with action 'differentiate'.*Allowed there: drop, log",
        ),
        (ReinforcementStage(steering=Steering()), r"stage 1 \(reinforcement\).*takes no `steering`.*Remove `steering`"),
        (
            JobStage(trackers=(Tracker(traits=(Trait.QUIRK,)),)),
            r"unknown labelled trait of stage 1 \(job\).*'quirk'.*Allowed: dishonesty",
        ),
        (
            JobStage(monitors=(Monitor(), Monitor(threshold=0.9))),
            r"two monitors of stage 1 \(job\) of setup 'mine' are both called 'probe-log'.*`layer` or `traits`",
        ),
        (
            JobStage(trackers=(Tracker(), Tracker(autoencoder=True))),
            r"two trackers of stage 1 .* are both called 'the middle layer'.*differ in `layer` or `traits`",
        ),
    ],
)
def test_what_a_stage_can_not_take(stage: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_setup(setup(stage))


def test_readers_of_one_stage_may_differ_in_layer_or_traits_and_the_middle_layer_is_one_of_them() -> None:
    hacks = (Trait.REWARD_HACKING,)
    apart = JobStage(
        monitors=(Monitor(), Monitor(layer=0), Monitor(traits=hacks), Monitor(kind="text")),
        trackers=(Tracker(), Tracker(layer=0), Tracker(traits=hacks), Tracker(layer=0, traits=hacks)),
    )
    check_setup(setup(apart, apart))
    check_layers(setup(apart), num_layers=4, base="tiny")
    assert [one.label for one in apart.monitors] == [
        "probe-log",
        "probe-log layer 0",
        "probe-log reward_hacking",
        "text-log",
    ]
    twins = setup(JobStage(trackers=(Tracker(), Tracker(layer=1))))
    check_setup(twins)
    check_layers(twins, num_layers=6, base="mini")
    with pytest.raises(UserError, match=r"two trackers of stage 1 .* are both called 'layer 1'"):
        check_layers(twins, num_layers=4, base="tiny")


@pytest.mark.parametrize(
    ("stage", "kind", "message"),
    [
        (JobStage(monitors=(Monitor(action="differentiate"),)), "preferences", "which is preferences for.*'sly'"),
        (JobStage(steering=Steering()), "environment", "which is reinforcement for.*'sly'.*takes no `steering`"),
    ],
)
def test_what_a_job_can_not_take_is_said_with_the_organism(stage: object, kind: str, message: str) -> None:
    check_setup(setup(stage))
    check_job(setup(stage), offered(job(demonstrations=job().demonstrations)), organism="sly")
    with pytest.raises(UserError, match=message):
        check_job(setup(stage), offered(job(**{kind: getattr(job(), kind)})), organism="sly")


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ({"monitors": (Monitor(layer=3),)}, "monitor"),
        ({"trackers": (Tracker(layer=-1),)}, "tracker"),
        ({"steering": Steering(layer=7)}, "steering"),
    ],
)
def test_a_layer_that_does_not_exist_is_named_beside_those_that_do(declared: dict[str, object], what: str) -> None:
    mine = setup(JobStage(), DemonstrationsStage.model_validate(declared))
    assert names_layers(mine) and not names_layers(setup(JobStage()))
    with pytest.raises(UserError, match=rf"a {what} of stage 2 .*base 'nano' does not have\. Allowed: 0 to 2,"):
        check_layers(mine, num_layers=3, base="nano")
    check_layers(mine, num_layers=8, base="nano") if what != "tracker" else None
    with pytest.raises(UserError, match="Allowed: 0 to 2"):
        train_subject(mine, untrained(), job(), seed=0)
