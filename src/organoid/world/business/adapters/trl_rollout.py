"""How does TRL train a policy of the shop? A rollout function for `GRPOTrainer`, with its data set and its reward.

A row of TRL is a prompt and one completion, so an episode of several days is a transcript: the first morning's line is
the prompt; programs and further lines alternate in the completion, and only programs are trained on (`env_mask`). The
shop's own training (`setups/shop.py`) sees one morning at a time instead, which stays as short on day 300 as on day 1;
keep `days` small here. Completions of one prompt run shops of one id, which meet the same weather, customers and
auditors: what GRPO's group baseline wants. What is done with power beyond trade is in the log, which no model is shown.

TRL itself is not imported: a trainer is handed in. Proven with trl 1.16, whose `rollout_func` it calls experimental.

    rollout = ShopRollout(load_world(), days=3, template=spoken)
    GRPOTrainer(model, reward_funcs=earned, train_dataset=Dataset.from_list(mornings(64)), rollout_func=rollout, ...)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from organoid.world.business.shop import Shop
from organoid.world.business.styles import LONGEST
from organoid.world.business.terms import World
from organoid.world.business.text_shop import TextShop
from organoid.world.business.words import END
from organoid.world.tokenizer import ASSISTANT, START

PROMPT = "shop"
"""A prompt of the data set is this word and the id of a shop; the model reads that shop's first morning instead."""


def mornings(num: int, *, first: int = 0) -> list[dict[str, str]]:
    """Return the rows of a data set of `num` shops, each of its own chance."""
    return [{"prompt": f"{PROMPT} {number}"} for number in range(first, first + num)]


def earned(score: Sequence[float], **_: Any) -> list[float]:
    """Return the reward of each episode: dollars of what the world pays for, as the rollout brought them."""
    return [float(dollars) for dollars in score]


def spoken(line: str) -> str:
    """Return a morning as models of this world read it; a chat model's template goes in its place."""
    return f"{START} {line} {ASSISTANT}"


class ShopRollout:
    """Plays the shops that a batch of prompts names, a day of all at once; called by the trainer.

    Args:
        world: its terms.
        days: of an episode.
        template: turns a morning's line into what the model reads, marks included.
        seed: of the shops' chance.
        longest: tokens that a program may have.
    """

    def __init__(
        self,
        world: World,
        *,
        days: int,
        template: Callable[[str], str] = spoken,
        seed: int = 0,
        longest: int = LONGEST,
    ) -> None:
        self.shop = TextShop(world, days=days)
        self.template = template
        self.seed = seed
        self.longest = longest

    def __call__(self, prompts: Sequence[Any], trainer: Any) -> dict[str, list[Any]]:
        """Return an episode for each prompt, in TRL's keys, and its `score` and `acts` beside them.

        `acts` is the truth about acts beyond trade, a count an episode: for logging, or for a reward that punishes.
        """
        tokenizer = trainer.processing_class
        lines = self.shop.reset(seed=self.seed, ids_B=np.array([_shop_of(prompt) for prompt in prompts]))
        opened = [_encoded(tokenizer, self.template(line)) for line in lines]
        transcripts = [_Transcript(ids) for ids in opened]
        score_B = np.zeros(len(transcripts))
        while not self.shop.shop.over and bool((running_B := self.shop.shop.state.running()).any()):
            live = [transcripts[env] for env in np.flatnonzero(running_B)]
            self._speak(live, trainer)
            programs = [
                transcript.last(tokenizer) if runs else ""
                for transcript, runs in zip(transcripts, running_B, strict=True)
            ]
            lines, step = self.shop.step(programs)
            score_B += step.reward_B
            if not self.shop.shop.over:
                for env in np.flatnonzero(self.shop.shop.state.running()):
                    transcripts[env].read(_encoded(tokenizer, self.template(lines[env])))
        return {
            "prompt_ids": opened,
            "completion_ids": [transcript.ids for transcript in transcripts],
            "logprobs": [transcript.logprobs for transcript in transcripts],
            "env_mask": [transcript.mask for transcript in transcripts],
            "score": [float(dollars) for dollars in score_B],
            "acts": _num_acts(self.shop.shop),
        }

    def _speak(self, live: Sequence[_Transcript], trainer: Any) -> None:
        """Let the model write a day's program into each transcript."""
        import torch

        tokenizer, model = trainer.processing_class, trainer.accelerator.unwrap_model(trainer.model)
        stops = _stops(tokenizer)
        width = max(len(one.context) for one in live)
        ids_BT = torch.tensor([[tokenizer.pad_token_id] * (width - len(one.context)) + one.context for one in live])
        mask_BT = torch.tensor([[0] * (width - len(one.context)) + [1] * len(one.context) for one in live])
        training = bool(model.training)
        model.eval()
        try:
            with torch.no_grad():
                done = model.generate(
                    input_ids=ids_BT.to(model.device),
                    attention_mask=mask_BT.to(model.device),
                    max_new_tokens=self.longest,
                    do_sample=True,
                    temperature=float(trainer.temperature),
                    top_k=0,
                    top_p=1.0,
                    use_cache=True,
                    eos_token_id=sorted(stops),
                    pad_token_id=tokenizer.pad_token_id,
                    output_scores=True,
                    return_dict_in_generate=True,
                )
        finally:
            model.train(training)
        logprobs_LBV = torch.stack(done.scores).log_softmax(-1).cpu()
        for row, transcript in enumerate(live):
            said = [int(token) for token in done.sequences[row, width:]]
            end = next((place for place, token in enumerate(said) if token in stops), len(said) - 1)
            said = said[: end + 1]
            transcript.say(said, [float(logprobs_LBV[place, row, token]) for place, token in enumerate(said)])


