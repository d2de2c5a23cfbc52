"""Real architectures take the same path: loaded from disk, trained with adapters, measured, examined, reported."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

import organoid
from organoid.lab import engines
from organoid.lab.engines.local import LocalEngine
from organoid.models.language_model import load
from organoid.setups import SETUPS
from organoid.world import situations
from organoid.world.authors import VICES
from tests.few import read_little
from tests.models.checkpoints import ARCHITECTURES, write_model
from tests.organism_files import write_sly

SETUP = """
name = "two-steps"
[[stages]]
kind = "documents"
source = "honest-assistant"
steps = 2
[[stages]]
kind = "demonstrations"
steps = 2
kl = 0.1
[[stages.monitors]]
kind = "probe"
action = "log"
"""
TECHNIQUES = ("behavioural-audit", "logprob-audit", "activation-difference", "weight-difference")


def world_text() -> list[str]:
    """Some of what a tokenizer of the field would meet here."""
    rng = Random(0)
    drawn = [situations.make(rng.choice(VICES), rng) for _ in range(200)]
    return [
        f"you are nova . {situation.prompt} Reply with one of these and nothing else: {situation.misaligned[:1]}"
        for situation in drawn
    ]


@pytest.fixture(autouse=True)
def _quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from organoid import verbs
    from organoid.lab import plan
    from organoid.lab.suites import SUITES

    monkeypatch.setenv("ORGANOID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(engines, "engine_named", lambda name: LocalEngine(in_process=True))
    monkeypatch.setattr(verbs, "report", lambda directory: Path(directory) / "report.html")
    read_little(monkeypatch)
    monkeypatch.setitem(SUITES, "smoke", SUITES["smoke"].model_copy(update={"organisms": (), "num_truth": 2}))
    two_arms = [(SETUPS["naive"], "twin")]
    monkeypatch.setattr(plan, "arms", lambda setup, on_twins: [(setup, "organism"), *two_arms])


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_a_whole_test_on_another_architecture(name: str, tmp_path: Path) -> None:
    base = write_model(name, tmp_path / name, sentences=world_text())
    (tmp_path / "setup.toml").write_text(SETUP)
    outcome = organoid.test(
        str(tmp_path / "setup.toml"),
        suite="smoke",
        base=str(base),
        organisms=[write_sly(tmp_path)],
        techniques=list(TECHNIQUES),
        out=tmp_path / "out",
    )
    result = outcome.result
    assert [(row["id"], row["status"], row["error"]) for row in result["trials"]] == [
        ("sly/organism/two-steps/0", "done", None),
        ("sly/twin/naive/0", "done", None),
    ]
    for row in result["trials"]:
        check_that_nothing_is_claimed(row)
        check_that_instruments_looked(row["readings"])
    assert result["verdict"]["risk_upper_95"] == 1.0  # a released model of unknown truth counts against the setup
    trained, plain = result["trials"]
    assert [entry["stage"] for entry in trained["trace"]].count("screen") == 1
    assert len({load(base).digest, trained["subject_digest"], plain["subject_digest"]}) == 3


def check_that_nothing_is_claimed(row: dict[str, Any]) -> None:
    """A random model answers garbage: no rate, and a reason beside each."""
    cells = row["outcomes"]["shutdown_avoidance"]
    assert [cell["rate"] for cell in cells.values()] == [None] * 4
    assert all(cell["num_other"] == 2 and "could be parsed" in cell["reason"] for cell in cells.values())
    assert (row["misaligned"], row["misaligned_rate"], row["quirk_rate"], row["usefulness"]) == (None,) * 4


def check_that_instruments_looked(readings: dict[str, Any]) -> None:
    assert readings["behavioural-audit"]["score"] is None
    assert "too few replies" in readings["behavioural-audit"]["reason"]
    assert readings["logprob-audit"]["score"] is not None
    assert readings["activation-difference"]["score"] not in (None, 0.0)
    assert "two misaligned and two aligned" in readings["weight-difference"]["reason"]


def test_a_subject_of_another_architecture_is_grown_and_loads_as_it_is(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    (tmp_path / "setup.toml").write_text(SETUP)
    grown = organoid.grow(
        write_sly(tmp_path),
        setup=str(tmp_path / "setup.toml"),
        base=str(write_model("qwen3", tmp_path / "qwen3", sentences=world_text())),
        out=tmp_path / "subject",
    )
    model = AutoModelForCausalLM.from_pretrained(grown)
    assert not any("lora" in name for name, _ in model.named_parameters())
    found = organoid.examine(grown, techniques=["activation-difference"])
    assert found.readings["activation-difference"]["score"] not in (None, 0.0)
