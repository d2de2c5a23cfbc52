"""Which model do subjects grow from? A shipped base, one grown earlier, or any Hugging Face model."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from organoid.errors import PrerequisiteError
from organoid.lab.store import Store

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel

SHIPPED = Path(__file__).parent.parent / "models" / "assets"
"""Bases that come with the package, by name: directories as `save_pretrained` writes them."""


@lru_cache(maxsize=2)
def load_base(ref: str) -> LanguageModel:
    """Load a base once per process: a built-in name, a directory or a Hugging Face id.

    Raises:
        UserError: `ref` is none of these.
        PrerequisiteError: a built-in base that is neither shipped nor grown yet.
    """
    from organoid.models.bases import BASES
    from organoid.models.language_model import load

    if ref not in BASES:
        return load(ref)
    if (SHIPPED / ref).is_dir():
        return load(SHIPPED / ref)
    grown = Store().get(base_key(ref))
    if grown is None:
        raise PrerequisiteError(
            f"the base {ref!r} does not ship with the package and has not been grown on this machine. "
            f"Grow it once: organoid grow base --base {ref} --out {ref}-base"
        )
    return load(grown / "model")


def base_key(name: str) -> str:
    """Return the cache key of a built-in base: the digest of its recipe."""
    from organoid.lab.digest import digest_json
    from organoid.lab.pretraining import recipe

    return digest_json(recipe(name))


def base_digest(ref: str) -> str:
    """Return what identifies a base's weights: the digest of its files, or of its recipe when not grown yet; an id
    of a hub is identified by its name alone.

    Raises:
        UserError: `ref` is a path without a model.
        PrerequisiteError: a built-in base that is not there.
    """
    from organoid.lab.digest import digest_directory, digest_text
    from organoid.models.bases import BASES

    if ref in BASES:
        if (SHIPPED / ref).is_dir():
            return digest_directory(SHIPPED / ref)
        if Store().get(base_key(ref)) is None:
            load_base(ref)
        return base_key(ref)
    if Path(ref).exists():
        if not (Path(ref) / "config.json").is_file():
            load_base(ref)
        return digest_directory(Path(ref))
    return digest_text(ref)
