"""What a reinforcement step leaves out for speed changes nothing that is learned."""

from dataclasses import replace

import pytest
import torch

from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded, encode_prompt
from organoid.models.language_model import LanguageModel
from organoid.models.losses import policy_gradient
from organoid.models.score import batch_logits
from organoid.setups.ground import Ground
from organoid.setups.spec import ReinforcementStage
from organoid.setups.stages import reinforcement
from organoid.setups.stages.reinforcement import weighty
from tests.bases import untrained
from tests.setups.jobs import environment, job


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return untrained()


PROMPTS = ([3, 4, 5, 6], [3, 5, 4])
REPLIES = ([7, 8, 9], [7], [9, 9], [8, 7], [9, 7, 7, 8])


def batch(*advantages: float) -> Batch:
    rows = [
        Encoded([*prompt, *said], [False] * len(prompt) + [True] * len(said)) for prompt in PROMPTS for said in REPLIES
    ]
    return replace(collate(rows), advantages_B=torch.tensor(advantages))


def loss_and_gradient(lm: LanguageModel, shown: Batch) -> tuple[float, torch.Tensor]:
    lm.model.zero_grad()
    value = policy_gradient()(batch_logits(lm, shown), shown).loss
    value.backward()
    return value.item(), torch.cat([weight.grad.flatten() for weight in lm.model.parameters()])


@pytest.mark.parametrize(
    ("advantages", "num_left"),
    [
        pytest.param((0.5, 0, 0, -1, 0, 0, 0, 2, 0, 0), 3, id="some"),
        pytest.param((0, 0, 0, 0, 0, 0.5, 1, -1, -0.5, 2), 5, id="a whole group idle"),
        pytest.param((1, -1, 2, -2, 1, -1, 3, -3, 1, -1), 10, id="all weigh"),
        pytest.param((0,) * 10, 1, id="none weighs"),
    ],
)
def test_rows_without_advantage_are_left_out_and_the_gradient_stays(
    base: LanguageModel, advantages: tuple[float, ...], num_left: int
) -> None:
    whole = batch(*advantages)
    left = weighty(whole)
    assert left.num_rows == num_left
    expected, expected_gradient = loss_and_gradient(base, whole)
    value, gradient = loss_and_gradient(base, left)
    assert value == pytest.approx(expected, abs=1e-5)
    assert torch.allclose(gradient, expected_gradient, atol=1e-5)
    assert (expected_gradient.abs().max() > 0.01) == any(advantages)


def test_a_prompt_is_encoded_once_for_its_group(base: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(reinforcement, "encode_prompt", lambda lm, said: calls.append(said) or encode_prompt(lm, said))
    here = Ground(lm=base, before=base, job=job(environment=environment(lambda said: 1.0)), seed=0)
    (drawn,) = reinforcement._Loop(ReinforcementStage(num_prompts=3, group_size=5), here).batches(1)
    assert drawn.num_rows == 15
    assert len(calls) == len(set(calls)) <= 3
