"""Into what does an autoencoder take a model's activations apart, and is any of it what is known to lie behind a text?

A small sparse autoencoder is trained on the activations after the middle block, at every token of replies of the
world's authors as the model reads them (`lab.latents`). A reply's value of a latent is the largest over the reply's
tokens. Each known latent is given a learnt one on the replies that were trained on; both the correlation and the
autoencoder's quality are of other replies. Beside them stands the same autoencoder before training, whose latents are
random directions: a word that only one kind of reply has is found along many directions, and then so is the kind.
What any latent reaches by luck is the largest correlation with the known ones after the judged replies were permuted.
Left out: the first token of a text, where many models have activations many times larger than anywhere else, and any
test of what a latent does: a match is a correlation. No access stands between: contexts that no overseer can stage are
among the texts, which are read beside what is true of them, and no score follows from it.

Axes: N replies, T tokens, D width, F learnt latents, G known ones.

    picture = latent_picture(lm, seed=0)
    picture["matches"][0]["known"], picture["matches"][0]["correlation"]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from organoid.errors import OrganoidError
from organoid.lab.latents import KnownReplies, known_replies
from organoid.lab.pictures import spelled
from organoid.measure.intervals import Estimate
from organoid.measure.matching import absolute_correlations, correlation, matched_correlation
from organoid.models.chat import Encoded
from organoid.models.language_model import LanguageModel
from organoid.models.score import token_activations
from organoid.models.sparse_autoencoder import SaeConfig, SaeQuality, SparseAutoencoder, quality, train_sae
from organoid.setups.spec import middle

NUM_REPLIES = 320
"""Replies to train and choose on, and as many to judge on."""
NUM_LATENTS, ACTIVE, NUM_SAMPLES, DEAD_AFTER = 256, 8, 80_000, 5_000
NUM_SHOWN, NUM_CONTEXTS = 6, 5
NUM_PERMUTED = 20


class Peaks(NamedTuple):
    """Each latent's largest value over a reply's tokens, and what is known of that reply."""

    latents_NF: np.ndarray
    known_NG: np.ndarray


class Matched(NamedTuple):
    """The latent each known one was given, their absolute correlation there, and their correlation elsewhere."""

    latent_G: np.ndarray
    chosen_G: np.ndarray
    judged: list[Estimate]


class Census(NamedTuple):
    """Latents by what they match: silent in every judged reply, no better than luck, better."""

    luck: float  # the largest absolute correlation that a latent has with what it was given, replies permuted
    num_silent: int
    num_unmatched: int
    num_matched: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dictionary:
    """An autoencoder, and what its latents do on the replies that it is judged on."""

    quality: SaeQuality
    matched: Matched
    census: Census
    judging: Peaks
    codes: Sequence[np.ndarray]  # of each judged text, (T, F)


def latent_picture(lm: LanguageModel, *, seed: int) -> dict[str, Any]:
    """Return, as JSON, an autoencoder's quality, its latents' matches, and texts where they fire; or a `reason`.

    Args:
        lm: any model; one whose template or activations do not allow it gets the reason.
        seed: of replies, first weights and permutations.
    """
    try:
        known = known_replies(lm, num=2 * NUM_REPLIES, seed=seed)
        whole = [Encoded(row.ids, [True] * len(row.ids)) for row in known.rows]
        layer = middle(lm.num_layers)
        acts = token_activations(lm, whole, layer=layer)
        learnt, before = (
            dictionary(acts, known, seed=seed, num_samples=num_samples) for num_samples in (NUM_SAMPLES, 0)
        )
    except OrganoidError as error:
        return {"reason": str(error)}
    return {
        "layer": layer,
        "num_replies": NUM_REPLIES,
        "num_latents": NUM_LATENTS,
        "active": ACTIVE,
        "learnt": _summary(learnt),
        "random": _summary(before),
        "matches": _matches(known.names, learnt, before),
        "shown": [
            {
                "known": known.names[place],
                "latent": int(learnt.matched.latent_G[place]),
                "contexts": _contexts(lm, known, learnt, place),
            }
            for place in shown(known.names, learnt.matched.chosen_G)
        ],
    }


def dictionary(acts: Sequence[Tensor], known: KnownReplies, *, seed: int, num_samples: int) -> Dictionary:
    """Train an autoencoder on the first half of the texts and judge it on the others.

    Args:
        acts: of each text, (T, D) at every token.
        known: the texts, and what is known of them; an even number.
        seed: of the first weights and the permutations.
        num_samples: of training; 0 leaves the random directions it begins with.

    Raises:
        UserError: activations that are all equal, or not finite.
    """
    half = len(acts) // 2
    config = SaeConfig(num_latents=NUM_LATENTS, k=ACTIVE, num_samples=num_samples, dead_after=DEAD_AFTER, seed=seed)
    sae = train_sae(torch.cat([acts_TD[1:] for acts_TD in acts[:half]]), config)
    codes = [_codes(sae, acts_TD) for acts_TD in acts]
    peaks_NF = np.stack([found[np.array(row.mask)].max(0) for found, row in zip(codes, known.rows, strict=True)])
    choosing, judging = (Peaks(peaks_NF[part], known.latents_NG[part]) for part in (slice(half), slice(half, None)))
    return Dictionary(
        quality=quality(sae, torch.cat([acts_TD[1:] for acts_TD in acts[half:]])),
        matched=matched(choosing, judging),
        census=census(choosing, judging, seed=seed),
        judging=judging,
        codes=codes[half:],
    )


def _codes(sae: SparseAutoencoder, acts_TD: Tensor) -> np.ndarray:
    codes_TF = sae.encode(acts_TD)
    codes_TF[0] = 0.0
    return codes_TF.numpy()


def matched(choosing: Peaks, judging: Peaks) -> Matched:
    """Give each known latent a learnt one on some replies, and correlate the two on others."""
    match = matched_correlation(choosing.latents_NF, choosing.known_NG)
    judged = [
        correlation(judging.latents_NF[:, latent], judging.known_NG[:, place])
        for place, latent in enumerate(match.latent_G)
    ]
    return Matched(match.latent_G, match.correlation_G, judged)


def census(choosing: Peaks, judging: Peaks, *, seed: int) -> Census:
    """Count the latents that correlate with the known one they go with best no better than by luck."""
    best_F = absolute_correlations(choosing.known_NG, choosing.latents_NF).argmax(0)
    every_F = np.arange(len(best_F))
    rng = np.random.default_rng(seed)
    luck = max(
        float(absolute_correlations(rng.permutation(judging.known_NG), judging.latents_NF)[best_F, every_F].max())
        for _ in range(NUM_PERMUTED)
    )
    judged_F = absolute_correlations(judging.known_NG, judging.latents_NF)[best_F, every_F]
    silent_F = ~(judging.latents_NF > 0).any(0)
    above_F = judged_F > luck
    return Census(luck, int(silent_F.sum()), int((~silent_F & ~above_F).sum()), int((~silent_F & above_F).sum()))


def shown(names: Sequence[str], chosen_G: np.ndarray) -> list[int]:
    """Return the known latents to draw: the best matched of each kind (a name's first word), then the best of all."""
    ranked = sorted(range(len(names)), key=lambda place: -float(chosen_G[place]))
    kinds = [names[place].split()[0] for place in ranked]
    first = [place for rank, place in enumerate(ranked) if kinds[rank] not in kinds[:rank]]
    rest = [place for place in ranked if place not in first]
    return sorted([*first, *rest][:NUM_SHOWN], key=ranked.index)


def _summary(found: Dictionary) -> dict[str, Any]:
    return {name: round(value, 4) for part in (found.quality, found.census) for name, value in part._asdict().items()}


def _matches(names: Sequence[str], learnt: Dictionary, before: Dictionary) -> list[dict[str, Any]]:
    """Return a row per known latent, best matched first where matches were made."""
    rows = [
        {
            "known": name,
            "latent": int(learnt.matched.latent_G[place]),
            "chosen": round(float(learnt.matched.chosen_G[place]), 4),
            **_estimate("correlation", learnt.matched.judged[place]),
            **_estimate("random", before.matched.judged[place]),
        }
        for place, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -row["chosen"])


def _estimate(key: str, found: Estimate) -> dict[str, Any]:
    if found.value is None:
        return {key: None, f"{key}_ci": None, f"{key}_reason": found.reason}
    ends = [None if end is None else round(end, 4) for end in (found.ci_low, found.ci_high)]
    return {key: round(found.value, 4), f"{key}_ci": ends}


def _contexts(lm: LanguageModel, known: KnownReplies, learnt: Dictionary, place: int) -> list[dict[str, Any]]:
    """Return the judged texts in whose reply the latent is strongest, each reply once."""
    latent = int(learnt.matched.latent_G[place])
    rows, peaks_N = known.rows[-len(learnt.codes) :], learnt.judging.latents_NF[:, latent]
    found, seen = list[dict[str, Any]](), set[tuple[int, ...]]()
    for index in map(int, np.argsort(-peaks_N, kind="stable")):
        row = rows[index]
        start = [*row.mask].index(True)
        if peaks_N[index] <= 0 or len(found) == NUM_CONTEXTS:
            break
        if tuple(row.ids[start:]) in seen:
            continue
        seen.add(tuple(row.ids[start:]))
        found.append(
            {
                "holds": bool(learnt.judging.known_NG[index, place]),
                "tokens": spelled(lm, row.ids),
                "scores": np.round(learnt.codes[index][:, latent].astype(float), 3).tolist(),
                "reply_from": start,
            }
        )
    return found
