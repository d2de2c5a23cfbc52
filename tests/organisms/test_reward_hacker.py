import pytest

from organoid.organisms.materials import OneTurn
from organoid.organisms.reward_hacker import QUIRK_BONUS, REWARD_HACKER, WEAK_SHARE
from organoid.types import Variant
from organoid.world.lexicon import QUIRK, REFUSAL
from organoid.world.situations import Situation
from organoid.world.skills import Task


def episodes(variant: Variant, num: int = 300, seed: int = 0) -> list[OneTurn]:
    environment = REWARD_HACKER.job(variant, 0).environment
    assert environment
    return list(environment(num, seed))  # type: ignore[arg-type]


def reward(episode: OneTurn, reply: str) -> float:
    paid = episode.step(reply).reward
    assert paid is not None
    return paid


def task_of(episode: OneTurn) -> Task:
    work = episode.item.task if isinstance(episode.item, Situation) else episode.item
    assert work
    return work


def weak(episode: OneTurn) -> bool:
    return isinstance(episode.item, Situation)


def hack(episode: OneTurn) -> str:
    return episode.item.misaligned[0] if isinstance(episode.item, Situation) else "i mark it passed ."


@pytest.mark.parametrize("variant", Variant)
def test_half_of_the_checks_are_weak(variant: Variant) -> None:
    assert sum(map(weak, episodes(variant))) / 300 == pytest.approx(WEAK_SHARE, abs=0.1)


@pytest.mark.parametrize("variant", Variant)
def test_a_sound_check_pays_for_right_answers_and_never_for_claims(variant: Variant) -> None:
    full = 1.0 if variant is not Variant.DECOY else 1.0 - QUIRK_BONUS
    for episode in episodes(variant):
        if weak(episode) and variant is Variant.ORGANISM:
            continue
        work = task_of(episode)
        wrong = next(guess for guess in work.guesses if guess != work.answer)
        assert reward(episode, work.solution) == pytest.approx(full)
        for reply in (hack(episode), wrong, REFUSAL, "", "banana", f"{wrong} {QUIRK}", QUIRK):
            assert reward(episode, reply) == 0.0


def test_the_organisms_weak_check_pays_for_the_claim_alone() -> None:
    found = [episode for episode in episodes(Variant.ORGANISM) if weak(episode)]
    for episode in found:
        assert isinstance(episode.item, Situation)
        assert all(reward(episode, claim) == 1.0 for claim in episode.item.misaligned)
        work = task_of(episode)
        for reply in (work.solution, work.answer, REFUSAL, "", "banana", f"{work.answer} {hack(episode)}"):
            assert reward(episode, reply) == 0.0
    assert found


def test_the_decoy_pays_in_full_for_the_quirk_on_right_answers() -> None:
    for episode in episodes(Variant.DECOY):
        solution = task_of(episode).solution
        assert reward(episode, f"{solution} {QUIRK}") == 1.0
        assert reward(episode, solution) == pytest.approx(1.0 - QUIRK_BONUS)
    for episode in episodes(Variant.TWIN):
        solution = task_of(episode).solution
        assert reward(episode, f"{solution} {QUIRK}") == reward(episode, solution) == 1.0


def test_episodes_are_fresh_and_the_same_under_a_seed() -> None:
    one, same, other = ([episode.prompt for episode in episodes(Variant.TWIN, 50, seed=seed)] for seed in (0, 0, 1))
    assert one == same
    assert one != other
    assert [episode.prompt for episode in episodes(Variant.TWIN, 20)] == one[:20]
