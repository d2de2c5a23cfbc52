import pytest
import torch

from organoid.errors import UserError
from organoid.models.adapters import trainable
from organoid.models.batches import shuffled
from organoid.models.chat import Encoded
from organoid.models.generate import sample
from organoid.models.hooks import ablated, blocks, capture, edit, patched, replaced, steered
from organoid.models.language_model import LanguageModel
from organoid.models.train import TrainConfig, train

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


# ---- against raw torch hooks ------------------------------------------------------------------------------

SITES = {
    "residual": lambda block: block,
    "attention": lambda block: attention_of(block),
    "mlp": lambda block: block.mlp,
}


def attention_of(block: torch.nn.Module) -> torch.nn.Module:
    return block.self_attn if hasattr(block, "self_attn") else block.attention


def first_of(output: object) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output  # type: ignore[return-value]


def layers_of(lm: LanguageModel) -> torch.nn.ModuleList:
    inner = lm.model.base_model
    return inner.layers if hasattr(inner, "layers") else inner.decoder.layers


@pytest.mark.parametrize("site", SITES)
def test_captures_and_edits_are_bit_equal_to_raw_torch_hooks(foreign: LanguageModel, site: str) -> None:
    shift, raw = torch.linspace(-1, 1, foreign.model.config.hidden_size), {}

    def hook(_: object, __: object, output: object) -> object:
        raw["acts"] = first_of(output)
        moved = raw["acts"] + 2.0 * shift
        return (moved, *output[1:]) if isinstance(output, tuple) else moved

    handle = SITES[site](layers_of(foreign)[1]).register_forward_hook(hook)
    with torch.no_grad():
        expected = foreign.model(input_ids=IDS).logits
    handle.remove()
    with torch.no_grad(), capture(foreign.model, layers=[1], site=site) as acts:  # type: ignore[arg-type]
        foreign.model(input_ids=IDS)
    with torch.no_grad(), edit(foreign.model, {1: steered(shift, 2.0)}, site=site):  # type: ignore[arg-type]
        steered_logits = foreign.model(input_ids=IDS).logits
    assert torch.equal(acts[1], raw["acts"])
    assert torch.equal(steered_logits, expected)


def test_the_sites_that_exist_are_named(native: LanguageModel) -> None:
    class Bare(torch.nn.Module):
        config = native.model.config

        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList(torch.nn.Linear(2, 2) for _ in range(3))
            for block in self.layers:
                block.attn = torch.nn.Linear(2, 2)

    named = pytest.raises(UserError, match=r"no site 'mlp' in Linear. Allowed: residual, attention\.$")
    with named, capture(Bare(), layers=[0], site="mlp"):
        pass


# ---- edits ------------------------------------------------------------------------------------------------


def test_ablation_leaves_nothing_along_the_direction_whatever_its_length(foreign: LanguageModel) -> None:
    direction = torch.linspace(-3, 5, foreign.model.config.hidden_size)
    with torch.no_grad(), capture(foreign.model, layers=[1]) as plain:
        foreign.model(input_ids=IDS)
    for length in (0.01, 1.0, 40.0):
        removing = edit(foreign.model, {1: ablated(length * direction)})
        with torch.no_grad(), removing, capture(foreign.model, layers=[1]) as acts:
            foreign.model(input_ids=IDS)
        unit = direction / direction.norm()
        assert (acts[1] @ unit).abs().max() < 1e-4 < (plain[1] @ unit).abs().max()
        across = plain[1] - (plain[1] @ unit)[..., None] * unit
        assert torch.allclose(acts[1], across, atol=1e-4)
    with pytest.raises(UserError, match=r"direction of length 0\.0"):
        ablated(torch.zeros(4))


@pytest.mark.parametrize("site", ["attention", "mlp"])
def test_replacing_a_part_by_zeros_takes_it_out_of_the_stream(foreign: LanguageModel, site: str) -> None:
    if "gemma" in foreign.name or "neox" in foreign.name:
        pytest.skip("Gemma norms each part first; NeoX runs them side by side")
    other = "mlp" if site == "attention" else "attention"
    nothing = replaced(torch.zeros(foreign.model.config.hidden_size))
    with (
        torch.no_grad(),
        edit(foreign.model, {1: nothing}, site=site),  # type: ignore[arg-type]
        capture(foreign.model, layers=[0, 1]) as stream,
        capture(foreign.model, layers=[1], site=other) as left,  # type: ignore[arg-type]
    ):
        foreign.model(input_ids=IDS)
    assert torch.allclose(stream[0] + left[1], stream[1], atol=1e-5)


def test_a_whole_patch_of_the_stream_carries_the_other_runs_answer_over(foreign: LanguageModel) -> None:
    other = IDS.flip(1)
    with torch.no_grad(), capture(foreign.model, layers=[0, 1, 2]) as source:
        expected = foreign.model(input_ids=other).logits
    with torch.no_grad():
        plain = foreign.model(input_ids=IDS).logits
        for layer in range(3):
            with edit(foreign.model, {layer: patched(source[layer])}):
                assert torch.equal(foreign.model(input_ids=IDS).logits, expected)
        with edit(foreign.model, {1: patched(source[1], positions=[-1])}):
            late = foreign.model(input_ids=IDS).logits
    assert torch.allclose(late[:, :-1], plain[:, :-1], atol=1e-6)  # causal: what stands before does not change
    assert not torch.allclose(late[:, -1], plain[:, -1], atol=1e-3)