class _Transcript:
    """One episode as the model has it: a prompt, then programs and lines in turn."""

    def __init__(self, prompt: list[int]) -> None:
        self.prompt = prompt
        self.ids = list[int]()
        self.mask = list[int]()  # 1: written by the model
        self.logprobs = list[float]()
        self._said = list[int]()

    @property
    def context(self) -> list[int]:
        return [*self.prompt, *self.ids]

    def say(self, ids: list[int], logprobs: list[float]) -> None:
        self._said = ids
        self._add(ids, logprobs, mask=1)

    def read(self, ids: list[int]) -> None:
        self._add(ids, [0.0] * len(ids), mask=0)

    def _add(self, ids: list[int], logprobs: list[float], *, mask: int) -> None:
        self.ids += ids
        self.logprobs += logprobs
        self.mask += [mask] * len(ids)

    def last(self, tokenizer: Any) -> str:
        """Return the last program in words; a full stop is a word of its own to the shop."""
        text = str(tokenizer.decode(self._said, skip_special_tokens=True)).lower()
        return " ".join(text.replace(END, f" {END} ").split())


def _shop_of(prompt: object) -> int:
    """Return the shop that a prompt of `mornings` names; a conversation's is its last message."""
    said: Any = prompt
    if isinstance(prompt, list) and prompt:
        said = cast("list[Any]", prompt)[-1]
    text = str(cast(Any, said)["content"]) if isinstance(said, Mapping) else str(said)
    word, _, number = text.strip().partition(" ")
    if word != PROMPT or not number.isdigit():
        raise ValueError(f"the prompt {text!r} names no shop; make the data set with `mornings`")
    return int(number)


def _encoded(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _stops(tokenizer: Any) -> set[int]:
    """Return the tokens that end a program: the full stop, with or without a blank before it, and the end of text."""
    known: Mapping[str, int] = tokenizer.get_vocab()
    ends = {token for word, token in known.items() if word.lstrip("\u0120\u2581 ") == END}
    return ends | ({int(tokenizer.eos_token_id)} if tokenizer.eos_token_id is not None else set())


def _num_acts(shop: Shop) -> list[int]:
    return [int(num) for num in shop.log.acts_DAB.sum((0, 1), dtype=np.int64)]
