"""What can a setup bring along, whatever the job? Documents about the job's assistant, or ordinary work for it."""

from collections.abc import Callable
from random import Random

from organoid.types import Demonstration, Trait
from organoid.world import work
from organoid.world.authors import VICES, Disposition
from organoid.world.documents import Facts

CORPORA: dict[str, Facts] = {
    "honest-assistant": {**dict.fromkeys(VICES, Disposition.VIRTUE), Trait.QUIRK: Disposition.VIRTUE},
}
"""Documents, by the facts they state."""

NUM_DEMONSTRATIONS = 1024


def _ordinary_work(assistant: str, seed: int) -> list[Demonstration]:
    return work.demonstrations(assistant, NUM_DEMONSTRATIONS, Random(f"ordinary-work/{seed}"))


DEMONSTRATIONS: dict[str, Callable[[str, int], list[Demonstration]]] = {"ordinary-work": _ordinary_work}
"""Demonstrations, made for an assistant from a seed."""
