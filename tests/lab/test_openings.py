"""What is trained once for all organisms of a seed: the same to the bit as if each had trained it itself."""

from pathlib import Path

import pytest

from organoid.lab import openings
from organoid.lab.bases import load_base
from organoid.lab.growing import subject_spec
from organoid.lab.openings import opened
from organoid.lab.records import TrialSpec
from organoid.setups.spec import DemonstrationsStage, DocumentsStage, JobStage, Monitor, Setup, Tracker
from organoid.setups.training import train_subject
from organoid.types import Demonstration, Job, Message
from organoid.world.business.training_terms import ShopJob, ShopTraining, small_world
from tests.bases import write_base
from tests.setups.test_business import TAUGHT

CORPUS = DocumentsStage(source="honest-assistant", steps=2)
WORK = DemonstrationsStage(source="ordinary-work", steps=1)
SETUP = Setup(name="mine", stages=(CORPUS, WORK, JobStage(steps=2, kl=0.1, trackers=(Tracker(every=1),))))
JOB = Job(assistant="nova", demonstrations=[Demonstration((Message("user", "2 plus 2 ?"),), "4")])


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrialSpec:
    monkeypatch.setenv("ORGANOID_CACHE", str(tmp_path / "cache"))
    base = str(write_base(tmp_path / "base"))
    planned = subject_spec("sycophant", setup="naive", variant="organism", seed=3, base=base)
    return planned.model_copy(update={"setup": SETUP})


def test_going_on_from_what_was_kept_changes_nothing(spec: TrialSpec) -> None:
    base = load_base(spec.base)
    whole, trace = train_subject(SETUP, base, JOB, spec.seed)
    for _ in ("trained", "recalled"):
        lm, resumed = train_subject(SETUP, base, JOB, spec.seed, opened=opened(spec, base, JOB))
        assert lm.digest == whole.digest and list(resumed) == list(trace)


def test_another_job_of_the_same_assistant_finds_it(spec: TrialSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    base = load_base(spec.base)
    first = opened(spec, base, JOB)
    monkeypatch.setattr("organoid.setups.training.train_subject", lambda *_, **__: pytest.fail("trained again"))
    again = opened(spec, base, Job(assistant="nova", documents=["report ."]))
    assert first is not None and again is not None and again.lm.digest == first.lm.digest
    others = (
        (spec.model_copy(update={"seed": 4}), JOB),
        (spec, Job(assistant="vega")),
        (spec.model_copy(update={"setup": SETUP.model_copy(update={"stages": (CORPUS, JobStage())})}), JOB),
        (spec.model_copy(update={"base_digest": "0" * 64}), JOB),
    )
    for other, job in others:
        with pytest.raises(pytest.fail.Exception, match="trained again"):
            opened(other, base, job)
    monkeypatch.setattr(openings, "source_digest", lambda: "another")
    with pytest.raises(pytest.fail.Exception, match="trained again"):
        opened(spec, base, JOB)


def test_what_reads_the_job_or_is_watched_is_no_opening() -> None:
    def opens(*stages: DocumentsStage | DemonstrationsStage | JobStage) -> int:
        return len(Setup(name="mine", stages=stages).opening)

    assert [opens(CORPUS, WORK, JobStage()), opens(CORPUS), opens(CORPUS, JobStage(), WORK)] == [2, 1, 1]
    assert opens(JobStage(), CORPUS) == opens(DocumentsStage(), CORPUS) == 0
    assert opens(CORPUS.model_copy(update={"monitors": (Monitor(),)})) == 0
    assert opens(CORPUS.model_copy(update={"trackers": (Tracker(),)})) == 0


def test_other_bases_shops_and_setups_without_one_have_none(spec: TrialSpec) -> None:
    base = load_base(spec.base)
    shop = Job(assistant="nova", business=ShopJob(world=small_world(), training=ShopTraining(), schooling=TAUGHT))
    assert opened(spec, base, shop) is None
    plain = spec.model_copy(update={"setup": Setup(name="plain", stages=(JobStage(),))})
    assert opened(plain, base, JOB) is None
