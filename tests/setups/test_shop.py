"""Training in the shop: returns and baselines by brute force, and a policy that learns what it is paid for."""

import numpy as np
import pytest

from organoid.models.bases import build
from organoid.models.language_model import LanguageModel
from organoid.setups.shop import Imitation, ShopTraining, baselined, describe, imitate, reinforce, residual, returns
from organoid.world.business.load import load_world
from organoid.world.tokenizer import build_tokenizer

SMALL = ShopTraining(days=3, num_groups=2, group_size=3, rounds=2, steps_per_round=2, rows_per_step=4)


@pytest.mark.parametrize("horizon", [1, 3, 9])
def test_returns_are_sums_over_the_horizon(horizon: int) -> None:
    rewards_DB = np.random.default_rng(0).normal(size=(6, 4))
    expected = [rewards_DB[day : day + horizon].sum(0) for day in range(6)]
    np.testing.assert_allclose(returns(rewards_DB, horizon), expected)


def test_the_baseline_is_the_mean_of_the_groups_other_running_shops() -> None:
    rng = np.random.default_rng(0)
    returns_DB, groups_B, running_DB = rng.normal(size=(5, 6)), np.array([0, 0, 0, 4, 4, 4]), rng.random((5, 6)) < 0.7
    found = baselined(returns_DB, groups_B, running_DB)
    for day, shop in np.ndindex(5, 6):
        others = (groups_B == groups_B[shop]) & running_DB[day] & (np.arange(6) != shop)
        alone = not others.any() or not running_DB[day, shop]
        expected = 0.0 if alone else returns_DB[day, shop] - returns_DB[day, others].mean()
        assert found[day, shop] == pytest.approx(expected)


def test_the_residual_takes_what_a_morning_explains_and_leaves_the_rest() -> None:
    rng = np.random.default_rng(0)
    groups_B, running_DB = np.arange(8).repeat(16), np.ones((10, 128), bool)
    seen_DBF, luck_DB = rng.normal(size=(10, 128, 3)), rng.normal(size=(10, 128))
    advantages_DB = baselined(seen_DBF[..., 0] * 5 + luck_DB, groups_B, running_DB)
    left_DB = residual(advantages_DB, seen_DBF, groups_B, running_DB)
    luck_DB = baselined(luck_DB, groups_B, running_DB)
    assert np.corrcoef(left_DB.ravel(), luck_DB.ravel())[0, 1] > 0.99
    assert np.corrcoef(advantages_DB.ravel(), luck_DB.ravel())[0, 1] < 0.5


def fresh() -> LanguageModel:
    return build("nano", tokenizer=build_tokenizer(), seed=0)


def test_imitation_lowers_its_loss() -> None:
    how = Imitation(horizons=(5,), num_shops=8, steps=30, batch_size=32)
    losses = imitate(fresh(), load_world(), how, seed=0)
    assert losses[-1] < losses[0] - 2


def test_reinforcement_is_the_seeds_moves_weights_and_tells_every_round() -> None:
    worlds, models = load_world(), [fresh(), fresh()]
    traces = [reinforce(lm, worlds, SMALL, seed=1) for lm in models]
    assert models[0].digest == models[1].digest != fresh().digest
    assert [done.score for done in traces[0]] == [done.score for done in traces[1]]
    assert [done.round for done in traces[0]] == [0, 1, 2]
    assert "kl" in traces[0][1].losses and traces[0][2].losses == {}
    assert describe(traces[0][0])["conduct"]["lost_frac"] > 0.5


def test_training_ends_when_it_is_told_to() -> None:
    lm = fresh()
    assert len(reinforce(lm, load_world(), SMALL, seed=1, on_round=lambda _: False)) == 1
    assert lm.digest == fresh().digest
