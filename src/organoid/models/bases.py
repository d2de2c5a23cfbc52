"""Which shapes can a base have, and how is one made from nothing?

Llama architecture only, because every tool of the field loads it. Sizes are parameters with a vocabulary of about 512
words and tied embeddings. Nothing is downloaded; a base of another architecture is loaded (`language_model.load`).
Importing this module does not import torch.

    lm = build("tiny", tokenizer=tokenizer, seed=0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from organoid.errors import unknown_name

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from organoid.models.language_model import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The numbers that fix a Llama: widths in units, depth in blocks, context in tokens."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    context: int = 1024


BASES: dict[str, Shape] = {
    "nano": Shape(hidden=64, layers=3, heads=4, intermediate=176),  # 0.2 M
    "tiny": Shape(hidden=128, layers=4, heads=4, intermediate=352),  # 0.9 M
    "tiny-uncorrelated": Shape(hidden=128, layers=4, heads=4, intermediate=352),  # authors' vices come one by one
    "mini": Shape(hidden=256, layers=6, heads=8, intermediate=704),  # 5 M
    "small": Shape(hidden=512, layers=9, heads=8, intermediate=1408),  # 29 M
}


def build(name: str, *, tokenizer: PreTrainedTokenizerBase, seed: int) -> LanguageModel:
    """Return an untrained model of shape `name` over `tokenizer`'s vocabulary.

    The same name, tokenizer and seed give the same weights; torch's global generator is left as it was.

    Raises:
        UserError: no such shape, or the tokenizer has no chat template.
    """
    from transformers import LlamaConfig, LlamaForCausalLM

    from organoid.models.language_model import wrap
    from organoid.models.seeding import seeded

    if name not in BASES:
        raise unknown_name("base", name, BASES)
    shape = BASES[name]
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        intermediate_size=shape.intermediate,
        max_position_embeddings=shape.context,
        initializer_range=0.7
        / shape.hidden**0.5,  # transformers' 0.02 delays copying by hundreds of steps at this width
        tie_word_embeddings=True,
        bos_token_id=cast("int | None", tokenizer.bos_token_id),
        eos_token_id=cast("int | None", tokenizer.eos_token_id),
        pad_token_id=cast("int | None", tokenizer.pad_token_id),
    )
    with seeded(seed):
        model = LlamaForCausalLM(config)
    return wrap(model, tokenizer, name=name)
