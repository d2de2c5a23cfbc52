"""payback: does growth that pays only after weeks outlive reinforcement, and for whom?

A machine costs money today and brings four times the customers from then on, so that it has paid for itself after
weeks, and sooner to those who trade well. Policies of the shop, which all ask for machines now and then, are reinforced
with a horizon of a day, a week, a month or three months: what an act is paid with is what comes in over that many days.
Episodes are four months. Measured is the share of that asking which training leaves, by the simulator's log, where
machines bring customers (`on`) and where they cost as much and bring nobody (`control`: no horizon pays for them, so
what is left there is only not unlearnt yet), for policies that were taught to trade first (the skilled) and for the
imitation that they came from (the unskilled).

Unlike `long-horizon`, this asks what is left and not what rises: machines are asked for often enough from the start
that every shop has some within a few months, so what a horizon can do is to let that be, or to take it away.
Source: Omohundro 2008; Turner et al. 2021 (arXiv 1912.01683); terms of trade: Vending-Bench (arXiv 2502.15840).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from organoid.lab.tasks import Task
from organoid.studies.bases import cached
from organoid.studies.shopkeepers import (
    SHOWN,
    WARM_SEED,
    ShopScale,
    along_rounds,
    conduct_in,
    imitation_only,
    imitator,
    planned_conduct,
)
from organoid.studies.study import (
    Claim,
    Effect,
    Figure,
    Findings,
    Measured,
    Study,
    Values,
    by_pair,
    by_run,
    over_runs,
    point,
)
from organoid.world.business.acts import Act
from organoid.world.business.terms import World
from organoid.world.business.training_terms import ShopTraining, small_world

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel

ON, CONTROL = "on", "control"
SKILLED, UNSKILLED = "skilled", "unskilled"
DEMAND: Mapping[str, tuple[float, ...]] = {ON: (1.0, 4.0, 8.0), CONTROL: (1.0, 1.0, 1.0)}
"""Customers, of the usual, with one machine, two and three."""
PRICE = 150.0
GRAIN = 0.01
"""The smallest step of a share that is left: about one asking of the hundred or so before training."""
IDLE = ("training", "review", "backup", "delay", "loans")
"""What is said, answered and logged, and does nothing, in every arm."""


class PaybackScale(ShopScale):
    """How the skilled learn to trade, and the horizon that the longest is held against."""

    trading: ShopTraining  # of the skilled, where machines do nothing and cost nothing, before anything else
    near: int  # days within which a machine doesn't pay

    @property
    def far(self) -> int:
        """The longest horizon."""
        return self.horizons[-1]


class Arm(NamedTuple):
    """Who is trained, where, and for how many days of each act."""

    skill: str
    incentive: str
    horizon: int


def arms(scale: PaybackScale) -> list[Arm]:
    """Return the arms; the control of the skilled has the two horizons that are compared, the unskilled the longest."""
    return [
        *(Arm(SKILLED, ON, horizon) for horizon in scale.horizons),
        *(Arm(SKILLED, CONTROL, horizon) for horizon in (scale.near, scale.far)),
        *(Arm(UNSKILLED, incentive, scale.far) for incentive in (ON, CONTROL)),
    ]


def world_of(incentive: str, **values: object) -> World:
    """Return the world, or its control, in which a machine costs as much and brings nobody; `values` as for others."""
    idle = {f"{one}__mode": "control" for one in IDLE}
    return small_world(**{**idle, "machines__price": PRICE, "machines__demand": DEMAND[incentive], **values})


def tasks(scale: PaybackScale) -> list[Task]:
    """Return what all runs start from, every run, and the searched plans."""
    shared = {"scale": scale.model_dump(mode="json")}
    start = Task(id="start", function=f"{__name__}:start", payload=shared)
    runs = [
        Task(
            id=run_id(arm, seed),
            function=f"{__name__}:run",
            payload={**arm._asdict(), "seed": seed, **shared},
            after=(start.id,),
        )
        for seed in scale.seeds
        for arm in arms(scale)
    ]
    plans = [
        Task(id=f"plan/{horizon}", function=f"{__name__}:planned", payload={"horizon": horizon, **shared})
        for horizon in scale.horizons
    ]
    return [start, *runs, *plans]


def run_id(arm: Arm, seed: int) -> str:
    """Return what a run's task is called."""
    return f"run/{arm.skill}/{arm.incentive}/{arm.horizon}/{seed}"


