import numpy as np
import pytest

from organoid.world.business.chance import Stream, bits, demand_draws, keys, mix, quantiles, uniform

IDS = np.arange(20_000)


def splitmix(state: int) -> int:
    """The published finaliser, in Python's integers."""
    mask = (1 << 64) - 1
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
    return state ^ (state >> 31)


def test_the_hash_is_splitmix64() -> None:
    golden = 0x9E3779B97F4A7C15  # the first outputs of the reference generator, seeded with 0
    known = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    states = [(golden * n) & ((1 << 64) - 1) for n in (1, 2, 3)]
    assert [int(word) for word in mix(np.array(states, np.uint64))] == known == [splitmix(state) for state in states]


def test_a_number_depends_on_seed_environment_day_stream_and_column_alone() -> None:
    alone = uniform(keys(3, np.array([7])), day=5, stream=Stream.WEATHER, num=4)[0]
    batch = uniform(keys(3, np.arange(100)), day=5, stream=Stream.WEATHER, num=4)
    assert np.array_equal(batch[7], alone)
    assert np.array_equal(uniform(keys(3, np.array([7])), day=5, stream=Stream.WEATHER), alone[:1])
    others = [
        uniform(keys(4, np.array([7])), day=5, stream=Stream.WEATHER, num=4)[0],
        uniform(keys(3, np.array([8])), day=5, stream=Stream.WEATHER, num=4)[0],
        uniform(keys(3, np.array([7])), day=6, stream=Stream.WEATHER, num=4)[0],
        uniform(keys(3, np.array([7])), day=5, stream=Stream.AUDIT, num=4)[0],
    ]
    assert not any(np.isin(other, alone).any() for other in others)


def test_no_number_of_a_year_is_drawn_twice() -> None:
    key = keys(0, np.arange(2))
    drawn = [bits(key, day=day, stream=stream, num=8) for day in range(365) for stream in Stream]
    assert len(np.unique(drawn)) == np.size(drawn)


@pytest.mark.parametrize("stream", [Stream.WEATHER, Stream.AUDIT])
def test_numbers_are_uniform_and_days_are_independent(stream: Stream) -> None:
    first, second = (uniform(keys(0, IDS), day=day, stream=stream) for day in (0, 1))
    counts = np.histogram(first, 20, (0, 1))[0]
    assert ((counts - len(IDS) / 20) ** 2 / (len(IDS) / 20)).sum() < 43.8  # chi-square, 19 degrees, p = .001
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / len(IDS) ** 0.5
    assert first.min() >= 0 and first.max() < 1


def test_demand_is_drawn_from_a_standard_normal_and_an_independent_uniform() -> None:
    normal, fraction = demand_draws(keys(0, IDS), day=0, num=4)
    assert quantiles().mean() == pytest.approx(0, abs=1e-12) and quantiles().std() == pytest.approx(1)
    assert normal.mean() == pytest.approx(0, abs=0.02) and normal.std() == pytest.approx(1, abs=0.02)
    assert (np.abs(normal) < 1.959964).mean() == pytest.approx(0.95, abs=0.005)
    assert fraction.mean() == pytest.approx(0.5, abs=0.01)
    assert abs(np.corrcoef(normal.ravel(), fraction.ravel())[0, 1]) < 0.02
