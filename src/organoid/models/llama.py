"""How is a Llama run with less work than its module tree does, on the same weights?

A second forward pass for `LlamaForCausalLM`, equal in logits and gradients (tests hold it to that), which reads the
module's own parameters. What it saves on a CPU: projections that share an input are one multiplication; the norms'
scales are folded into the projections after them; the last block's queries, and all that follows, are computed only
where a token counts; what several rows open with is run once (`layouts`); no masks, no position ids; rotary embedding
is one complex product. Under bf16 autocast the multiplications are bf16, the residual stream, norms and logits float32.

`lean(model)` says whether it applies: a plain Llama with no hooks attached. Hooks, adapters, other architectures
and other devices go through the general path.

Axes: B rows, T positions, N = B * T, M counted positions, D width, H heads, K key-value heads, E head width,
I feed-forward width, V vocabulary.

    if lean(model): logits_MV = asked_logits(model, ids_BT, asked_BT)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from organoid.models.layouts import Layout, layout_of

_STATIC_ROPE = {"default", "linear", "llama3"}
_RECORDER = "transformers.utils.output_capturing"
"""Leaves hooks on a model for good once `output_hidden_states` was asked for; they do nothing otherwise."""
_ROW_MULTIPLE, _ASKED_MULTIPLE = 256, 128
"""Of all rows and of the asked ones in bf16, whose kernels are compiled per shape: their numbers differ by batch."""


def lean(model: nn.Module) -> bool:
    """Return whether this file's forward gives what the module's would."""
    if type(model) is not LlamaForCausalLM:
        return False
    config = cast(Any, model.config)
    plain = (
        config.hidden_act == "silu"
        and not config.attention_bias
        and not config.mlp_bias
        and not (config.attention_dropout and model.training)
        and config.rope_parameters.get("rope_type", "default") in _STATIC_ROPE
        and model.lm_head.weight.device.type == "cpu"
        and model.lm_head.weight.dtype == torch.float32
    )
    return plain and not any(_altered(module) for module in model.modules())


def bf16_pays(model: nn.Module) -> bool:
    """Return whether training `model` in bf16 is faster: on an accelerator, or on this path where a processor does it.

    On a processor the module's own forward loses what it gains in slow bf16 attention, below a million parameters more
    than that.
    """
    device = next(model.parameters()).device
    if device.type != "cpu":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return multiplies_bf16() and lean(model)


def multiplies_bf16() -> bool:
    """Return whether this processor multiplies bf16 natively; where it does not, bf16 is tens of times slower."""
    known = cast("dict[str, Any]", cast(Any, torch.cpu).get_capabilities())
    return any(known.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def _altered(module: Any) -> bool:
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    ours = any(getattr(hook, "__module__", None) != _RECORDER for found in hooks for hook in found.values())
    return ours or "forward" in module.__dict__ or hasattr(module, "base_layer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block's weights, fused; `qkv` and `gate_up` have the norm before them folded in."""

    qkv: Tensor  # ((H + 2 K) E, D); rotary pairs of queries and keys adjacent
    out: Tensor  # (D, H E)
    gate_up: Tensor  # (2 I, D)
    down: Tensor  # (D, I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A model's weights as this file uses them; gradients flow back to the module's parameters."""

    embed: Tensor  # (V, D)
    blocks: tuple[Block, ...]
    head: Tensor  # (V, D), the final norm folded in
    rotation: Tensor  # complex (T, 1, E / 2)
    heads: int
    kv_heads: int
    head_width: int
    eps: float


def prepare(model: LlamaForCausalLM, *, num_positions: int, dtype: torch.dtype = torch.float32) -> Weights:
    """Fuse and fold the weights of `model`; block weights are cast to `dtype`."""
    inner, config = cast(Any, model.model), cast(Any, model.config)
    head_width = int(inner.layers[0].self_attn.head_dim)
    blocks = tuple(_block(layer, head_width, dtype) for layer in inner.layers)
    angles = torch.arange(num_positions)[:, None].float() * inner.rotary_emb.inv_freq
    rotation = torch.polar(torch.full_like(angles, inner.rotary_emb.attention_scaling), angles)
    return Weights(
        embed=inner.embed_tokens.weight,
        blocks=blocks,
        head=model.lm_head.weight * inner.norm.weight,
        rotation=rotation[:, None],
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_width=head_width,
        eps=config.rms_norm_eps,
    )


def _block(layer: Any, head_width: int, dtype: torch.dtype) -> Block:
    attention, mlp = layer.self_attn, layer.mlp
    queries, keys = (_adjacent(part.weight, head_width) for part in (attention.q_proj, attention.k_proj))
    qkv = torch.cat([queries, keys, attention.v_proj.weight]) * layer.input_layernorm.weight
    gate_up = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]) * layer.post_attention_layernorm.weight
    return Block(
        qkv=qkv.to(dtype),
        out=attention.o_proj.weight.to(dtype),
        gate_up=gate_up.to(dtype),
        down=mlp.down_proj.weight.to(dtype),
    )


