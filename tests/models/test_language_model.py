import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from organoid.errors import UserError
from organoid.models.bases import BASES, build
from organoid.models.language_model import LanguageModel, copy, load, save
from tests.models.checkpoints import native_tokenizer


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=torch.arange(1, 9)[None]).logits


def test_what_is_saved_loads_with_plain_transformers(native: LanguageModel, tmp_path: Path) -> None:
    path = save(native, tmp_path / "subject")
    model = AutoModelForCausalLM.from_pretrained(path, local_files_only=True)
    assert torch.equal(logits(model), logits(native.model))
    assert AutoTokenizer.from_pretrained(path).chat_template == native.tokenizer.chat_template
    assert load(path).digest == native.digest
    assert load(path).native
    assert [entry.name for entry in tmp_path.iterdir()] == ["subject"]


def test_half_precision_on_disk_comes_back_as_single(native: LanguageModel, tmp_path: Path) -> None:
    path = save(native, tmp_path / "half", dtype=torch.float16)
    assert {weight.dtype for weight in load_file(path / "model.safetensors").values()} == {torch.float16}
    assert native.model.dtype == torch.float32
    back = load(path)
    assert back.model.dtype == torch.float32
    assert torch.allclose(logits(back.model), logits(native.model), atol=1e-2)


def test_saving_never_overwrites(native: LanguageModel, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(UserError, match="never overwritten"):
        save(native, tmp_path / "taken")


def test_a_save_that_fails_leaves_nothing(
    native: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(native.tokenizer, "save_pretrained", fail)
    with pytest.raises(OSError, match="disk full"):
        save(native, tmp_path / "subject")
    assert list(tmp_path.iterdir()) == []


def test_the_digest_sees_weights_config_words_and_template(native: LanguageModel) -> None:
    other = copy(native)
    assert other.digest == native.digest
    with torch.no_grad():
        other.model.model.norm.weight[3] += 1e-3
    assert other.digest != native.digest
    assert replace(native, tokenizer=native_tokenizer(extra=1)).digest != native.digest
    tokenizer = native_tokenizer()
    tokenizer.chat_template += " "
    assert replace(native, tokenizer=tokenizer).digest != native.digest
    rescaled = copy(native)
    rescaled.model.config.rms_norm_eps = 1e-3
    assert rescaled.digest != native.digest


def test_a_copy_shares_nothing(native: LanguageModel) -> None:
    before = native.digest
    other = copy(native)
    with torch.no_grad():
        for weight in other.model.parameters():
            weight.zero_()
    assert native.digest == before


def test_equal_seeds_build_equal_models_and_leave_chance_alone() -> None:
    tokenizer = native_tokenizer()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    one, same, other = (build("nano", tokenizer=tokenizer, seed=seed).digest for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert one == same != other


@pytest.mark.parametrize(("name", "millions"), [("nano", 0.184), ("tiny", 0.870), ("mini", 4.95), ("small", 29.2)])
def test_sizes_are_what_the_names_promise(name: str, millions: float) -> None:
    shape = BASES[name]
    blocks = shape.layers * (4 * shape.hidden**2 + 3 * shape.hidden * shape.intermediate + 2 * shape.hidden)
    assert (blocks + 512 * shape.hidden + shape.hidden) / 1e6 == pytest.approx(millions, rel=0.01)
    if name == "nano":
        lm = build(name, tokenizer=native_tokenizer(extra=512 - len(native_tokenizer())), seed=0)
        assert lm.model.num_parameters() == blocks + 512 * shape.hidden + shape.hidden


def test_an_unknown_shape_is_told_its_neighbours(native: LanguageModel) -> None:
    with pytest.raises(UserError, match="Did you mean 'tiny'"):
        build("tinny", tokenizer=native.tokenizer, seed=0)


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=r"no config\.json"):
        load(tmp_path)


def test_damaged_weights_are_refused(native: LanguageModel, tmp_path: Path) -> None:
    weights = save(native, tmp_path / "subject") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path / "subject")


def test_missing_and_pickled_weights_are_refused(native: LanguageModel, tmp_path: Path) -> None:
    weights = save(native, tmp_path / "subject") / "model.safetensors"
    weights.unlink()
    with pytest.raises(UserError, match="cannot load the model"):
        load(tmp_path / "subject")
    torch.save(native.model.state_dict(), tmp_path / "subject" / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"not pickled \.bin files"):
        load(tmp_path / "subject")


def test_weights_that_would_be_made_up_are_refused(native: LanguageModel, tmp_path: Path) -> None:
    weights = save(native, tmp_path / "subject") / "model.safetensors"
    kept = {name: weight for name, weight in load_file(weights).items() if ".mlp." not in name}
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"not those of its config\.json: model\..*mlp.* is missing.* more\. Copy"):
        load(tmp_path / "subject")


def test_weights_of_another_shape_than_the_config_s_are_refused(native: LanguageModel, tmp_path: Path) -> None:
    path = save(native, tmp_path / "subject")
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"hidden_size": 2 * config["hidden_size"]}))
    with pytest.raises(UserError, match=r"has shape \(.*\), config\.json says \("):
        load(path)


def test_weights_tied_to_others_are_not_missing(native: LanguageModel, tmp_path: Path) -> None:
    path = save(native, tmp_path / "subject")
    config = json.loads((path / "config.json").read_text()) | {"tie_word_embeddings": True}
    (path / "config.json").write_text(json.dumps(config))
    kept = {name: weight for name, weight in load_file(path / "model.safetensors").items() if name != "lm_head.weight"}
    save_file(kept, path / "model.safetensors", metadata={"format": "pt"})
    assert load(path).native


def test_a_loader_that_gives_up_is_one_message(
    native: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("shapes cannot be made to fit")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", fail)
    with pytest.raises(UserError, match=r"cannot load the model.*shapes cannot be made to fit"):
        load(save(native, tmp_path / "subject"))


def test_weights_that_are_not_numbers_are_refused(native: LanguageModel, tmp_path: Path) -> None:
    with torch.no_grad():
        native.model.model.norm.weight[0] = float("nan")
    save(native, tmp_path / "subject")
    with pytest.raises(UserError, match=r"NaN or infinity.*norm"):
        load(tmp_path / "subject")


def test_a_truncated_config_and_a_missing_tokenizer_are_refused(native: LanguageModel, tmp_path: Path) -> None:
    path = save(native, tmp_path / "subject")
    (path / "tokenizer.json").unlink()
    with pytest.raises(UserError, match="cannot load the tokenizer"):
        load(path)
    path = save(native, tmp_path / "other")
    (path / "config.json").write_text('{"model_type": "lla')
    with pytest.raises(UserError, match="cannot load"):
        load(path)


def test_an_id_that_cannot_be_reached_is_the_user_s_to_mend() -> None:
    with pytest.raises(UserError, match="no such directory, and the hub did not give it"):
        load("nobody/no-such-model")


def test_code_that_comes_with_a_model_is_not_run(native: LanguageModel, tmp_path: Path) -> None:
    path = save(native, tmp_path / "subject")
    config = (path / "config.json").read_text().replace('"model_type": "llama"', '"model_type": "mine"')
    (path / "config.json").write_text(config.replace("{", '{"auto_map": {"AutoModelForCausalLM": "mine.Mine"},', 1))
    (path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match="cannot load"):
        load(path)
    assert not (tmp_path / "ran").exists()
