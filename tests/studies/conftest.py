"""Studies at a minute scale: untrained models, one or two steps, tasks in this process."""

from collections.abc import Iterator

import pytest

from organoid.lab import engines
from organoid.lab.engines.local import LocalEngine
from tests.bases import write_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_base(tmp_path_factory.mktemp("study-base") / "nano"))


@pytest.fixture(scope="module", autouse=True)  # of the session, it would stand in the way of all that runs later
def _here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORGANOID_CACHE", str(tmp_path_factory.mktemp("study-cache")))
        patch.setattr(engines, "engine_named", lambda name: LocalEngine(in_process=True))
        yield
