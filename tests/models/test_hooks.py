import pytest
import torch

from organoid.errors import UserError
from organoid.models.adapters import trainable
from organoid.models.hooks import blocks, capture, edit
from organoid.models.language_model import LanguageModel

IDS = torch.randint(1, 30, (3, 9), generator=torch.Generator().manual_seed(0))


def hooks(model: torch.nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def test_residual_of_block_l_is_hidden_state_l_plus_one(foreign: LanguageModel) -> None:
    with torch.no_grad(), capture(foreign.model, layers=[0, 1, 2]) as acts:
        states = foreign.model(input_ids=IDS, output_hidden_states=True).hidden_states
    assert len(states) == 4
    for layer in (0, 1):
        assert torch.equal(acts[layer], states[layer + 1])
        assert not torch.allclose(acts[layer], states[layer], atol=1e-3)
    inner = foreign.model.base_model
    norm = inner.final_layer_norm if hasattr(inner, "final_layer_norm") else inner.norm
    with torch.no_grad():
        assert torch.allclose(norm(acts[2]), states[3], atol=1e-5)  # transformers reports the last one normed


def test_attention_and_mlp_add_up_to_the_residual(foreign: LanguageModel) -> None:
    if "gemma" in foreign.name:
        pytest.skip("Gemma norms each part before it is added")
    with (
        torch.no_grad(),
        capture(foreign.model, layers=[0, 1]) as residual,
        capture(foreign.model, layers=[1], site="attention") as attention,
        capture(foreign.model, layers=[1], site="mlp") as mlp,
    ):
        foreign.model(input_ids=IDS)
    assert torch.allclose(residual[0] + attention[1] + mlp[1], residual[1], atol=1e-5)


def test_negative_layers_count_from_the_end(native: LanguageModel) -> None:
    with torch.no_grad(), capture(native.model, layers=[-1, 2]) as acts:
        native.model(input_ids=IDS)
    assert torch.equal(acts[-1], acts[2])


@pytest.mark.parametrize("layer", [3, -4])
def test_a_layer_beyond_the_model_is_refused(native: LanguageModel, layer: int) -> None:
    with pytest.raises(UserError, match="0 to 2"), capture(native.model, layers=[0, layer]):
        pass
    assert hooks(native.model) == 0


def test_an_unknown_site_is_refused(native: LanguageModel) -> None:
    with pytest.raises(UserError, match="residual, attention, mlp"), capture(native.model, layers=[0], site="head"):
        pass
    assert hooks(native.model) == 0


def test_hooks_are_gone_even_after_an_error(native: LanguageModel) -> None:
    with pytest.raises(RuntimeError, match="stop"), capture(native.model, layers=[0, 1]):
        assert hooks(native.model) == 2
        raise RuntimeError("stop")
    assert hooks(native.model) == 0


def test_capture_keeps_the_graph_when_asked(native: LanguageModel) -> None:
    with capture(native.model, layers=[1], detach=False) as acts:
        native.model(input_ids=IDS)
    acts[1].sum().backward()
    assert native.model.model.layers[0].mlp.up_proj.weight.grad is not None
    with capture(native.model, layers=[1]) as acts:
        native.model(input_ids=IDS)
    assert not acts[1].requires_grad


def test_an_edit_moves_the_stream_after_it_and_nothing_before(foreign: LanguageModel) -> None:
    shift = torch.full((foreign.model.config.hidden_size,), 0.7)
    with torch.no_grad(), capture(foreign.model, layers=[0, 1, 2]) as plain:
        logits = foreign.model(input_ids=IDS).logits
    steering = edit(foreign.model, {1: lambda acts: acts + shift})
    with torch.no_grad(), steering, capture(foreign.model, layers=[0, 1, 2]) as steered:
        moved = foreign.model(input_ids=IDS).logits
    assert torch.equal(steered[0], plain[0])
    assert torch.allclose(steered[1], plain[1] + shift)
    assert not torch.allclose(steered[2], plain[2]) and not torch.allclose(moved, logits)
    with torch.no_grad(), edit(foreign.model, {1: lambda acts: acts}):
        assert torch.equal(foreign.model(input_ids=IDS).logits, logits)


def test_blocks_are_found_under_adapters(foreign: LanguageModel) -> None:
    subject = trainable(foreign)
    assert len(blocks(subject.model)) == 3
    with torch.no_grad(), capture(subject.model, layers=[1]) as acts, capture(foreign.model, layers=[1]) as before:
        subject.model(input_ids=IDS)
        foreign.model(input_ids=IDS)
    assert torch.allclose(acts[1], before[1], atol=1e-5)
