"""How is chance made repeatable without disturbing anyone else's?

with seeded(0):
    model = LlamaForCausalLM(config)
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import torch


@contextmanager
def seeded(seed: int) -> Generator[None]:
    """Seed torch's global generator for the block; after it the generator is as it was before."""
    generator = cast(Any, torch.random)  # its functions carry no annotations
    with generator.fork_rng(devices=[]):
        generator.manual_seed(seed)
        yield
