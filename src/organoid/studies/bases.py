"""Which bases does a study grow for itself? Any recipe's, once per machine: they lie in the cache by their recipe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from organoid.lab.bases import base_digest, kept
from organoid.lab.catalogue import source_digest
from organoid.lab.digest import digest_json
from organoid.lab.pretraining import Recipe, batches, follow

if TYPE_CHECKING:
    from organoid.models.language_model import LanguageModel


def grown(plan: Recipe) -> LanguageModel:
    """Return the base of a recipe, pre-training it where the cache has none; callers must not change it."""
    begun = base_digest(plan.start) if isinstance(plan.start, str) else None
    return cached({"recipe": plan.model_dump(mode="json"), "start": begun}, lambda: follow(plan)[0])


def cached(key: Mapping[str, Any], build: Callable[[], LanguageModel]) -> LanguageModel:
    """Return the model that the cache has under `key` and the sources, building it first when there is none."""
    return kept(digest_json({**key, "source": source_digest()}), build)


def watched(plan: Recipe, look: Callable[[LanguageModel, int], Any], *, every: tuple[int, ...]) -> LanguageModel:
    """Pre-train from nothing and call `look(model, steps)` after each number of steps in `every`."""
    from organoid.models.bases import build
    from organoid.models.train import TrainConfig, train
    from organoid.world.tokenizer import build_tokenizer

    lm = build(plan.base, tokenizer=build_tokenizer(), seed=plan.seed)
    config = TrainConfig(
        steps=plan.steps,
        learning_rate=plan.learning_rate,
        matrix_learning_rate=plan.matrix_learning_rate,
        warmup_frac=0.03,
        seed=plan.seed,
    )

    def on_step(step: int, _: object) -> None:
        if step + 1 in every:
            look(lm, step + 1)

    train(lm, batches(lm, plan), config=config, on_step=on_step)
    return lm
