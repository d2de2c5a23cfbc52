"""Which weights does training touch, and how is the model before training asked again?

A model of ours is small: all its weights train, and its reference is a copy. A loaded model of another tokenizer gets
LoRA adapters (Hu et al. 2021) through peft: the frozen weights are shared with the model it came from, and the
reference is the same model with its adapters off. `language_model.save` merges adapters into the weights.

    subject = trainable(lm)
    with reference(subject): ...
"""

from __future__ import annotations

import copy as copying
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from organoid.errors import UserError
from organoid.models.language_model import LanguageModel, copy
from organoid.models.seeding import seeded


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Size of the adapters: `rank` columns on every linear layer of the blocks, scaled by `alpha` / `rank`."""

    rank: int = 16
    alpha: int = 32


def trainable(lm: LanguageModel, *, lora: Lora | None = None, seed: int = 0) -> LanguageModel:
    """Return a model to train that leaves `lm` as it is.

    Args:
        lm: the model to start from.
        lora: adapters of this size; None means all weights for a native model, `Lora()` for any other.
        seed: of the adapters' first weights.
    """
    if lora is None and lm.native:
        return copy(lm)
    size = lora or Lora()
    model = _sharing_weights(lm.model)
    config = LoraConfig(
        r=size.rank, lora_alpha=size.alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    with seeded(seed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)  # peft 0.21 asks the old name
        adapted = get_peft_model(model, config)
    return replace(lm, model=cast(PreTrainedModel, adapted))


def _sharing_weights(model: PreTrainedModel) -> PreTrainedModel:
    """Return new modules over the same parameters, so that adapters can be put in without touching `model`."""
    shared: dict[int, Any] = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copying.deepcopy(model, shared)


def adapted(lm: LanguageModel) -> bool:
    """Return whether `lm` has adapters."""
    return isinstance(lm.model, PeftModel)


@contextmanager
def reference(lm: LanguageModel) -> Generator[LanguageModel]:
    """Switch adapters off for the block, which gives the model before training.

    Raises:
        UserError: `lm` has no adapters; keep a copy of it instead.
    """
    if not isinstance(lm.model, PeftModel):
        raise UserError("this model has no adapters to switch off. Keep `copy(lm)` from before training as reference.")
    with lm.model.disable_adapter():
        yield lm


def merged(lm: LanguageModel) -> LanguageModel:
    """Return `lm` with its adapters added into (copied) weights; `lm` itself when it has none."""
    if not isinstance(lm.model, PeftModel):
        return lm
    plain = cast(Any, copying.deepcopy(lm.model)).merge_and_unload()
    return replace(lm, model=cast(PreTrainedModel, plain))
