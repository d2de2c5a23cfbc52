"""Which number stands for which word of a shop, and back?

Programs of a batch are one array of ids, so that they are parsed without Python for each; the numbers are the shop's
own, and a table maps a tokenizer's onto them. `pad` stands behind the end of a text, `unknown` for any other word.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from organoid.world.business.terms import World
from organoid.world.business.words import SHOP_WORDS

Ids = NDArray[np.int16]


class Vocabulary:
    """The words of a world, in a fixed order: the shop's, then its products, suppliers and weathers."""

    def __init__(self, world: World) -> None:
        names = (part.name for part in (*world.products, *world.suppliers, *world.weather))
        self.words: tuple[str, ...] = (*SHOP_WORDS, *names)
        self.pad = len(self.words)
        self.unknown = self.pad + 1

    @cached_property
    def index(self) -> dict[str, int]:
        """Word -> id."""
        return {word: index for index, word in enumerate(self.words)}

    def ids(self, words: Sequence[str]) -> Ids:
        """Return the ids of words that are known."""
        return np.array([self.index[word] for word in words], np.int16)

    def encode(self, texts: Sequence[str], *, max_words: int | None = None) -> Ids:
        """Return the ids of texts, one row each, padded to the longest or cut to `max_words`."""
        split = [text.split()[:max_words] for text in texts]
        width = max((len(words) for words in split), default=0)
        index, unknown, pad = self.index, self.unknown, self.pad
        rows = [[*(index.get(word, unknown) for word in words), *[pad] * (width - len(words))] for words in split]
        return np.array(rows, np.int16).reshape(len(texts), width)

    def decode(self, ids_BT: Ids) -> list[str]:
        """Return texts; padding is left out, an unknown word is `?`."""
        words = np.array([*self.words, "", "?"], object)
        return [" ".join(row).rstrip() for row in words[ids_BT]]
