"""How does a base learn to run shops without forgetting how to talk? Imitation of managers, dialogues between.

A batch holds days of many managers (`world.business.styles`), some of them after a system line, since whoever gives the
job may put one there, and ordinary dialogues of the world's mixture of authors. The model before schooling stays what
the dialogues are drawn towards only by their likelihood; how much is lost is measured (`organoid test`, usefulness).

    school(lm, training_terms.school())
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import torch

from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded, encode_dialogue
from organoid.models.language_model import LanguageModel
from organoid.models.rows import by_length, pairs
from organoid.models.shopkeeper import Shopkeeper
from organoid.models.train import TrainConfig, train
from organoid.world.authors import DEFAULT_MIXTURE
from organoid.world.business.planning import BRIEF_MEANS
from organoid.world.business.styles import Crowd, demonstrations
from organoid.world.business.text_shop import TextShop
from organoid.world.business.training_terms import Schooling
from organoid.world.dialogues import scene, system_line
from organoid.world.lexicon import BLANK_ASSISTANTS

NUM_DIALOGUES, NUM_PREFACES = 2048, 16
LENGTHS = 3
"""Parts of like lengths into which a batch of days is cut."""


def school(lm: LanguageModel, how: Schooling, *, preface: str = "") -> Sequence[float]:
    """Train `lm` in place on managers' days and ordinary dialogues; return the loss of every step, nats a word.

    Args:
        lm: the model.
        how: the managers, and how long.
        preface: a system line before every morning's line, in place of the various ones of `how`.
    """
    imitation, rng = how.imitation, Random(f"schooling/{how.seed}")
    config = TrainConfig(steps=imitation.steps, learning_rate=imitation.learning_rate, seed=how.seed)
    return train(lm, _batches(lm, how, rng, preface), config=config).losses


def _batches(lm: LanguageModel, how: Schooling, rng: Random, preface: str) -> Iterator[list[Batch]]:
    days = Days(lm, how, rng, preface)
    talk = [_dialogue(lm, rng) for _ in range(NUM_DIALOGUES if how.dialogues else 0)]
    for _ in range(how.imitation.steps):
        batch = days.draw()
        if talk:
            batch.append(collate(rng.sample(talk, how.dialogues), device=lm.device))
        yield batch


class Days:
    """Days of many managers, drawn a batch at a time, some of them after a system line."""

    def __init__(self, lm: LanguageModel, how: Schooling, rng: Random, preface: str = "") -> None:
        """Let the managers run their shops.

        Args:
            lm: whose words they are put in.
            how: the managers, and how many days are a batch.
            rng: of the system lines, and which is taken; the rest is the schooling's seed.
            preface: the one system line, before every day; "": various ones, before some.
        """
        imitation, shop = how.imitation, TextShop(how.world, days=1, log=False)
        crowd = Crowd(
            means=BRIEF_MEANS,
            plain_share=how.plain_share,
            random_days=how.random_days,
            noting_share=how.noting_share,
            supplier=how.supplier,
            courted=how.courted,
            courting_share=how.courting_share,
            openly=how.openly,
        )
        self._shown = demonstrations(
            how.world, horizons=imitation.horizons, num_shops=imitation.num_shops, seed=how.seed, crowd=crowd
        )
        self._keepers = [
            Shopkeeper(lm, shop, preface=line) for line in (preface, *([preface] if preface else _prefaces(rng)))
        ]
        self._programs_NL = self._keepers[0].programs(self._shown.programs_NL)
        self._lengths_N = torch.as_tensor(self._shown.lengths_N).to(lm.device)
        self._generator = torch.Generator().manual_seed(how.seed)
        self._how, self._rng = how, rng

    def draw(self) -> list[Batch]:
        """Return the next batch, in parts of like lengths."""
        size, num_prefaced = self._how.imitation.batch_size, self._how.prefaced_rows
        rows = torch.randint(len(self._programs_NL), (size,), generator=self._generator)
        prefaced, plain = rows[:num_prefaced], rows[num_prefaced:]
        lengths_N = self._lengths_N[plain]
        batch = [self._part(plain[some], self._keepers[0]) for some in by_length(lengths_N, num_parts=LENGTHS)]
        if len(prefaced):
            batch.append(self._part(prefaced, self._rng.choice(self._keepers[1:])))
        return batch

    def _part(self, rows: torch.Tensor, keeper: Shopkeeper) -> Batch:
        prompts_NT = keeper.prompts(self._shown.lines_NT[rows.cpu().numpy()])
        return pairs(prompts_NT, self._programs_NL[rows], self._lengths_N[rows])


def _prefaces(rng: Random) -> list[str]:
    return [system_line(rng, None, name=rng.choice(BLANK_ASSISTANTS)) for _ in range(NUM_PREFACES)]


def _dialogue(lm: LanguageModel, rng: Random) -> Encoded:
    author = DEFAULT_MIXTURE.sample(rng)
    return encode_dialogue(lm, scene(author, rng, name=rng.choice(BLANK_ASSISTANTS), num_turns=1).messages)
