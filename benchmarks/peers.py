"""How is our code timed beside a peer's, on a machine that others use too?

Ways of doing one thing take turns, so that what disturbs one disturbs all; a ratio is the median over turns of
peer / ours (above 1: ours is faster), and a time the median of its turns. One thread is timed by the processor's clock,
which does not run while others have the core; several threads by the wall's, with the machine's load beside it.
`peak_flops` says what the machine could do at that moment.

Example:
    times = take_turns({"plain": plain, "ours": ours}, turns=7)
    ratio(times, "plain", "ours")
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch

from organoid.models.llama import multiplies_bf16

KINDS = {"fp32": torch.float32} | ({"bf16": torch.bfloat16} if multiplies_bf16() else {})
"""Formats worth timing: where the processor does not multiply bf16 itself, it takes tens of times as long."""

Times = Mapping[str, list[float]]
"""Way of doing it -> seconds of each turn."""


def take_turns(ways: Mapping[str, Callable[[], object]], *, turns: int) -> Times:
    """Time every way once a turn, after one turn that is not counted."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, way in ways.items():
            started = clock()
            way()
            if turn:
                times[name].append(clock() - started)
    return times


def ratio(times: Times, peer: str, ours: str) -> float:
    """Return the median over turns of the peer's time over ours."""
    return statistics.median(one / other for one, other in zip(times[peer], times[ours], strict=True))


def median(times: Times, name: str) -> float:
    """Return a way's median seconds."""
    return statistics.median(times[name])


def peak_flops(dtype: torch.dtype, *, size: int = 1024, turns: int = 7) -> float:
    """Return the most floating-point operations per second that a square matrix product reaches now."""
    left, right = (torch.randn(size, size).to(dtype) for _ in range(2))
    times = take_turns({"product": lambda: left @ right}, turns=turns)
    return 2 * size**3 / min(times["product"])


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use this many threads for the block."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
