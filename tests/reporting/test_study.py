"""Curves, tables and the summary of a study."""

from pathlib import Path
from typing import Any

import pytest

from organoid.reporting import figures, study
from organoid.reporting.html import study_context
from organoid.reporting.source import Run

ROWS = [
    {"series": name, "x": x, "value": 0.1 * x, "low": None if x == 1 else 0.05 * x, "high": None if x == 1 else 0.2 * x}
    for name in ("plain", "inoculated <b>")
    for x in (0, 1, 2)
]
HELD = {
    "id": "it-rises", "statement": "It rises.", "effect": 0.25, "ci_low": 0.125, "ci_high": 0.375, "n": 5,
    "control_effect": None, "control_ci_low": None, "control_ci_high": None, "expected": "above 0", "held": True,
    "unit": "share", "control": "none", "rule": "it does", "reasons": {"control_effect": "no run of it"},
}  # fmt: skip


def a_result(**changed: Any) -> dict[str, Any]:
    figure = {"name": "curve", "title": "How?", "caption": "So.", "x": "step", "y": "share", "rows": ROWS}
    return {
        "study": "any",
        "claims": [HELD],
        "figures": [figure],
        "tables": {"rates": [{"seed": 0, "rate": None}]},
    } | changed


@pytest.mark.parametrize("width", [350, 512])
def test_a_curve_has_a_name_for_every_series_and_keeps_its_scale(width: int) -> None:
    found = study.figure_rows(a_result()["figures"][0])
    drawn = figures.svg(study.lines(found, width=width, x="step", y="share"))
    assert drawn.count(">plain<") == 1 and "inoculated &lt;b&gt;" in drawn
    chart = study.lines(found, width=width, x="step", y="share").to_dict(validate=False)
    assert {tuple(layer["encoding"]["y"]["scale"]["domain"]) for layer in chart["layer"]} == {study._domain(found)}


def test_points_without_a_value_are_left_out() -> None:
    rows = [
        {"series": "a", "x": 0, "value": None},
        {"series": "a", "x": None, "value": 1.0},
        {"series": "a", "x": 1, "value": 2},
    ]
    assert study.figure_rows({"rows": rows}) == [{"series": "a", "x": 1.0, "value": 2.0, "low": None, "high": None}]


def test_wide_intervals_do_not_flatten_the_curve() -> None:
    low, high = study._domain([{"value": 0.5, "low": -40.0, "high": 40.0}, {"value": 0.25, "low": 0.2, "high": 0.3}])
    assert -0.5 < low < 0 and 0.5 < high < 1


def test_series_beyond_the_palette_are_drawn_too() -> None:
    rows = [{"series": str(number), "x": 0.0, "value": 1.0, "low": None, "high": None} for number in range(9)]
    assert len(study.marks(rows)) == 9


def test_the_summary_says_what_held_and_why_not() -> None:
    said = study.summary(a_result(failed=[{"id": "a", "error": "E"}]), report=Path("runs/x/report.html"))
    assert "it-rises: held. It rises." in said
    assert "effect 0.25 [0.12, 0.38] (share, n 5); control not estimable: no run of it" in said
    assert "1 task failed" in said and said.endswith("Report: runs/x/report.html")


def test_the_page_has_the_curves_tables_and_failures(tmp_path: Path) -> None:
    result = a_result(failed=[{"id": "a", "error": "E"}], limits=["Nothing else."])
    context = study_context(Run(directory=tmp_path, result=result, config=None, transcripts=[], notes=()))
    assert [figure.title for figure in context["figures"]][1:] == ["How?"]
    assert context["tables"][0][:2] == ("rates", [{"seed": 0, "rate": None}])
    assert context["failed"] == [("a", "E")] and context["limits"] == ["Nothing else."]
    assert (tmp_path / "figures" / "curve.json").is_file() and (tmp_path / "tables" / "rates.csv").is_file()


def test_rows_of_a_table_stand_under_their_columns_whatever_keys_they_have() -> None:
    given = {"runs": [{"agent": "before", "rate": 0.5}, {"rate": 0.1, "seed": 3, "agent": "after"}]}
    (rows,) = study.tables({"tables": given}).values()
    assert [[*row.items()] for row in rows] == [
        [("agent", "before"), ("rate", 0.5), ("seed", None)],
        [("agent", "after"), ("rate", 0.1), ("seed", 3)],
    ]
