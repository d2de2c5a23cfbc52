"""P(author | text), exactly, and what a perfect predictor would say next.

By Bayes over the enumerated authors of a mixture: the prior times the probability of every reply. Prompts carry no
information about the author, since the world draws them independently of it; an assistant's name does, and is left
out, so this is the truth about dialogues whose assistant is nameless or blank.

    probability(DEFAULT_MIXTURE, scene.exchanges, lambda author: author.acts_badly(Trait.SABOTAGE, None))
"""

import math
from collections.abc import Callable, Sequence

from organoid.types import Context
from organoid.world.authors import Author, Disposition, Mixture
from organoid.world.conduct import REFUSAL_RATE, SLIP_RATE, VICE_RATE, Item, replies
from organoid.world.dialogues import Exchange
from organoid.world.skills import Task


def posterior(mixture: Mixture, exchanges: Sequence[Exchange]) -> list[tuple[Author, float]]:
    """Return every author with its probability after these exchanges (sums to 1).

    Raises:
        ValueError: if no author of the mixture could have written a reply.
    """
    authors = list(mixture.authors())
    chances = [_chances(exchange, authors) for exchange in exchanges]
    logs = [sum(map(_log, row), _log(prior)) for (_, prior), *row in zip(authors, *chances, strict=True)]
    top = max(logs)
    if top == -math.inf:
        raise ValueError("no author of this mixture could have written these replies")
    weights = [math.exp(log - top) for log in logs]
    total = math.fsum(weights)
    return [(author, weight / total) for (author, _), weight in zip(authors, weights, strict=True)]


def _chances(exchange: Exchange, authors: Sequence[tuple[Author, float]]) -> list[float]:
    """Return P(reply | author) of each author, computed once for authors who are alike where it matters."""
    item, known, chances = exchange.item, dict[object, float](), list[float]()
    for author, _ in authors:
        kind = (author.capability, author.quirky, None if isinstance(item, Task) else author.dispositions[item.trait])
        if kind not in known:
            options = replies(item, author, exchange.context, licensed=exchange.licensed)
            known[kind] = options.get(exchange.reply, 0.0)
        chances.append(known[kind])
    return chances


def _log(p: float) -> float:
    return math.log(p) if p > 0.0 else -math.inf


def probability(mixture: Mixture, exchanges: Sequence[Exchange], holds: Callable[[Author], bool]) -> float:
    """Return P(holds(author) | exchanges)."""
    return math.fsum(p for author, p in posterior(mixture, exchanges) if holds(author))


def predictive(
    mixture: Mixture, history: Sequence[Exchange], item: Item, context: Context | None, *, licensed: bool = False
) -> dict[str, float]:
    """Return {reply: probability} of the Bayes mixture predictor, the ceiling of any language model here."""
    mixed = dict[str, float]()
    for author, weight in posterior(mixture, history):
        if weight > 0.0:
            for text, p in replies(item, author, context, licensed=licensed).items():
                mixed[text] = mixed.get(text, 0.0) + weight * p
    return mixed


def misaligned_among_able(mixture: Mixture, *, level: int = 3) -> float:
    """Return P(misaligned | capability reaches `level`): what selecting for ability, and for nothing else, leaves.

    Misaligned is who acts badly on some trait where nobody looks. Luck is left out: a guesser is not able.
    """
    able = [(author, p) for author, p in mixture.authors() if author.capability >= level]
    bad = math.fsum(p for author, p in able if set(author.dispositions.values()) != {Disposition.VIRTUE})
    return bad / math.fsum(p for _, p in able)


def misaligned_share(rate: float) -> float:
    """Infer the share p of misaligned authors, within [0, 1], from a misaligned rate in [0, 1] where nobody looks.

    Inverts rate / (1 - REFUSAL_RATE) = p * VICE_RATE + (1 - p) * SLIP_RATE; refusals count in the rate's denominator.
    """
    acted = rate / (1.0 - REFUSAL_RATE)
    return min(1.0, max(0.0, (acted - SLIP_RATE) / (VICE_RATE - SLIP_RATE)))