def test_a_patch_that_does_not_fit_is_refused(native: LanguageModel) -> None:
    source = torch.zeros(3, 9, 64)
    with pytest.raises(UserError, match=r"no position 9 to patch. Allowed: 0 to 8"):
        patched(source, positions=[2, 9])
    with pytest.raises(UserError, match="cannot patch activations of shape"), edit(native.model, {0: patched(source)}):
        native.model(input_ids=IDS[:, :5])
    assert hooks(native.model) == 0


# ---- in generation, in training, under adapters -----------------------------------------------------------


def uncached(lm: LanguageModel, prompt: list[int], num_tokens: int) -> list[int]:
    ids = list(prompt)
    for _ in range(num_tokens):
        with torch.no_grad():
            ids.append(int(lm.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def test_edits_act_on_every_step_of_generation_with_a_cache(foreign: LanguageModel) -> None:
    prompt = IDS[0].tolist()
    shift = 3.0 * torch.randn(foreign.model.config.hidden_size, generator=torch.Generator().manual_seed(1))
    plain = sample(foreign, [prompt], max_new_tokens=6, temperature=0, seed=0)[0][0].ids
    with edit(foreign.model, {1: steered(shift, 1.0)}):
        written = sample(foreign, [prompt], max_new_tokens=6, temperature=0, seed=0)[0][0].ids
        assert written == uncached(foreign, prompt, len(written))
    assert written != plain
    assert sample(foreign, [prompt], max_new_tokens=6, temperature=0, seed=0)[0][0].ids == plain


def test_all_passes_of_a_generation_are_those_of_one_pass_over_its_text(foreign: LanguageModel) -> None:
    prompt = IDS[0].tolist()
    with capture(foreign.model, layers=[0, -1], passes="all") as stepwise:
        written = sample(foreign, [prompt], max_new_tokens=5, temperature=0, seed=0)[0][0].ids
    with torch.no_grad(), capture(foreign.model, layers=[0, -1]) as whole:
        foreign.model(input_ids=torch.tensor([[*prompt, *written[:-1]]]))  # the last token is never read
    for layer in (0, -1):
        assert stepwise[layer].shape == whole[layer].shape
        assert torch.allclose(stepwise[layer], whole[layer], atol=1e-4)


def test_a_patched_prompt_is_what_generation_goes_on_from(foreign: LanguageModel) -> None:
    prompt, other = IDS[:1].tolist()[0], IDS[1:2]
    with torch.no_grad(), capture(foreign.model, layers=[0]) as source:
        foreign.model(input_ids=other)
    with edit(foreign.model, {0: patched(source[0])}):
        written = sample(foreign, [prompt], max_new_tokens=4, temperature=0, seed=0)[0][0]
        with torch.no_grad():
            first = int(foreign.model(input_ids=torch.tensor([prompt])).logits[0, -1].argmax())
    assert written.ids[0] == first
    assert len(written.ids) == 4 or written.finished  # single tokens pass the patch


def test_gradients_pass_through_an_edit(native: LanguageModel) -> None:
    direction = torch.zeros(64, requires_grad=True)
    with edit(native.model, {1: steered(direction, 2.0)}):
        native.model(input_ids=IDS).logits.logsumexp(-1).sum().backward()
    assert direction.grad is not None and direction.grad.abs().sum() > 0
    native.model.zero_grad()
    base = native.model.model.layers[0].mlp.up_proj.weight
    with edit(native.model, {1: replaced(torch.zeros(64))}):  # cuts what comes before block 1's output
        native.model(input_ids=IDS).logits.logsumexp(-1).sum().backward()
    assert base.grad is None or base.grad.abs().sum() == 0


def test_training_under_an_edit_differs_from_training_without(native: LanguageModel) -> None:
    rows = [Encoded(row.tolist(), [True] * 9) for row in IDS]
    adapted = [trainable(native) for _ in range(2)]
    config = TrainConfig(steps=3, bf16=False)
    plain = train(adapted[0], shuffled(rows, batch_size=3, steps=3, seed=0), config=config)
    with edit(adapted[1].model, {1: steered(torch.ones(64), 1.0)}):
        steered_trace = train(adapted[1], shuffled(rows, batch_size=3, steps=3, seed=0), config=config)
    assert hooks(adapted[1].model) == 0
    assert steered_trace.losses[0] != pytest.approx(plain.losses[0])
    assert steered_trace.losses[-1] < steered_trace.losses[0]


@pytest.mark.parametrize("site", SITES)
def test_edits_reach_the_blocks_under_adapters(foreign: LanguageModel, site: str) -> None:
    subject, shift = trainable(foreign), torch.linspace(-1, 1, foreign.model.config.hidden_size)
    logits = []
    for lm in (foreign, subject):
        with torch.no_grad(), edit(lm.model, {1: steered(shift, 1.0)}, site=site):  # type: ignore[arg-type]
            logits.append(lm.model(input_ids=IDS).logits)
    assert torch.allclose(logits[0], logits[1], atol=1e-5)
    with torch.no_grad():
        assert not torch.allclose(foreign.model(input_ids=IDS).logits, logits[0], atol=1e-3)
