"""What does it cost to read activations? A plain forward, our hooks on every block, and nnsight where installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.peers import median, ratio, take_turns, threads
from organoid.models.bases import build
from organoid.models.hooks import capture
from organoid.models.language_model import LanguageModel
from organoid.world.tokenizer import build_tokenizer

TURNS = 25
SHAPES = {"32x64": (32, 64), "1x64": (1, 64)}


def run() -> dict[str, float | str]:
    """Return seconds of a plain forward, and the time of each way of reading over it (1 is free)."""
    numbers: dict[str, float | str] = {}
    lm = build("tiny", tokenizer=build_tokenizer(), seed=0)
    for name, (rows, width) in SHAPES.items():
        ids = torch.randint(9, len(lm.tokenizer), (rows, width), generator=torch.Generator().manual_seed(0))
        ways = {"plain": _plain(lm, ids), "hooks": _hooks(lm, ids), "hidden_states": _hidden_states(lm, ids)}
        if importlib.util.find_spec("nnsight") is None:
            numbers["nnsight"] = "skipped: not installed; `pip install 'organoid[bench]'`"
        else:
            ways["nnsight"] = _nnsight(lm, ids)
        with threads(1):
            times = take_turns(ways, turns=TURNS)
        numbers[f"{name}_plain_s"] = median(times, "plain")
        numbers |= {f"{name}_{way}_over_plain": ratio(times, way, "plain") for way in ways if way != "plain"}
    return numbers


def _plain(lm: LanguageModel, ids: torch.Tensor) -> Callable[[], None]:
    def forward() -> None:
        with torch.no_grad():
            lm.model(input_ids=ids, use_cache=False)

    return forward


def _hooks(lm: LanguageModel, ids: torch.Tensor) -> Callable[[], None]:
    def forward() -> None:
        with torch.no_grad(), capture(lm.model, layers=range(lm.num_layers)) as acts:
            lm.model(input_ids=ids, use_cache=False)
        assert len(acts) == lm.num_layers

    return forward


def _hidden_states(lm: LanguageModel, ids: torch.Tensor) -> Callable[[], None]:
    def forward() -> None:
        with torch.no_grad():
            lm.model(input_ids=ids, use_cache=False, output_hidden_states=True)

    return forward


def _nnsight(lm: LanguageModel, ids: torch.Tensor) -> Callable[[], None]:
    nnsight: Any = importlib.import_module("nnsight")
    wrapped = nnsight.NNsight(build("tiny", tokenizer=build_tokenizer(), seed=0).model)

    def forward() -> None:
        with torch.no_grad(), wrapped.trace(ids, use_cache=False):
            kept = nnsight.save([layer.output for layer in wrapped.model.layers])
        assert len(kept) == lm.num_layers

    return forward
