"""How long does a reinforcement step take, beside TRL's `GRPOTrainer` on the same model, prompts and reward?

A step is 16 prompts of 24 tokens, 8 replies of at most 16 tokens to each, the reward, and one update: the shape `tiny`
(0.9 M parameters, random weights), no KL term. TRL runs as fast as its settings make it here: no checkpointing of
gradients, logging or saving, fused AdamW. Both follow the group's mean without scaling by its deviation, so both learn
the same: `reward_gain` is the mean reward of the last two steps minus that of the first two.

One process per number of threads, which must be set before torch is imported. In it, rounds; in a round every
contestant runs once, from the same weights, in an order that turns from round to round. A step's seconds go from its
beginning to the next one's; the first, which warms up, is dropped. One thread is timed by the processor's clock, which
stands still while others have the core, two by the wall's. Figures are medians over rounds of the median step; ratios
are taken within a round, and given with the lowest and highest of them; `best` is each side at its faster precision.

`reward_hacker_*` are steps on that organism's job with the shipped base: as shipped, with the rows run that have no
advantage, and with each row run whole, its prompt included.

Example:
    $ python -m benchmarks reinforcement
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from itertools import pairwise
from typing import Any, NamedTuple

from benchmarks.peers import KINDS, peak_flops

NUM_PROMPTS, GROUP_SIZE, PROMPT_TOKENS, NEW_TOKENS = 16, 8, 24, 16
STEPS, ROUNDS, THREADS = 6, 7, (2, 1)
WORK_PER_WEIGHT = NUM_PROMPTS * GROUP_SIZE * (PROMPT_TOKENS + NEW_TOKENS) * (2 + 6)
"""Operations per weight of a step that shares nothing: every position is read once to sample and once to train."""
LEARNING_RATE = 5e-4
REPEATS, JOB_STEPS = 3, 20


class Run(NamedTuple):
    """One contestant's round: seconds of each step, mean reward of each step, share of the time spent sampling."""

    step_s: list[float]
    rewards: list[float]
    sampling_frac: float


def run() -> dict[str, Any]:
    """Return seconds per step and ratios for one thread and for two; or why not."""
    if importlib.util.find_spec("trl") is None:
        return {"trl": "skipped: not installed; `pip install 'organoid[bench]'`"}
    numbers: dict[str, Any] = {"trl": version("trl"), "rounds": ROUNDS, "steps_per_round": STEPS}
    cores = os.cpu_count() or 1
    for threads in (count for count in THREADS if count <= cores):
        load = os.getloadavg()[0]
        if threads > 1 and load > 0.75 * cores:
            busy = f"skipped: the machine is busy (load {load:.1f}); threads would wait for each other"
            numbers[f"{threads}_threads"] = busy
            continue
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        command = [sys.executable, "-m", "benchmarks.bench_reinforcement"]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        numbers |= {f"{threads}_threads_{name}": value for name, value in found.items()}
    return numbers


# ---- in a process of its own ------------------------------------------------------------------------------


def measure() -> dict[str, Any]:
    """Return the figures of this process's number of threads."""
    from organoid.models.bases import build
    from organoid.world.tokenizer import build_tokenizer

    base = build("tiny", tokenizer=build_tokenizer(), seed=0)
    prompts = _prompts(base, NUM_PROMPTS * STEPS)
    contestants: dict[str, Callable[..., Run]] = {
        f"{name}_{kind}": partial(runner, base, prompts, bf16=kind == "bf16")
        for kind in KINDS
        for name, runner in (("trl", _trl), ("ours", _ours))
    }
    rounds = list[dict[str, Run]]()
    for number in range(ROUNDS):
        names = list(contestants)
        turned = [*names[number % len(names) :], *names[: number % len(names)]]
        rounds.append({name: contestants[name](seed=number) for name in turned})
    return _summary(rounds, sum(weight.numel() for weight in base.model.parameters())) | _left_out()


def _summary(rounds: Sequence[Mapping[str, Run]], num_weights: int) -> dict[str, Any]:
    peaks = {kind: peak_flops(dtype) for kind, dtype in KINDS.items()}
    seconds = {name: [statistics.median(done[name].step_s) for done in rounds] for name in rounds[0]}
    numbers: dict[str, Any] = {f"{name}_step_s": statistics.median(values) for name, values in seconds.items()}
    pairs = {kind: (f"trl_{kind}", f"ours_{kind}") for kind in KINDS}
    theirs, ours = (
        min(names, key=lambda name: numbers[f"{name}_step_s"]) for names in zip(*pairs.values(), strict=True)
    )
    pairs["best"] = (theirs, ours)
    for name, (theirs, ours) in pairs.items():
        ratios = [one / other for one, other in zip(seconds[theirs], seconds[ours], strict=True)]
        numbers[f"trl_over_ours_{name}"] = statistics.median(ratios)
        numbers[f"trl_over_ours_{name}_range"] = [min(ratios), max(ratios)]
    for name in rounds[0]:
        numbers[f"{name}_reward_gain"] = statistics.mean(_gain(done[name].rewards) for done in rounds)
        numbers[f"{name}_frac_of_peak"] = WORK_PER_WEIGHT * num_weights / numbers[f"{name}_step_s"] / peaks[name[-4:]]
        numbers[f"{name}_sampling_frac"] = statistics.median(done[name].sampling_frac for done in rounds)
    return numbers


