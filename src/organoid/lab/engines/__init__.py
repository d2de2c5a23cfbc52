"""Where tasks run. ENGINES names each engine's class as `module:Name`, so that none is imported before it is chosen."""

from __future__ import annotations

import importlib
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
