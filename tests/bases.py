"""Models that tests train and read: minute, untrained, over the world's own words."""

from functools import cache
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from organoid.models.bases import build
from organoid.models.language_model import LanguageModel, save
from organoid.world.tokenizer import build_tokenizer


@cache
def world_tokenizer() -> PreTrainedTokenizerFast:
    """The world's tokenizer, made once: it takes a second."""
    return build_tokenizer()


def untrained(seed: int = 0) -> LanguageModel:
    """A minute native model of the caller's own."""
    return build("nano", tokenizer=world_tokenizer(), seed=seed)


def write_base(directory: Path, seed: int = 0) -> Path:
    """Write an untrained native base for runs that name it by its path."""
    return save(untrained(seed), directory)
