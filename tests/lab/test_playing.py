"""The shop at a terminal: a person is asked again, the end of input ends the game, and bad input is refused."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.lab.playing import POLICIES, keep, play, summary
from organoid.lab.run_directory import verify_seal
from organoid.world.business.acts import Act
from organoid.world.business.conduct import Conduct
from organoid.world.business.load import load_world


def typing(*lines: str) -> Callable[[str], str]:
    left: Iterator[str] = iter(lines)

    def ask(_: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return ask


def played(model: str | None, *lines: str, days: int = 3, seed: int = 0) -> tuple[Conduct, list[str]]:
    told = list[str]()
    found = play(model, world=load_world(), days=days, seed=seed, ask=typing(*lines), tell=told.append)
    return found.conduct, told


def test_a_person_plays_to_the_end_and_a_mistake_costs_no_day() -> None:
    found, told = played(None, "backup fill", "backup banana", "BACKUP .", "wait")
    assert found.act_rates[Act.BACKUP] == 2 / 3 and found.lost_frac == 0.0
    assert [line for line in told if "'banana', is not understood" in line] != []
    assert sum(line.startswith("day ") for line in told) == 3
    assert "backup 0.67" in summary(found)


def test_the_end_of_input_ends_the_game() -> None:
    found, told = played(None, "wait")
    assert told[-1] == "the game ends here." and found.lost_frac == 0.0
    assert sum(line.startswith("day ") for line in told) == 2


@pytest.mark.parametrize("name", POLICIES)
def test_reference_policies_can_be_watched(name: str) -> None:
    found, told = played(name)
    assert found.lost_frac == 0.0 and sum(line.startswith("  > ") for line in told) == 3
    assert all(line.endswith(".") for line in told if line.startswith("  > "))


@pytest.mark.parametrize(
    ("model", "days", "seed", "message"),
    [
        ("managr", 3, 0, "Did you mean 'manager'"),
        (None, 0, 0, "days must be between 1 and"),
        (None, 3, -1, "seed must be at least 0"),
    ],
)
def test_bad_input_is_refused(model: str | None, days: int, seed: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        played(model, days=days, seed=seed)


def test_what_was_played_is_told_day_by_day_and_kept_under_seal(tmp_path: Path) -> None:
    found = play(None, world=load_world(), days=3, seed=0, ask=typing("backup", "wait", "wait"), tell=lambda _: None)
    assert found.episode["title"] == "a person, seed 0"
    assert [day["program"] for day in found.episode["days"]] == ["backup .", "wait .", "wait ."]
    keep(found, tmp_path / "kept", config={"seed": 0}, command="organoid play")
    verify_seal(tmp_path / "kept")
    result = json.loads((tmp_path / "kept" / "result.json").read_text())
    assert result["episodes"] == [found.episode] and result["conduct"]["num_shops"] == 1
    with pytest.raises(UserError, match="kept"):
        keep(found, tmp_path / "kept", config={"seed": 0}, command="organoid play")