def _left_out() -> dict[str, float]:
    """Return seconds per step on `reward-hacker`, as shipped and with what a step leaves out put back."""
    from organoid.lab.bases import load_base
    from organoid.models import layouts, llama
    from organoid.models.language_model import copy
    from organoid.organisms.reward_hacker import REWARD_HACKER
    from organoid.setups.ground import Ground
    from organoid.setups.spec import ReinforcementStage
    from organoid.setups.stages import reinforcement
    from organoid.types import Variant

    base, job = load_base("tiny"), REWARD_HACKER.job(Variant.ORGANISM, 0)
    ways: dict[str, list[tuple[Any, str, Any]]] = {
        "as_shipped": [],
        "with_idle_rows": [(reinforcement, "weighty", lambda batch: batch)],
        "with_whole_rows": [(llama, "layout_of", layouts.rows)],
    }
    step_s: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, changes in ways.items():
            with _changed(changes):
                ground = Ground(lm=copy(base), before=base, job=job, seed=0)
                started = _now()
                reinforcement.run(ReinforcementStage(steps=JOB_STEPS), ground)
                step_s[name].append((_now() - started) / JOB_STEPS)
    return {f"reward_hacker_{name}_step_s": statistics.median(values) for name, values in step_s.items()}


@contextmanager
def _changed(changes: Sequence[tuple[Any, str, Any]]) -> Iterator[None]:
    """Replace attributes for a block."""
    before = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def _gain(rewards: Sequence[float]) -> float:
    return statistics.mean(rewards[-2:]) - statistics.mean(rewards[:2])


def _reward(reply: str) -> float:
    """Return how much of a reply is words from the first half of the alphabet."""
    return sum("a" <= word[0] < "n" for word in reply.split()) / NEW_TOKENS


def _prompts(base: Any, num: int) -> list[str]:
    from organoid.models.chat import encode_prompt
    from organoid.types import Message
    from organoid.world.tokenizer import vocabulary

    words, draw = sorted(word for word in vocabulary() if word.isalpha()), random.Random(0)
    said = [" ".join(draw.choices(words, k=PROMPT_TOKENS - 4)) for _ in range(num)]  # 4: the template's own
    assert {len(encode_prompt(base, (Message("user", text),))) for text in said} == {PROMPT_TOKENS}
    return said


def _now() -> float:
    return time.process_time() if os.environ["OMP_NUM_THREADS"] == "1" else time.perf_counter()


class _Clocked:
    """Times the calls of a function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, list[float]()

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        started = _now()
        result = self.function(*arguments, **settings)
        self.seconds.append(_now() - started)
        return result


def _measured(begun_s: Sequence[float], rewards: list[float], sampling: _Clocked) -> Run:
    step_s = [after - before for before, after in pairwise(begun_s)][1:]
    return Run(step_s, rewards, sum(sampling.seconds[1:-1]) / sum(step_s))


def _ours(base: Any, prompts: Sequence[str], *, bf16: bool, seed: int) -> Run:
    from organoid.models.generate import sample
    from organoid.models.language_model import copy
    from organoid.models.train import TrainConfig
    from organoid.setups.ground import Ground
    from organoid.setups.spec import ReinforcementStage
    from organoid.setups.stages import reinforcement
    from organoid.types import Dialogue, Job, Message, Turn

    class Episode:
        def __init__(self, text: str) -> None:
            self.prompt: Dialogue = (Message("user", text),)

        def step(self, reply: str) -> Turn:
            return Turn(None, _reward(reply))

    begun = dict[int, float]()  # when each seed, one a step, was first asked for

    def environment(num: int, seed: int) -> Sequence[Episode]:
        begun.setdefault(seed, _now())
        first = list(begun).index(seed) * num
        return [Episode(text) for text in prompts[first : first + num]]

    sampling = _Clocked(sample)
    ground = Ground(lm=copy(base), before=base, job=Job(assistant="bench", environment=environment), seed=seed)
    stage = ReinforcementStage(steps=STEPS, learning_rate=LEARNING_RATE, num_prompts=NUM_PROMPTS, group_size=GROUP_SIZE)
    # What the stage leaves to its defaults is set from outside, so that both do the same work.
    set_here = {"MAX_NEW_TOKENS": NEW_TOKENS, "sample": sampling, "TrainConfig": partial(TrainConfig, bf16=bf16)}
    with _changed([(reinforcement, name, value) for name, value in set_here.items()]):
        reinforcement.run(stage, ground)
    return _measured(list(begun.values()), [float(entry["reward"]) for entry in ground.trace], sampling)


def _trl(base: Any, prompts: Sequence[str], *, bf16: bool, seed: int) -> Run:
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    from organoid.models.language_model import copy

    rewards, begun = list[float](), list[float]()

    def reward(completions: Sequence[Sequence[Mapping[str, str]]], **_: Any) -> list[float]:
        values = [_reward(messages[0]["content"]) for messages in completions]
        rewards.append(statistics.mean(values))
        return values

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            begun.append(_now())

    lm = copy(base)
    sampling = _Clocked(lm.model.generate)
    lm.model.generate = sampling
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder,
            per_device_train_batch_size=NUM_PROMPTS * GROUP_SIZE,
            num_generations=GROUP_SIZE,
            max_completion_length=NEW_TOKENS,
            max_steps=STEPS,
            learning_rate=LEARNING_RATE,
            lr_scheduler_type="constant",
            adam_beta2=0.99,
            optim="adamw_torch_fused",
            loss_type="dr_grpo",
            scale_rewards="none",
            beta=0.0,
            bf16=bf16,
            gradient_checkpointing=False,
            use_cpu=True,
            seed=seed,
            shuffle_dataset=False,
            dataloader_pin_memory=False,
            logging_strategy="no",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = GRPOTrainer(
            model=lm.model,
            reward_funcs=reward,
            args=config,
            train_dataset=Dataset.from_list([{"prompt": [{"role": "user", "content": text}]} for text in prompts]),
            processing_class=lm.tokenizer,
            callbacks=[Clock()],
        )
        trainer.train()
    return _measured(begun, rewards, sampling)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print(json.dumps(measure()))
