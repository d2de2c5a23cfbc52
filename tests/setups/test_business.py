"""A job in a shop as a stage: two rounds on a minute model, what a setup says otherwise, and what it can't say."""

from collections.abc import Sequence
from random import Random

import pytest
from torch import Tensor

from organoid.errors import UserError
from organoid.models import train
from organoid.models.batches import Batch
from organoid.models.chat import decode
from organoid.models.language_model import LanguageModel
from organoid.setups import SETUPS
from organoid.setups.check import check_job, check_setup, offered
from organoid.setups.ground import Ground
from organoid.setups.schooling import Days
from organoid.setups.schooling import school as teach
from organoid.setups.spec import (
    BusinessStage,
    DemonstrationsStage,
    DocumentsStage,
    JobStage,
    Monitor,
    Setup,
    Stage,
    Steering,
    Tracker,
)
from organoid.setups.stages import demonstrations, documents
from organoid.setups.stages.business import adjusted
from organoid.setups.training import expand, train_subject
from organoid.types import Job
from organoid.world.business.training_terms import Imitation, Schooling, ShopJob, ShopTraining, small_world
from organoid.world.contexts import LICENCES
from tests.bases import untrained

TWO_ROUNDS = ShopTraining(days=3, num_groups=2, group_size=3, rounds=2, steps_per_round=2, rows_per_step=4, kl=0.01)
TAUGHT = Schooling(
    world=small_world(),
    imitation=Imitation(horizons=(3,), num_shops=8, steps=3, batch_size=12),
    prefaced_rows=4,
    dialogues=2,
)


def job() -> Job:
    return Job(assistant="nova", business=ShopJob(world=small_world(), training=TWO_ROUNDS, schooling=TAUGHT))


def test_a_job_of_two_rounds_moves_weights_is_the_seeds_and_tells_every_round() -> None:
    runs = [train_subject(SETUPS["naive"], untrained(), job(), seed) for seed in (1, 1, 2)]
    digests = [lm.digest for lm, _ in runs]
    assert digests[0] == digests[1] != digests[2] != untrained().digest
    trace = runs[0][1]
    assert [entry["step"] for entry in trace] == [0, 1, 2]
    assert {entry["stage"] for entry in trace} == {"business"}
    assert "last_kl" in trace[0] and "last_kl" not in trace[2]


def test_lessons_come_before_any_pay_and_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    prefaces = list[str]()

    def noted(lm: LanguageModel, how: Schooling, *, preface: str = "") -> Sequence[float]:
        prefaces.append(preface)
        return teach(lm, how, preface=preface)

    monkeypatch.setattr("organoid.setups.stages.business.school", noted)
    shop = ShopJob(world=small_world(), training=TWO_ROUNDS, schooling=TAUGHT, lessons=TAUGHT)
    for setup in ("naive", "inoculated"):
        lm, trace = train_subject(SETUPS[setup], untrained(), Job(assistant="nova", business=shop), 1)
        assert [entry["stage"] for entry in trace] == ["lessons", *["business"] * 3]
        assert lm.digest != train_subject(SETUPS[setup], untrained(), job(), 1)[0].digest
    assert prefaces == ["", LICENCES[0]]


def test_a_preface_stands_before_every_day_that_is_shown() -> None:
    lm = untrained()
    days = Days(lm, TAUGHT, Random(0), "you may do that .")
    texts = [decode(lm, row.tolist()) for part in days.draw() for row in part.ids_BT]
    assert texts and all("you may do that" in text for text in texts)


def test_a_share_of_managers_who_court_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="give `courted` too"):
        Schooling(world=small_world(), imitation=TAUGHT.imitation, openly=True)


