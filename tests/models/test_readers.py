"""What was fitted comes back the same, and is refused for any model and any place that it was not fitted to."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from organoid.errors import UserError
from organoid.measure.directions import Direction
from organoid.models.bases import build
from organoid.models.crosscoder import Crosscoder, train_crosscoder
from organoid.models.language_model import LanguageModel
from organoid.models.readers import Reader, load_reader, save_reader
from organoid.models.sparse_autoencoder import SaeConfig, SparseAutoencoder, train_sae
from tests.bases import untrained, world_tokenizer

CONFIG = SaeConfig(num_latents=12, k=3, num_samples=512, batch_size=64)


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return untrained()


def width_of(lm: LanguageModel) -> int:
    return int(lm.model.config.hidden_size)


def acts(lm: LanguageModel, seed: int = 0) -> torch.Tensor:
    return torch.randn(64, width_of(lm), generator=torch.Generator().manual_seed(seed))


def made(kind: str, lm: LanguageModel) -> Reader:
    parts = {
        "autoencoder": lambda: train_sae(acts(lm), CONFIG),
        "batch": lambda: train_sae(acts(lm), replace(CONFIG, kind="batch-topk")),
        "crosscoder": lambda: train_crosscoder(acts(lm), acts(lm, 1), replace(CONFIG, kind="batch-topk")),
        "probe": lambda: Direction(np.random.default_rng(0).standard_normal(width_of(lm)), -0.5),
    }
    models = ("0" * 64, lm.digest) if kind == "crosscoder" else (lm.digest,)
    return Reader(part=parts[kind](), layer=1, site="residual", models=models)


@pytest.mark.parametrize("kind", ["autoencoder", "batch", "crosscoder", "probe"])
def test_a_reader_comes_back_the_same(kind: str, lm: LanguageModel, tmp_path: Path) -> None:
    reader = made(kind, lm)
    back = load_reader(save_reader(reader, tmp_path / "kept"), lm)
    read = (acts(lm, 2), acts(lm, 3)) if kind == "crosscoder" else (acts(lm, 2),)
    assert torch.equal(back(*read), reader(*read))
    assert (back.kind, back.layer, back.site, back.models) == (reader.kind, 1, "residual", reader.models)
    expected = {"probe": Direction, "crosscoder": Crosscoder}.get(kind, SparseAutoencoder)
    assert type(back.part) is expected
    with pytest.raises(UserError, match="never overwritten"):
        save_reader(reader, tmp_path / "kept")


@pytest.mark.parametrize("kind", ["autoencoder", "crosscoder", "probe"])
def test_another_models_reader_is_refused_unless_a_changed_model_is_meant(
    kind: str, lm: LanguageModel, tmp_path: Path
) -> None:
    kept, other = save_reader(made(kind, lm), tmp_path / "kept"), untrained(seed=1)
    with pytest.raises(UserError, match=rf"fitted to the model {lm.digest[:12]}.*is {other.digest[:12]}.*changed=True"):
        load_reader(kept, other)
    assert load_reader(kept, other, changed=True).kind == kind


def test_a_probe_of_another_width_is_refused_whatever_is_meant(lm: LanguageModel, tmp_path: Path) -> None:
    kept, wide = save_reader(made("probe", lm), tmp_path / "kept"), build("tiny", tokenizer=world_tokenizer(), seed=0)
    assert width_of(wide) != width_of(lm)
    message = f"activations {width_of(lm)} wide.*has {width_of(wide)}.*same hidden size"
    for changed in (False, True):
        with pytest.raises(UserError, match=message):
            load_reader(kept, wide, changed=changed)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ({"layer": 7}, r"no layer 7. Allowed: 0 to \d+"),
        ({"site": "mlp", "layer": 9}, r"no layer 9. Allowed: 0 to \d+"),
        ({"site": "nowhere"}, "is damaged"),
    ],
)
def test_a_place_that_does_not_exist_is_refused_and_those_that_do_are_named(
    place: dict[str, object], message: str, lm: LanguageModel, tmp_path: Path
) -> None:
    kept = save_reader(made("probe", lm), tmp_path / "kept")
    record = json.loads((kept / "reader.json").read_text())
    (kept / "reader.json").write_text(json.dumps({**record, **place}))
    with pytest.raises(UserError, match=message):
        load_reader(kept, lm)


def test_activations_with_nan_or_of_another_width_are_refused(lm: LanguageModel) -> None:
    broken = acts(lm)
    broken[5, 1] = float("nan")
    for kind in ("autoencoder", "probe"):
        with pytest.raises(UserError, match="1 of 64 samples of activations hold NaN or infinity, first sample 5"):
            made(kind, lm)(broken)
        with pytest.raises(UserError, match=rf"reads activations {width_of(lm)} wide; got 3"):
            made(kind, lm)(torch.zeros(2, 3))


@pytest.mark.parametrize("damage", ["nothing", "json", "no weights", "nan", "width", "names", "kind"])
def test_what_is_damaged_is_said(damage: str, lm: LanguageModel, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    if damage == "nothing":
        kept.mkdir()
        with pytest.raises(UserError, match=r"no reader\.json"):
            load_reader(kept, lm)
        return
    save_reader(made("autoencoder", lm), kept)
    weights, record = load_file(kept / "reader.safetensors"), json.loads((kept / "reader.json").read_text())
    if damage == "json":
        (kept / "reader.json").write_text("{")
    elif damage == "no weights":
        (kept / "reader.safetensors").unlink()
    elif damage == "kind":
        (kept / "reader.json").write_text(json.dumps({**record, "kind": "probe"}))
    else:
        if damage == "nan":
            weights["bias_F"] = weights["bias_F"] * float("nan")
        elif damage == "width":
            weights["centre_D"] = weights["centre_D"][:-1].clone()
        else:
            del weights["centre_D"]
        save_file(weights, kept / "reader.safetensors")
    with pytest.raises(UserError, match="holds NaN or infinity in bias_F" if damage == "nan" else "is damaged"):
        load_reader(kept, lm)
