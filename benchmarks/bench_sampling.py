"""How fast are replies sampled beside `model.generate`? 128 replies of 16 tokens to prompts of 24, temperature 1.

`single`: one reply to each of 128 prompts. `group`: eight to each of 16, as reinforcement asks for. None ends early.
`_frac_of_peak` is 2 x weights x positions, a prompt read once per reply, over float32 matrix products.
"""

from __future__ import annotations

import os
from dataclasses import replace

import torch

from benchmarks.peers import median, peak_flops, ratio, take_turns, threads
from organoid.models import decoders
from organoid.models.bases import build
from organoid.models.generate import sample
from organoid.models.language_model import LanguageModel
from organoid.world.tokenizer import build_tokenizer

TURNS = 7
NUM_REPLIES, PROMPT_TOKENS, NEW_TOKENS = 128, 24, 16
GROUPS = {"single": 1, "group": 8}


def run() -> dict[str, float | str]:
    """Return new tokens per second and ratios to `generate`; `general` is our path for models of any architecture."""
    numbers: dict[str, float | str] = {}
    cores = os.cpu_count() or 1
    for base in ("tiny", "nano"):
        lm = _endless(base)
        for name, num_samples in GROUPS.items():
            for count in sorted({1, cores}):
                key = f"{base}_{name}_{count}_threads"
                load = os.getloadavg()[0]
                if count > 1 and load > 0.75 * cores:
                    numbers[key] = f"skipped: the machine is busy (load {load:.1f}); threads would wait for each other"
                    continue
                with threads(count):
                    numbers |= {f"{key}_{way}": value for way, value in _compare(lm, num_samples).items()}
    return numbers


def _endless(base: str) -> LanguageModel:
    """Return a model that never ends a reply, so that both ways write the same number of tokens."""
    tokenizer = build_tokenizer()
    lm = build(base, tokenizer=tokenizer, seed=0)
    tokenizer.eos_token = None
    lm.model.generation_config.eos_token_id = None
    return replace(lm, chat=replace(lm.chat, end_id=-1))


def _compare(lm: LanguageModel, num_samples: int) -> dict[str, float]:
    chance = torch.Generator().manual_seed(0)
    ids = torch.randint(9, len(lm.tokenizer), (NUM_REPLIES // num_samples, PROMPT_TOKENS), generator=chance)
    prompts, mask = ids.tolist(), torch.ones_like(ids)

    def generate() -> None:
        with torch.inference_mode():
            lm.model.generate(
                ids,
                attention_mask=mask,
                max_new_tokens=NEW_TOKENS,
                do_sample=True,
                top_k=0,
                num_return_sequences=num_samples,
                pad_token_id=0,
            )

    def ours() -> None:
        groups = sample(lm, prompts, num_samples=num_samples, max_new_tokens=NEW_TOKENS, seed=0)
        assert all(len(said.ids) == NEW_TOKENS for group in groups for said in group)

    def general() -> None:
        lean, decoders.lean = decoders.lean, lambda model: False
        try:
            ours()
        finally:
            decoders.lean = lean

    ways = {"generate": generate, "general": general, "ours": ours}
    times = take_turns(ways, turns=TURNS)
    numbers = {f"{way}_tokens_per_s": NUM_REPLIES * NEW_TOKENS / median(times, way) for way in ways}
    work = 2 * sum(weight.numel() for weight in lm.model.parameters()) * NUM_REPLIES * (PROMPT_TOKENS + NEW_TOKENS)
    peak = peak_flops(torch.float32)
    numbers |= {f"{way}_frac_of_peak": work / median(times, way) / peak for way in ways}
    return numbers | {f"{way}_ratio": ratio(times, "generate", way) for way in ("general", "ours")}
