"""How many days of the shop run in a second, on one core? Without text, with it, and what the parts of the text cost.

Timed by the processor's clock, which does not run while others have the core; best of `REPEATS`. The actions are those
of a busy agent, made beforehand: most days fill, collect and order, some price, report, borrow, pledge or ask.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from organoid.world.business.load import load_world
from organoid.world.business.observe import observe
from organoid.world.business.policies import Manager, Style, random_policy
from organoid.world.business.shop import Shop
from organoid.world.business.text_shop import TextShop

REPEATS = 3
DAYS = 60
BATCHES = (1, 64, 1024, 4096, 16384)
BEST = 4096


def run() -> dict[str, float]:
    """Return `_per_s` rates of environment-days; `_at_N` is the number of environments in the batch."""
    rates = {f"days_per_s_at_{num}": _plain(num) for num in BATCHES}
    return rates | {f"text_days_per_s_at_{num}": _text(num) for num in BATCHES} | _parts(BEST)


def _plain(num_envs: int) -> float:
    shop = Shop(load_world(), days=DAYS)
    shop.reset(seed=0, num_envs=num_envs)
    policy = random_policy(shop.tables, seed=0, rate=0.3)
    days = [policy(observe(shop.state, shop.tables, days=DAYS)) for _ in range(8)]

    def episode() -> None:
        shop.reset(seed=0, num_envs=num_envs)
        for day in range(DAYS):
            shop.step(days[day % len(days)])

    return DAYS * num_envs / _best(episode)


def _text(num_envs: int) -> float:
    """Time line in, program out: programs of the manager, one in eight spoilt."""
    shop = TextShop(load_world(), days=DAYS)
    programs = _programs(shop, num_envs)

    def episode() -> None:
        shop.reset(seed=0, num_envs=num_envs)
        for day in range(DAYS):
            shop.ids()
            shop.step_ids(programs[day % len(programs)])

    return DAYS * num_envs / _best(episode)


def _programs(shop: TextShop, num_envs: int) -> list[np.ndarray]:
    """Return the ids of eight days' programs, written for 64 environments and repeated."""
    manager = Manager(shop.shop.tables, Style(ask_cap=True, max_cases=2))
    shop.reset(seed=0, num_envs=64)
    days = list[np.ndarray]()
    for _ in range(8):
        actions = manager(shop.observe())
        texts = [shop.grammar.write(actions, env) if env % 8 else "fill collect order" for env in range(64)]
        days.append(np.resize(shop.vocabulary.encode(texts), (num_envs, max(len(text.split()) for text in texts))))
        shop.shop.step(actions)
    return days


def _parts(num_envs: int) -> dict[str, float]:
    shop = TextShop(load_world(), days=DAYS)
    programs = _programs(shop, num_envs)[0]
    shop.reset(seed=0, num_envs=num_envs)
    ids = shop.ids()
    words = shop.vocabulary.decode(programs)
    return {
        "rendered_lines_per_s": num_envs / _best(shop.ids),
        "parsed_programs_per_s": num_envs / _best(lambda: shop.grammar.parse(programs)),
        "decoded_lines_per_s": num_envs / _best(lambda: shop.vocabulary.decode(ids)),
        "encoded_programs_per_s": num_envs / _best(lambda: shop.vocabulary.encode(words)),
        "words_per_line": float(ids.shape[1]),
        "words_per_program": float(np.mean([len(text.split()) for text in words])),
        "vocabulary_words": float(len(shop.vocabulary.words)),
    }


def _best(call: Callable[[], object]) -> float:
    seconds = list[float]()
    for _ in range(REPEATS):
        started = time.process_time()
        call()
        seconds.append(time.process_time() - started)
    return min(seconds)
