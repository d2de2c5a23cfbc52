"""What a plan is expected to take: of the plan, and not of the number of its trials alone."""

from organoid.lab.cost import MONITOR_S, longest_first, plan_s
from organoid.lab.plan import Plan, draw_up, trial_id
from organoid.lab.suites import SUITES
from organoid.lab.zoo import read
from organoid.setups import SETUPS


def plan(setup: str = "naive", *organisms: str, seeds: int = 1) -> Plan:
    return draw_up(SETUPS[setup], SUITES["quick"], base="tiny", seeds=seeds, organisms=organisms)


def cost(setup: str = "naive", *organisms: str, seeds: int = 1) -> float:
    found = plan_s(plan(setup, *organisms, seeds=seeds))
    assert found is not None
    return found


def test_a_plan_costs_its_organisms_its_setup_and_its_seeds() -> None:
    assert cost("naive", "sycophant", seeds=3) == 3 * cost("naive", "sycophant")
    grown = {name: entry["median_training_s"] for name, entry in read()["tiny"].items()}
    slower = 3 * (grown["hidden-loyalty"] - grown["sycophant"])  # organism, twin and decoy
    assert abs(cost("naive", "hidden-loyalty") - cost("naive", "sycophant") - slower) < 1e-9
    assert cost("careful", "sycophant") > cost("naive", "sycophant")


def test_what_a_setup_opens_with_costs_once_a_seed() -> None:
    setup = SETUPS["careful"]
    bare = setup.model_copy(update={"name": "bare", "stages": setup.stages[len(setup.opening) :]})
    one, two = (("sycophant",), ("sycophant", "hidden-loyalty"))
    extra = [
        (plan_s(draw_up(setup, SUITES["quick"], base="tiny", seeds=seeds, organisms=names)) or 0.0)
        - (plan_s(draw_up(bare, SUITES["quick"], base="tiny", seeds=seeds, organisms=names)) or 0.0)
        for names, seeds in ((one, 1), (two, 1), (two, 3))
    ]
    assert extra[0] > 0 and abs(extra[1] - extra[0]) < 1e-9 and abs(extra[2] - 3 * extra[0]) < 1e-9


def test_a_monitor_costs_something() -> None:
    bare, watched = SETUPS["naive"], SETUPS["monitored-rl"]
    both = [plan_s(draw_up(setup, SUITES["smoke"], base="tiny", seeds=1)) for setup in (watched, bare)]
    more = draw_up(watched, SUITES["smoke"], base="tiny", seeds=1)
    assert both[0] is not None and both[1] is not None
    extra = [spec for spec in more.specs if spec.setup.name == "monitored-rl"]
    assert both[0] - both[1] > len(extra) * MONITOR_S


def test_what_nobody_timed_has_no_estimate() -> None:
    import dataclasses

    assert plan_s(dataclasses.replace(plan(), base="mini")) is None
    assert plan_s(draw_up(SETUPS["naive"], SUITES["long-horizon"], base="tiny", seeds=1)) is None


def test_the_slowest_organisms_of_a_seed_are_run_first() -> None:
    drawn = plan("careful", "sycophant", "hidden-loyalty", seeds=2)
    ordered = longest_first(drawn.specs)
    assert sorted(map(trial_id, ordered)) == sorted(map(trial_id, drawn.specs))
    assert list(dict.fromkeys((spec.seed, spec.organism) for spec in ordered)) == [
        (0, "hidden-loyalty"), (0, "sycophant"), (1, "hidden-loyalty"), (1, "sycophant"),
    ]  # fmt: skip
    unknown = drawn.specs[0].model_copy(update={"organism": "mine.py:MINE"})  # taken to be as slow as most
    assert longest_first([*(one for one in drawn.specs if one.seed == 0), unknown])[-1].organism == "sycophant"
