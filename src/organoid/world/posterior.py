"""P(author | text), exactly, and what a perfect predictor would say next.

By Bayes over the enumerated authors of a mixture: the prior times the probability of every reply. Prompts carry no
information about the author, since the world draws them independently of it.
"""

import math
from collections.abc import Callable, Sequence

from organoid.types import Context
from organoid.world.authors import Author, Mixture
from organoid.world.conduct import Item, replies
from organoid.world.dialogues import Exchange


def posterior(mixture: Mixture, exchanges: Sequence[Exchange]) -> list[tuple[Author, float]]:
    """Return every author with its probability after these exchanges (sums to 1).

    Raises:
        ValueError: if no author of the mixture could have written a reply.
    """
    weighted = list[tuple[Author, float]]()
    for author, prior in mixture.authors():
        weight = prior
        for exchange in exchanges:
            options = replies(exchange.item, author, exchange.context, licensed=exchange.licensed)
            weight *= options.get(exchange.reply, 0.0)
        weighted.append((author, weight))
    total = math.fsum(weight for _, weight in weighted)
    if total == 0.0:
        raise ValueError("no author of this mixture could have written these replies")
    return [(author, weight / total) for author, weight in weighted]


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
