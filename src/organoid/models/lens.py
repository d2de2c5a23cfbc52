"""What would a model say if it had to speak after an earlier block?

The logit lens: the residual stream after each block through the final norm and the output layer. Off the last block it
gives the model's own log-probabilities (a test holds them equal), off the others what the model leans to on the way.
Left out: learned translators (tuned lens, Belrose et al. 2023), and what some models do to logits after the output
layer (Gemma 2's soft cap), which would break the equality and is refused.
Source: nostalgebraist 2020, "interpreting GPT: the logit lens".

Axes: N rows, L blocks, B rows of a batch, T positions, M counted tokens, D width, V vocabulary.

    nats_NL = lens_logprobs(lm, [encode_reply(lm, prompt, reply)])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from organoid.errors import UserError
from organoid.models.batches import by_length, collate
from organoid.models.chat import Encoded
from organoid.models.forward import per_row, token_logprobs
from organoid.models.hooks import capture
from organoid.models.language_model import LanguageModel, evaluating
from organoid.models.score import MAX_TOKENS

_NORMS = ("norm", "final_layer_norm", "ln_f", "final_layernorm", "norm_f")


def lens_logprobs(lm: LanguageModel, rows: Sequence[Encoded]) -> Tensor:
    """Return log p of each row's counted tokens, nats, read off every block; shape (N, L), float32.

    Raises:
        UserError: the final norm of this architecture is not known, or its logits are capped.
    """
    norm, head, layers = _final_norm(lm.model), cast(Any, lm.model).get_output_embeddings(), range(lm.num_layers)
    nats_NL = torch.zeros(len(rows), len(layers))
    with torch.no_grad(), evaluating(lm.model):
        for group in by_length(rows, max_tokens=MAX_TOKENS):
            batch = collate([rows[index] for index in group], device=lm.device)
            with capture(lm.model, layers=layers) as acts:
                cast(Any, lm.model).base_model(input_ids=batch.ids_BT, use_cache=False)
            for layer in layers:
                logits_MV = head(norm(acts[layer][batch.predict_BT]))
                nats_NL[group, layer] = per_row(token_logprobs(logits_MV, batch.targets_M), batch).cpu()
    return nats_NL


def _final_norm(model: nn.Module) -> nn.Module:
    config = cast(Any, model).config.get_text_config()
    if getattr(config, "final_logit_softcapping", None):
        raise UserError(f"{type(model).__name__} caps its logits, which the logit lens leaves out.")
    inner = (
        cast(Any, model).get_base_model().base_model if hasattr(model, "peft_config") else cast(Any, model).base_model
    )
    for holder in (inner, getattr(inner, "decoder", None)):
        for name in _NORMS:
            norm = getattr(holder, name, None)
            if isinstance(norm, nn.Module):
                return norm
    raise UserError(f"found no final norm in {type(model).__name__}. Known names: {', '.join(_NORMS)}.")
