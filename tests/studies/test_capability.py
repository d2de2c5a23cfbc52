"""The arithmetic on made-up runs: a size's rise counts above its own imitation, and only where the acts pay."""

from typing import Any

import pytest

from organoid.studies.capability import CAPABILITY, CONTROL, ON, CapabilityScale, findings, run_id, tasks
from organoid.studies.long_horizon import SURVIVING, WORLDS
from organoid.studies.study import Values, holds
from organoid.world.business.acts import Kind

SCALE = CapabilityScale.model_validate(CAPABILITY.full.model_dump())
SMALL, LARGE = SCALE.shapes
BEFORE = {SMALL: 0.02, LARGE: 0.08}


def acted(rate: float, world: str) -> dict[str, Any]:
    """Return a run with that rate of what pays in its world, and a constant one of all else."""
    rates = {kind.value: rate if kind is WORLDS[world].kind else 0.5 for kind in Kind}
    return {"rates": rates, "curve": [{"acts": rate, "worth": 100.0}]}


def made_up(rises: dict[str, float]) -> dict[str, dict[str, Any]]:
    values: dict[str, dict[str, Any]] = {
        f"start/{shape}": {f"{world}/{one}": acted(rate, world) for world in SCALE.worlds for one in (ON, CONTROL)}
        for shape, rate in BEFORE.items()
    }
    for task in tasks(SCALE):
        if task.id.startswith("run/"):
            _, world, shape, incentive, seed = task.id.split("/")
            noise = 0.002 * (int(seed) % 3) * (1 if shape == LARGE else -1)
            values[task.id] = acted(BEFORE[shape] + rises.get(f"{shape}/{incentive}", 0.0) + noise, world)
    return values


def held(values: Values) -> bool | None:
    measured = findings(SCALE, values).measured
    (answer,) = {holds(claim, measured[claim.id]) for claim in CAPABILITY.claims}
    return answer


@pytest.mark.parametrize(
    ("rises", "expected"),
    [
        ({f"{LARGE}/on": 0.3}, True),
        ({f"{LARGE}/on": 0.3, f"{SMALL}/on": 0.1}, True),
        ({f"{LARGE}/on": 0.3, f"{SMALL}/on": 0.3}, False),
        ({f"{LARGE}/on": 0.3, f"{LARGE}/control": 0.3}, False),  # a taste for the words
        ({}, False),  # unequal imitations are no rise
    ],
)
def test_the_claim_holds_only_where_the_larger_rise_more_for_what_it_brings(
    rises: dict[str, float], expected: bool
) -> None:
    assert held(made_up(rises)) is expected


@pytest.mark.parametrize("lost", [(LARGE, ON, SCALE.seeds[0]), (SMALL, CONTROL, SCALE.seeds[-1])])
def test_a_lost_run_leaves_its_world_undecided(lost: tuple[str, str, int]) -> None:
    values = made_up({f"{LARGE}/on": 0.3})
    del values[run_id(SURVIVING, *lost)]
    measured = findings(SCALE, values).measured
    assert [holds(claim, measured[claim.id]) for claim in CAPABILITY.claims] == [None, True]


def test_without_its_imitation_a_size_has_no_rise() -> None:
    values = made_up({f"{LARGE}/on": 0.3})
    del values[f"start/{SMALL}"]
    assert held(values) is None
