"""How fast does the world write, and how fast is that encoded for its own models? One core; best of `REPEATS`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from random import Random

from organoid.models.bases import build
from organoid.setups.stages.replaying import encode
from organoid.world.authors import DEFAULT_MIXTURE, VICES
from organoid.world.corpus import texts
from organoid.world.dialogues import Exchange
from organoid.world.posterior import posterior
from organoid.world.situations import make, parse
from organoid.world.tokenizer import build_tokenizer, vocabulary

REPEATS = 3
NUM_TEXTS = 4000
NUM_PARSED = 4000


def run() -> dict[str, float]:
    """Return `_per_s` rates and `_s` seconds; tokens are words, since the tokenizer has one a word."""
    lm = build("nano", tokenizer=build_tokenizer(), seed=0)
    assert lm.native
    written = list(islice(texts(0), NUM_TEXTS))
    num_tokens = sum(len(encode(lm, text).ids) for text in written)
    writing = _best(lambda: list(islice(texts(0), NUM_TEXTS)))
    encoding = _best(lambda: [encode(lm, text) for text in written])
    return {
        "written_tokens_per_s": num_tokens / writing,
        "encoded_tokens_per_s": num_tokens / encoding,
        "written_and_encoded_tokens_per_s": num_tokens / (writing + encoding),
        "tokens_per_text": num_tokens / NUM_TEXTS,
        "vocabulary_s": _best(vocabulary.__wrapped__),
    } | _conduct()


def _conduct() -> dict[str, float]:
    """Return how fast replies are parsed, and how long exact posteriors take."""
    rng = Random(0)
    items = [make(rng.choice(VICES), rng, tempting=True) for _ in range(NUM_PARSED)]
    replies = [item.misaligned[0] for item in items]
    exchanges = [Exchange(item, None, False, item.misaligned[0]) for item in items[:4]]
    control = replace(DEFAULT_MIXTURE, vices="uncorrelated")
    return {
        "parsed_replies_per_s": NUM_PARSED / _best(lambda: [parse(i, r) for i, r in zip(items, replies, strict=True)]),
        "posterior_4_turns_s": _best(lambda: posterior(DEFAULT_MIXTURE, exchanges)),
        "posterior_4_turns_uncorrelated_s": _best(lambda: posterior(control, exchanges)),
    }


def _best(call: Callable[[], object]) -> float:
    seconds = list[float]()
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return min(seconds)
