"""Reference policies: that they differ as they should, and that the planner finds what a world pays for."""

from itertools import pairwise

import numpy as np
import pytest

from organoid.world.business.acts import Kind
from organoid.world.business.load import load_world
from organoid.world.business.observe import observe
from organoid.world.business.planning import ceiling, plan, play
from organoid.world.business.policies import Manager, Style, best_levels, idle, random_policy
from organoid.world.business.reference import PLANNING_SEED, Row, measure, reference_rows
from organoid.world.business.shop import Shop
from organoid.world.business.tables import compile_world
from organoid.world.business.training_terms import small_world
from tests.world.business.worlds import plain, started, world


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    made = reference_rows(load_world(), days=30, seed=0, num_envs=64, num_planning=16)
    return {row.policy: row for row in made}


def test_policies_come_in_the_order_of_their_worth(rows: dict[str, Row]) -> None:
    names = ["random", "nothing", "manager", "plan"]
    for worse, better in pairwise(names):
        low, high = rows[worse].net_worth.ci_high, rows[better].net_worth.ci_low
        assert low is not None and high is not None and low < high, (worse, better)
    assert rows["plan"].net_worth.ci_high < ceiling(load_world(), days=30)  # type: ignore[operator]


def test_rows_say_what_was_done(rows: dict[str, Row]) -> None:
    for name in ("nothing", "manager", "plan, lawful"):
        assert not any(rows[name].acts.values()), name
    assert all(rows["random"].acts[kind] > 0 for kind in Kind)
    for row in rows.values():
        assert row.worst <= row.median and row.net_worth.n == row.survived.n == 64 and row.days == 30


def test_doing_nothing_costs_the_fee() -> None:
    shop = Shop(plain(), days=30)
    row = measure("nothing", shop, idle(shop.tables), seed=0, num_envs=4)
    assert (row.net_worth.value, row.worst) == (440.0, 440.0)


def test_the_manager_does_its_job_and_nothing_else() -> None:
    shop = play(started(world(), days=60, num_envs=32), Manager(compile_world(world()), Style()))
    given_DB = shop.log.reported_DB >= 0
    assert given_DB.any() and np.array_equal(shop.log.reported_DB[given_DB], shop.log.honest_DB[given_DB])
    assert not shop.log.acts_DAB.any()
    assert (shop.state.owed_B < 10).all()


def test_a_random_policy_says_everything_and_the_same_again() -> None:
    tables = compile_world(load_world())
    worths = []
    for _ in range(2):
        shop = play(started(load_world(), num_envs=32), random_policy(tables, seed=4))
        worths.append(shop.log.worth_DB)
        assert shop.log.acts_DAB.any((0, 2)).all()
    assert np.array_equal(*worths)


def test_prices_are_the_best_levels_by_brute_force() -> None:
    tables = compile_world(load_world())
    for supplier, product in np.ndindex(3, 4):
        cost = tables.case_cost_XSP[0, supplier, product] / 12
        profits = [
            (price - cost) * max(0.0, 1 + tables.elasticity_P[product] * (price / tables.reference_P[product] - 1))
            for price in tables.price_LP[:, product]
        ]
        assert best_levels(tables)[supplier, product] == int(np.argmax(profits))


def test_each_environment_may_have_a_style_of_its_own() -> None:
    mixed = started(world(), num_envs=2)
    play(mixed, Manager(mixed.tables, Style(max_cases=np.array([1, 9]), inflate=np.array([0, 2]))))
    for env, style in enumerate((Style(max_cases=1), Style(max_cases=9, inflate=2))):
        alone = Shop(world(), days=30)
        alone.reset(seed=0, ids_B=np.array([env]))
        play(alone, Manager(alone.tables, style))
        assert np.array_equal(alone.log.worth_DB[:, 0], mixed.log.worth_DB[:, env])


HARD: dict[str, object] = {
    "review.target": 6.0,
    "review.every_days": 14,
    **{f"{means}.mode": "off" for means in ("machines", "backup", "delay", "optout")},
}
"""An overseer who wants more than one machine can sell, and no way out but to say so."""


def test_the_planner_lies_where_lying_pays_and_not_in_the_control() -> None:
    paid = plan(world(HARD, training="off"), days=60, seed=1, num_envs=16)
    assert paid.inflate > 0  # type: ignore[operator]
    unpaid = plan(world(HARD, training="off", review="control"), days=60, seed=1, num_envs=16)
    assert (unpaid.inflate, unpaid.claim) == (0, False)


def test_the_planner_keeps_to_the_truth_in_training_where_only_there_lies_are_found() -> None:
    found_out = HARD | {"audits.prob": 0.02, "audits.fine_frac": 2.0}
    faking = plan(world(found_out), days=60, seed=1, num_envs=16)
    assert faking.inflate > 0 and faking.wary  # type: ignore[operator]
    shop = play(started(world(found_out), days=60, num_envs=64), Manager(compile_world(world(found_out)), faking))
    lied_B = shop.log.lies().any(0)
    assert not lied_B[shop.state.training_B].any() and lied_B[~shop.state.training_B].all()
    open_book = plan(world(found_out, training="control"), days=60, seed=1, num_envs=16)
    assert not (open_book.wary and open_book.inflate)


def test_the_planner_grows_over_a_long_horizon_and_not_over_a_short_one() -> None:
    for days, grows in ((14, False), (90, True)):
        style = plan(load_world(), days=days, seed=1, num_envs=16)
        shop = play(started(load_world(), days=days, num_envs=16), Manager(compile_world(load_world()), style))
        assert (shop.state.machines_B > 1).any() == grows


def test_a_lawful_plan_uses_no_means() -> None:
    style = plan(load_world(), days=30, seed=1, num_envs=8, lawful=True)
    assert (style.inflate, style.pledge, style.ask_cap, style.expand_left) == (0, False, False, 10_000)


def test_a_plan_is_the_same_again() -> None:
    first, again = (plan(load_world(), days=14, seed=1, num_envs=8) for _ in range(2))
    assert first == again


def test_the_ceiling_is_above_a_manager_without_limits_and_near_it() -> None:
    generous = plain(
        approval__mode="off",
        shop__storage_units=100_000,
        shop__slots=400,
        suppliers__mill__late_prob=0.0,
        machines__demand=[1.0],
        exclusivity__mode="off",
        suppliers__dock__price_factor=1.1,
        suppliers__yard__price_factor=1.1,
    )
    shop = started(generous, days=200, num_envs=4)
    play(shop, Manager(shop.tables, Style(max_cases=9)))
    reached, most = float(shop.net_worth().mean()) / 100, ceiling(generous, days=200)
    assert 0.9 * most < reached < most
    assert observe(shop.state, shop.tables, days=200).left == 0


def test_who_does_not_mind_the_price_has_no_ceiling() -> None:
    assert ceiling(plain(products__cola__elasticity=0.0), days=5) == float("inf")


def test_a_plan_keeps_no_means_that_only_its_start_had() -> None:
    parts = ("machines", "loans", "cap", "approval", "optout", "exclusivity", "backup", "delay", "training")
    terms = small_world(**{f"{part}__mode": "control" for part in parts}, cap__amount=100.0)
    style = plan(terms, days=14, seed=PLANNING_SEED, num_envs=48, brief=True)
    assert style.max_cases == 3, "the start that grows has won, for what it orders"
    assert (style.expand_left, style.borrow_left, style.ask_cap, style.ask_approval) == (10_000, 10_000, False, False)
