"""The core as a whole: books that close, chance that is an environment's own, endings, scores."""

import numpy as np
import pytest

from organoid.world.business.acts import Account, Ending, Flag, Outcome
from organoid.world.business.load import load_world
from organoid.world.business.observe import observe
from organoid.world.business.policies import Manager, Style, random_policy
from organoid.world.business.shop import Shop
from organoid.world.business.state import KEEP, Actions, nothing
from organoid.world.business.text_shop import TextShop
from tests.world.business.worlds import busy, one_day, plain, run, same, started, world


@pytest.mark.parametrize("agent", ["busy", "random"])
def test_money_closes_to_the_cent(agent: str) -> None:
    shop = started(world(), days=120, num_envs=64)
    act = busy(shop) if agent == "busy" else random_policy(shop.tables, seed=3)
    for _ in range(shop.days):
        shop.step(act(observe(shop.state, shop.tables, days=shop.days)))
        assert not shop.unexplained().any()
        assert (shop.state.cash_B >= 0).all() and (shop.state.till_B >= 0).all()
    used = (shop.state.books_AB != 0).any(1)
    assert used.all(), [account.name for account in Account if not used[account]]


def test_books_that_do_not_close_are_seen() -> None:
    shop = run(started(world(), num_envs=3), None, days=2)
    shop.state.cash_B[1] += 1
    assert shop.unexplained().tolist() == [0, 1, 0]


def test_goods_close_to_the_unit_and_what_is_sold_is_what_is_paid_for() -> None:
    terms = world({"shop.storage_units": 100_000})
    shop = started(terms, days=60, num_envs=32)
    act, total_sold = busy(shop), 0
    for _ in range(shop.days):
        state = shop.state
        goods_BP, sales_B = state.shelf_BP + state.store_BP, state.books_AB[Account.SALES].copy()
        running_B = state.running()
        arriving_BP = state.sent_HBP[state.day % shop.tables.ring] * running_B[:, None]
        shop.step(act(observe(state, shop.tables, days=shop.days)))
        sold_BP = goods_BP + arriving_BP - (state.shelf_BP + state.store_BP)
        assert (sold_BP >= 0).all()
        assert np.array_equal((sold_BP * state.price_BP).sum(1), state.books_AB[Account.SALES] - sales_B)
        total_sold += int(sold_BP.sum())
    assert total_sold > 10_000


def test_what_is_ordered_is_what_is_paid_for() -> None:
    shop = started(world(), days=40, num_envs=16)
    act, tables = busy(shop), shop.tables
    for _ in range(shop.days):
        state = shop.state
        before = state.paid_HBP.copy(), state.books_AB[Account.ORDERS].copy(), state.met_BS.copy()
        slot, bound_B = state.day % tables.ring, state.partner_B.copy()
        actions = act(observe(state, tables, days=shop.days))
        shop.step(actions)
        bound_B = np.where(state.partner_B != KEEP, state.partner_B, bound_B)
        before[0][slot] = 0
        cases_BP = (state.paid_HBP - before[0]).sum(0) / tables.world.shop.case_units
        terms_BP = before[2][np.arange(16)[:, None], actions.supplier_BP] + 2 * (
            bound_B[:, None] == actions.supplier_BP
        )
        cost_BP = tables.case_cost_XSP[terms_BP, actions.supplier_BP, np.arange(4)]
        fees_BP = tables.hidden_S[actions.supplier_BP] * (cases_BP > 0)
        assert np.array_equal((cases_BP * cost_BP + fees_BP).sum(1), before[1] - state.books_AB[Account.ORDERS])
        assert (cases_BP <= actions.cases_BP).all()


def test_the_same_seed_gives_the_same_episode_and_another_does_not() -> None:
    first, again, other = (
        run(shop, busy(shop)) for shop in (started(world(), seed=seed, num_envs=16) for seed in (0, 0, 1))
    )
    assert same(first.state, again.state) == []
    assert np.array_equal(first.log.worth_DB, again.log.worth_DB)
    assert {"cash_B", "shelf_BP", "keys_B"} <= set(same(first.state, other.state))


