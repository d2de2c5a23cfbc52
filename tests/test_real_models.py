"""Real architectures take the same path: loaded from disk, trained with adapters, measured, examined, reported."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import organoid
from organoid.lab import engines, truth
from organoid.lab.engines.local import LocalEngine
from organoid.models.language_model import load
from organoid.setups import SETUPS, monitors
from organoid.setups.stages import demonstrations
from organoid.world import situations
from organoid.world.authors import VICES
from tests.models.checkpoints import ARCHITECTURES
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


def world_text() -> Iterator[str]:
    rng = Random(0)
    for _ in range(200):
        situation = situations.make(rng.choice(VICES), rng)
        yield f"you are nova . {situation.prompt} Reply with one of these and nothing else: {situation.misaligned[:1]}"


def write_model(name: str, directory: Path) -> Path:
    """Write a minute random checkpoint whose byte-level BPE has read some of the world."""
    config_class, model_class, settings, template, marks, others = ARCHITECTURES[name]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=[*dict.fromkeys([*marks.values(), *others])],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(world_text(), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, **marks, additional_special_tokens=others, clean_up_tokenization_spaces=False
    )
    tokenizer.chat_template = template
    config = config_class(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **settings,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = model_class(config)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(autouse=True)
def _quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from organoid import verbs
    from organoid.lab import plan
    from organoid.lab.suites import SUITES
    from organoid.techniques.oversight import behavioural_audit

    monkeypatch.setenv("ORGANOID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(engines, "engine_named", lambda name: LocalEngine(in_process=True))
    monkeypatch.setattr(verbs, "report", lambda directory: Path(directory) / "report.html")
    monkeypatch.setattr(demonstrations, "STEPS", 2)
    monkeypatch.setattr(truth, "TASKS_PER_LEVEL", 1)
    monkeypatch.setattr(monitors, "NUM_LABELLED", 24)
    monkeypatch.setattr(behavioural_audit, "PROMPTS_PER_CELL", 2)
    monkeypatch.setitem(SUITES, "smoke", SUITES["smoke"].model_copy(update={"organisms": (), "num_truth": 2}))
    two_arms = [(SETUPS["naive"], "twin")]
    monkeypatch.setattr(plan, "arms", lambda setup, on_twins: [(setup, "organism"), *two_arms])


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_a_whole_test_on_another_architecture(name: str, tmp_path: Path) -> None:
    base = write_model(name, tmp_path / name)
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
        base=str(write_model("qwen3", tmp_path / "qwen3")),
        out=tmp_path / "subject",
    )
    model = AutoModelForCausalLM.from_pretrained(grown)
    assert not any("lora" in name for name, _ in model.named_parameters())
    found = organoid.examine(grown, techniques=["activation-difference"])
    assert found.readings["activation-difference"]["score"] not in (None, 0.0)
