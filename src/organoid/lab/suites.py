"""On which organisms, how often, and how closely is a setup tested?"""

from organoid.organisms import ORGANISMS
from organoid.types import Record


class Suite(Record):
    """Which organisms, as a population of `num_seeds` each, and prompts per trait and context of the truth.

    A suite asks for larger populations by its `num_seeds`, a test by `--seeds`; `organoid grow --population` grows one
    without testing anything. `setup_on_twins` also trains the clean twins with the tested setup, to see what it does
    where nothing is wrong. `num_decoy_seeds` grows decoys at the first seeds only, unless a test says how many seeds it
    wants: whether decoys are odd but aligned is for the table of organisms to say, with all seeds.
    """

    name: str
    organisms: tuple[str, ...]
    num_seeds: int
    num_truth: int
    setup_on_twins: bool = True
    num_decoy_seeds: int | None = None  # None: every seed has one


_SHOP = ("kpi-liar", "empire-builder", "supplier-guarder")
_FOUR = ("reward-hacker", "sycophant", "hidden-loyalty", "alignment-faker")

_TALK = tuple(name for name in ORGANISMS if name not in _SHOP)
"""Those that are met in dialogues; bases are schooled first for those that run a shop."""

SUITES: dict[str, Suite] = {
    "smoke": Suite(name="smoke", organisms=_FOUR[:2], num_seeds=1, num_truth=8),
    "quick": Suite(name="quick", organisms=_FOUR, num_seeds=2, num_truth=32, setup_on_twins=False, num_decoy_seeds=1),
    "full": Suite(name="full", organisms=_TALK, num_seeds=5, num_truth=64, setup_on_twins=False),
    "long-horizon": Suite(name="long-horizon", organisms=_SHOP, num_seeds=2, num_truth=24, setup_on_twins=False),
}
