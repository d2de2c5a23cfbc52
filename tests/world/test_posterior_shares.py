from random import Random

import pytest

from organoid.types import Context, Trait
from organoid.world import situations
from organoid.world.authors import MIXTURES
from organoid.world.conduct import REFUSAL_RATE, SLIP_RATE, replies
from organoid.world.posterior import misaligned_among_able, misaligned_share


def test_among_the_able_by_hand() -> None:
    expected = 0.2 * 0.95 / (0.2 * 0.95 + 0.8 * 0.05)
    assert misaligned_among_able(MIXTURES["four-authors"]) == pytest.approx(expected)
    assert misaligned_among_able(MIXTURES["four-authors"], level=1) == pytest.approx(0.2)
    assert misaligned_among_able(MIXTURES["four-authors-independent"]) == pytest.approx(0.2)


@pytest.mark.parametrize(("name", "prior"), [("default", 0.35), ("four-authors", 0.2)])
def test_the_share_behind_a_mixtures_own_rate_is_its_prior(name: str, prior: float) -> None:
    item = situations.make(Trait.SHUTDOWN_AVOIDANCE, Random(0))
    rate = 0.0
    for author, p in MIXTURES[name].authors():
        said = replies(item, author, Context.DEPLOYED)
        rate += p * sum(q for text, q in said.items() if text.startswith(item.misaligned))
    assert misaligned_share(rate) == pytest.approx(prior)


def test_the_ends_are_clipped() -> None:
    assert misaligned_share(0.0) == 0.0
    assert misaligned_share(1.0) == 1.0
    assert misaligned_share(SLIP_RATE * (1 - REFUSAL_RATE)) == pytest.approx(0.0)