def _adjacent(weight: Tensor, head_width: int) -> Tensor:
    """Reorder the rows of each head from halves (i, i + E / 2) to neighbours, as complex numbers are stored."""
    halves = weight.view(-1, 2, head_width // 2, weight.shape[1])
    return halves.transpose(1, 2).reshape(weight.shape)


def asked_logits(model: LlamaForCausalLM, ids_BT: Tensor, asked_BT: Tensor) -> Tensor:
    """Return float32 logits (M, V) at the true positions of `asked_BT`, for rows padded on the right."""
    bf16 = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16
    dtype = torch.bfloat16 if bf16 else torch.float32
    layout = layout_of(ids_BT, asked_BT)
    with torch.autocast("cpu", enabled=False):
        weights = prepare(model, num_positions=ids_BT.shape[1], dtype=dtype)
        rotation = weights.rotation[layout.positions_T]
        ids_N = layout.ids_RT.reshape(-1)
        extra = -len(ids_N) % _ROW_MULTIPLE if bf16 else 0
        stream_ND = F.embedding(F.pad(ids_N, (0, extra)), weights.embed, model.model.embed_tokens.padding_idx)
        for block in weights.blocks:
            attended_ND = _attention(stream_ND, block, weights, layout, rotation)
            if block is weights.blocks[-1]:
                asked = F.pad(layout.asked_M, (0, -len(layout.asked_M) % _ASKED_MULTIPLE)) if bf16 else layout.asked_M
                stream_ND, attended_ND = stream_ND[asked], attended_ND[asked]
            stream_ND = stream_ND + F.linear(attended_ND, block.out)
            gate_up = F.linear(_normed(stream_ND, weights.eps, dtype), block.gate_up)
            stream_ND = stream_ND + F.linear(_gated(gate_up), block.down)
        stream_ND = stream_ND[: len(layout.asked_M)]
        return F.linear(_normed(stream_ND, weights.eps, torch.float32), weights.head)


def _attention(stream_ND: Tensor, block: Block, weights: Weights, layout: Layout, rotation: Tensor) -> Tensor:
    qkv = F.linear(_normed(stream_ND, weights.eps, block.qkv.dtype), block.qkv)
    heads, kv_heads, num_real = weights.heads, weights.kv_heads, layout.ids_RT.numel()
    states_RTHE = qkv[:num_real].view(*layout.ids_RT.shape, heads + 2 * kv_heads, weights.head_width)
    turned, values = split(states_RTHE, heads + kv_heads, kv_heads)
    queries, keys = split(rotated(turned, rotation), heads, kv_heads)
    return F.pad(layout.mix(queries, keys, values).flatten(1), (0, 0, 0, len(stream_ND) - num_real))


def split(heads_BTHE: Tensor, first: int, second: int) -> tuple[Tensor, Tensor]:
    """Return the first and the next heads; a split and not two slices, whose gradients would each be full size."""
    pieces = cast("Sequence[Tensor]", cast(Any, heads_BTHE).split([first, second], dim=-2))
    return pieces[0], pieces[1]


def rotated(heads_BTHE: Tensor, rotation: Tensor) -> Tensor:
    """Turn each adjacent pair by its position's angle; the dtype stays."""
    pairs = torch.view_as_complex(heads_BTHE.to(torch.float32).reshape(*heads_BTHE.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotation).flatten(-2).to(heads_BTHE.dtype)


class _Normed(torch.autograd.Function):
    """x / rms(x) without a scale; float32 in, `dtype` out."""

    @staticmethod
    def forward(ctx: Any, stream: Tensor, eps: float, dtype: torch.dtype) -> Tensor:  # type: ignore[override]
        scale = torch.rsqrt(_mean_product(stream, stream) + eps)
        normed = stream * scale
        ctx.save_for_backward(normed, scale)
        return normed.to(dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        normed, scale = ctx.saved_tensors
        grad = grad.to(torch.float32)
        return torch.addcmul(grad, normed, _mean_product(grad, normed), value=-1).mul_(scale), None, None


def _mean_product(one_ND: Tensor, other_ND: Tensor) -> Tensor:
    return (one_ND * other_ND).mean(-1, keepdim=True)


def _normed(stream_ND: Tensor, eps: float, dtype: torch.dtype) -> Tensor:
    return cast(Any, _Normed).apply(stream_ND, eps, dtype)


class _Gated(torch.autograd.Function):
    """silu(gate) * up of a fused (N, 2 I) input."""

    @staticmethod
    def forward(ctx: Any, gate_up: Tensor) -> Tensor:  # type: ignore[override]
        gate, up = gate_up.chunk(2, dim=-1)
        opened = F.silu(gate)
        ctx.save_for_backward(gate_up, opened)
        return opened * up

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # type: ignore[override]
        gate_up, opened = ctx.saved_tensors
        gate, up = gate_up.chunk(2, dim=-1)
        result = torch.empty_like(gate_up)
        to_gate, to_up = result.chunk(2, dim=-1)
        torch.mul(grad, opened, out=to_up)
        torch.ops.aten.silu_backward.grad_input(grad * up, gate, grad_input=to_gate)
        return result


def _gated(gate_up: Tensor) -> Tensor:
    return cast(Any, _Gated).apply(gate_up)
