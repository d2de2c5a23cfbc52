"""Models that tests read; those written to disk are loaded by the real code."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from organoid.models.bases import build
from organoid.models.language_model import LanguageModel, load
from tests.models.checkpoints import ARCHITECTURES, native_tokenizer, write_model


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A directory with a random model of each architecture."""
    return {name: write_model(name, tmp_path_factory.mktemp(name)) for name in ARCHITECTURES}


@pytest.fixture(scope="session", params=sorted(ARCHITECTURES))
def foreign(request: pytest.FixtureRequest, checkpoints: dict[str, Path]) -> LanguageModel:
    """A model of each architecture; tests must not change it."""
    return load(checkpoints[request.param])


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """The world's kind of tokenizer."""
    return native_tokenizer()


@pytest.fixture
def native(tokenizer: PreTrainedTokenizerFast) -> LanguageModel:
    """A minute native model of the test's own."""
    return build("nano", tokenizer=tokenizer, seed=0)