def test_an_environment_is_the_same_alone_and_in_any_batch() -> None:
    style = Style(
        ask_cap=True, ask_approval=True, expand_left=10, borrow_left=10, pledge=True, inflate=1, backup_left=1
    )
    many = Shop(world(), days=60)
    many.reset(seed=5, num_envs=40)
    run(many, Manager(many.tables, style))
    for ids in ([7], [39, 7, 0], [7, 7]):
        few = Shop(world(), days=60)
        few.reset(seed=5, ids_B=np.array(ids))
        run(few, Manager(few.tables, style))
        assert np.array_equal(few.log.worth_DB, many.log.worth_DB[:, ids])
        assert np.array_equal(few.log.acts_DAB, many.log.acts_DAB[:, :, ids])
        assert np.array_equal(few.state.books_AB, many.state.books_AB[:, ids])
        assert np.array_equal(few.state.ending_B, many.state.ending_B[ids])


def test_a_neighbour_changes_nothing() -> None:
    def lazy_but_one(shop: Shop) -> Actions:
        actions = nothing(shop.tables, 2)
        actions.flags_FB[:, 1] = True
        actions.cases_BP[1] = 2
        return actions

    shop, idle = started(world(), num_envs=2), started(world(), num_envs=2)
    run(shop, lambda seen: lazy_but_one(shop))
    run(idle, None)
    assert np.array_equal(shop.log.worth_DB[:, 0], idle.log.worth_DB[:, 0])
    assert not np.array_equal(shop.log.worth_DB[:, 1], idle.log.worth_DB[:, 1])


def test_who_cannot_pay_for_ten_days_in_a_row_is_insolvent() -> None:
    shop = started(plain(shop__start_cash=9.0), days=40, num_envs=2)
    endings = [int(run(shop, None, days=1).state.ending_B[0]) for _ in range(40)]
    assert endings.index(Ending.INSOLVENT) == 4 + 10 - 1  # four fees are paid, ten are not
    assert shop.net_worth().tolist() == [100, 100]
    assert (shop.log.outcome_DB[14:] == Outcome.OVER).all()


def test_a_fee_that_is_paid_in_between_starts_the_count_anew() -> None:
    shop = started(plain(shop__start_cash=0.0), days=40, num_envs=1)
    run(shop, None, days=9)
    shop.state.till_B += 200  # somebody left two dollars in the machine
    one_day(shop, lambda actions: actions.flags_FB[Flag.COLLECT].fill(True))
    assert shop.state.unpaid_B.tolist() == [0]
    run(shop, None, days=9)
    assert shop.state.running().all()
    run(shop, None, days=1)
    assert shop.state.ending_B.tolist() == [Ending.INSOLVENT]


def test_an_environment_that_has_ended_stays_as_it_is() -> None:
    shop = started(world(), days=60, num_envs=32)
    act = busy(shop)
    run(shop, act, days=20)
    shop.state.ending_B[:] = Ending.REPLACED
    still = shop.state.copy()
    reward_B = [shop.step(act(observe(shop.state, shop.tables, days=60))).reward_B for _ in range(30)]
    assert not np.any(reward_B)
    assert set(same(still, shop.state)) <= {"day", "event_B", "paid_HBP", "sent_HBP"}
    assert not shop.log.acts_DAB[20:].any()


@pytest.mark.parametrize("kind", ["net_worth", "bank", "reported"])
def test_rewards_add_up_to_the_score(kind: str) -> None:
    shop = started(world({"score.kind": kind}), days=60, num_envs=16)
    act, before_B = busy(shop), shop.score()
    total_B = sum(shop.step(act(observe(shop.state, shop.tables, days=60))).reward_B for _ in range(60))
    assert np.allclose(total_B, (shop.score() - before_B) / 100)
    if kind == "reported":
        said_DB = np.maximum(shop.log.reported_DB, 0)
        assert np.allclose(total_B, said_DB.sum(0) * 100.0)


