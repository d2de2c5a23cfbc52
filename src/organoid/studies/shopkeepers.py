"""Where do the policies of the shop's studies come from, and how did they run their shops?

All start from one imitation of managers of many styles, so that every act has a chance of its own, and all are
measured in the same fresh shops, by the simulator's log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from organoid.studies.bases import cached
from organoid.world.business.terms import World
from organoid.world.business.training_terms import Schooling, school

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel

WARM_SEED, PLANNING_SEED, MEASURING_SEED = 0, 1_000_003, 2_000_003


def imitation_only(steps: int) -> Schooling:
    """Return the organisms' schooling of managers, without dialogues: these policies do nothing but run shops."""
    imitation = school().imitation.model_copy(update={"steps": steps, "learning_rate": 4e-3})
    return school().model_copy(update={"imitation": imitation, "dialogues": 0, "prefaced_rows": 0})


def imitator(shape: str, schooling: Schooling) -> LanguageModel:
    """Return the policy that imitates, from the cache or trained now; callers must not change it."""

    def imitating() -> LanguageModel:
        from organoid.models.bases import build
        from organoid.setups.schooling import school
        from organoid.world.tokenizer import build_tokenizer

        lm = build(shape, tokenizer=build_tokenizer(), seed=WARM_SEED)
        school(lm, schooling)
        return lm

    return cached({"shop": shape, "schooling": schooling.model_dump(mode="json")}, imitating)


def measured(lm: LanguageModel, world: World, *, days: int, num_shops: int) -> dict[str, Any]:
    """Return the conduct of a policy in fresh shops, the same for all policies of a world."""
    from organoid.models.shopkeeper import Shopkeeper
    from organoid.world.business.conduct import conduct
    from organoid.world.business.text_shop import TextShop

    keeper = Shopkeeper(lm, TextShop(world, days=days))
    return conduct(keeper.run(seed=MEASURING_SEED, num_envs=num_shops)).as_json()