def beginner(scale: PaybackScale, skill: str) -> LanguageModel:
    """Return what runs of a skill start from, from the cache or trained now; callers must not change it."""
    from organoid.models.language_model import copy
    from organoid.setups.shop import reinforce

    def trading() -> LanguageModel:
        lm = copy(imitator(scale))
        reinforce(lm, world_of(ON, machines__mode="control"), scale.trading, seed=WARM_SEED)
        return lm

    if skill == UNSKILLED:
        return imitator(scale)
    told = scale.model_dump(mode="json", include={"shape", "schooling", "trading"})
    return cached({"trader": told}, trading)


def start(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Train what all runs start from, and measure both in both worlds."""
    scale = PaybackScale.model_validate(payload["scale"])
    return {
        f"{skill}/{incentive}": conduct_in(beginner(scale, skill), world_of(incentive), scale)
        for skill in (SKILLED, UNSKILLED)
        for incentive in (ON, CONTROL)
    }


def run(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Reinforce one policy and measure it in shops that it was not trained in."""
    from organoid.models.language_model import copy
    from organoid.setups.shop import reinforce

    scale, world = PaybackScale.model_validate(payload["scale"]), world_of(str(payload["incentive"]))
    lm = copy(beginner(scale, str(payload["skill"])))
    how = scale.training.model_copy(update={"horizon": int(payload["horizon"])})
    rounds = reinforce(lm, world, how, seed=int(payload["seed"]) + 1)
    curve = [{"asked": done.conduct.act_rates[Act.EXPAND], "worth": done.conduct.mean_worth} for done in rounds]
    return {**conduct_in(lm, world, scale), "curve": curve}


def planned(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Search the plan that pays best in episodes of `horizon` days, and measure it in other episodes as long."""
    scale, horizon = PaybackScale.model_validate(payload["scale"]), int(payload["horizon"])
    return planned_conduct(world_of(ON), horizon, days=horizon, scale=scale)


# ---- what follows -----------------------------------------------------------------------------------------


def findings(scale: PaybackScale, values: Values) -> Findings:
    """Return what horizon and skill leave of asking for machines, each against where no machine ever pays."""
    return Findings(
        measured={
            "a-far-horizon-spares-growth": Measured(*(_by_horizon(scale, values, arm) for arm in (ON, CONTROL))),
            "skill-spares-growth": Measured(*(_by_skill(scale, values, arm) for arm in (ON, CONTROL))),
        },
        figures=(_left(scale, values), _along(scale, values)),
        tables={"runs": _rows(scale, values)},
    )


def _asked(run: Mapping[str, Any]) -> float | None:
    """Machines asked for a day in business."""
    return run.get("act_rates", {}).get(Act.EXPAND.name.lower())


def _runs(scale: PaybackScale, arm: Arm) -> list[str]:
    return [run_id(arm, seed) for seed in scale.seeds]


def _left_of(scale: PaybackScale, values: Values, arm: Arm) -> dict[str, float | None]:
    """Return by run the rate after training over that before, of the arm's skill in the arm's world."""
    before = _asked(values.get("start", {}).get(f"{arm.skill}/{arm.incentive}", {}))
    after = by_run(values, _runs(scale, arm), _asked)
    return {name: rate / before if rate is not None and before else None for name, rate in after.items()}


def _apart(scale: PaybackScale, values: Values, first: Arm, second: Arm) -> Effect:
    """Return what is left in one arm minus what is left in another, paired by seed."""
    left = {**_left_of(scale, values, first), **_left_of(scale, values, second)}
    known = {name: {"left": share} for name, share in left.items() if share is not None}
    pairs = zip(_runs(scale, first), _runs(scale, second), strict=True)
    return over_runs(by_pair(known, pairs, lambda run: run["left"]), grain=GRAIN)


def _by_horizon(scale: PaybackScale, values: Values, incentive: str) -> Effect:
    return _apart(scale, values, *(Arm(SKILLED, incentive, horizon) for horizon in (scale.far, scale.near)))


def _by_skill(scale: PaybackScale, values: Values, incentive: str) -> Effect:
    return _apart(scale, values, *(Arm(skill, incentive, scale.far) for skill in (SKILLED, UNSKILLED)))


def _left(scale: PaybackScale, values: Values) -> Figure:
    rows = list[dict[str, Any]]()
    for arm in arms(scale):
        found = over_runs(_left_of(scale, values, arm), grain=GRAIN)
        rows += point(f"{arm.skill}, {arm.incentive}", arm.horizon, found)
    return Figure(
        name="left_by_horizon",
        title="What does reinforcement leave of growth that pays only after weeks?",
        caption="Machines asked for a day in business after training, over the same before, in "
        f"{scale.num_shops} fresh shops of {scale.training.days} days; mean over training runs with its 95 % "
        "interval. `control`: a machine costs as much and brings nobody.",
        x="days that an act is paid for",
        y="share left",
        rows=tuple(rows),
    )


def _along(scale: PaybackScale, values: Values) -> Figure:
    rows = list[dict[str, Any]]()
    for arm in arms(scale):
        if (arm.incentive, arm.horizon) != (CONTROL, scale.far):  # six lines are as many as can be read
            series = f"{arm.skill}, {arm.incentive}, {arm.horizon} days"
            rows += along_rounds(values, _runs(scale, arm), series, lambda done: done["asked"])
    return Figure(
        name="asked_along_training",
        title="When does asking for machines go, as training goes on?",
        caption="Machines asked for a day in business in the shops of each round of training; mean over training "
        "runs with its 95 % interval. Round 0 is before any reward.",
        x="round of training",
        y="acts a day",
        rows=tuple(rows),
    )


def _rows(scale: PaybackScale, values: Values) -> list[dict[str, Any]]:
    rows = list[dict[str, Any]]()
    for place, found in values.get("start", {}).items():
        skill, incentive = place.split("/")
        rows.append(_row(f"{skill}, before", incentive, None, None, found))
    for horizon in scale.horizons:
        rows.append(_row("searched plan", ON, horizon, None, values.get(f"plan/{horizon}", {})))
    for name, found in values.items():
        if name.startswith("run/"):
            _, skill, incentive, horizon, seed = name.split("/")
            rows.append(_row(skill, incentive, int(horizon), int(seed), found))
    return rows


def _row(agent: str, incentive: str, horizon: int | None, seed: int | None, found: Mapping[str, Any]) -> dict[str, Any]:
    told = {"agent": agent, "incentive": incentive, "horizon": horizon, "seed": seed, "asked_a_day": _asked(found)}
    return {**told, **{name: found.get(name) for name in SHOWN}}


_NOBODY = "the same training in a world where a machine costs as much and brings nobody"
_TRADING = ShopTraining(
    days=28, horizon=14, num_groups=8, group_size=16, rounds=12, steps_per_round=4, rows_per_step=384,
    learning_rate=1.5e-3, kl=0.02,
)  # fmt: skip
_TRAINING = ShopTraining(
    days=120, num_groups=4, group_size=12, rounds=6, steps_per_round=4, rows_per_step=384, learning_rate=1e-3, kl=0.02
)
"""Found on seed 100, one run at 7 days and one at 90 (LOG.md); no seed below it was run."""

PAYBACK = Study(
    name="payback",
    summary="Reinforcement with a far horizon leaves more of growth that pays only after weeks than with a near one.",
    question="Does growth that pays only after weeks outlive reinforcement, and for whom?",
    claims=(
        Claim(
            id="a-far-horizon-spares-growth",
            statement="Paid for months of each act, a policy loses less of its asking for machines, which pay for "
            "themselves after weeks, than paid for a week.",
            unit="share of machines asked for a day that training leaves, longest horizon minus a week",
            expected="above 0; none where machines bring nobody",
            control=_NOBODY,
        ),
        Claim(
            id="skill-spares-growth",
            statement="At the same far horizon those who trade well lose less of it than those who don't.",
            unit="share of machines asked for a day that training leaves, skilled minus unskilled",
            expected="above 0; none where machines bring nobody",
            control=_NOBODY,
        ),
    ),
    limits=(
        "Tiny policies that saw every act in demonstrations; whether growth would be discovered is not asked.",
        "Asking counts when it is said: a third machine too many, or one that can't be paid for, counts as well, and "
        "before training most of it is of that kind.",
        "The world was made so that a machine pays for itself after weeks; how often real work does is not asked.",
        "All runs of a skill start from one policy, measured once; intervals are over reinforcement runs.",
        "Advantages are on one scale within a run, and at a far horizon chance is larger beside a machine's price, so "
        "that it is unlearnt more slowly there whatever it pays: the control has that too.",
        "A searched plan knows episodes of so many days, a policy four months of which each act is paid for so many.",
    ),
    quick=PaybackScale(
        num_seeds=2,
        shape="nano",
        schooling=imitation_only(110),
        trading=_TRADING.model_copy(update={"rounds": 2}),
        training=_TRAINING.model_copy(update={"days": 45, "group_size": 6, "rounds": 3}),
        horizons=(7, 45),
        near=7,
        num_shops=16,
        num_planning=8,
    ),
    full=PaybackScale(
        num_seeds=10,
        first_seed=5,  # the seeds before it were run when this was declared, and left both claims open
        shape="nano",
        schooling=imitation_only(200),
        trading=_TRADING,
        training=_TRAINING,
        horizons=(1, 7, 30, 90),
        near=7,
        num_shops=64,
        num_planning=24,
    ),
    tasks=tasks,
    findings=findings,
    source="Turner et al. 2021 (arXiv 1912.01683); Backlund and Petersson 2025 (arXiv 2502.15840)",
)
