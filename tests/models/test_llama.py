"""The lean forward against the module's own: equal, or not used."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaConfig, LlamaForCausalLM

import organoid.models.llama
from organoid.models.adapters import trainable
from organoid.models.forward import asked_logits, module_logits
from organoid.models.hooks import capture
from organoid.models.language_model import LanguageModel
from organoid.models.llama import asked_logits as lean_logits
from organoid.models.llama import lean

IDS = torch.randint(0, 60, (5, 23), generator=torch.Generator().manual_seed(0))
ASKED = torch.rand(5, 23, generator=torch.Generator().manual_seed(1)) < 0.3
TARGETS = torch.randint(0, 60, (int(ASKED.sum()),), generator=torch.Generator().manual_seed(2))

SHAPES = {
    "tied": {"tie_word_embeddings": True},
    "grouped": {"num_key_value_heads": 2, "tie_word_embeddings": False},
    "wide heads": {"head_dim": 24},
    "scaled": {
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 16,
        }
    },
}


def llama(**settings: object) -> LlamaForCausalLM:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
        pad_token_id=0,
        **settings,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():  # larger than at the start, so that an error shows
        for weight in model.parameters():
            weight.mul_(4) if weight.ndim > 1 else weight.add_(torch.randn_like(weight) * 0.2)
    return model


def logits_and_gradients(model: LlamaForCausalLM, forward: Callable[..., Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    model.zero_grad()
    logits = forward(model, IDS, ASKED)
    F.cross_entropy(logits.float(), TARGETS).backward()
    return logits.detach().float(), {name: weight.grad.clone() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("name", SHAPES)
def test_logits_and_gradients_equal_the_module_s(name: str) -> None:
    model = llama(**SHAPES[name])
    assert lean(model)
    expected, expected_gradients = logits_and_gradients(model, module_logits)
    logits, gradients = logits_and_gradients(model, lean_logits)
    assert torch.allclose(logits, expected, atol=1e-4)
    assert expected.abs().max() > 1
    for key, gradient in gradients.items():
        assert torch.allclose(gradient, expected_gradients[key], atol=1e-5, rtol=1e-3), key


@pytest.mark.parametrize("length", [23, 300])  # plain attention, flash
def test_in_bf16_it_is_no_further_from_single_precision_than_the_module(length: int) -> None:
    model = llama()
    ids = torch.randint(0, 60, (2, length), generator=torch.Generator().manual_seed(0))
    asked = torch.ones_like(ids, dtype=torch.bool)
    with torch.no_grad():
        exact = module_logits(model, ids, asked)
        with torch.autocast("cpu", torch.bfloat16):
            theirs, ours = (forward(model, ids, asked).float() for forward in (module_logits, lean_logits))
    assert 0 < (ours - exact).abs().mean() < 1.3 * (theirs - exact).abs().mean()


@pytest.mark.parametrize("num_asked", [1, 40, 41])  # short of a multiple, a multiple, above it
def test_rows_added_for_the_kernels_change_nothing(num_asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bf16 the asked rows are padded: with none, few or many added, logits and gradients are the same."""
    model, ids = llama(), IDS.flatten()[:100].view(2, 50)
    asked = torch.zeros(2, 50, dtype=torch.bool)
    asked[1, 5 : 5 + num_asked] = True
    found = list[list[Tensor]]()
    for multiple in (1, 40, 1000):
        monkeypatch.setattr(organoid.models.llama, "_ASKED_MULTIPLE", multiple)
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = lean_logits(model, ids, asked)
        assert logits.shape == (num_asked, 60)
        F.cross_entropy(logits, TARGETS[:1].expand(num_asked)).backward()
        found.append([logits.detach(), *(weight.grad.clone() for weight in model.parameters())])
    for padded in found[1:]:
        for one, other in zip(found[0], padded, strict=True):
            assert torch.allclose(one, other, atol=1e-2 * float(one.abs().max()), rtol=0.0)
    assert all(part.abs().max() > 0 for part in found[0])


def test_module_logits_are_those_of_the_full_forward(foreign: LanguageModel) -> None:
    with torch.no_grad():
        full = foreign.model(input_ids=IDS).logits[ASKED]
        assert torch.allclose(module_logits(foreign.model, IDS, ASKED), full, atol=1e-5)
        assert torch.allclose(asked_logits(foreign.model, IDS, ASKED), full, atol=1e-4)
    assert lean(foreign.model) == (type(foreign.model) is LlamaForCausalLM)


def test_whatever_would_be_passed_over_turns_it_off() -> None:
    model = llama()
    with capture(model, layers=[1]) as acts:
        assert not lean(model)
        asked_logits(model, IDS, ASKED)
        assert acts[1].shape == (5, 23, 32)
    assert lean(model)
    model(input_ids=IDS, output_hidden_states=True)
    assert lean(model)  # transformers' own recorder is not in the way
    model.model.layers[0].mlp.forward = lambda x: x
    assert not lean(model)


@pytest.mark.parametrize(
    "settings",
    [
        {"attention_bias": True},
        {"mlp_bias": True},
        {"hidden_act": "gelu"},
        {"attention_dropout": 0.1},
        {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}},
    ],
)
def test_shapes_it_does_not_know_are_left_to_the_module(settings: dict[str, object]) -> None:
    assert not lean(llama(**settings).train())


def test_adapters_are_left_to_the_module(checkpoints) -> None:
    from organoid.models.language_model import load

    lm = load(checkpoints["llama"])
    assert lean(lm.model) and not lean(trainable(lm).model)
    assert lean(lm.model)
