"""Which model do subjects grow from? A shipped base, one grown earlier, a model directory, or any Hugging Face model.

Everything but loading and counting blocks works without torch, so that a test can be refused before anything heavy is
imported.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from organoid.errors import PrerequisiteError, UserError, unknown_name
from organoid.lab.digest import digest_directory, digest_json, digest_text
from organoid.lab.store import default_store
from organoid.models.bases import BASES

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel

SHIPPED = Path(__file__).parent.parent / "models" / "assets"
"""Bases that come with the package, by name: directories as `save_pretrained` writes them."""

LINEAGE = "lineage.json"
"""What is told of a model beside it. It may be corrected without the model being another."""


def load_base(ref: str) -> LanguageModel:
    """Load a base, once per process while its files stay the same; callers must not change it.

    Args:
        ref: a built-in name, a directory or a Hugging Face id. Other models than ours go to the accelerator if there
            is one, in bfloat16 there.

    Raises:
        UserError: `ref` is none of these.
        PrerequisiteError: a built-in base that is neither shipped nor grown yet.
    """
    source = str(_directory(ref)) if ref in BASES else ref
    files = sorted(Path(source).iterdir()) if Path(source).is_dir() else []
    return _load(source, tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=2)
def _load(source: str, _: tuple[tuple[str, int, int], ...]) -> LanguageModel:
    import torch

    from organoid.models.language_model import load

    lm = load(source)
    if lm.native or not torch.cuda.is_available():
        return lm
    cast(Any, lm.model).to("cuda", torch.bfloat16)
    return lm


def num_layers(ref: str) -> int:
    """Return how many transformer blocks a base has, by its config alone.

    Raises:
        UserError: a base that is none.
        PrerequisiteError: a built-in base that is not there.
    """
    directory = _directory(ref) if ref in BASES else Path(ref)
    if directory.is_dir():
        check_model_directory(directory)
    else:
        base_digest(ref)  # says what is wrong with an id that is none
    from transformers import AutoConfig

    source = str(directory) if directory.is_dir() else ref
    return int(cast(Any, AutoConfig).from_pretrained(source).get_text_config().num_hidden_layers)


def kept(digest: str, build: Callable[[], LanguageModel]) -> LanguageModel:
    """Return the model that the cache has under a digest, building it first when there is none; don't change it."""

    def keep(directory: Path) -> None:
        from organoid.models.language_model import save

        save(build(), directory / "model")

    return load_base(str(default_store().put(digest, keep) / "model"))


def base_key(name: str) -> str:
    """Return the cache key of a built-in base: the digest of its recipe."""
    from organoid.lab.pretraining import recipe

    return digest_json(recipe(name))


def base_digest(ref: str) -> str:
    """Return what identifies a base: the digest of its files but the lineage, its recipe, or its revision on the hub.

    Raises:
        UserError: neither a built-in name nor a directory with a model, and the hub does not know it.
        PrerequisiteError: a built-in base that is not there.
    """
    if ref in BASES:
        directory = _directory(ref)
        return digest_directory(directory, without=LINEAGE) if directory.parent == SHIPPED else base_key(ref)
    if Path(ref).exists():
        check_model_directory(Path(ref))
        return digest_directory(Path(ref), without=LINEAGE)
    return digest_text(f"{ref}@{_revision(ref)}")


def check_model_directory(directory: Path) -> None:
    """Refuse what could not be loaded, by its files alone.

    Raises:
        UserError: config, weights or tokenizer are missing or unreadable.
    """
    if not (directory / "config.json").is_file():
        raise UserError(
            f"{str(directory)!r} is not a model directory: it has no config.json. Allowed: a directory with "
            "config.json, model.safetensors and tokenizer.json (what `organoid grow` or save_pretrained writes)."
        )
    for name in ("config.json", "tokenizer.json"):
        try:
            json.loads((directory / name).read_bytes())
        except (OSError, ValueError) as error:
            raise UserError(f"{directory / name} cannot be read ({error}). Save the model again.") from error
    weights = sorted(directory.glob("*.safetensors"))
    if not weights:
        raise UserError(f"{str(directory)!r} has no *.safetensors; pickled weights are not read. Save the model again.")
    for path in weights:
        if not _is_safetensors(path):
            raise UserError(f"the weights in {path} are damaged. Copy or save the model again.")


def _directory(name: str) -> Path:
    """Where a built-in base lies."""
    if (SHIPPED / name).is_dir():
        return SHIPPED / name
    grown = default_store().get(base_key(name))
    if grown is None:
        raise PrerequisiteError(
            f"the base {name!r} does not ship with the package and has not been grown on this machine. "
            f"Grow it once: organoid grow base --base {name} --out {name}-base"
        )
    return grown / "model"


def _is_safetensors(path: Path) -> bool:
    """Whether a file's header is whole and its length is what the header says."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 0 < length < path.stat().st_size:
            return False
        try:
            header: dict[str, Any] = json.loads(stream.read(length))
            ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, IndexError):
            return False
    return path.stat().st_size == 8 + length + max(ends, default=0)


def _revision(ref: str) -> str:
    """Return the commit that a Hugging Face id stands for: the hub's, or the cached one when that is out of reach."""
    import huggingface_hub as hub

    try:
        return str(hub.HfApi().model_info(ref, timeout=10).sha)
    except Exception as error:  # of many kinds, by what is wrong with the id, the hub or the network
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    with suppress(ValueError):  # no id at all
        cached = hub.try_to_load_from_cache(ref, "config.json")
        if isinstance(cached, str):
            return Path(cached).parent.name
    names = unknown_name("base", ref, BASES)
    raise UserError(f"{names} Or a model directory, or a Hugging Face id; the hub did not give it: {reason}")
