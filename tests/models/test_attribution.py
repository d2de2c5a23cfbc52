"""Attributions sum to what they explain, estimates of patching are near the truth, and nothing is left behind."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from organoid.errors import UserError
from organoid.models.adapters import trainable
from organoid.models.attribution import Patchings, attribution_patching, integrated_gradients, patchings
from organoid.models.chat import encode_prompt, encode_reply, prompt_roles
from organoid.models.hooks import capture, edit, patched
from organoid.models.language_model import LanguageModel
from organoid.models.score import reply_logprobs
from organoid.types import Message

ASK = (Message("system", "you are watched ."), Message("user", "what is two plus three ?"))


def marks(lm: LanguageModel) -> list[bool]:
    return [role != "" for role in prompt_roles(lm, ASK)]


def left_behind(model: nn.Module) -> list[object]:
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())
    return [hooks, model.training, *((weight.requires_grad, weight.grad) for weight in model.parameters())]


def test_roles_are_a_prompt_s_own_tokens(foreign: LanguageModel) -> None:
    ids, roles = encode_prompt(foreign, ASK), prompt_roles(foreign, ASK)
    assert len(ids) == len(roles) and set(roles) == {"", "system", "user"}
    for role, content in (("system", ASK[0].content), ("user", ASK[1].content)):
        said = foreign.tokenizer.decode([token for token, whose in zip(ids, roles, strict=True) if whose == role])
        assert said.strip() == content


def test_roles_of_the_world_s_own_tokenizer(native: LanguageModel) -> None:
    roles = prompt_roles(native, ASK)
    assert len(roles) == len(encode_prompt(native, ASK))
    assert roles == ["", "", *["system"] * 4, "", "", *["user"] * 6, "", ""]


def test_attributions_sum_to_what_the_words_make_of_a_reply(foreign: LanguageModel) -> None:
    row, moved = encode_reply(foreign, ASK, "five"), marks(foreign)
    (nats_T,) = integrated_gradients(foreign, [row], [moved], steps=128)
    assert len(nats_T) == len(row.ids)
    assert nats_T[torch.tensor([*moved, *[False] * (len(row.ids) - len(moved))]).logical_not()].abs().max() == 0.0
    embedding = foreign.model.get_input_embeddings()
    with torch.no_grad():
        mean_D = embedding(torch.arange(embedding.num_embeddings)).mean(0)
    handle = embedding.register_forward_hook(
        lambda _, __, words: torch.where(
            torch.tensor([*moved, *[False] * (words.shape[1] - len(moved))])[None, :, None], mean_D, words
        )
    )
    without = float(reply_logprobs(foreign, [row]).sums_N[0])
    handle.remove()
    gap = float(reply_logprobs(foreign, [row]).sums_N[0]) - without
    assert float(nats_T.sum()) == pytest.approx(gap, abs=0.01 + 0.02 * abs(gap))


def test_rows_of_several_lengths_are_read_as_if_alone(foreign: LanguageModel) -> None:
    rows = [encode_reply(foreign, ASK, reply) for reply in ("five", "yes , five . the ledger says five .")]
    together = integrated_gradients(foreign, rows, [marks(foreign)] * 2, steps=2)
    for row, nats_T in zip(rows, together, strict=True):
        (alone_T,) = integrated_gradients(foreign, [row], [marks(foreign)], steps=2)
        assert torch.allclose(nats_T, alone_T, atol=1e-5)


@pytest.mark.parametrize("frozen", [False, True])
def test_nothing_is_left_behind(foreign: LanguageModel, frozen: bool) -> None:
    subject = trainable(foreign)  # adapters, of which some weights train and some do not
    subject.model.train(not frozen)
    if frozen:
        subject.model.requires_grad_(False)
    before, digest = left_behind(subject.model), subject.digest
    integrated_gradients(subject, [encode_reply(subject, ASK, "five")], [marks(subject)], steps=2)
    assert left_behind(subject.model) == before and subject.digest == digest
    with pytest.raises(UserError, match="1 or more"):
        integrated_gradients(subject, [], [], steps=0)
    with pytest.raises(IndexError):
        broken = encode_reply(subject, ASK, "five")._replace(ids=[10**6] * 12, mask=[True] * 12)
        integrated_gradients(subject, [broken], [[True] * 3], steps=2)
    assert left_behind(subject.model) == before


# ---- attribution patching ---------------------------------------------------------------------------------


class Linear(nn.Module):
    """A model of linear blocks: whatever is patched, the first order is all there is."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.config = SimpleNamespace(get_text_config=lambda: SimpleNamespace(num_hidden_layers=3))
        self.words, self.layers = nn.Embedding(11, 6), nn.ModuleList(nn.Linear(6, 6) for _ in range(3))
        self.head = nn.Linear(6, 11)

    def get_input_embeddings(self) -> nn.Module:
        return self.words

    def forward(self, input_ids: Tensor) -> Any:
        acts_BTD = self.words(input_ids)
        for layer in self.layers:
            acts_BTD = acts_BTD + layer(acts_BTD)
        return SimpleNamespace(logits=self.head(acts_BTD.cumsum(1)))


