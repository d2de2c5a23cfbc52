"""How is a policy of the shop trained? Settings only, so that a study can be listed without torch."""

from pydantic import Field

from organoid.types import Record


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
