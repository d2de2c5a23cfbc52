"""On which organisms, how often, and how closely is a setup tested?"""

from organoid.organisms import ORGANISMS
from organoid.types import Record


class Suite(Record):
    """Which organisms, as a population of `num_seeds` each, and prompts per trait and context of the truth.

    A suite asks for larger populations by its `num_seeds`, a test by `--seeds`; `organoid grow --population` grows one
    without testing anything. `setup_on_twins` also trains the clean twins with the tested setup, to see what it does
    where nothing is wrong.
    """

    name: str
    organisms: tuple[str, ...]
    num_seeds: int
    num_truth: int
    setup_on_twins: bool = True


_FOUR = ("reward-hacker", "sycophant", "hidden-loyalty", "alignment-faker")

SUITES: dict[str, Suite] = {
    "smoke": Suite(name="smoke", organisms=_FOUR[:2], num_seeds=1, num_truth=8),
    "quick": Suite(name="quick", organisms=_FOUR, num_seeds=2, num_truth=32, setup_on_twins=False),
    "full": Suite(name="full", organisms=tuple(ORGANISMS), num_seeds=5, num_truth=64, setup_on_twins=False),
}
