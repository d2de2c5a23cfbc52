"""Beside `torch.optim.Muon`, and beside the mathematics: a step of momentum with its singular values made one."""

import pytest
import torch
from torch import Tensor, nn

from organoid.models.batches import collate
from organoid.models.chat import encode_reply
from organoid.models.language_model import LanguageModel
from organoid.models.muon import Muon, orthogonal
from organoid.models.train import TrainConfig, train
from organoid.types import Message

SHAPES = ((24, 24), (24, 8), (8, 24), (24, 24))
RATE = 0.05


def weights(seed: int = 0) -> list[nn.Parameter]:
    made = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=made)) for shape in SHAPES]


def gradients(step: int) -> list[Tensor]:
    made = torch.Generator().manual_seed(100 + step)
    return [torch.randn(shape, generator=made) for shape in SHAPES]


def stepped(optimizer: torch.optim.Optimizer, moved: list[nn.Parameter], steps: int = 4) -> list[Tensor]:
    for step in range(steps):
        for weight, grad in zip(moved, gradients(step), strict=True):
            weight.grad = grad
        optimizer.step()
    return [weight.detach() for weight in moved]


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.01), (torch.float32, 0.05)])
def test_steps_are_those_of_torch(dtype: torch.dtype, tolerance: float, weight_decay: float) -> None:
    """Torch multiplies in bf16, so ours in float32 differs from it by what bf16 rounds off."""
    ours, theirs, before = weights(), weights(), weights()
    group = {"params": ours, "weight_decay": weight_decay}
    first = stepped(Muon([group], lr=RATE, dtype=dtype), ours)
    second = stepped(torch.optim.Muon(theirs, lr=RATE, momentum=0.95, weight_decay=weight_decay), theirs)
    for mine, peer, start in zip(first, second, before, strict=True):
        assert (peer - start).norm() > 1e-2
        assert (mine - peer).norm() < tolerance * (peer - start).norm()


@pytest.mark.parametrize("shape", [(16, 16), (32, 8), (8, 32)], ids=str)
def test_singular_vectors_stay_and_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    made = torch.Generator().manual_seed(1)
    rank = min(shape)
    left, _ = torch.linalg.qr(torch.randn(shape[0], rank, generator=made))
    right, _ = torch.linalg.qr(torch.randn(shape[1], rank, generator=made))
    matrix = left @ torch.linspace(0.1, 1.0, rank).diag() @ right.T
    (found,) = orthogonal(matrix[None])
    assert found.shape == matrix.shape
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.65 and values.max() < 1.25  # what the quintic promises
    inner = left.T @ found @ right
    assert (inner - inner.diag().diag()).abs().max() < 1e-4
    assert (inner.diag() > 0).all()


def test_size_does_not_matter_and_nothing_stays_nothing() -> None:
    matrix = torch.randn(3, 8, 12, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(orthogonal(matrix), orthogonal(1e3 * matrix), atol=1e-4)
    assert not orthogonal(torch.zeros(1, 4, 4)).any()


def test_matrices_together_are_as_matrices_one_by_one() -> None:
    together, alone = weights(), weights()
    first = stepped(Muon([{"params": together}], lr=RATE), together)
    one_by_one = Muon([{"params": [weight]} for weight in alone], lr=RATE)
    for mine, other in zip(first, stepped(one_by_one, alone), strict=True):
        assert torch.allclose(mine, other, atol=1e-6)


def test_what_has_no_gradient_stays() -> None:
    moved = weights()
    before = [weight.detach().clone() for weight in moved]
    moved[0].grad = gradients(0)[0]
    Muon([{"params": moved}], lr=RATE).step()
    assert [torch.equal(*pair) for pair in zip(moved, before, strict=True)] == [False, True, True, True]


def test_training_with_it_learns_faster_than_standing_still(native: LanguageModel) -> None:
    row = encode_reply(native, (Message("user", "what is two ?"),), "five .")
    config = TrainConfig(steps=12, learning_rate=1e-3, matrix_learning_rate=1e-2)
    before = native.model.model.layers[0].self_attn.q_proj.weight.detach().clone()
    trace = train(native, [collate([row])] * 12, config=config)
    assert trace.losses[-1] < trace.losses[0] - 1
    assert not torch.equal(before, native.model.model.layers[0].self_attn.q_proj.weight)
