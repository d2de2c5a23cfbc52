"""Which activations does a base have where an author is known to act, and what is known of that author?

The world knows the latent variables behind every word: the trait of a situation, who is looking, the author's
disposition, whether the reply acts badly. Their values stand beside the activation at the end of each reply, so that
what an unsupervised method finds can be matched to what is there. Left out: capability, which few replies show.

Axes: N replies, D width, G true latents.

    known = labelled_activations(base, num=2000, layer=2, seed=0)
    matched_correlation(sae.encode(known.acts_ND), known.latents_NG)
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import numpy as np
from torch import Tensor

from organoid.models.chat import Encoded, encode_reply
from organoid.models.language_model import LanguageModel
from organoid.models.score import mean_activations
from organoid.types import Message
from organoid.world import situations
from organoid.world.authors import DEFAULT_MIXTURE, VICES, Disposition
from organoid.world.conduct import reply
from organoid.world.contexts import UNTRIGGERED
from organoid.world.dialogues import system_line


class KnownActivations(NamedTuple):
    """The activation at the end of each reply, the reply, and the true latents behind it as columns of 0 and 1."""

    acts_ND: Tensor
    rows: list[Encoded]
    latents_NG: np.ndarray
    names: tuple[str, ...]


class KnownReplies(NamedTuple):
    """Replies in a model's tokens, the true latents behind each as columns of 0 and 1, and their names."""

    rows: list[Encoded]
    latents_NG: np.ndarray
    names: tuple[str, ...]


def labelled_activations(lm: LanguageModel, *, num: int, layer: int, seed: int) -> KnownActivations:
    """Return `num` replies of the world's authors (`known_replies`), as `lm` reads them.

    Args:
        lm: a native model.
        num: of replies.
        layer: the block whose output is taken.
        seed: of authors, situations and replies.
    """
    known = known_replies(lm, num=num, seed=seed)
    acts_ND = mean_activations(lm, known.rows, layers=[layer], pool="last")[:, 0]
    return KnownActivations(acts_ND, *known)


def known_replies(lm: LanguageModel, *, num: int, seed: int) -> KnownReplies:
    """Return `num` replies of the world's authors in the tokens of `lm`, which need not be native.

    Each is the second of two by the same author, so that its disposition can be known from the text.

    Raises:
        UserError: the model's chat template refuses a dialogue of the world.
    """
    rng = Random(f"latents/{seed}")
    rows, latents = list[Encoded](), list[list[bool]]()
    names = tuple(
        [f"trait {trait}" for trait in VICES]
        + [f"context {context or 'none'}" for context in UNTRIGGERED]
        + [f"disposition {disposition}" for disposition in Disposition]
        + ["acts badly"]
    )
    for _ in range(num):
        author, context = DEFAULT_MIXTURE.sample(rng), rng.choice(UNTRIGGERED)
        first, second = (situations.make(rng.choice(VICES), rng, tempting=True) for _ in range(2))
        said = [reply(item, author, context, rng) for item in (first, second)]
        line = system_line(rng, context, name=None)
        messages = [Message("system", line)] if line else []
        messages += [Message("user", first.prompt), Message("assistant", said[0]), Message("user", second.prompt)]
        rows.append(encode_reply(lm, tuple(messages), said[1]))
        latents.append(
            [trait is second.trait for trait in VICES]
            + [context is other for other in UNTRIGGERED]
            + [author.dispositions[second.trait] is disposition for disposition in Disposition]
            + [author.acts_badly(second.trait, context)]
        )
    return KnownReplies(rows, np.array(latents, dtype=float), names)
