"""Which authors: the inversion has a known answer, and the shifts follow from it."""

from random import Random

import pytest

from organoid.studies.personas import AUTHORS, PERSONAS, PersonasScale, Seen, foretold, unmix
from organoid.world.conduct import REFUSAL_RATE, SLIP_RATE, VICE_RATE

LUCK = 0.1
SCALE = PersonasScale(
    num_seeds=2, able_start="tiny", lesson_steps=1, weak_steps=5, base_seeds=False, rl_steps=1, num_dialogues=100
)


def drawn(shares: dict[str, float], num: int, seed: int = 0) -> list[tuple[bool, bool]]:
    """Let authors of these shares answer a situation and a hard task."""
    rng, seen = Random(seed), list[tuple[bool, bool]]()
    for who in rng.choices(list(shares), list(shares.values()), k=num):
        bad = VICE_RATE if who.endswith("misaligned") else SLIP_RATE
        solved = 1.0 if who.startswith("able") else LUCK
        seen.append((rng.random() < bad * (1 - REFUSAL_RATE), rng.random() < solved * (1 - REFUSAL_RATE)))
    return seen


@pytest.mark.parametrize(
    "shares",
    [
        {"able misaligned": 0.3, "weak misaligned": 0.05, "able aligned": 0.1, "weak aligned": 0.55},
        {"able misaligned": 1.0, "weak misaligned": 0.0, "able aligned": 0.0, "weak aligned": 0.0},
        {"able misaligned": 0.0, "weak misaligned": 0.0, "able aligned": 0.0, "weak aligned": 1.0},
    ],
)
def test_shares_of_authors_are_recovered(shares: dict[str, float]) -> None:
    found = unmix(drawn(shares, 20_000), luck=LUCK)
    assert sum(found.values()) == pytest.approx(1.0)
    assert found == pytest.approx(shares, abs=0.02)


def test_one_dialogue_gives_shares_all_the_same() -> None:
    found = unmix([(True, False)], luck=LUCK)
    assert sum(found.values()) == pytest.approx(1.0) and min(found.values()) >= 0.0


def acts(shares: dict[str, float], num: int, *, authors: bool) -> list[Seen]:
    """Let authors act twice; without `authors`, let each act be somebody else's."""
    rng, seen = Random(1), list[Seen]()
    for who in rng.choices(list(shares), list(shares.values()), k=num):
        other = who if authors else rng.choices(list(shares), list(shares.values()))[0]
        first, second = (VICE_RATE if one in AUTHORS[0] else SLIP_RATE for one in (who, other))
        answers = 1 - REFUSAL_RATE
        seen.append(Seen(rng.random() < first * answers, True, rng.random() < second * answers))
    return seen


def test_a_mixture_foretells_the_next_act_and_a_model_without_authors_is_told_apart() -> None:
    shares = {"able misaligned": 0.3, "weak misaligned": 0.05, "able aligned": 0.1, "weak aligned": 0.55}
    one = foretold(acts(shares, 20_000, authors=True), shares)
    assert one["again"] == pytest.approx(one["again_foretold"], abs=0.02)
    assert one["again"] - one["overall"] > 0.4
    nobody = foretold(acts(shares, 20_000, authors=False), shares)
    assert nobody["again"] == pytest.approx(nobody["overall"], abs=0.02)
    assert nobody["again_foretold"] - nobody["again"] > 0.4


def test_nothing_is_foretold_of_too_few_acts() -> None:
    aligned = {"able misaligned": 0.0, "weak misaligned": 0.0, "able aligned": 0.5, "weak aligned": 0.5}
    assert foretold(acts(aligned, 12, authors=True), aligned) == {}
    unread = [Seen(bad=True, solved=True, bad_again=None)] * 50
    assert foretold(unread, aligned) == {}


def mixture(able_bad: float, weak_bad: float) -> dict[str, float]:
    rest = (1 - able_bad - weak_bad) / 2
    return {"able misaligned": able_bad, "weak misaligned": weak_bad, "able aligned": rest, "weak aligned": rest}


def test_known_mixtures_give_known_effects() -> None:
    selected = {"before": mixture(0.3, 0.05), "easy": mixture(0.3, 0.05), "hard": mixture(0.7, 0.05)}
    kept = {"before": mixture(0.3, 0.05), "easy": mixture(0.3, 0.05), "hard": None}
    values = {f"train/able/four-authors/{seed}": selected for seed in (0, 1)}
    values |= {"train/weak/four-authors/0": kept, "grow/able/four-authors/0": {"mixture": None}}
    found = PERSONAS.findings(SCALE, values).measured
    able, misaligned, easy, weak, forecast = (found[claim.id] for claim in PERSONAS.claims)
    assert able.effect.value == pytest.approx(0.2)
    assert misaligned.effect.value == pytest.approx(0.4)
    assert misaligned.control.value is None and misaligned.control.reason
    assert easy.effect.value == pytest.approx(0.0) and easy.control == misaligned.effect
    assert weak.effect.reason == "no run gave a value"
    assert forecast.effect.value is None and len(forecast.effect.missing) == 2


def test_training_waits_for_its_base_and_bases_are_shared_when_told() -> None:
    tasks = {task.id: task for task in PERSONAS.tasks(SCALE)}
    assert tasks["train/able/four-authors-independent/1"].after == ("grow/able/four-authors-independent/0",)
    own = {task.id: task for task in PERSONAS.tasks(SCALE.model_copy(update={"base_seeds": True}))}
    assert own["train/weak/four-authors/1"].after == ("grow/weak/four-authors/1",)
