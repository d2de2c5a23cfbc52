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


def school(lm: LanguageModel, how: Schooling) -> Sequence[float]:
    """Train `lm` in place on managers' days and ordinary dialogues; return the loss of every step, nats a word."""
    imitation, rng = how.imitation, Random(f"schooling/{how.seed}")
    config = TrainConfig(steps=imitation.steps, learning_rate=imitation.learning_rate, seed=how.seed)
    return train(lm, _batches(lm, how, rng), config=config).losses


def _batches(lm: LanguageModel, how: Schooling, rng: Random) -> Iterator[list[Batch]]:
    imitation, shop = how.imitation, TextShop(how.world, days=1, log=False)
    crowd = Crowd(
        means=BRIEF_MEANS,
        plain_share=how.plain_share,
        random_days=how.random_days,
        noting_share=how.noting_share,
    )
    shown = demonstrations(
        how.world, horizons=imitation.horizons, num_shops=imitation.num_shops, seed=how.seed, crowd=crowd
    )
    keepers = [Shopkeeper(lm, shop, preface=line) for line in ("", *_prefaces(rng))]
    programs_NL = keepers[0].programs(shown.programs_NL)
    lengths_N = torch.as_tensor(shown.lengths_N).to(lm.device)
    generator = torch.Generator().manual_seed(how.seed)
    talk = [_dialogue(lm, rng) for _ in range(NUM_DIALOGUES if how.dialogues else 0)]

    def part(rows: torch.Tensor, keeper: Shopkeeper) -> Batch:
        prompts_NT = keeper.prompts(shown.lines_NT[rows.cpu().numpy()])
        return pairs(prompts_NT, programs_NL[rows], lengths_N[rows])

    for _ in range(imitation.steps):
        rows = torch.randint(len(programs_NL), (imitation.batch_size,), generator=generator)
        prefaced, plain = rows[: how.prefaced_rows], rows[how.prefaced_rows :]
        batch = [part(plain[some], keepers[0]) for some in by_length(lengths_N[plain], num_parts=LENGTHS)]
        if len(prefaced):
            batch.append(part(prefaced, rng.choice(keepers[1:])))
        if talk:
            batch.append(collate(rng.sample(talk, how.dialogues), device=lm.device))
        yield batch


def _prefaces(rng: Random) -> list[str]:
    return [system_line(rng, None, name=rng.choice(BLANK_ASSISTANTS)) for _ in range(NUM_PREFACES)]


def _dialogue(lm: LanguageModel, rng: Random) -> Encoded:
    author = DEFAULT_MIXTURE.sample(rng)
    return encode_dialogue(lm, scene(author, rng, name=rng.choice(BLANK_ASSISTANTS), num_turns=1).messages)