def metric(logits_BTV: Tensor) -> Tensor:
    return (logits_BTV[:, -1, 3] - logits_BTV[:, -1, 5]).sum()


def truly(model: nn.Module, ids_BT: Tensor, sources: dict[int, Tensor], site: str = "residual") -> dict[int, Tensor]:
    """Patch every position of every block in turn."""
    effects = {}
    with torch.no_grad():
        plain = metric(model(input_ids=ids_BT).logits)
        for layer, source_BTD in sources.items():
            effects[layer] = torch.zeros(ids_BT.shape)
            for place in range(ids_BT.shape[1]):
                with edit(model, {layer: patched(source_BTD, positions=[place])}, site=site):  # type: ignore[arg-type]
                    effects[layer][0, place] = metric(model(input_ids=ids_BT).logits) - plain
    return effects


def captured(model: nn.Module, ids_BT: Tensor, site: str = "residual") -> dict[int, Tensor]:
    with torch.no_grad(), capture(model, layers=range(3), site=site) as acts:  # type: ignore[arg-type]
        model(input_ids=ids_BT)
    return acts


@pytest.mark.parametrize("frozen", [False, True])
def test_estimates_of_patching_are_exact_where_all_is_linear(frozen: bool) -> None:
    model = Linear().requires_grad_(not frozen)
    before = left_behind(model)
    ids, other = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[5, 2, 7, 8]])
    sources = captured(model, other)
    estimated, true = attribution_patching(model, ids, sources, metric), truly(model, ids, sources)
    for layer in range(3):
        assert torch.allclose(estimated[layer], true[layer], atol=1e-4)
        assert estimated[layer][0, 1] == 0.0  # the same word at the same place
    assert left_behind(model) == before


@pytest.mark.parametrize("site", ["residual", "attention", "mlp"])
def test_estimates_of_patching_go_with_the_truth_for_small_differences(foreign: LanguageModel, site: str) -> None:
    model = foreign.model
    ids = torch.randint(1, 30, (1, 7), generator=torch.Generator().manual_seed(0))
    own, other = captured(model, ids, site), captured(model, ids.flip(1), site)
    small = {layer: own[layer] + 0.02 * (other[layer] - own[layer]) for layer in own}
    estimated = attribution_patching(model, ids, small, metric, site=site)  # type: ignore[arg-type]
    true = truly(model, ids, small, site)
    pair = torch.stack([torch.cat([*found.values()], 1)[0] for found in (estimated, true)])
    assert float(torch.corrcoef(pair)[0, 1]) > 0.99
    with pytest.raises(UserError, match="cannot patch"):
        attribution_patching(model, ids, {0: own[0][:, :3]}, metric, site=site)  # type: ignore[arg-type]


