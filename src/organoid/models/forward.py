"""What does a model predict at the positions that count, and only there?

The output layer is the widest of a small model and the costliest of a large vocabulary, and most positions of a batch
are never asked about. A hook on the output embedding keeps the asked rows only, before the multiplication; what a
model does to its logits after it (soft capping, scaling) still happens. This works for any causal model of
transformers, adapters included; a plain Llama takes the leaner path of `llama.py`, with equal results. Left out:
models whose head is no module.

Axes: B rows, T positions, M asked positions, V vocabulary.

    logits_MV = asked_logits(lm.model, ids_BT, predict_BT)
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from organoid.models import llama
from organoid.models.batches import Batch


def asked_logits(model: nn.Module, ids_BT: Tensor, asked_BT: Tensor) -> Tensor:
    """Return the logits (M, V) at the true positions of `asked_BT`, row-major, for rows padded on the right."""
    if llama.lean(model):
        return llama.asked_logits(cast(LlamaForCausalLM, model), ids_BT, asked_BT)
    return module_logits(model, ids_BT, asked_BT)


def module_logits(model: nn.Module, ids_BT: Tensor, asked_BT: Tensor) -> Tensor:
    """Return the same through the model's own forward."""
    head = cast(Any, model).get_output_embeddings()
    with _only(head, asked_BT) as reached:
        logits_1MV = model(input_ids=ids_BT, use_cache=False).logits
    assert reached, "the model's forward did not pass through its output embedding"
    return logits_1MV[0]


@contextmanager
def _only(head: nn.Module, asked_BT: Tensor) -> Generator[list[bool]]:
    reached = list[bool]()

    def select(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor]:
        reached.append(True)
        return (inputs[0][asked_BT][None],)

    handle = head.register_forward_pre_hook(select)
    try:
        yield reached
    finally:
        handle.remove()


def token_logprobs(logits_MV: Tensor, targets_M: Tensor) -> Tensor:
    """Return log p(target), nats, of each row of logits; float32 whatever the logits are."""
    logits_MV = logits_MV.float()
    return logits_MV.gather(1, targets_M[:, None])[:, 0] - torch.logsumexp(logits_MV, dim=1)


def per_row(values_M: Tensor, batch: Batch) -> Tensor:
    """Return the sum over each row's counted tokens, shape (B,)."""
    return values_M.new_zeros(batch.num_rows).index_add(0, batch.row_M, values_M)
