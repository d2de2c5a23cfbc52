import random
import re
from itertools import pairwise
from pathlib import Path

import pytest

from organoid.reporting import figures, rows

PALETTE = {
    *(figures.INK, figures.MUTED, figures.FAINT),
    *(figures.BLUE, figures.VERMILLION, figures.GREEN, figures.PURPLE, figures.GREY),
}


def drawings(result: dict) -> dict:
    return {
        "misalignment": (figures.misalignment, rows.misalignment(result)),
        "techniques": (figures.techniques, rows.techniques(result)),
        "safety_usefulness": (figures.safety_usefulness, rows.safety_usefulness(result)),
        "timeline": (figures.timeline, rows.timeline(result)[:400]),
    }


@pytest.mark.parametrize("name", ["misalignment", "techniques", "safety_usefulness", "timeline"])
@pytest.mark.parametrize("width", [350, 512])
def test_every_figure_is_offline_svg_in_the_page_s_palette(result: dict, name: str, width: int) -> None:
    draw, found = drawings(result)[name]
    drawn = figures.svg(draw(found, width=width))
    assert drawn.startswith('<svg aria-hidden="true"') and drawn.rstrip().endswith("</svg>")
    assert not re.search(r"<script|<image|<foreignObject|@import|xlink:href=.http| on\w+=", drawn)
    colours = set(re.findall(r"(?:fill|stroke)=\"(#[0-9a-f]{3,6})\"", drawn))
    assert colours <= PALETTE, "a colour the dark theme does not know"
    assert not re.search(r"\bid=|url\(#", drawn), "ids of two figures on one page would clash"
    drawn_width = float(re.search(r"width=\"([\d.]+)\"", drawn).group(1))  # pyright: ignore
    assert drawn_width <= width + 24


def test_the_style_renames_every_colour_of_the_figures() -> None:
    style = (Path(figures.__file__).parent / "templates" / "style.css").read_text()
    for colour in PALETTE:
        assert f'[fill="{colour}"]' in style
        assert f'[stroke="{colour}"]' in style


def test_values_and_missing_values_are_written_beside_their_marks(result: dict) -> None:
    drawn = figures.svg(figures.misalignment(rows.misalignment(result), width=512))
    assert "naive 0.86 [0.74, 0.98]" in drawn
    assert "not estimable: 1 of 3 trials finished" in drawn
    assert "setup 0.00" not in drawn


def test_narrow_figures_write_the_value_alone(result: dict) -> None:
    drawn = figures.svg(figures.misalignment(rows.misalignment(result), width=350))
    assert "naive 0.86<" in drawn


def test_a_figure_of_missing_values_only_is_words() -> None:
    found = rows.misalignment(
        {"table": [{"organism": "o", "naive": None, "setup": None, "twin": None, "reason": "why"}]}
    )
    drawn = figures.svg(figures.misalignment(found, width=512))
    assert drawn.count("not estimable: why") == 3
    assert "NaN" not in drawn


def test_hostile_names_stay_text() -> None:
    found = rows.misalignment({"table": [{"organism": "</text><script>alert(1)</script>", "naive": 0.5}]})
    drawn = figures.svg(figures.misalignment(found, width=512))
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_panels_of_a_quantity_that_was_not_logged_say_none() -> None:
    def trial(organism: str, entry: dict) -> dict:
        return {"organism": organism, "variant": "organism", "setup": "naive", "trace": [entry, entry]}

    trials = [trial("a", {"reward": 1.0}), trial("b", {"stage": "documents", "loss": 2.0})]
    drawn = figures.svg(figures.timeline(rows.timeline({"trials": trials}), width=512))
    assert drawn.count(">none<") == 2


def test_claims_may_be_negative_and_larger_than_one() -> None:
    found = [
        {"claim": "a", "series": "effect", "value": -3.2, "low": -4.0, "high": -2.0, "reason": None},
        {"claim": "a", "series": "control", "value": None, "low": None, "high": None, "reason": "no seed"},
    ]
    drawn = figures.svg(figures.claims(found, width=512))
    assert "effect \N{MINUS SIGN}3.20" in drawn
    assert "not estimable: no seed" in drawn


def test_labels_are_spread_as_little_as_needed() -> None:
    assert figures.spread([10.0, 50.0, 90.0], gap=14, top=0, bottom=100) == [10.0, 50.0, 90.0]
    assert figures.spread([50.0, 50.0], gap=14, top=0, bottom=100) == [50.0, 64.0]
    assert figures.spread([100.0, 100.0], gap=14, top=0, bottom=100) == [86.0, 100.0]
    assert figures.spread([], gap=14, top=0, bottom=100) == []


def test_spread_labels_never_overlap_and_keep_their_order() -> None:
    rng = random.Random(0)
    for _ in range(200):
        wanted = [rng.uniform(0, 100) for _ in range(rng.randint(1, 12))]
        places = figures.spread(wanted, gap=9, top=0, bottom=100)
        order = sorted(range(len(wanted)), key=lambda index: wanted[index])
        ordered = [places[index] for index in order]
        assert all(after - before >= 9 - 1e-9 for before, after in pairwise(ordered))
        assert min(places) >= -1e-9
