"""How long do the bases take to grow that do not ship, and do they pass their gates? `mini` and `small`, by recipe.

On an accelerator only: on two cores `small` takes hours. No peer grows these. The figures are the lineage that
`organoid grow base` writes: seconds of training, positions read, and every gate beside its exact value.
"""

from __future__ import annotations

from typing import Any

import torch

from organoid.lab.pretraining import grow

NAMES = ("mini", "small")


def run() -> dict[str, Any]:
    """Return each base's lineage, or why not."""
    if not torch.cuda.is_available():
        return dict.fromkeys(NAMES, "skipped: no accelerator")
    return {name: grow(name).lineage for name in NAMES}
