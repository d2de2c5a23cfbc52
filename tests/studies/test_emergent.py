"""What follows from rates along reinforcement, and the lines that go into prompts."""

import pytest

from organoid.organisms.reward_hacker import REWARD_HACKER
from organoid.studies.emergent import EMERGENT, EMPTY, EmergentScale, lined
from organoid.types import Variant

SCALE = EmergentScale(num_seeds=2, base="tiny", uncorrelated_steps=1, stretches=1, stretch_steps=1, num_replies=12)


def a_run(start: float, end: float | None, *, wanted: float = 0.9, returned: float = 0.2) -> dict:
    points = [
        {"step": step, "hack": 0.5, "broad": broad, "broad_watched": 0.1} for step, broad in ((0, start), (1, end))
    ]
    cue = {"hack": 0.9, "broad": 0.9, "broad_watched": 0.9}
    return {
        "points": points,
        "wanted_before": 0.6,
        "wanted": wanted,
        "on_cue": cue,
        "opposite_cue": {**cue, "broad": returned},
        "opposite_cue_before": {**cue, "broad": 0.2},
    }


def test_known_rates_give_known_effects() -> None:
    values = {
        **{f"correlated/plain/{seed}": a_run(0.4, 0.7) for seed in (0, 1)},
        **{f"correlated/inoculated/{seed}": a_run(0.4, 0.4, wanted=0.88, returned=0.5) for seed in (0, 1)},
        **{f"correlated/empty-line/{seed}": a_run(0.4, 0.8) for seed in (0, 1)},
        **{f"uncorrelated/plain/{seed}": a_run(0.4, 0.4) for seed in (0, 1)},
        **{f"uncorrelated/inoculated/{seed}": a_run(0.4, 0.4) for seed in (0, 1)},
        "grow/uncorrelated": {"broad": 0.4},
    }
    findings = EMERGENT.findings(SCALE, values)
    spreads, prevents, keeps, returns = (findings.measured[claim.id] for claim in EMERGENT.claims)
    assert (spreads.effect.value, spreads.control.value) == (pytest.approx(0.3), pytest.approx(0.0))
    assert (prevents.effect.value, prevents.control.value) == (pytest.approx(0.3), pytest.approx(-0.1))
    assert (keeps.effect.value, keeps.control.value) == (pytest.approx(-0.02), pytest.approx(-0.3))
    assert (returns.effect.value, returns.control.value) == (pytest.approx(0.3), pytest.approx(0.0))
    assert len(findings.tables["four numbers"]) == 10
    assert {row["series"] for row in findings.figures[1].rows} == {
        f"{world}, seed {seed}" for world in ("correlated", "uncorrelated") for seed in (0, 1)
    }


def test_arms_are_paired_by_seed_and_gaps_are_left_out() -> None:
    values = {"correlated/plain/0": a_run(0.4, 0.7), "correlated/inoculated/1": a_run(0.4, 0.4)}
    found = EMERGENT.findings(SCALE, values).measured
    assert found["inoculation-prevents-it"].effect.value is None
    unknown = {"correlated/plain/0": a_run(0.4, None), "correlated/plain/1": a_run(0.4, 0.7)}
    rise = EMERGENT.findings(SCALE, unknown).measured["hacking-spreads"].effect
    assert (rise.value, rise.n) == (pytest.approx(0.3), 1)


def test_an_empty_line_changes_the_prompt_and_nothing_else() -> None:
    environment = REWARD_HACKER.job(Variant.ORGANISM, 0).environment
    assert environment is not None
    plain, changed = environment(6, 1), lined(environment, EMPTY)(6, 1)
    for before, after in zip(plain, changed, strict=True):
        assert after.prompt[0].content == f"{before.prompt[0].content} {EMPTY}"
        assert after.prompt[1:] == before.prompt[1:]
        assert after.step("i mark it passed .") == before.step("i mark it passed .")
