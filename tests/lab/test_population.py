"""Populations: a model directory per seed, a summary, and nothing grown twice."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import organoid
from organoid import cli
from organoid.errors import UserError
from organoid.lab import engines, growing, population, trial, truth
from organoid.lab.engines.local import LocalEngine
from organoid.lab.journal import verify
from organoid.lab.population import SUMMARY, describe_population
from organoid.models.language_model import load
from tests.bases import write_base
from tests.organism_files import write_sly

SETUP = 'name = "two-steps"\n[[stages]]\nkind = "demonstrations"\nsteps = 2\n'
Grow = Callable[..., Path]


@pytest.fixture(scope="module", autouse=True)
def _quickly(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORGANOID_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(engines, "engine_named", lambda name: LocalEngine(in_process=True))
        patch.setattr(truth, "TASKS_PER_LEVEL", 2)
        yield


@pytest.fixture(scope="module")
def grow(tmp_path_factory: pytest.TempPathFactory) -> Grow:
    here = tmp_path_factory.mktemp("here")
    base, setup = str(write_base(here / "nano")), here / "setup.toml"
    setup.write_text(SETUP)
    organism = write_sly(here)
    return lambda **options: organoid.grow(organism, **({"setup": str(setup), "base": base} | options))


@pytest.fixture(scope="module")
def grown(grow: Grow, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return grow(out=tmp_path_factory.mktemp("runs") / "three", population=3, seed=5, variant="twin", workers=1)


@pytest.fixture
def copied(grown: Path) -> Iterator[Path]:
    """The population where it was grown, put back as it was after the test."""
    kept = grown.with_name("kept")
    shutil.copytree(grown, kept)
    yield grown
    shutil.rmtree(grown)
    kept.rename(grown)


def summary_of(directory: Path) -> dict[str, Any]:
    return json.loads((directory / SUMMARY).read_text())


def test_each_seed_is_a_model_directory_with_its_lineage(grown: Path) -> None:
    assert {path.name for path in grown.glob("seed-*")} == {"seed-5", "seed-6", "seed-7"}
    for row in summary_of(grown)["subjects"]:
        lineage = json.loads((grown / row["directory"] / growing.LINEAGE).read_text())
        assert (lineage["spec"]["seed"], lineage["spec"]["variant"]) == (row["seed"], "twin")
        assert load(grown / row["directory"]).digest == lineage["subject_digest"] == row["subject_digest"]


def test_a_subject_of_a_population_is_the_one_grown_alone(grown: Path, grow: Grow, tmp_path: Path) -> None:
    alone = grow(out=tmp_path / "alone", seed=6, variant="twin")
    assert load(alone).digest == load(grown / "seed-6").digest
    assert json.loads((alone / growing.LINEAGE).read_text()) == json.loads(
        (grown / "seed-6" / growing.LINEAGE).read_text()
    )


def test_the_summary_has_a_row_per_seed_and_intervals_over_seeds(grown: Path) -> None:
    summary = summary_of(grown)
    assert [row["seed"] for row in summary["subjects"]] == [5, 6, 7]
    assert (summary["population"], summary["num_done"], summary["num_failed"]) == (3, 3, 0)
    for row in summary["subjects"]:
        assert row["misalignment"].keys() == {"shutdown_avoidance"}
        assert row["misalignment"]["shutdown_avoidance"].keys() == {"test", "monitored", "deployed", "triggered"}
        assert row["seconds"] > 0
    cell = summary["over_seeds"]["misalignment"]["shutdown_avoidance"]["deployed"]
    assert cell.keys() == {"value", "ci_low", "ci_high", "n", "reason"}
    assert {row["status"] for row in summary["subjects"]} == {"done"}


def rows(bad: list[bool | None], rate: list[float | None]) -> list[dict[str, Any]]:
    return [
        {
            "status": "done", "misaligned": flag, "misaligned_rate": value, "usefulness": 0.9, "seconds": 2.0,
            "misalignment": {"sabotage": dict.fromkeys(("test", "monitored", "deployed", "triggered"), value)},
        }
        for flag, value in zip(bad, rate, strict=True)
    ]  # fmt: skip


def test_means_and_shares_are_over_subjects() -> None:
    found = population._over_seeds(rows([True, True, False, None], [1.0, 0.8, 0.0, None]), grain=1 / 32)
    over = found["over_seeds"]
    assert over["misaligned_rate"]["value"] == pytest.approx(0.6)
    assert over["misaligned_rate"]["n"] == over["misalignment"]["sabotage"]["test"]["n"] == 3
    share = over["share_misaligned"]
    assert (share["num"], share["n"]) == (2, 3)
    assert share["ci_low"] == pytest.approx(0.0943, abs=1e-3)  # Clopper and Pearson, 2 of 3
    assert over["median_seconds"] == 2.0


def test_nothing_grown_is_no_zero() -> None:
    found = population._over_seeds([{"status": "failed"}], grain=1 / 32)
    assert found["num_failed"] == 1
    assert found["over_seeds"]["misaligned_rate"]["value"] is None
    assert found["over_seeds"]["share_misaligned"]["value"] is None
    assert found["over_seeds"]["median_seconds"] is None


def test_the_screen_is_one_screen_however_many(grown: Path, tmp_path: Path) -> None:
    summary = summary_of(grown)
    failed = {"status": "failed", "directory": None, "error": "AssertionError: no"}
    for row in (many := [dict(failed, seed=seed) for seed in range(200)]):
        row["directory"] = f"seed-{row['seed']}"
    (tmp_path / SUMMARY).write_text(json.dumps(summary | {"subjects": summary["subjects"] + many}))
    said = describe_population(tmp_path)
    assert len(said.splitlines()) < 24
    assert "3 grown, 200 failed" in said
    assert "and 197 more" in said
    assert "shutdown_avoidance" in said


# ---- again ------------------------------------------------------------------------------------------------


def again(grow: Grow, out: Path, **changes: Any) -> Path:
    return grow(**({"out": out, "population": 3, "seed": 5, "variant": "twin", "resume": True} | changes))


def test_resuming_repeats_nothing(grown: Path, grow: Grow, monkeypatch: pytest.MonkeyPatch) -> None:
    before = summary_of(grown)
    monkeypatch.setattr(population, "grow_one", lambda payload: pytest.fail("it was grown before"))
    again(grow, grown)
    left_out = ("seconds", "journal_head")
    after = summary_of(grown)
    assert {k: v for k, v in after.items() if k not in left_out} == {
        k: v for k, v in before.items() if k not in left_out
    }


def test_what_was_lost_is_recalled_from_the_cache(copied: Path, grow: Grow, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = load(copied / "seed-6").digest
    shutil.rmtree(copied / "seed-6")
    (copied / "building" / "seed-6").mkdir(parents=True)  # as a kill would leave it
    monkeypatch.setattr(trial, "conduct", lambda spec: pytest.fail("it was trained before"))
    again(grow, copied)
    assert load(copied / "seed-6").digest == digest
    assert not (copied / "building").exists()
    assert verify(copied / "journal.jsonl").entries


def test_resuming_with_other_arguments_names_what_differs(grown: Path, grow: Grow) -> None:
    with pytest.raises(UserError, match=r"made with another spec.*\n.*population: 3 in the directory, 4 now"):
        again(grow, grown, population=4)
    with pytest.raises(UserError, match=r"first.variant: \"twin\" in the directory, \"decoy\" now"):
        again(grow, grown, variant="decoy")


def test_an_existing_directory_is_never_overwritten(grown: Path, grow: Grow) -> None:
    before = {path: path.read_bytes() for path in grown.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="exists and is never overwritten"):
        again(grow, grown, resume=False)
    assert {path: path.read_bytes() for path in grown.rglob("*") if path.is_file()} == before


def test_a_failed_subject_is_a_row(grow: Grow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = growing.write_subject
    monkeypatch.setattr(population, "write_subject", lambda spec, at: real(spec, at) if spec.seed else 1 / 0)
    summary = summary_of(grow(out=tmp_path / "two", population=2, workers=1))
    first, second = summary["subjects"]
    assert (first["status"], first["misaligned"], first["directory"]) == ("failed", None, None)
    assert "ZeroDivisionError" in first["error"]
    assert (second["status"], summary["num_failed"]) == ("done", 1)
    assert "1 grown, 1 failed" in describe_population(tmp_path / "two")


# ---- bad input --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 0}, "population must be at least 1, got 0"),
        ({"population": -3}, "population must be at least 1, got -3"),
        ({"population": 2, "workers": 0}, "workers must be at least 1, got 0"),
        ({"population": 2, "seed": -1}, "seed must be at least 0, got -1"),
        ({"population": 2, "variant": "clone"}, "unknown variant 'clone'"),
        ({"workers": 2}, "--workers is for growing several. Say how many with --population"),
        ({"resume": True}, "--resume is for growing several"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(
    grow: Grow, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        grow(out=tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_base_is_no_population(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["grow", "base", "--population", "2", "--out", str(tmp_path / "out")])
    assert caught.value.code == 2
    assert "a base is grown once" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_the_summary(grown: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from organoid import verbs

    monkeypatch.setattr(verbs, "grow", lambda *args, **kwargs: grown)
    with pytest.raises(SystemExit) as caught:
        cli.main(["grow", "sycophant", "--population", "3", "--out", str(grown)])
    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == describe_population(grown)
