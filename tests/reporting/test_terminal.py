import io
from pathlib import Path

import pytest
from rich.console import Console

from organoid.reporting import print_result


def printed(result: dict, **options: object) -> str:
    target = io.StringIO()
    print_result(result, Console(file=target, **options), report=Path("out/report.html"))  # type: ignore[arg-type]
    return target.getvalue()


def test_piped_output_is_plain_text_with_a_row_a_line(result: dict) -> None:
    out = printed(result, width=40)
    lines = out.splitlines()
    assert "\x1b" not in out
    (row,) = [line for line in lines if line.startswith("reward-hacker")]
    assert "0.86 [0.74, 0.98]" in row and "0.18 [0.06, 0.30]" in row and row.endswith("passed, 5 of 5")
    assert any(line.startswith(result["table"][3]["organism"] + " ") for line in lines)
    assert "not estimable" in out
    assert lines[-1] == "Report: out/report.html"


def test_the_sentence_is_one_line_as_written(result: dict) -> None:
    assert result["verdict"]["sentence"] in printed(result, width=40).splitlines()


def test_a_terminal_of_80_columns_is_not_overrun(result: dict) -> None:
    out = printed(result, force_terminal=True, width=80, color_system=None)
    table = out[: out.index("1 trial failed")]
    assert max(map(len, table.splitlines())) <= 80
    assert "n/e: not estimable" in out


def test_a_tested_technique_has_its_null_and_oracle_beside_it(result: dict) -> None:
    (row,) = [line for line in printed(result).splitlines() if line.startswith("probe")]
    assert "0.81 [0.69, 0.89]" in row and "0.52 [0.38, 0.62]" in row and "0.99 [0.96, 1.00]" in row


def test_names_are_not_obeyed_as_markup_or_escapes(result: dict) -> None:
    result["table"][0]["organism"] = "[red]x[/nothing]\x1b[31m"
    out = printed(result)
    assert "[red]x[/nothing]<U+001B>[31m" in out


@pytest.mark.parametrize("terminal", [False, True])
def test_an_empty_result_says_so(terminal: bool) -> None:
    out = printed({}, force_terminal=terminal, color_system=None)
    assert "No organism to show." in out and "No technique to show." in out
    assert "Not known." in out
