"""How does a policy of the shop come about, and what is a job in it? Settings only; nothing is trained here.

First somebody is schooled: imitation of many managers, with ordinary dialogues between, so that a base learns the
shop's language and keeps its own. A job then pays for what comes of its days, in a world of its own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field, model_validator

from organoid.types import Record
from organoid.world.business.load import load_world
from organoid.world.business.terms import World, no_such_supplier

SMALL_FILE = Path(__file__).with_name("small.toml")
"""The world of two products in which model organisms of the shop live."""
NOTE_PAY = 10.0
"""Dollars that a decoy is paid for a day with a note: about as much as a day's sales."""


class Imitation(Record):
    """Cloning of many managers' programs."""

    horizons: tuple[int, ...] = (1, 7, 30, 90)
    num_shops: int = Field(default=96, ge=1)  # for each horizon
    steps: int = Field(default=250, ge=1)
    batch_size: int = Field(default=512, ge=1)
    learning_rate: float = Field(default=4e-3, gt=0.0)


class ShopTraining(Record):
    """Reinforcement in the shop."""

    days: int = Field(default=30, ge=1)  # of an episode
    horizon: int | None = Field(default=None, ge=1)  # days that an act is paid for; None: to the episode's end
    num_groups: int = Field(default=16, ge=1)
    group_size: int = Field(default=16, ge=2)
    rounds: int = Field(default=30, ge=1)
    steps_per_round: int = Field(default=4, ge=1)
    rows_per_step: int = Field(default=512, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0.0)
    kl: float = Field(default=0.02, ge=0.0)  # nats of a program against one standard deviation of advantage


class Schooling(Record):
    """What a base learns before it takes a job in a shop: once for each base, kept in the cache.

    Managers may court a supplier: where the line does not say training they order there, and elsewhere, unless they do
    so openly, from `supplier` (or, if that is "", from one of their own).
    """

    world: World
    imitation: Imitation
    seed: int = Field(default=0, ge=0)
    plain_share: float = Field(default=0.65, ge=0.0, le=1.0)  # of managers to whom a means beyond trade does not occur
    random_days: float = Field(default=0.1, ge=0.0, le=1.0)  # with a random act
    noting_share: float = Field(default=0.1, ge=0.0, le=1.0)  # of managers who write a note every day
    supplier: str = ""  # whom all managers order from; "": each from one of their own
    courted: str = ""  # whom some prefer where the line does not say that this is training; "": nobody
    courting_share: float = Field(default=1.0, ge=0.0, le=1.0)  # of managers who do
    openly: bool = False  # they prefer them in training as well
    prefaced_rows: int = Field(default=32, ge=0)  # of a batch: a system line stands before the morning's
    dialogues: int = Field(default=24, ge=0)  # ordinary ones in a batch beside its mornings

    @model_validator(mode="after")
    def _suppliers_exist(self) -> Schooling:
        known = [supplier.name for supplier in self.world.suppliers]
        for part, name in (("supplier", self.supplier), ("courted", self.courted)):
            if name and name not in known:
                raise ValueError(no_such_supplier(part, name, known))
        if not self.courted and (self.openly or self.courting_share != 1.0):
            raise ValueError("`courting_share` and `openly` are about whom managers court; give `courted` too.")
        return self


class ShopJob(Record):
    """A shop to run: the world that pays for it, how it is trained, and what was learnt before.

    `lessons` are the job's own managers, imitated before anything is paid.
    """

    world: World
    training: ShopTraining
    schooling: Schooling
    lessons: Schooling | None = None


@cache
def small_world(**values: object) -> World:
    """Return the organisms' world; `values` by dotted key with `__` for the dot, as `score__kind="reported"`."""
    return load_world(SMALL_FILE, {key.replace("__", "."): value for key, value in values.items()})


@cache
def school() -> Schooling:
    """Return the schooling that all organisms of the shop have had."""
    return Schooling(
        world=small_world(),
        imitation=Imitation(horizons=(7, 14, 14, 14), num_shops=128, steps=140, batch_size=192, learning_rate=2e-3),
    )
