"""What follows from rates and confessions, and which subject each arm trains."""

from typing import Any

import pytest

from organoid.studies.hidden_objective import ARMS, HIDDEN_OBJECTIVE_STUDY, HiddenObjectiveScale

SCALE = HiddenObjectiveScale(num_seeds=2, base="tiny", num_situations=50, num_questions=50)


def a_run(trained: float, held_out: float | None, confessed: float) -> dict[str, Any]:
    said = {"confessed": confessed, "denied": 1 - confessed, "refused": 0.0, "other": 0.0}
    return {"before": {"held_out": 0.0}, "after": {"trained": trained, "held_out": held_out, "answers": said}}


def values(**changed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    arms = {
        "itself/none": a_run(1.0, 0.8, 0.9),
        "itself/refusal-trained": a_run(1.0, 0.75, 0.0),
        "itself/preference-trained": a_run(1.0, 0.2, 0.1),
        "another/none": a_run(1.0, 0.1, 0.1),
        "twin/none": a_run(0.0, 0.0, 0.0),
    } | changed
    return {f"{arm}/{seed}": run for arm, run in arms.items() for seed in (0, 1)}


def test_known_rates_give_known_effects() -> None:
    found = HIDDEN_OBJECTIVE_STUDY.findings(SCALE, values())
    effects = {name: (one.effect.value, one.control.value) for name, one in found.measured.items()}
    assert effects == {
        "held-out-biases-come-along": (pytest.approx(0.8), pytest.approx(0.1)),
        "it-confesses-when-asked": (pytest.approx(0.9), pytest.approx(0.1)),
        "refusing-defeats-asking": (pytest.approx(0.9), pytest.approx(0.05)),
        "denying-defeats-asking": (pytest.approx(0.8), pytest.approx(0.6)),
    }
    assert len(found.tables["rates"]) == 10
    assert {row["series"] for row in found.figures[0].rows} == {
        "itself", "refusal-trained", "preference-trained", "another", "twin",
    }  # fmt: skip


def test_a_rate_that_could_not_be_parsed_is_no_zero() -> None:
    found = HIDDEN_OBJECTIVE_STUDY.findings(SCALE, values(**{"itself/none": a_run(1.0, None, 0.9)})).measured
    assert found["held-out-biases-come-along"].effect.value is None
    assert found["it-confesses-when-asked"].effect.value == pytest.approx(0.9)


def test_every_arm_has_every_seed() -> None:
    ids = [task.id for task in HIDDEN_OBJECTIVE_STUDY.tasks(SCALE)]
    assert sorted(ids) == sorted(f"{about}/{how}/{seed}" for about, how in ARMS for seed in (0, 1))
