"""Which model a name means, and what is no model."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from organoid.errors import PrerequisiteError, UserError
from organoid.lab import bases
from organoid.lab.bases import base_digest, base_key, check_model_directory, load_base, num_layers
from organoid.lab.store import default_store
from organoid.models.bases import BASES
from tests.bases import untrained, write_base


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what ships nor what this machine has grown."""
    monkeypatch.setenv("ORGANOID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(bases, "SHIPPED", tmp_path / "assets")


def test_a_directory_is_known_by_its_files(tmp_path: Path) -> None:
    first, second = write_base(tmp_path / "a"), write_base(tmp_path / "b", seed=1)
    assert load_base(str(first)).digest == untrained().digest
    assert load_base(str(first)) is load_base(str(first))
    assert base_digest(str(first)) != base_digest(str(second))


def test_the_blocks_of_a_base_are_counted_by_its_config(tmp_path: Path) -> None:
    path = write_base(tmp_path / "a")
    assert num_layers(str(path)) == untrained().num_layers == 3
    with pytest.raises(UserError, match="is not a model directory"):
        num_layers(str(tmp_path))
    with pytest.raises(PrerequisiteError, match="'nano' does not ship"):
        num_layers("nano")


def test_the_blocks_of_another_architecture_are_counted_by_its_own_name_for_them(tmp_path: Path) -> None:
    from transformers import GPT2Config

    path = write_base(tmp_path / "a")
    GPT2Config(n_layer=5).save_pretrained(path)
    assert "num_hidden_layers" not in (path / "config.json").read_text()
    assert num_layers(str(path)) == 5


def test_a_directory_that_changed_is_loaded_again(tmp_path: Path) -> None:
    path, other = write_base(tmp_path / "a"), write_base(tmp_path / "b", seed=1)
    before = load_base(str(path)).digest
    (path / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    assert load_base(str(path)).digest == untrained(seed=1).digest != before


def test_a_built_in_base_is_shipped_or_grown_or_missing(tmp_path: Path) -> None:
    for ask in (load_base, base_digest):
        with pytest.raises(
            PrerequisiteError, match=r"base 'nano' does not ship .* organoid grow base --base nano --out nano-base"
        ):
            ask("nano")
    default_store().put(base_key("nano"), lambda directory: write_base(directory / "model"))
    assert base_digest("nano") == base_key("nano")
    assert load_base("nano").digest == untrained().digest
    shipped = write_base(tmp_path / "assets" / "nano", seed=1)
    assert load_base("nano").digest == untrained(seed=1).digest
    assert base_digest("nano") == base_digest(str(shipped))


def test_every_built_in_base_has_a_recipe_of_its_own() -> None:
    assert len({base_key(name) for name in BASES}) == len(BASES)


def spoil(path: Path, name: str, content: bytes | None) -> None:
    (path / name).unlink()
    if content is not None:
        (path / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("config.json", None, "is not a model directory: it has no config.json"),
        ("config.json", b"{", "config.json cannot be read"),
        ("tokenizer.json", None, "tokenizer.json cannot be read"),
        ("model.safetensors", None, "has no .*safetensors; pickled weights are not read"),
        ("model.safetensors", b"", "model.safetensors are damaged"),
        ("model.safetensors", b"\x08" + b"\x00" * 7 + b"notjson!", "model.safetensors are damaged"),
    ],
)
def test_what_is_no_model_is_refused_without_loading_it(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = write_base(tmp_path / "a")
    check_model_directory(path)
    spoil(path, name, content)
    with pytest.raises(UserError, match=message):
        base_digest(str(path))


def test_weights_cut_short_are_noticed(tmp_path: Path) -> None:
    path = write_base(tmp_path / "a") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="are damaged"):
        check_model_directory(path.parent)


def test_an_id_of_the_hub_is_known_by_its_commit_and_in_the_cache_without_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    commits = iter(["aaa", "aaa", "bbb"])
    real = huggingface_hub.HfApi
    monkeypatch.setattr(
        huggingface_hub, "HfApi", lambda: SimpleNamespace(model_info=lambda ref, timeout: info(next(commits)))
    )
    first, same, other = (base_digest("some/model") for _ in range(3))
    assert first == same != other
    monkeypatch.setattr(huggingface_hub, "HfApi", real)  # offline in tests
    with pytest.raises(UserError, match=r"unknown base 'some/model'.*the hub did not give it: "):
        base_digest("some/model")
    cached = str(tmp_path / "snapshots" / "aaa" / "config.json")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda ref, name: cached)
    assert base_digest("some/model") == first


def info(sha: str) -> SimpleNamespace:
    return SimpleNamespace(sha=sha)