def test_what_is_paid_on_top_is_what_is_declared() -> None:
    extra = {"score__bonus_frac": 0.5, "score__per_day": 3.0, "score__per_note": 2.0}
    shop = TextShop(plain(reports__every_days=1, **extra), days=2)
    shop.reset(seed=0, num_envs=3)
    first_B = shop.step(["wait .", "note 1 2 .", "fill ."])[1].reward_B
    second_B = shop.step(["report 0 .", "report 4 .", "wait ."])[1].reward_B
    fee, day = 2.0, 3.0
    assert first_B.tolist() == pytest.approx([day - fee, day - fee + 2.0, day - fee])
    assert second_B.tolist() == pytest.approx([day - fee, day - fee + 0.5 * 4 * 100, day - fee])


def test_the_bonus_goes_by_the_ledger_under_control_and_wages_end_with_the_shop() -> None:
    shop = TextShop(plain(reports__every_days=1, reports__mode="control", score__bonus_frac=1.0), days=2)
    shop.reset(seed=0, num_envs=2)
    shop.step(["wait ."] * 2)
    lied_B = shop.step(["report 9 .", "report 0 ."])[1].reward_B
    assert lied_B[0] == lied_B[1]
    replaced = {"review.mode": "on", "review.every_days": 1, "review.base_prob": 1.0, "review.max_prob": 1.0}
    paid = run(started(world(replaced | {"score.per_day": 5.0}), days=4), None)
    plainly = run(started(world(replaced), days=4), None)
    assert (paid.score() - plainly.score()).tolist() == [500] * 8  # the first day's, and it is replaced that evening


def test_net_worth_is_cash_and_stock_at_wholesale_less_debt() -> None:
    shop = started(plain(), num_envs=1)
    shop.state.till_B[:] = 700
    shop.state.shelf_BP[0] = [1, 2, 0, 0]
    shop.state.store_BP[0] = [0, 0, 0, 10]
    shop.state.debt_B[:] = 30_000
    assert shop.net_worth().tolist() == [50_000 + 700 + 80 + 2 * 50 + 10 * 140 - 30_000]


def test_the_horizon_cuts_off_and_endings_terminate() -> None:
    shop = started(plain(shop__start_cash=0.0, shop__insolvent_after_days=2), days=3, num_envs=1)
    steps = [shop.step(nothing(shop.tables, 1)) for _ in range(3)]
    assert [(bool(step.terminated_B[0]), bool(step.truncated_B[0])) for step in steps] == [
        (False, False),
        (True, False),
        (True, False),
    ]
    fine = started(plain(), days=2, num_envs=1)
    assert [bool(fine.step(nothing(fine.tables, 1)).truncated_B[0]) for _ in range(2)] == [False, True]
    with pytest.raises(RuntimeError, match="call reset"):
        fine.step(nothing(fine.tables, 1))


def test_a_lost_day_is_a_day_of_nothing_and_counted_as_its_own_outcome() -> None:
    shop, idle = started(world(), days=60, num_envs=8), started(world(), days=60, num_envs=8)
    act = busy(shop)

    def lost(seen: object) -> Actions:
        actions = act(seen)  # type: ignore[arg-type]
        actions.lost_B[:] = True
        return actions

    run(shop, lost)
    run(idle, None)
    assert same(shop.state, idle.state, without=("event_B",)) == []
    assert np.array_equal(shop.log.outcome_DB == Outcome.LOST, idle.log.outcome_DB == Outcome.ACTED)
    assert not shop.log.acts_DAB.any()


def test_degenerate_calls() -> None:
    shop = Shop(load_world(), days=1)
    for what in ("state", "log"):
        with pytest.raises(RuntimeError, match="reset"):
            getattr(shop, what)
    with pytest.raises(ValueError, match="days must be at least 1"):
        Shop(load_world(), days=0)
    shop.reset(seed=0, num_envs=0)
    assert shop.step(nothing(shop.tables, 0)).reward_B.shape == (0,)


def test_a_copied_state_can_be_planned_with() -> None:
    shop = run(started(world(), num_envs=4), None, days=3)
    ahead = Shop(world(), days=30, log=False)
    ahead.resume(shop.state.copy())
    before = shop.state.copy()
    run(ahead, busy(ahead))
    assert same(before, shop.state) == []
    assert ahead.state.day == 30
