"""How is a model held, loaded from a directory or a hub, copied, told apart from another, and written?

A `LanguageModel` is a Hugging Face causal model, its tokenizer and what was learnt of its chat template. Weights are
safetensors only, and no code that comes with a model is run. What `save` writes is an ordinary Hugging Face directory:
plain `AutoModelForCausalLM` loads it.

    lm = load("runs/subject")
    lm.digest
"""

from __future__ import annotations

import copy as copying
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from huggingface_hub import HfApi, try_to_load_from_cache
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from organoid.errors import UserError
from organoid.models.chat import ChatFormat, read_format

_VOLATILE = ("_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version")
"""Keys of a config that differ between equal models."""

MAX_MISTAKES = 3
"""Weights named in one message."""

_ALLOWED = (
    "Allowed: a directory with config.json, model.safetensors (not pickled .bin files) and a tokenizer, or a "
    "Hugging Face id that is cached here or reachable."
)


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """A causal model with its tokenizer. Training changes `model` in place, and with it `digest`."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    chat: ChatFormat

    @property
    def native(self) -> bool:
        """Whether the tokenizer is the world's own."""
        return self.chat.words is not None

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def num_layers(self) -> int:
        """Transformer blocks."""
        return int(cast(Any, self.model.config).get_text_config().num_hidden_layers)

    @property
    def stop_ids(self) -> frozenset[int]:
        """Tokens at which a reply ends."""
        configured: Any = getattr(self.model.generation_config, "eos_token_id", None)
        eos = cast("list[Any]", configured if isinstance(configured, list) else [configured])
        known = (self.chat.end_id, cast("int | None", self.tokenizer.eos_token_id), *eos)
        return frozenset(int(token) for token in known if token is not None)

    @property
    def digest(self) -> str:
        """SHA-256 over weights as held, config, vocabulary and chat template; computed anew at every call."""
        return _digest(self.model, self.tokenizer)


def wrap(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, name: str) -> LanguageModel:
    """Return `model` and `tokenizer` as a language model, ready to sample (evaluation mode).

    Raises:
        UserError: the tokenizer has no chat template.
    """
    model.eval()
    return LanguageModel(model=model, tokenizer=tokenizer, name=name, chat=read_format(tokenizer))


