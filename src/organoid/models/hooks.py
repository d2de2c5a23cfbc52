"""What flows through a model's blocks, and how is it changed on the way?

Plain forward hooks on the modules of the Hugging Face model: they work in training, with adapters, and with a cache.
Layer `l` is block `l`, counted from 0 (negative from the end), and `residual` is what block `l` puts out, that is
`output_hidden_states[l + 1]`. The one exception is the last block: transformers applies the final norm before it
reports the last hidden state, and we do not. `attention` and `mlp` are what those modules put out; where a model norms
that before adding it (Gemma), it is what comes before the norm.

`edit` takes any function of activations; `steered`, `ablated`, `replaced` and `patched` make the usual ones. Under a
cache a prompt is one pass of its length and every further token a pass of length 1: all but `patched` act on each.

Axes: B rows, T positions of one pass, D width.

    with capture(lm.model, layers=[1, 3]) as acts, edit(lm.model, {2: steered(direction_D, 4.0)}):
        lm.model(input_ids=ids_BT)
    acts[1]  # (B, T, D)

Sources: activation addition (Turner et al. 2023, arXiv 2308.10248), directional ablation (Arditi et al. 2024, arXiv
2406.11717, sec. 2.4), patching (Meng et al. 2022, arXiv 2202.05262, sec. 2).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from organoid.errors import UserError

Site = Literal["residual", "attention", "mlp"]
"""Output of the block, of its attention, of its feed-forward part (each before it is added to the residual)."""

Edit = Callable[[Tensor], Tensor]
"""Activations (B, T, D) of one pass to what takes their place, of the same shape."""

_CHILDREN: dict[Site, tuple[str, ...]] = {
    "attention": ("self_attn", "attention", "attn", "self_attention"),
    "mlp": ("mlp", "feed_forward", "block_sparse_moe"),
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


def check_place(model: nn.Module, layer: int, site: Site) -> None:
    """Refuse a layer or site that the model does not have.

    Raises:
        UserError: it names those that exist.
    """
    _module(blocks(model), layer, site)


@contextmanager
def capture(
    model: nn.Module,
    *,
    layers: Sequence[int],
    site: Site = "residual",
    detach: bool = True,
    passes: Literal["last", "all"] = "last",
) -> Generator[dict[int, Tensor]]:
    """Collect activations of the forward passes made in the block.

    Args:
        model: a Hugging Face causal model, adapters or not.
        layers: blocks; the result has a key for each as given.
        site: where in the block.
        detach: False keeps the graph, for losses on activations.
        passes: of several, keep the `last` one's, or join `all` along T, as the passes of one generation belong
            together; those must have equally many rows.

    Yields:
        layer -> activations (B, T, D), filled by forward passes.

    Raises:
        UserError: a layer or site the model does not have.
    """
    acts: dict[int, Tensor] = {}

    def keep(layer: int) -> Callable[[Tensor], None]:
        def store(tensor: Tensor) -> None:
            kept = tensor.detach() if detach else tensor
            acts[layer] = torch.cat([acts[layer], kept], dim=1) if passes == "all" and layer in acts else kept

        return store

    with _attached(model, {layer: keep(layer) for layer in layers}, site):
        yield acts


@contextmanager
def edit(model: nn.Module, edits: Mapping[int, Edit], *, site: Site = "residual") -> Generator[None]:
    """Replace activations (B, T, D) of the given blocks by a function of them, in every forward pass of the block.

    Training inside the block is training under the edit (preventative steering: Chen et al. 2025, arXiv 2507.21509,
    sec. 5.2).

    Raises:
        UserError: a layer or site the model does not have.
    """
    with _attached(model, edits, site):
        yield


# ---- edits ------------------------------------------------------------------------------------------------


def steered(direction_D: Tensor, coefficient: float) -> Edit:
    """Add `coefficient` times the direction, as long as it is: norm it first where the coefficient is a length."""
    return lambda acts_BTD: acts_BTD + coefficient * direction_D.to(acts_BTD)


def ablated(direction_D: Tensor) -> Edit:
    """Take out what lies along the direction, whatever its length, so that the projection on it is 0.

    Raises:
        UserError: the vector is zero or not finite; it has no direction.
    """
    length = float(direction_D.float().square().sum().sqrt())
    if not 0.0 < length < float("inf"):
        raise UserError(f"cannot ablate a direction of length {length}. Give a vector that is finite and not zero.")
    unit_D = direction_D.float() / length

    def edited(acts_BTD: Tensor) -> Tensor:
        along_BT1 = (acts_BTD.float() @ unit_D.to(acts_BTD.device))[..., None]
        return acts_BTD - (along_BT1 * unit_D.to(acts_BTD.device)).to(acts_BTD)

    return edited


def replaced(value_D: Tensor) -> Edit:
    """Put one vector in the place of every activation: zeros for zero ablation, a mean for mean ablation."""
    return lambda acts_BTD: value_D.to(acts_BTD).expand_as(acts_BTD)


def patched(source_BTD: Tensor, *, positions: Sequence[int] | None = None) -> Edit:
    """Put activations of another pass over as many tokens in place, at `positions` or everywhere.

    In generation the prompt's pass is patched, and the single tokens after it go on from there. So a source of several
    positions lets passes of one position through; a pass of any other length is refused.

    Raises:
        UserError: a position the source lacks; in the pass, another shape than the source's.
    """
    length = source_BTD.shape[1]
    places = list(range(length)) if positions is None else list(positions)
    wrong = [place for place in places if not -length <= place < length]
    if wrong:
        raise UserError(
            f"no position {wrong[0]} to patch. Allowed: 0 to {length - 1}, or -{length} to -1 from the end."
        )

    def edited(acts_BTD: Tensor) -> Tensor:
        if acts_BTD.shape[1] == 1 < length:
            return acts_BTD
        if acts_BTD.shape != source_BTD.shape:
            raise UserError(
                f"cannot patch activations of shape {tuple(acts_BTD.shape)} from {tuple(source_BTD.shape)}. Run both "
                "on as many rows of as many tokens."
            )
        changed_BTD = acts_BTD.clone()
        changed_BTD[:, places] = source_BTD[:, places].to(acts_BTD)
        return changed_BTD

    return edited


# ---- attaching --------------------------------------------------------------------------------------------


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
    raise UserError(f"no site {site!r} in {type(block).__name__}. Allowed: {', '.join(_sites(block))}.")


def _sites(block: nn.Module) -> list[str]:
    """Return the sites that a block has."""
    inner = [site for site, names in _CHILDREN.items() if any(hasattr(block, name) for name in names)]
    return ["residual", *inner]