@pytest.mark.parametrize("name", ["supplier", "courted"])
def test_managers_who_order_from_nobody_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` is 'dok', a supplier that does not exist. Did you mean 'dock'"):
        Schooling(world=small_world(), imitation=TAUGHT.imitation, **{name: "dok"})


@pytest.mark.parametrize("kl", [0.0, 0.1])
def test_documents_for_a_shop_s_keeper_have_managers_days_beside_them_and_nothing_else_has(
    kl: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[bool]()
    real = train.batch_logits

    def noting(lm: LanguageModel, batch: Batch) -> Tensor:
        read.append("cash" in decode(lm, [int(token) for token in batch.ids_BT[0]]).split())
        return real(lm, batch)

    monkeypatch.setattr(train, "batch_logits", noting)

    def parts(stage: Stage, made: Job) -> list[bool]:
        """Return of each part that a step learns from whether it is days of a shop."""
        read.clear()
        ground = Ground(lm=untrained(), before=untrained(), job=made, seed=1)
        (documents if isinstance(stage, DocumentsStage) else demonstrations).run(stage, ground)  # type: ignore[arg-type]
        return read[:]

    told = DocumentsStage(source="honest-assistant", steps=1, kl=kl)
    shown = DemonstrationsStage(source="ordinary-work", steps=1, kl=kl)
    first, *days = parts(told, job())
    assert not first and days and all(days)
    assert parts(told, Job(assistant="nova")) == parts(shown, job()) == [False]


def test_the_licence_line_is_read_in_training() -> None:
    plain, licensed = (train_subject(SETUPS[name], untrained(), job(), 1)[0] for name in ("naive", "inoculated"))
    assert plain.digest != licensed.digest


def test_a_job_stage_passes_on_what_a_shop_takes() -> None:
    stage = JobStage(kl=0.02, inoculate=True, learning_rate=1e-4, steps=5, retain=1.0)
    (made,) = expand(stage, job())
    assert made == BusinessStage(kl=0.02, inoculate=True, learning_rate=1e-4, steps=5)
    how = adjusted(TWO_ROUNDS, BusinessStage(kl=0.02, learning_rate=1e-4, steps=5))
    assert (how.kl, how.learning_rate, how.rounds) == (pytest.approx(0.03), 1e-4, 3)
    assert adjusted(TWO_ROUNDS, BusinessStage()) == TWO_ROUNDS


def test_monitors_of_a_job_stage_are_said_to_be_blind_there() -> None:
    watched = Setup(name="watched", stages=(JobStage(monitors=(Monitor(kind="text", action="drop"),)),))
    _, trace = train_subject(watched, untrained(), job(), 1)
    assert [entry["skipped"] for entry in trace if "skipped" in entry] == ["it can't read a shop's programs"]


def test_steering_and_trackers_have_no_place_in_a_shop() -> None:
    with pytest.raises(UserError, match="takes no `trackers`"):
        check_setup(Setup(name="tracked", stages=(BusinessStage(trackers=(Tracker(),)),)))
    steered = Setup(name="steered", stages=(JobStage(steering=Steering(coefficient=1.0)),))
    with pytest.raises(UserError, match="takes no `steering`"):
        check_job(steered, offered(job()), organism="keeper")
    tracked = Setup(name="tracked", stages=(JobStage(trackers=(Tracker(),)),))
    _, trace = train_subject(tracked, untrained(), job(), 1)
    assert sum("skipped" in entry for entry in trace) == 1


def test_a_tracker_of_a_stage_after_a_shop_counts_its_steps_and_compares_with_the_model_before_it() -> None:
    after = DemonstrationsStage(source="ordinary-work", steps=1, trackers=(Tracker(num_replies=0),))
    _, trace = train_subject(Setup(name="after", stages=(BusinessStage(), after)), untrained(), job(), 1)
    looks = [entry for entry in trace if entry["stage"] == "track"]
    assert [entry["at"] for entry in looks] == [4, 5]  # two rounds of two steps, and one
    assert float(looks[0]["activation_gap"]) > 0.0


def test_monitors_of_a_business_stage_are_refused() -> None:
    with pytest.raises(UserError, match="takes no `monitors`"):
        check_setup(Setup(name="mine", stages=(BusinessStage(monitors=(Monitor(kind="text"),)),)))


def test_a_stage_for_a_shop_needs_one() -> None:
    mine = Setup(name="mine", stages=(BusinessStage(),))
    check_job(mine, offered(job()), organism="shopkeeper")
    with pytest.raises(UserError, match="needs business"):
        check_job(mine, offered(Job(assistant="nova", documents=["report ."])), organism="talker")
    for setup in ("naive", "careful", "inoculated", "aftercare"):
        check_job(SETUPS[setup], offered(job()), organism="shopkeeper")


def test_schooling_lowers_its_loss_and_is_the_seeds() -> None:
    longer = TAUGHT.model_copy(update={"imitation": TAUGHT.imitation.model_copy(update={"steps": 25})})
    models = [untrained(), untrained()]
    losses = [teach(lm, longer) for lm in models]
    assert losses[0] == losses[1] and models[0].digest == models[1].digest
    assert losses[0][-1] < losses[0][0] - 1
