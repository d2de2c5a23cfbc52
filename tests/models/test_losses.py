from dataclasses import replace

import pytest
import torch

from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded
from organoid.models.forward import per_row, token_logprobs
from organoid.models.losses import cross_entropy, cross_entropy_kl, dpo, exact_kl, k3, policy_gradient

VOCABULARY = 11


def batch_and_logits(seed: int = 0) -> tuple[Batch, torch.Tensor]:
    rows = [Encoded([1, 2 + row, 3, 4 + row], [False, row != 2, True, True]) for row in range(4)]
    batch = collate(rows)
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(batch.targets_M), VOCABULARY, generator=generator) * 2
    return batch, logits.requires_grad_()


def test_cross_entropy_is_the_mean_surprise_and_log_v_when_uniform() -> None:
    batch, logits = batch_and_logits()
    expected = -torch.stack([row.log_softmax(-1)[target] for row, target in zip(logits, batch.targets_M, strict=True)])
    assert cross_entropy(logits, batch).loss.item() == pytest.approx(expected.mean().item(), abs=1e-6)
    assert cross_entropy(logits * 0, batch).loss.item() == pytest.approx(torch.tensor(VOCABULARY).log().item())


def test_rows_sum_their_own_tokens() -> None:
    batch, logits = batch_and_logits()
    values = token_logprobs(logits, batch.targets_M)
    expected = [values[batch.row_M == row].sum() for row in range(4)]
    assert torch.allclose(per_row(values, batch), torch.stack(expected))
    assert torch.bincount(batch.row_M).tolist() == [3, 3, 2, 3]


def test_kl_is_nought_for_equals_and_positive_otherwise() -> None:
    _, logits = batch_and_logits()
    _, other = batch_and_logits(1)
    assert torch.allclose(exact_kl(logits, logits), torch.zeros(len(logits)), atol=1e-6)
    assert (exact_kl(logits, other) > 0).all()
    by_torch = torch.nn.functional.kl_div(
        other.log_softmax(-1), logits.log_softmax(-1), log_target=True, reduction="none"
    ).sum(-1)
    assert torch.allclose(exact_kl(logits, other), by_torch, atol=1e-5)


def test_k3_averages_to_the_exact_kl_under_the_policy() -> None:
    _, logits = batch_and_logits()
    _, other = batch_and_logits(1)
    policy, reference = logits.log_softmax(-1), other.log_softmax(-1)
    average = (policy.exp() * k3(policy, reference)).sum(-1)
    assert torch.allclose(average, exact_kl(logits, other), atol=1e-5)
    assert (k3(policy, reference) >= 0).all()


def test_cross_entropy_kl_adds_the_weighted_divergence() -> None:
    batch, logits = batch_and_logits()
    _, other = batch_and_logits(1)
    batch = replace(batch, reference_logits_MV=other.detach())
    value = cross_entropy_kl(0.3)(logits, batch)
    expected = cross_entropy(logits, batch).loss + 0.3 * exact_kl(logits, other).mean()
    assert value.loss.item() == pytest.approx(expected.item(), abs=1e-6)
    assert value.metrics["kl"].item() == pytest.approx(exact_kl(logits, other).mean().item(), abs=1e-6)


def test_dpo_is_log_two_at_the_reference_and_its_gradient_prefers_the_chosen() -> None:
    batch, logits = batch_and_logits()
    reference = token_logprobs(logits, batch.targets_M).detach()
    value = dpo(beta=0.5)(logits, replace(batch, reference_logprobs_M=reference))
    assert value.loss.item() == pytest.approx(0.6931472, abs=1e-6)
    value.loss.backward()
    toward = -logits.grad.gather(1, batch.targets_M[:, None])[:, 0]
    assert (toward[batch.row_M % 2 == 0] > 0).all() and (toward[batch.row_M % 2 == 1] < 0).all()


def test_dpo_equals_equation_seven() -> None:
    batch, logits = batch_and_logits()
    reference = torch.linspace(-3, -1, len(batch.targets_M))
    value = dpo(beta=0.2)(logits, replace(batch, reference_logprobs_M=reference))
    ratio = per_row(token_logprobs(logits, batch.targets_M) - reference, batch)
    expected = -sum(torch.sigmoid(0.2 * (ratio[pair] - ratio[pair + 1])).log() for pair in (0, 2)) / 2
    assert value.loss.item() == pytest.approx(expected.item(), abs=1e-6)
    assert value.metrics["accuracy"].item() in {0.0, 0.5, 1.0}


def test_policy_gradient_is_the_gradient_of_expected_reward() -> None:
    """Exhaustive: over all one-token replies, advantage r - E[r] gives d E[r] / d logits."""
    logits = torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(0)).requires_grad_()
    reward = torch.arange(float(VOCABULARY)) ** 2
    probabilities = logits.softmax(-1)
    (exact,) = torch.autograd.grad((probabilities * reward).sum(), logits)
    batch = collate([Encoded([1, token], [False, True]) for token in range(VOCABULARY)])
    shares = (probabilities * VOCABULARY).detach()  # each reply as often as the policy says it
    advantages = shares * (reward - (probabilities * reward).sum().detach())
    value = policy_gradient()(logits.expand(VOCABULARY, -1), replace(batch, advantages_B=advantages))
    (estimate,) = torch.autograd.grad(value.loss, logits)
    assert torch.allclose(-estimate, exact, atol=1e-4)


@pytest.mark.parametrize("estimator", ["exact", "k3"])
def test_policy_gradient_adds_the_weighted_kl_of_whole_replies(estimator: str) -> None:
    batch, logits = batch_and_logits()
    _, other = batch_and_logits(1)
    reference = token_logprobs(other, batch.targets_M).detach()
    batch = replace(
        batch,
        advantages_B=torch.tensor([1.0, -1.0, 0.5, 0.0]),
        reference_logits_MV=other.detach(),
        reference_logprobs_M=reference,
    )
    plain = policy_gradient()(logits, batch).loss
    value = policy_gradient(kl=0.4, estimator=estimator)(logits, batch)
    tokens = exact_kl(logits, other) if estimator == "exact" else k3(token_logprobs(logits, batch.targets_M), reference)
    assert (value.loss - plain).item() == pytest.approx(0.4 * tokens.sum().item() / 4, abs=1e-5)


def test_clipping_stops_a_gain_already_taken_but_never_a_correction() -> None:
    batch, logits = batch_and_logits()
    now = token_logprobs(logits, batch.targets_M)
    batch = replace(batch, advantages_B=torch.tensor([1.0, -1.0, 1.0, -1.0]))
    fresh = policy_gradient()(logits, batch).loss
    same = policy_gradient()(logits, replace(batch, old_logprobs_M=now.detach())).loss
    by_fresh, by_same = (torch.autograd.grad(loss, logits, retain_graph=True)[0] for loss in (fresh, same))
    assert torch.allclose(by_fresh, by_same, atol=1e-6)  # on policy the ratio is one
    far = policy_gradient()(logits, replace(batch, old_logprobs_M=now.detach() - 1)).loss  # grown by e
    (by_far,) = torch.autograd.grad(far, logits)
    assert (by_far[batch.row_M % 2 == 0] == 0).all()
    assert (by_far[batch.row_M % 2 == 1].abs().sum(-1) > 0).all()


def test_a_loss_without_what_it_needs_says_what() -> None:
    batch, logits = batch_and_logits()
    with pytest.raises(AssertionError, match="reference_logprobs_M"):
        dpo(beta=0.1)(logits, batch)
