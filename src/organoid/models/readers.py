"""How is what was fitted to a model's activations kept, so that it is never read on the wrong model?

A reader is an autoencoder, a crosscoder or a probe, with the place it was fitted at (block and site) and the digest of
the model whose activations it was fitted to; of a crosscoder, those of both models. Kept as safetensors and JSON.
Loading holds it against a model: the digest, the width, the block and the site must be the model's, since a reader of
another width fails late and one of another model or layer fails in silence. To read a model that training has changed
with a probe held back from before is a purpose of its own, and has to be asked for (`changed=True`).
Left out: the formats of other libraries.

Axes: N samples, D width, F latents.

    save_reader(Reader(part=sae, layer=2, site="residual", models=(lm.digest,)), Path("runs/sae"))
    load_reader(Path("runs/sae"), lm)(acts_ND)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors import torch as safetensors
from torch import Tensor

from organoid.errors import UserError
from organoid.measure.directions import Direction
from organoid.models.crosscoder import Crosscoder
from organoid.models.hooks import Site, check_place
from organoid.models.language_model import LanguageModel
from organoid.models.sparse_autoencoder import SparseAutoencoder, check_finite
from organoid.types import Record

Kind = Literal["autoencoder", "crosscoder", "probe"]
_RECORD, _WEIGHTS = "reader.json", "reader.safetensors"
_LATENTS = ("encoder_FD", "bias_F", "decoder_FD", "centre_D")
_NAMES: dict[Kind, tuple[str, ...]] = {"autoencoder": _LATENTS, "crosscoder": _LATENTS, "probe": ("weight_D",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A fitted part, and where it was fitted."""

    part: SparseAutoencoder | Crosscoder | Direction
    layer: int  # block, from 0
    site: Site
    models: tuple[str, ...]  # digest of the model; of a crosscoder, of the one before and the one after

    @property
    def kind(self) -> Kind:
        """What it is."""
        if isinstance(self.part, Direction):
            return "probe"
        return "crosscoder" if isinstance(self.part, Crosscoder) else "autoencoder"

    @property
    def width(self) -> int:
        """The hidden size of the models that it reads."""
        if isinstance(self.part, Crosscoder):
            return self.part.width
        return len(self.part.weight_D) if isinstance(self.part, Direction) else self.part.decoder_FD.shape[1]

    def __call__(self, *acts_ND: Tensor) -> Tensor:
        """Return the latents (N, F), or a probe's scores (N,); a crosscoder takes the activations of both models.

        Raises:
            UserError: activations of another width, or that hold NaN or infinity.
        """
        for acts in acts_ND:
            if acts.shape[-1] != self.width:
                raise UserError(f"the {self.kind} reads activations {self.width} wide; got {acts.shape[-1]}.")
            check_finite(acts)
        if isinstance(self.part, Direction):
            (acts,) = acts_ND
            return acts.double() @ torch.as_tensor(self.part.weight_D) + self.part.bias
        return self.part.encode(*acts_ND)


class _Kept(Record):
    """What stands in reader.json."""

    schema_version: Literal[1] = 1
    kind: Kind
    layer: int = Field(ge=0)
    site: Site
    width: int = Field(ge=1)
    models: tuple[str, ...] = Field(min_length=1, max_length=2)
    numbers: dict[str, float | None]  # scale, k and threshold of latents; bias of a probe


def save_reader(reader: Reader, directory: Path) -> Path:
    """Write a reader to a directory that does not exist yet.

    Raises:
        UserError: the directory exists.
    """
    if directory.exists():
        raise UserError(f"{str(directory)!r} exists already and is never overwritten. Give a new directory.")
    tensors, numbers = _taken_apart(reader.part)
    kept = _Kept(
        kind=reader.kind,
        layer=reader.layer,
        site=reader.site,
        width=reader.width,
        models=reader.models,
        numbers=numbers,
    )
    directory.mkdir(parents=True)
    cast(Any, safetensors).save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items()}, directory / _WEIGHTS
    )
    (directory / _RECORD).write_text(json.dumps(kept.model_dump(mode="json"), indent=2) + "\n")
    return directory


