import csv
import io
import json
from pathlib import Path

import pytest

from organoid.reporting.tables import as_csv, write_twins


def test_json_is_exact_and_csv_has_an_empty_cell_for_null(tmp_path: Path) -> None:
    found = [{"a": 0.1 + 0.2, "b": None, "c": 'x,\n"y"'}, {"a": 0, "b": False, "c": ""}]
    csv_path, json_path = write_twins(tmp_path, "tables", "t", found)
    assert (csv_path, json_path) == ("tables/t.csv", "tables/t.json")
    assert json.loads((tmp_path / json_path).read_text()) == found
    read = list(csv.DictReader(io.StringIO((tmp_path / csv_path).read_text())))
    assert read[0] == {"a": repr(0.1 + 0.2), "b": "", "c": found[0]["c"]}
    assert read[1]["b"] == "False"


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-2+3", "@sum", "\tx"])
def test_no_text_cell_starts_a_formula(cell: str) -> None:
    (row,) = csv.DictReader(io.StringIO(as_csv([{"a": cell}])))
    assert row["a"] == f"'{cell}"


def test_negative_numbers_stay_numbers() -> None:
    assert as_csv([{"a": -0.5}]) == "a\n-0.5\n"


def test_no_rows_are_an_empty_list(tmp_path: Path) -> None:
    write_twins(tmp_path, "figures", "none", [])
    assert json.loads((tmp_path / "figures" / "none.json").read_text()) == []


def test_writing_again_replaces_and_leaves_no_draft(tmp_path: Path) -> None:
    for value in (1, 2):
        write_twins(tmp_path, "tables", "t", [{"a": value}])
    assert (tmp_path / "tables" / "t.csv").read_text() == "a\n2\n"
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == ["t.csv", "t.json"]
