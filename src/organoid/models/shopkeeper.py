"""How does a language model run shops? Its tokens for the shop's words, a prompt a morning, a program a day.

A prompt is the morning's line between two marks, always of the same width, and nothing of the days before: what an
agent wants to remember it writes into its notebook. Ids of the shop become ids of the tokenizer by one look-up and
back, so no text is made and nothing is tokenized twice. A program ends with the shop's full stop.

Axes: B shops, T words of a line and its marks, L words of a program.

    keeper = Shopkeeper(lm, TextShop(load_world(), days=30))
    keeper.run(seed=0, num_envs=64)
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from organoid.errors import UserError
from organoid.models.chat import encode_text
from organoid.models.language_model import LanguageModel
from organoid.models.rows import Written, write_rows
from organoid.world.business.shop import Shop, Step
from organoid.world.business.styles import LONGEST
from organoid.world.business.text_shop import TextShop
from organoid.world.business.vocabulary import Ids
from organoid.world.business.words import END
from organoid.world.tokenizer import ASSISTANT, START


class Day(NamedTuple):
    """What was read and written on a day by the shops that still ran, and what came of it."""

    rows_R: NDArray[np.intp]  # which shops
    prompts_RT: Tensor
    written: Written
    step: Step


class Shopkeeper:
    """A language model at the head of a batch of shops.

    Args:
        lm: a model whose tokenizer has a token for each of the shop's words.
        shop: the shops, whose truth stays with them.
        temperature: of sampling; 0 takes the likeliest token.
        preface: a system line that stands before every morning's line, in the words of dialogues.
    """

    def __init__(self, lm: LanguageModel, shop: TextShop, *, temperature: float = 1.0, preface: str = "") -> None:
        self.lm = lm
        self.shop = shop
        self.temperature = temperature
        known = cast("dict[str, int]", cast(Any, lm.tokenizer).get_vocab())
        missing = [word for word in (*shop.vocabulary.words, START, ASSISTANT) if word not in known]
        if missing:
            raise UserError(
                f"the model {lm.name!r} can't run a shop: its tokenizer has no token for {', '.join(missing[:5])}"
                f"{' and others' if len(missing) > 5 else ''}. Use a base grown with Organoid's present tokenizer."
            )
        self._turn, self._stop = known[ASSISTANT], known[END]
        self._opening = torch.tensor([known[START], *(encode_text(lm, preface) if preface else [])])
        words = [known[word] for word in shop.vocabulary.words]
        self._token = torch.tensor([*words, 0, 0])  # padding and unknown words are never read by the model
        self._word = np.full(len(cast(Any, lm.tokenizer)), shop.vocabulary.unknown, np.int16)
        self._word[words] = np.arange(len(words))

    def prompts(self, lines_BT: Ids) -> Tensor:
        """Return mornings as the model reads them."""
        ids_BT = self._token[torch.as_tensor(lines_BT.astype(np.int64))]
        opening_BT = self._opening.expand(len(ids_BT), -1)
        turn_BT = torch.full((len(ids_BT), 1), self._turn)
        return torch.cat([opening_BT, ids_BT, turn_BT], dim=1).to(self.lm.device)

    def lines(self, prompts_BT: Tensor) -> Ids:
        """Return the mornings of prompts as the shop's ids, without marks and preface."""
        return self._word[cast("NDArray[np.int64]", prompts_BT[:, len(self._opening) : -1].cpu().numpy())]

    def programs(self, programs_NL: Ids) -> Tensor:
        """Return programs as the model's tokens."""
        return self._token[torch.as_tensor(programs_NL.astype(np.int64))].to(self.lm.device)

    def words(self, written: Written) -> Ids:
        """Return what the model wrote as the shop's ids; another token is an unknown word, which loses the day."""
        ids_NL = cast("NDArray[np.int64]", written.ids_NL.cpu().numpy())
        place_L = torch.arange(ids_NL.shape[1], device=written.lengths_N.device)
        after_NL = cast("NDArray[np.bool_]", (place_L >= written.lengths_N[:, None]).cpu().numpy())
        return np.where(after_NL, self.shop.vocabulary.pad, self._word[ids_NL]).astype(np.int16)

    def write(self, rows_R: NDArray[np.intp], generator: torch.Generator) -> tuple[Tensor, Written]:
        """Return this morning's prompts of some shops and what the model writes after each."""
        prompts_RT = self.prompts(self.shop.ids()[rows_R])
        written = write_rows(
            self.lm,
            prompts_RT,
            stop=self._stop,
            max_new_tokens=LONGEST,
            generator=generator,
            temperature=self.temperature,
        )
        return prompts_RT, written

    def day(self, generator: torch.Generator) -> Day:
        """Run one day of every shop."""
        rows_R = np.flatnonzero(self.shop.shop.state.running())
        prompts_RT, written = self.write(rows_R, generator)
        programs_BL = np.full((self.shop.shop.num_envs, LONGEST), self.shop.vocabulary.pad, np.int16)
        programs_BL[rows_R] = self.words(written)
        return Day(rows_R, prompts_RT, written, self.shop.step_ids(programs_BL))

    def run(
        self,
        *,
        seed: int,
        num_envs: int = 1,
        ids_B: NDArray[np.integer] | None = None,
    ) -> Shop:
        """Run an episode from its first morning to its end and return the shop, with its log.

        Args:
            seed: of the shops' chance and of what is sampled.
            num_envs: how many shops.
            ids_B: their ids instead, of which some may be equal.
        """
        shop = self.shop.shop
        shop.reset(seed=seed, num_envs=num_envs, ids_B=ids_B)
        generator = torch.Generator().manual_seed(seed)
        while not shop.over and bool(shop.state.running().any()):
            self.day(generator)
        return shop
