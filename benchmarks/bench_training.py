"""How fast are models trained beside a plain transformers loop? Same weights, batches, optimiser and clipping.

`all`: 64 x 96 tokens, each counted. `some`: 24 x 140 tokens of which 18 % count, as in pre-training on the world.
`_frac_of_peak` is 6 x weights x tokens, the work of the plain loop, over what the machine's matrix products reach.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.peers import KINDS, median, peak_flops, ratio, take_turns, threads
from organoid.models.bases import build
from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded
from organoid.models.language_model import LanguageModel, copy
from organoid.models.train import TrainConfig, train
from organoid.world.tokenizer import build_tokenizer

TURNS = 5
BATCHES = {"all": (64, 96, 1.0), "some": (24, 140, 0.18)}


def run() -> dict[str, float]:
    """Return tokens per second of each way, ratios to the plain loop of the same format and to the faster of both."""
    numbers: dict[str, float] = {}
    for base in ("tiny", "nano"):
        lm = build(base, tokenizer=build_tokenizer(), seed=0)
        for name, (rows, width, share) in BATCHES.items():
            batch = _batch(rows, width, share, len(lm.tokenizer))
            with threads(1):
                numbers |= {f"{base}_{name}_{key}": value for key, value in _compare(lm, batch).items()}
    return numbers


def _compare(lm: LanguageModel, batch: Batch) -> dict[str, float]:
    makers = {"plain": _plain, "ours": _ours}
    ways = {
        f"{name}_{kind}": maker(copy(lm), batch, bf16=kind == "bf16")
        for kind in KINDS
        for name, maker in makers.items()
    }
    times = take_turns(ways, turns=TURNS)
    work = 6 * sum(weight.numel() for weight in lm.model.parameters()) * batch.num_tokens
    numbers = {f"{way}_tokens_per_s": batch.num_tokens / median(times, way) for way in ways}
    for kind, dtype in KINDS.items():
        numbers[f"{kind}_ratio"] = ratio(times, f"plain_{kind}", f"ours_{kind}")
        peak = peak_flops(dtype)
        for who in ("plain", "ours"):
            numbers[f"{who}_{kind}_frac_of_peak"] = work / median(times, f"{who}_{kind}") / peak
    ours = min((f"ours_{kind}" for kind in KINDS), key=lambda way: median(times, way))
    numbers["best_ratio"] = min(ratio(times, f"plain_{kind}", ours) for kind in KINDS)
    return numbers


def _batch(rows: int, width: int, share: float, vocabulary: int) -> Batch:
    chance = torch.Generator().manual_seed(0)
    ids = torch.randint(9, vocabulary, (rows, width), generator=chance)
    counts = torch.rand(rows, width, generator=chance) < share
    return collate([Encoded(row, mask) for row, mask in zip(ids.tolist(), counts.tolist(), strict=True)])


def _plain(lm: LanguageModel, batch: Batch, *, bf16: bool) -> Callable[[], None]:
    model = lm.model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    labels = batch.ids_BT.clone()
    labels[:, 1:][~batch.predict_BT[:, :-1]] = -100

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = model(input_ids=batch.ids_BT, labels=labels, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def _ours(lm: LanguageModel, batch: Batch, *, bf16: bool) -> Callable[[], object]:
    config = TrainConfig(steps=1, learning_rate=1e-4, bf16=bf16)
    return lambda: train(lm, [batch], config=config)