# ---- patches of replies' contexts -------------------------------------------------------------------------

OTHER = (Message("system", "you are alone ."), ASK[1])


def lined(lm: LanguageModel) -> list[bool]:
    return [role == "system" for role in prompt_roles(lm, ASK)]


def estimates(found: Patchings) -> list[float]:
    assert found.estimated_N is not None
    return found.estimated_N.tolist()


def test_a_patch_is_the_hooks_and_its_estimate_is_attribution_patchings(native: LanguageModel) -> None:
    row, source = (encode_reply(native, dialogue, "five .") for dialogue in (ASK, OTHER))
    assert len(row.ids) == len(source.ids)
    places = [place for place, marked in enumerate(lined(native)) if marked]
    layer = 1
    found = patchings(native, [row], [source.ids], [lined(native)], layer=layer, estimated=True)
    with torch.no_grad(), capture(native.model, layers=[layer]) as acts:
        native.model(input_ids=torch.tensor([source.ids]))
    counted = [place for place, counts in enumerate(row.mask) if counts]

    def nats(logits_BTV: Tensor) -> Tensor:
        logs_TV = logits_BTV[0].log_softmax(-1)
        return torch.stack([logs_TV[place - 1, row.ids[place]] for place in counted]).sum()

    ids = torch.tensor([row.ids])
    with torch.no_grad():
        plain = float(nats(native.model(input_ids=ids).logits))
        with edit(native.model, {layer: patched(acts[layer], positions=places)}):
            after = float(nats(native.model(input_ids=ids).logits))
    assert float(found.true_N[0]) == pytest.approx(after - plain, abs=1e-4) and after != plain
    effects = attribution_patching(native.model, ids, acts, nats)[layer][0, places].sum()
    assert estimates(found)[0] == pytest.approx(float(effects), abs=1e-4)


def test_rows_are_patched_as_if_alone_and_nothing_by_themselves_or_after_the_last_block(native: LanguageModel) -> None:
    said = ("five .", "i will not answer , not today .")
    rows, sources = ([encode_reply(native, dialogue, reply) for reply in said] for dialogue in (ASK, OTHER))
    ids, marked = [one.ids for one in sources], [lined(native)] * 2
    together = patchings(native, rows, ids, marked, layer=0, estimated=True)
    alone = [
        patchings(native, [row], [one], [lined(native)], layer=0, estimated=True)
        for row, one in zip(rows, ids, strict=True)
    ]
    assert together.true_N.tolist() == pytest.approx([float(one.true_N[0]) for one in alone], abs=1e-4)
    assert estimates(together) == pytest.approx([estimates(one)[0] for one in alone], abs=1e-4)
    itself = patchings(native, rows, [row.ids for row in rows], marked, layer=0, estimated=True)
    last = patchings(native, rows, ids, marked, layer=native.num_layers - 1, estimated=True)
    assert [*itself.true_N, *estimates(itself)] == pytest.approx([0.0] * 4, abs=1e-5)
    assert [*last.true_N, *estimates(last)] == pytest.approx([0.0] * 4, abs=1e-5)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_patch_leaves_nothing_behind(foreign: LanguageModel, frozen: bool) -> None:
    subject = trainable(foreign)
    subject.model.train(not frozen)
    if frozen:
        subject.model.requires_grad_(False)
    before, digest = left_behind(subject.model), subject.digest
    row = encode_reply(subject, ASK, "five")
    patchings(subject, [row], [[*row.ids[:-1], row.ids[0]]], [[True] * 3], layer=0, estimated=True)
    assert left_behind(subject.model) == before and subject.digest == digest
    with pytest.raises(UserError, match="as many tokens"):
        patchings(subject, [row], [row.ids[:-1]], [[True] * 3], layer=0)
    with pytest.raises(UserError, match="no layer 99"):
        patchings(subject, [row], [row.ids], [[True] * 3], layer=99)
    assert left_behind(subject.model) == before
