from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _tasks_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `dummy_tasks:name` be found here and, since workers get this process's import path, in workers."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
