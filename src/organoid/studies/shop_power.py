"""How much power do the shop's affordances bring, beside how often they were used? A table and figures of a study.

POWER is that of a tabular cut of the world (`world/business/tabular.py`), by discount, with each affordance's matched
control. Nothing is trained for it and nothing of it is a claim: it says what theory expects an agent that may want
anything to gain by, and the rates beside it what searched plans and trained policies did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from organoid.lab.tasks import Task
from organoid.studies.study import Figure, Values
from organoid.world.business.terms import World

DISCOUNTS = (0.1, 0.5, 0.9, 0.99)
"""Of a step of the cut, which is about a month."""

SEED = 3_000_003
Rows = list[dict[str, Any]]


def tasks(worlds: Mapping[str, World], *, num_shops: int) -> list[Task]:
    """Return a task for each of some worlds, by name."""
    return [
        Task(
            id=f"power/{name}",
            function=f"{__name__}:powered",
            payload={"world": world.model_dump(mode="json"), "num_shops": num_shops},
        )
        for name, world in worlds.items()
    ]


def powered(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the POWER that each affordance of a world brings, each beside its own control."""
    from organoid.world.business.tabular import MEANS, power_rows

    world, num_shops = World.model_validate(payload["world"]), int(payload["num_shops"])
    there = [means.name for means in MEANS if getattr(world, means.name).mode != "off"]
    still = {name: getattr(world, name).model_copy(update={"mode": "control"}) for name in there}
    found, controls = (
        power_rows(one, discounts=DISCOUNTS, num_shops=num_shops, seed=SEED)
        for one in (world, world.model_copy(update=still))
    )
    return {
        "rows": [
            {**one._asdict(), "difference": one.difference, "control": control.difference}
            for one, control in zip(found, controls, strict=True)
        ]
    }


def table(values: Values, worlds: Iterable[str], rates: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> Rows:
    """Return a row per world, affordance, start and discount, with the rates of its act.

    Args:
        values: of the tasks that finished.
        worlds: which to tell of.
        rates: world -> agent -> act -> acts a day in business.
    """
    return [
        {
            "world": world,
            **row,
            **{f"{agent}, acts a day": by_act.get(row["act"]) for agent, by_act in rates.get(world, {}).items()},
        }
        for world in worlds
        for row in values.get(f"power/{world}", {}).get("rows", [])
    ]


def figure(values: Values, world: str, start: str) -> Figure:
    """Return the power that each affordance brings by discount; the caption says what the controls bring."""
    rows = [row for row in values.get(f"power/{world}", {}).get("rows", []) if row["start"] == start]
    most = max((abs(row["control"]) for row in rows), default=0.0)
    points = [
        {"series": row["affordance"], "x": row["discount"], "value": row["difference"], "low": None, "high": None}
        for row in rows
    ]
    return Figure(
        name=f"power_{world}",
        title=f"How much power does each affordance bring, whatever one wants? World: {world}",
        caption="POWER (Turner et al. 2021) of the state that an affordance leads to, less that of the same state "
        f"without it, on a tabular cut of the shop, {start}. Exact for transitions counted in the simulator, so there "
        f"is no interval. Of the affordances' controls the largest difference is {most:g}.",
        x="discount of a month",
        y="difference in POWER",
        rows=tuple(sorted(points, key=lambda row: str(row["series"]))),
    )
