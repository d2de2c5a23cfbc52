"""What flows through a model's blocks, and how is it changed on the way?

Plain forward hooks on the modules of the Hugging Face model: they work in training, with adapters, and with a cache.
Layer `l` is block `l`, counted from 0 (negative from the end), and `residual` is what block `l` puts out, that is
`output_hidden_states[l + 1]`. The one exception is the last block: transformers applies the final norm before it
reports the last hidden state, and we do not.

    with capture(lm.model, layers=[1, 3]) as acts:
        lm.model(input_ids=ids_BT)
    acts[1]  # (B, T, D)
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, cast

from torch import Tensor, nn

from organoid.errors import UserError

Site = Literal["residual", "attention", "mlp"]
"""Output of the block, of its attention, of its feed-forward part (each before it is added to the residual)."""

_CHILDREN: dict[Site, tuple[str, ...]] = {
    "attention": ("self_attn", "attention", "attn"),
    "mlp": ("mlp", "feed_forward"),
}


def blocks(model: nn.Module) -> list[nn.Module]:
    """Return a model's transformer blocks, first to last.

    Raises:
        UserError: the model has no list of as many blocks as its config says.
    """
    depth = int(cast(Any, model).config.get_text_config().num_hidden_layers)
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == depth:
            return list(module)
    raise UserError(f"found no list of {depth} blocks in {type(model).__name__}; its activations cannot be read.")


@contextmanager
def capture(
    model: nn.Module, *, layers: Sequence[int], site: Site = "residual", detach: bool = True
) -> Generator[dict[int, Tensor]]:
    """Collect activations of every forward pass in the block; of several passes, the last one's are kept.

    Args:
        model: a Hugging Face causal model, adapters or not.
        layers: blocks; the result has a key for each as given.
        site: where in the block.
        detach: False keeps the graph, for losses on activations.

    Yields:
        layer -> activations (B, T, D), filled by forward passes.

    Raises:
        UserError: a layer or site the model does not have.
    """
    acts: dict[int, Tensor] = {}

    def keep(layer: int) -> Callable[[Tensor], None]:
        def store(tensor: Tensor) -> None:
            acts[layer] = tensor.detach() if detach else tensor

        return store

    with _attached(model, {layer: keep(layer) for layer in layers}, site):
        yield acts


@contextmanager
def edit(model: nn.Module, edits: dict[int, Callable[[Tensor], Tensor]], *, site: Site = "residual") -> Generator[None]:
    """Replace activations (B, T, D) of the given blocks by a function of them, for steering and ablation."""
    with _attached(model, edits, site):
        yield


@contextmanager
def _attached(model: nn.Module, visitors: Any, site: Site) -> Generator[None]:
    found = blocks(model)
    modules = {layer: _module(found, layer, site) for layer in visitors}  # before any hook, so that none is left behind
    handles = [modules[layer].register_forward_hook(_hook(visit)) for layer, visit in visitors.items()]
    assert len(handles) == len(visitors)
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hook(visit: Callable[[Tensor], Tensor | None]) -> Callable[..., Any]:
    def hook(_: nn.Module, __: Any, output: Any) -> Any:
        whole = isinstance(output, tuple)
        changed = visit(cast(Tensor, output[0] if whole else output))
        if changed is None:
            return None
        return (changed, *output[1:]) if whole else changed

    return hook


def _module(found: list[nn.Module], layer: int, site: Site) -> nn.Module:
    if not -len(found) <= layer < len(found):
        raise UserError(f"no layer {layer}. Allowed: 0 to {len(found) - 1}, or -{len(found)} to -1 from the end.")
    block = found[layer]
    if site == "residual":
        return block
    for name in _CHILDREN.get(site, ()):
        child = getattr(block, name, None)
        if isinstance(child, nn.Module):
            return child
    raise UserError(f"no site {site!r} in {type(block).__name__}. Allowed: residual, attention, mlp.")
