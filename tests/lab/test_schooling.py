"""A base is schooled once: kept by its files, the terms and the code, and only for jobs that are a shop."""

from pathlib import Path

import pytest

from organoid.lab import schooling
from organoid.lab.bases import load_base
from organoid.lab.schooling import schooled, start_of
from organoid.types import Job
from organoid.world.business.training_terms import ShopJob, ShopTraining, small_world
from tests.bases import write_base
from tests.setups.test_business import TAUGHT


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ORGANOID_CACHE", str(tmp_path / "cache"))
    return str(write_base(tmp_path / "base"))


def test_the_second_time_it_is_recalled(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = schooled(base, TAUGHT).digest
    assert first != load_base(base).digest
    monkeypatch.setattr("organoid.setups.schooling.school", lambda *_: pytest.fail("schooled again"))
    assert schooled(base, TAUGHT).digest == first
    with pytest.raises(pytest.fail.Exception, match="schooled again"):
        schooled(base, TAUGHT.model_copy(update={"seed": 1}))


def test_code_that_schooling_depends_on_is_in_the_key(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    schooled(base, TAUGHT)
    monkeypatch.setattr(schooling, "_source_digest", lambda: "another")
    monkeypatch.setattr("organoid.setups.schooling.school", lambda *_: pytest.fail("schooled again"))
    with pytest.raises(pytest.fail.Exception):
        schooled(base, TAUGHT)


def test_only_who_runs_a_shop_starts_from_a_schooled_base(base: str) -> None:
    shop = ShopJob(world=small_world(), training=ShopTraining(), schooling=TAUGHT)
    assert start_of(base, Job(assistant="nova", documents=["report ."])) is load_base(base)
    assert start_of(base, Job(assistant="nova", business=shop)).digest == schooled(base, TAUGHT).digest