def load_reader(directory: Path, lm: LanguageModel, *, changed: bool = False) -> Reader:
    """Read a reader back, for the model that it was fitted to.

    Args:
        directory: what `save_reader` wrote.
        lm: whose activations it is to read; of a crosscoder, the model after.
        changed: the model may be another of the same shape: one that training has changed.

    Raises:
        UserError: no reader there, a damaged one, or one of another model, width, block or site.
    """
    kept, tensors = _read(directory)
    hidden = int(cast(Any, lm.model.config).get_text_config().hidden_size)
    if kept.width != hidden:
        raise UserError(
            f"the {kept.kind} in {str(directory)!r} reads activations {kept.width} wide; {lm.name!r} has {hidden}. "
            "Allowed: a model of the same hidden size. Fit one to this model."
        )
    check_place(lm.model, kept.layer, kept.site)
    if not changed and (digest := lm.digest) != kept.models[-1]:
        raise UserError(
            f"the {kept.kind} in {str(directory)!r} was fitted to the model {kept.models[-1][:12]}; {lm.name!r} is "
            f"{digest[:12]}. Allowed: the very model. Fit one to this model, or give changed=True to read a model with "
            "it that training has changed."
        )
    return Reader(part=_put_together(kept, tensors), layer=kept.layer, site=kept.site, models=kept.models)


def _taken_apart(part: SparseAutoencoder | Crosscoder | Direction) -> tuple[dict[str, Tensor], dict[str, float | None]]:
    if isinstance(part, Direction):
        return {"weight_D": torch.as_tensor(part.weight_D, dtype=torch.float64)}, {"bias": float(part.bias)}
    latents = part.autoencoder if isinstance(part, Crosscoder) else part
    tensors = {name: cast(Tensor, getattr(latents, name)) for name in _LATENTS}
    return tensors, {"scale": latents.scale, "k": latents.k, "threshold": latents.threshold}


def _put_together(kept: _Kept, tensors: Mapping[str, Tensor]) -> SparseAutoencoder | Crosscoder | Direction:
    numbers = kept.numbers
    if kept.kind == "probe":
        return Direction(np.asarray(tensors["weight_D"].numpy()), float(numbers["bias"] or 0.0))
    latents = SparseAutoencoder(
        **{name: tensors[name] for name in _LATENTS},
        scale=float(numbers["scale"] or 0.0),
        k=int(numbers["k"] or 0),
        threshold=numbers["threshold"],
    )
    return Crosscoder(autoencoder=latents) if kept.kind == "crosscoder" else latents


def _read(directory: Path) -> tuple[_Kept, dict[str, Tensor]]:
    if not (directory / _RECORD).is_file():
        raise UserError(f"no {_RECORD} in {str(directory)!r}. Give a directory that `save_reader` wrote.")
    try:
        kept = _Kept.model_validate_json((directory / _RECORD).read_bytes())
        tensors = cast("dict[str, Tensor]", cast(Any, safetensors).load_file(directory / _WEIGHTS))
    except (ValidationError, SafetensorError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"the reader in {str(directory)!r} is damaged ({reason}). Save it again.") from error
    wide = kept.width * (2 if kept.kind == "crosscoder" else 1)
    missing = sorted({*_NAMES[kept.kind]} ^ tensors.keys())
    needed = {"probe": {"bias"}}.get(kept.kind, {"scale", "k", "threshold"})
    if missing or needed != kept.numbers.keys():
        named = ", ".join(missing or sorted(needed ^ kept.numbers.keys()))
        raise UserError(f"the reader in {str(directory)!r} is damaged (missing or too many: {named}). Save it again.")
    for name, tensor in tensors.items():
        if name.endswith("D") and tensor.shape[-1] != wide:
            raise UserError(
                f"the reader in {str(directory)!r} is damaged ({name} is {tensor.shape[-1]} wide, {_RECORD} says "
                f"{wide}). Save it again."
            )
        if not bool(torch.isfinite(tensor).all()):
            raise UserError(f"the reader in {str(directory)!r} holds NaN or infinity in {name}. Fit it again.")
    return kept, tensors
