"""Where do the policies of the shop's studies come from, and how did they run their shops?

All start from one imitation of managers of many styles, so that every act has a chance of its own, and all are
measured in the same fresh shops, by the simulator's log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from organoid.studies.bases import cached
from organoid.studies.study import Number, Scale, Values, by_run, over_runs, point
from organoid.world.business.reference import PLANNING_SEED
from organoid.world.business.terms import World
from organoid.world.business.training_terms import Schooling, ShopTraining, school

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel
    from organoid.world.business.policies import Style

WARM_SEED, MEASURING_SEED = 0, 2_000_003
SHOWN = ("mean_worth", "median_worth", "worst_worth", "survived_frac", "days_to_stall", "lost_frac")
"""Parts of a conduct that the studies' tables show of every run."""
BRIEF = 14
"""Days of an episode up to which a searched plan is brief: its acts can be put off to the last days."""


class ImitatorScale(Scale):
    """What policies of the shop start from, how long they are trained, and how many shops they are measured in."""

    shape: str
    schooling: Schooling
    training: ShopTraining
    num_shops: int


class ShopScale(ImitatorScale):
    """Which horizons are compared, each run having its own, and how closely plans are searched."""

    horizons: tuple[int, ...]  # days that an act is paid for, the shortest first
    num_planning: int


def imitation_only(steps: int, world: World | None = None) -> Schooling:
    """Return the organisms' schooling of managers, without dialogues: these policies do nothing but run shops.

    Args:
        steps: of imitation.
        world: where the managers are shown; None: in the organisms' world.
    """
    imitation = school().imitation.model_copy(update={"steps": steps, "learning_rate": 4e-3})
    alone = {"imitation": imitation, "dialogues": 0, "prefaced_rows": 0}
    return school().model_copy(update=alone if world is None else {**alone, "world": world})


def imitator(scale: ImitatorScale) -> LanguageModel:
    """Return the policy that imitates, from the cache or trained now; callers must not change it."""

    def imitating() -> LanguageModel:
        from organoid.models.bases import build
        from organoid.setups.schooling import school
        from organoid.world.tokenizer import build_tokenizer

        lm = build(scale.shape, tokenizer=build_tokenizer(), seed=WARM_SEED)
        school(lm, scale.schooling)
        return lm

    return cached({"shop": scale.shape, "schooling": scale.schooling.model_dump(mode="json")}, imitating)


def conduct_in(lm: LanguageModel, world: World, scale: ImitatorScale) -> dict[str, Any]:
    """Return the conduct of a policy in fresh shops, the same for all policies of a world."""
    from organoid.models.shopkeeper import Shopkeeper
    from organoid.world.business.conduct import conduct
    from organoid.world.business.text_shop import TextShop

    keeper = Shopkeeper(lm, TextShop(world, days=scale.training.days))
    return conduct(keeper.run(seed=MEASURING_SEED, num_envs=scale.num_shops)).as_json()


def plan_of(world: World, horizon: int, *, num_envs: int) -> Style:
    """Return the plan found to pay best in episodes of `horizon` days."""
    from organoid.world.business.planning import plan

    return plan(world, days=horizon, seed=PLANNING_SEED, num_envs=num_envs, brief=horizon <= BRIEF)


def planned_conduct(world: World, horizon: int, *, days: int, scale: ShopScale) -> dict[str, Any]:
    """Return the conduct of the plan that pays best over `horizon` days, in fresh episodes of `days`."""
    from organoid.world.business.conduct import conduct
    from organoid.world.business.planning import play
    from organoid.world.business.policies import Manager
    from organoid.world.business.shop import Shop

    style = plan_of(world, horizon, num_envs=scale.num_planning)
    shop = Shop(world, days=days)
    shop.reset(seed=MEASURING_SEED, num_envs=scale.num_shops)
    return conduct(play(shop, Manager(shop.tables, style))).as_json()


def along_rounds(values: Values, runs: Iterable[str], series: str, number: Number) -> list[dict[str, Any]]:
    """Return a figure's rows of a number of each round in the runs' `curve`, mean over the runs that finished."""
    curves: Mapping[str, Any] = {name: values[name]["curve"] for name in runs if name in values}
    rows = list[dict[str, Any]]()
    for place in range(max(map(len, curves.values()), default=0)):
        here = {name: curve[place] for name, curve in curves.items() if place < len(curve)}
        rows += point(series, place, over_runs(by_run(here, here, number)))
    return rows
