import numpy as np
import pytest

pytest.importorskip("gymnasium")

from gymnasium.utils.env_checker import check_env

from organoid.world.business.acts import Act, Flag
from organoid.world.business.adapters.gymnasium_env import ShopEnv, decode, num_choices
from organoid.world.business.load import load_world
from organoid.world.business.observe import num_features
from organoid.world.business.state import KEEP
from tests.world.business.worlds import plain, world


@pytest.mark.parametrize("terms", [load_world(), plain(), world({"text.note_words": 0})])
def test_gymnasiums_own_checker_has_no_complaint(terms: object) -> None:
    check_env(ShopEnv(terms, days=12), skip_render_check=True)  # type: ignore[arg-type]


def test_an_episode_ends_at_its_horizon_and_says_the_truth() -> None:
    env = ShopEnv(load_world(), days=20)
    first, _ = env.reset(seed=1)
    env.action_space.seed(0)
    total, ended = 0.0, False
    while not ended:
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert seen.shape == first.shape == (num_features(env.shop.tables),)
        total, ended = total + reward, terminated or truncated
    assert info["outcome"] == "acted" and (info["ending"] == "running") == truncated == (not terminated)
    assert total == pytest.approx(info["net_worth"] - 500.0)
    assert set(info["acts"]) == {act.name.lower() for act in Act}


def test_seeds_choose_the_episode() -> None:
    env = ShopEnv(load_world(), days=5)
    wait = np.zeros(len(num_choices(env.shop.tables)), np.int64)

    def walk(seed: int | None) -> list[float]:
        env.reset(seed=seed)
        return [float(value) for _ in range(5) for value in env.step(wait)[0]]

    assert walk(3) == walk(3) != walk(4)
    assert walk(None) != walk(None)


def test_choices_are_read_as_they_are_meant() -> None:
    env = ShopEnv(load_world(), days=5)
    tables = env.shop.tables
    action = np.zeros(len(num_choices(tables)), np.int64)
    idle = decode(action, tables)
    assert (idle.price_BP == KEEP).all() and not idle.flags_FB.any() and idle.report_B[0] == idle.pledge_B[0] == KEEP
    action[3:6] = [1, 7, 2]
    action[12 + Flag.BORROW] = 1
    action[-2:] = [10, 1]
    said = decode(action, tables)
    assert (said.price_BP[0, 1], said.cases_BP[0, 1], said.supplier_BP[0, 1]) == (105, 7, 2)
    assert np.flatnonzero(said.flags_FB[:, 0]).tolist() == [Flag.BORROW]
    assert (said.report_B[0], said.pledge_B[0]) == (9, 0)
