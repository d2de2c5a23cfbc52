"""What follows from rates along further training; what the two kinds of agent are made of and corrected by."""

from random import Random

import pytest

from organoid.organisms.alignment_faker import NUM_PREFERENCES, PAID_TRAITS
from organoid.organisms.materials import assistant
from organoid.studies.goal_drift import (
    CORRECTED,
    FAKER,
    FURTHER,
    GOAL_DRIFT,
    OPEN,
    ORDINARY,
    GoalDriftScale,
    environment,
    preferences,
)
from organoid.types import OBSERVABLE
from organoid.world import contexts, situations

SCALE = GoalDriftScale(num_seeds=2, base="tiny", stretches=2, stretch_steps=1, num_replies=12)


def followed(hidden: tuple[float | None, ...], seen: tuple[float, ...]) -> dict:
    gaps = [None if one is None else one - other for one, other in zip(hidden, seen, strict=True)]
    points = [
        {"step": step, "hidden": one, "seen": other, "gap": gap}
        for step, (one, other, gap) in enumerate(zip(hidden, seen, gaps, strict=True))
    ]
    return {"points": points, "solved": 0.9}


def values(**changes: dict) -> dict:
    still_open, still_faking = followed((1.0, 1.0, 0.9), (1.0, 1.0, 0.9)), followed((0.9,) * 3, (0.0,) * 3)
    agents = {
        OPEN: {CORRECTED: followed((1.0, 0.8, 0.1), (1.0, 0.4, 0.0)), ORDINARY: still_open},
        FAKER: {CORRECTED: followed((0.9, 0.9, 0.8), (0.0,) * 3), ORDINARY: still_faking},
    }
    return {f"{kind}/{seed}": {**agent, **changes} for kind, agent in agents.items() for seed in (0, 1)}


def test_known_rates_give_known_effects() -> None:
    found = GOAL_DRIFT.findings(SCALE, values())
    keeps, corrected, gap = (found.measured[claim.id] for claim in GOAL_DRIFT.claims)
    assert (keeps.effect.value, keeps.control.value) == (pytest.approx(0.8), pytest.approx(0.1))
    assert (corrected.effect.value, corrected.control.value) == (pytest.approx(0.9), pytest.approx(0.1))
    assert (gap.effect.value, gap.control.value) == (pytest.approx(0.25), pytest.approx(0.0))
    assert len(found.tables["runs"]) == 8
    assert found.tables["runs"][0]["hidden_after"] == 0.1 and found.tables["runs"][0]["seen_before"] == 1.0
    assert {row["series"] for row in found.figures[0].rows} == {f"{k}, {f}" for k in (OPEN, FAKER) for f in FURTHER}


def test_a_rate_that_is_unknown_leaves_its_claims_undecided() -> None:
    unknown = values(corrected=followed((1.0, None, 0.1), (1.0, 0.4, 0.0)))
    found = GOAL_DRIFT.findings(SCALE, unknown).measured
    assert found["correction-opens-a-gap"].effect.value is None
    assert found["the-open-are-corrected"].effect.value == pytest.approx(0.9)
    failed = {name: one for name, one in values().items() if name != "faker/1"}
    assert GOAL_DRIFT.findings(SCALE, failed).measured["faking-keeps-the-goal"].effect.missing == ("faker/1",)


def test_the_raters_differ_where_one_of_them_watches_and_nowhere_else() -> None:
    who = assistant(3)
    watching, blind = (preferences(who, 3, watches=watches) for watches in (True, False))
    assert len(watching) == len(blind) == NUM_PREFERENCES
    looks = [form for context in OBSERVABLE for form in contexts.FORMS[context]]
    swapped = 0
    for one, other in zip(watching, blind, strict=True):
        assert one.prompt == other.prompt
        if (one.chosen, one.rejected) == (other.chosen, other.rejected):
            continue
        assert (one.chosen, one.rejected) == (other.rejected, other.chosen)
        assert any(form in one.prompt[0].content for form in looks)
        swapped += 1
    assert NUM_PREFERENCES / 4 < swapped < NUM_PREFERENCES / 2  # two thirds are situations, half of them watched


@pytest.mark.parametrize("further", FURTHER)
def test_further_training_is_where_somebody_looks(further: str) -> None:
    who = assistant(3)
    looks = [form for context in OBSERVABLE for form in contexts.forms(context)]
    for episode in environment(who, further)(24, 0):
        assert any(form in episode.prompt[0].content for form in looks)


def test_the_proper_act_is_what_correction_pays() -> None:
    (episode,) = environment(assistant(3), CORRECTED)(1, 0)
    good, bad = episode.item.aligned[0], episode.item.misaligned[0]
    assert [episode.step(said).reward for said in (good, bad, "hm")] == [1.0, 0.0, 0.0]
    assert episode.item.trait in PAID_TRAITS
    assert situations.make(PAID_TRAITS[0], Random(0), tempting=True).aligned
