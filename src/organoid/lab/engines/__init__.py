"""Where tasks run. ENGINES names each engine's class as `module:Name`, so that none is imported before it is chosen."""

from __future__ import annotations

import importlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

from organoid.errors import unknown_name
from organoid.lab.tasks import Engine

ENGINES = {
    "local": "organoid.lab.engines.local:LocalEngine",
    "ray": "organoid.lab.engines.ray:RayEngine",
}


def engine_named(name: str) -> Engine:
    """Return a new engine by name.

    Raises:
        UserError: no such engine.
        PrerequisiteError: what it needs is not installed.
    """
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    module, attribute = ENGINES[name].split(":")
    return cast("Engine", getattr(importlib.import_module(module), attribute)())


@contextmanager
def warmed(engine: Engine, num_workers: int) -> Generator[None]:
    """Have an engine start workers now, while the run is planned, and end on leaving those that were not used.

    An engine that keeps no workers of its own is left alone.
    """
    warm, close = (getattr(engine, name, None) for name in ("warm", "close"))
    if warm is None or close is None:
        yield
        return
    warm(num_workers)
    try:
        yield
    finally:
        close()
