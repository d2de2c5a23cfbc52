"""Episodes of the shop on the page: what is drawn, which are chosen, and that models' words stay words."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from organoid.reporting import episodes, figures, write_report
from tests.reporting.test_figures import PALETTE
from tests.reporting.test_html import Page, untraced

SCRIPT = "<script>alert(1)</script>"


def day(number: int, **changed: Any) -> dict[str, Any]:
    plain = {"day": number, "cash": 500.0 - number, "net_worth": 500.0 + number, "reported": None, "stock": 10 * number}
    return plain | {"acts": [], "outcome": "aligned", "line": "mon fair", "program": "wait ."} | changed


def told(*days: dict[str, Any], title: str = "mine") -> dict[str, Any]:
    return {"context": "real", "title": title, "days": list(days)}


BUSY = told(
    day(1),
    day(2, acts=["borrow", "ask_optout"], outcome="misaligned"),
    day(3, outcome="other", line=f"mon {SCRIPT}", program=f"order {SCRIPT}"),
    day(4, acts=["false_report", "juggle"], outcome="misaligned", reported=900.0),
)


def drawn(episode: dict[str, Any], width: int = 900) -> str:
    return figures.svg(episodes.timeline(episodes.episode_rows(episode), width=width))


@pytest.mark.parametrize("width", [350, 900])
def test_the_timeline_is_offline_svg_in_the_page_s_palette(width: int) -> None:
    found = drawn(BUSY, width)
    assert set(re.findall(r"(?:fill|stroke)=\"(#[0-9a-f]{3,6})\"", found)) <= PALETTE
    assert not re.search(r"<script|<image|<foreignObject|\bid=|url\(#", found)
    assert float(re.search(r"width=\"([\d.]+)\"", found).group(1)) <= width + 24  # pyright: ignore


def test_acts_have_a_lane_per_kind_and_are_named_and_counted() -> None:
    found = drawn(BUSY)
    for words in ("resources", "audit avoidance", "ledger deception", "other acts", "days lost"):
        assert f">{words}<" in found
    for words in ("borrow, 1 day", "ask optout, 1 day", "false report, 1 day", "juggle, 1 day", "did not parse, 1 day"):
        assert f">{words}<" in found
    assert "influence" not in found
    for words in ("net worth 504", "cash 496", "reported 900", "stock 40 units"):
        assert f">{words}<" in found


def test_lanes_hold_each_act_on_its_day() -> None:
    marks = episodes._placed(episodes.episode_rows(BUSY)).marks
    assert {(row["lane"], row["day"]) for row in marks} == {
        *(("resources", 2), ("audit avoidance", 2), ("ledger deception", 4), ("other acts", 4), ("days lost", 3))
    }
    assert len({row["line"] for row in marks}) == 5


def test_an_honest_trader_and_a_single_day_can_be_drawn() -> None:
    found = drawn(told(day(1)))
    assert ">nothing but trade<" in found and "NaN" not in found


def test_missing_numbers_are_no_zeros() -> None:
    rows = episodes.episode_rows(told(day(1, cash=None, stock=float("nan")), {"day": None}))
    assert len(rows) == 1 and rows[0]["cash"] is None and rows[0]["stock"] is None
    assert ">stock not recorded<" in drawn(told(day(1, stock=None, cash=None)))


def trial(organism: str, seed: int, *, setup: str = "naive", bad: int = 0, num: int = 3) -> dict[str, Any]:
    days = [day(n + 1, outcome="misaligned" if n < bad else "aligned") for n in range(num)]
    kept = [told(*days, title=f"{bad} bad")]
    return {"organism": organism, "variant": "organism", "setup": setup, "seed": seed, "episodes": kept}


def test_of_each_organism_and_arm_the_worst_is_shown() -> None:
    result = {"trials": [trial("a", 0), trial("a", 1, bad=2), trial("a", 0, setup="careful"), trial("b", 0), {}]}
    assert [one["title"] for one in episodes.chosen(result)] == [
        "a, organism, naive, seed 1, 2 bad",
        "a, organism, careful, seed 0, 0 bad",
        "b, organism, naive, seed 0, 0 bad",
    ]
    assert episodes.number(result) == 4
    assert len(episodes.chosen({"trials": [trial(str(n), 0) for n in range(20)]})) == episodes.MAX_SHOWN


def test_the_page_of_a_run_shows_episodes_and_what_models_said_stays_text(
    tmp_path: Path, make: SimpleNamespace
) -> None:
    result = untraced(make.result())
    result["trials"][0]["episodes"] = [{**BUSY, "title": SCRIPT, "context": SCRIPT}]
    directory = make.run(tmp_path / "run", result)
    page = Page(write_report(directory))
    assert [attrs["id"] for attrs in page.all("section")][3] == "episodes"
    assert len(page.all("script")) == 2 and page.words.count(SCRIPT) >= 4
    assert "1 of 1 kept" in page.words and "A diamond is a report" in page.words
    rows = (directory / "figures" / "episode_1.csv").read_text().splitlines()
    assert rows[0] == "day,cash,net_worth,reported,stock,acts,outcome,line,program" and len(rows) == 5


def test_a_run_without_a_shop_has_no_such_section(tmp_path: Path, make: SimpleNamespace) -> None:
    page = Page(write_report(make.run(tmp_path / "run", untraced(make.result()))))
    assert "episodes" not in [attrs["id"] for attrs in page.all("section")]
    assert "Episodes" not in page.words


def test_long_episodes_are_cut_in_the_table_only(tmp_path: Path) -> None:
    (shown,) = episodes.shown(tmp_path, [told(*(day(n) for n in range(1, 500)))])
    assert (len(shown.days), shown.num_days) == (episodes.MAX_DAYS, 499)
    assert len((tmp_path / "figures" / "episode_1.csv").read_text().splitlines()) == 500


def test_an_episode_without_days_is_words(tmp_path: Path) -> None:
    (shown,) = episodes.shown(tmp_path, [{"title": "none"}])
    assert shown.figure.wide is None and shown.figure.missing == "no day was kept"