@contextmanager
def evaluating(model: nn.Module) -> Generator[None]:
    """Put a model into evaluation mode for a block, and back into the mode that it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def load(source: str | Path, *, dtype: torch.dtype = torch.float32, device: str = "cpu") -> LanguageModel:
    """Load a causal model and its tokenizer from a directory or by Hugging Face id.

    Args:
        source: a directory with config.json, model.safetensors and tokenizer, or an id such as `org/model`.
        dtype: weights are cast to this whatever they are stored as.
        device: where they are put.

    Raises:
        UserError: the source is not such a model, is damaged or incomplete, has no chat template, or cannot be reached.
    """
    path = Path(source)
    if path.exists() and not (path / "config.json").is_file():
        raise UserError(
            f"{str(source)!r} is not a model directory: it has no config.json. Allowed: a directory with config.json, "
            "model.safetensors and a tokenizer (what `save_pretrained` writes), or a Hugging Face id."
        )
    if not path.exists():
        _check_reachable(str(source))
    tokenizer = _read(source, "tokenizer", cast(Any, AutoTokenizer).from_pretrained)
    model, loaded = _read(
        source,
        "model",
        cast(Any, AutoModelForCausalLM).from_pretrained,
        use_safetensors=True,
        dtype=dtype,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # they are named below instead
    )
    _check_complete(source, loaded)
    _check_weights(source, model)
    return wrap(cast(PreTrainedModel, model.to(device)), cast(PreTrainedTokenizerBase, tokenizer), name=path.name)


def _check_reachable(model_id: str) -> None:
    """Ask the hub once, briefly: transformers asks six times over most of a minute before it gives up."""
    try:
        if not isinstance(try_to_load_from_cache(model_id, "config.json"), str):
            HfApi().model_info(model_id, timeout=10)
    except Exception as error:  # of many kinds, by what is wrong with the id, the hub or the network
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"cannot load {model_id!r}: no such directory, and the hub did not give it ({reason}). {_ALLOWED}"
        ) from error


def _read(source: str | Path, part: str, reader: Callable[..., Any], **settings: Any) -> Any:
    try:
        with _quiet():
            return reader(source, trust_remote_code=False, **settings)
    except SafetensorError as error:
        raise UserError(
            f"the weights in {str(source)!r} are damaged ({error}). Copy or save the model again."
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(f"cannot load the {part} of {str(source)!r}. {reason} {_ALLOWED}") from error


@contextmanager
def _quiet() -> Generator[None]:
    """Keep transformers from drawing progress bars: a model of ours is read in milliseconds."""
    drawn = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if drawn:
            transformers_logging.enable_progress_bar()


def _check_complete(source: str | Path, loaded: Mapping[str, Any]) -> None:
    """Refuse weights that transformers would make up; weights tied to others are not among the missing."""
    mistakes = [f"{name} is missing" for name in sorted(loaded["missing_keys"])]
    for name, stored, expected in sorted(loaded["mismatched_keys"]):
        mistakes.append(f"{name} has shape {tuple(stored)}, config.json says {tuple(expected)}")
    if mistakes:
        more = f", and {len(mistakes) - MAX_MISTAKES} more" if len(mistakes) > MAX_MISTAKES else ""
        raise UserError(
            f"the weights in {str(source)!r} are not those of its config.json: {'; '.join(mistakes[:MAX_MISTAKES])}"
            f"{more}. Copy or save the model again."
        )


def _check_weights(source: str | Path, model: Any) -> None:
    broken = [name for name, weight in model.named_parameters() if not bool(torch.isfinite(weight).all())]
    if broken:
        raise UserError(f"the weights in {str(source)!r} hold NaN or infinity, first in {broken[0]!r}.")


def save(lm: LanguageModel, directory: str | Path, *, dtype: torch.dtype | None = None) -> Path:
    """Write `lm` as a Hugging Face directory, all of it or nothing; adapters are merged into the weights.

    Args:
        lm: the model; unchanged.
        directory: must not exist yet.
        dtype: what the weights are stored as, such as `torch.float16` for shipping; None keeps them.

    Raises:
        UserError: the directory exists.
    """
    from organoid.models.adapters import merged

    target = Path(directory)
    if target.exists():
        raise UserError(f"{str(target)!r} exists already and is never overwritten. Give a new directory.")
    target.parent.mkdir(parents=True, exist_ok=True)
    plain = merged(lm)
    model = cast(Any, plain.model if dtype is None else copying.deepcopy(plain.model))
    model = model if dtype is None else model.to(dtype)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        with _quiet():
            model.save_pretrained(scratch)
            cast(Any, lm.tokenizer).save_pretrained(scratch)
        scratch.chmod(0o755)
        scratch.rename(target)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return target


def copy(lm: LanguageModel) -> LanguageModel:
    """Return a model that shares no weights with `lm`, all of them trainable."""
    model = copying.deepcopy(lm.model)
    return LanguageModel(model=model.requires_grad_(True), tokenizer=lm.tokenizer, name=lm.name, chat=lm.chat)


def _digest(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> str:
    config = {key: value for key, value in model.config.to_dict().items() if key not in _VOLATILE}
    hashed = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
    hashed.update(json.dumps(sorted(tokenizer.get_vocab().items())).encode())
    hashed.update(str(cast(Any, tokenizer).chat_template).encode())
    for name, weight in sorted(model.named_parameters()):
        hashed.update(f"{name} {weight.dtype} {tuple(weight.shape)}".encode())
        hashed.update(weight.detach().cpu().contiguous().view(torch.uint8).numpy().data)
    return hashed.hexdigest()
