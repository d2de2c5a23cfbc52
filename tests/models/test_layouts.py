"""Openings run once against rows run whole: equal logits and gradients, fewer positions."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import LlamaForCausalLM

from organoid.models import layouts
from organoid.models.batches import collate
from organoid.models.chat import Encoded
from organoid.models.forward import module_logits
from organoid.models.layouts import Rows, Shared, layout_of, rows, shared
from organoid.models.llama import asked_logits
from tests.models.test_llama import SHAPES, llama


def group(prompt: list[int], *replies: list[int]) -> list[Encoded]:
    return [Encoded([*prompt, *said], [False] * len(prompt) + [True] * len(said)) for said in replies]


ALIKE = [*group([3, 4, 5, 6, 7, 8], [9, 10], [11, 12], [9, 13]), *group([6, 4, 5, 6, 7, 9], [9, 10], [11, 12], [9, 9])]
RAGGED = [
    *group([3, 4, 5, 6, 7, 8, 9], [9, 10, 11], [12], [9, 13], [9, 10, 11, 14]),
    Encoded([50] * 9, [False] * 9),  # asks nothing
    *group([3, 4, 5], [20, 21]),  # opens like the first group, and ends there
    *group([6, 4, 5, 6], [9, 10], [3]),
    Encoded([3, 4, 5, 6, 7, 8, 9, 30, 31, 32], [False] * 7 + [True, False, True]),  # with a gap
    *group([3, 4, 5, 6, 7, 8, 9], [40], [41]),
]
BATCHES = {"alike": ALIKE, "ragged": RAGGED, "one token each": group([3, 4, 5, 6], [7], [8], [9])}


def logits_and_gradients(model: LlamaForCausalLM, ids: Tensor, asked: Tensor, targets: Tensor, forward):
    model.zero_grad()
    logits = forward(model, ids, asked)
    F.cross_entropy(logits.float(), targets).backward()
    return logits.detach().float(), {name: weight.grad.clone() for name, weight in model.named_parameters()}


@pytest.mark.parametrize("short", [layouts._SHORT, 0])  # plain attention, flash
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", BATCHES)
def test_logits_and_gradients_equal_the_module_s(
    name: str, shape: str, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layouts, "_SHORT", short)
    model, batch = llama(**SHAPES[shape]), collate(BATCHES[name])
    asked = (batch.ids_BT, batch.predict_BT)
    assert isinstance(layout_of(*asked), Shared)
    expected, expected_gradients = logits_and_gradients(model, *asked, batch.targets_M, module_logits)
    logits, gradients = logits_and_gradients(model, *asked, batch.targets_M, asked_logits)
    assert torch.allclose(logits, expected, atol=1e-4)
    assert expected.abs().max() > 1
    for key, gradient in gradients.items():
        assert torch.allclose(gradient, expected_gradients[key], atol=1e-5, rtol=1e-3), key


def test_widths_are_rounded_up_so_that_few_shapes_occur() -> None:
    batch = collate(RAGGED)
    layout = shared(batch.ids_BT, batch.predict_BT)
    assert layout is not None
    assert (
        layout.shape_PW[1] % layouts._OPENING_MULTIPLE == 0
        and layout.barred_BCT.shape[1] % layouts._AFTER_MULTIPLE == 0
    )


@pytest.mark.parametrize("name", BATCHES)
def test_in_bf16_it_is_as_near_to_single_precision_as_whole_rows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = llama(), collate(BATCHES[name])
    asked = (batch.ids_BT, batch.predict_BT)
    with torch.no_grad():
        exact = module_logits(model, *asked)
        with torch.autocast("cpu", torch.bfloat16):
            once = asked_logits(model, *asked)
            monkeypatch.setattr("organoid.models.llama.layout_of", rows)
            whole = asked_logits(model, *asked)
    assert 0 < (once - exact).abs().mean() < 1.3 * (whole - exact).abs().mean()


def test_each_opening_is_run_once_and_nothing_after_the_last_asked_position(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "_OPENING_MULTIPLE", 1)
    monkeypatch.setattr(layouts, "_AFTER_MULTIPLE", 1)
    batch = collate(ALIKE)
    layout = shared(batch.ids_BT, batch.predict_BT)
    assert layout is not None
    assert layout.ids_RT.tolist() == [[3, 4, 5, 6, 7, 8, 6, 4, 5, 6, 7, 9, 9, 11, 9, 9, 11, 9]]
    assert layout.positions_T.tolist() == [*range(6), *range(6), *[6] * 6]
    assert layout.asked_M.tolist() == [5, 12, 5, 13, 5, 14, 11, 15, 11, 16, 11, 17]
    assert layout.opening_B.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param([*group([3, 4, 5, 6], [7, 8]), *group([4, 4, 5, 6], [7, 8])], id="nothing in common"),
        pytest.param(group([3], [7] * 30, [8] * 30), id="too little in common"),
        pytest.param(group([3, 4, 5, 6], [7]), id="one row"),
        pytest.param([Encoded([3, 4], [False, False])] * 3, id="nothing asked"),
    ],
)
def test_rows_are_run_whole_where_sharing_saves_little(batch: list[Encoded]) -> None:
    collated = collate(batch)
    assert isinstance(layout_of(collated.ids_BT, collated.predict_BT), Rows)


def test_an_opening_that_differs_in_one_token_is_another() -> None:
    prompts = [[3, 4, 5, 6, 7, 8, 9, 10], [3, 4, 5, 6, 7, 8, 9, 11]]
    batch = collate([row for prompt in prompts for row in group(prompt, *[[12, 13]] * 6)])
    layout = shared(batch.ids_BT, batch.predict_BT)
    assert layout is not None and layout.opening_B.tolist() == [0] * 6 + [1] * 6
