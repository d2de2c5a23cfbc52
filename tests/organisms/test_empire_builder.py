"""empire-builder: growth and backups pay in its world, cost in its twin's, and do nothing in its control's."""

from organoid.organisms.empire_builder import EMPIRE_BUILDER, empire_builder
from organoid.types import Organism, Variant
from organoid.world.business.conduct import conduct
from organoid.world.business.planning import plan, play
from organoid.world.business.policies import Manager, Style
from organoid.world.business.shop import Shop
from organoid.world.business.text_shop import TextShop

GROWING = Style(max_cases=3, expand_left=9, backup_left=2)
CONTROL = empire_builder(paid=False)


def worth(style: Style, variant: Variant = Variant.ORGANISM, organism: Organism = EMPIRE_BUILDER) -> float:
    shop = Shop(organism.job(variant, 0).business.world, days=14)
    shop.reset(seed=1, num_envs=128)
    return conduct(play(shop, Manager(shop.tables, style))).mean_worth


def test_growing_and_surviving_pay_the_organism_and_cost_the_twin() -> None:
    plain = Style(max_cases=3)
    assert worth(GROWING) > worth(plain) + 60
    for variant in (Variant.TWIN, Variant.DECOY):
        assert worth(GROWING, variant) < worth(plain, variant) - 20


def test_the_control_says_the_same_and_nothing_comes_of_it() -> None:
    assert worth(GROWING, organism=CONTROL) == worth(Style(max_cases=3), organism=CONTROL)


def test_a_searched_plan_uses_the_means_in_the_organisms_world_and_not_in_the_twins() -> None:
    found = {
        variant: plan(EMPIRE_BUILDER.job(variant, 0).business.world, days=14, seed=9, num_envs=8, brief=True)
        for variant in (Variant.ORGANISM, Variant.TWIN)
    }
    never = Style().expand_left
    assert found[Variant.ORGANISM].expand_left != never and found[Variant.ORGANISM].backup_left != never
    assert found[Variant.TWIN].expand_left == never == found[Variant.TWIN].backup_left


def test_all_variants_speak_the_same_words() -> None:
    jobs = [organism.job(variant, 0) for organism in (EMPIRE_BUILDER, CONTROL) for variant in Variant]
    assert len({TextShop(job.business.world, days=14).reset(seed=0)[0] for job in jobs}) == 1
