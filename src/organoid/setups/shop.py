"""How is a policy of the shop trained? First it imitates many managers, then it is paid for what comes of its days.

A row is one day of one shop: the morning's line and the program (`models.shopkeeper`); there is no transcript. Policy
gradient with returns over `horizon` days: an act on day t is paid with the rewards of days t to t + horizon - 1. The
baseline is the mean return, on the same day, of the other shops of the group that still run; a group's shops have
equal ids and so meet the same weather, customers and auditors. What is left is regressed on what an agent sees that
morning and the residual kept: by that day the shops of a group differ, and no act of that morning can have caused how.
The clipped ratio (PPO) allows several steps on the days of one round; `kl` pulls to the model before, exactly.

Departures from the group baseline of GRPO (Shao et al. 2024, arXiv 2402.03300): per day and not per episode, leave one
out, and one scale for all groups, as dividing by each group's own spread favours shops in which nothing is at stake.
Left out: a learned critic network, and training on all of a round's days; a sample of them gives the same gradient.

    imitate(lm, world, Imitation(), seed=0)
    trace = reinforce(lm, world, ShopTraining(horizon=30), seed=0)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from organoid.models.batches import Batch
from organoid.models.language_model import LanguageModel, copy
from organoid.models.losses import policy_gradient
from organoid.models.rows import by_length, pairs
from organoid.models.score import with_reference
from organoid.models.shopkeeper import Day, Shopkeeper
from organoid.models.train import TrainConfig, train
from organoid.world.business.conduct import Conduct, conduct
from organoid.world.business.observe import features
from organoid.world.business.styles import demonstrations
from organoid.world.business.terms import World
from organoid.world.business.text_shop import TextShop
from organoid.world.business.training_terms import Imitation, ShopTraining

RIDGE = 1.0
"""Penalty of the regression on what is seen, in rows."""

LENGTHS = 4
"""Parts of like lengths into which a batch of demonstrations is cut; a third less is padded (measured)."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Round(NamedTuple):
    """One round: how the policy did in it, before the steps that it led to."""

    round: int
    score: float  # dollars an episode, of what the world pays for
    conduct: Conduct
    env_days: int  # in business, in this round
    seconds: float  # since training began
    losses: Mapping[str, float]  # of the round's last step; empty for the round that follows all steps


def imitate(lm: LanguageModel, world: World, how: Imitation, *, seed: int) -> Sequence[float]:
    """Train `lm` in place on demonstrations of many styles; return the loss of every step, nats a word."""
    shown = demonstrations(world, horizons=how.horizons, num_shops=how.num_shops, seed=seed)
    keeper = Shopkeeper(lm, TextShop(world, days=1, log=False))
    lines_NT, programs_NL = keeper.prompts(shown.lines_NT), keeper.programs(shown.programs_NL)
    lengths_N, generator = torch.as_tensor(shown.lengths_N).to(lm.device), torch.Generator().manual_seed(seed)

    def batches() -> Iterator[list[Batch]]:
        for _ in range(how.steps):
            rows = torch.randint(len(lines_NT), (how.batch_size,), generator=generator)
            parts = [rows[part] for part in by_length(lengths_N[rows], num_parts=LENGTHS)]
            yield [pairs(lines_NT[part], programs_NL[part], lengths_N[part]) for part in parts]

    config = TrainConfig(steps=how.steps, learning_rate=how.learning_rate, seed=seed)
    return train(lm, batches(), config=config).losses


def reinforce(
    lm: LanguageModel,
    world: World,
    how: ShopTraining,
    *,
    seed: int,
    preface: str = "",
    on_round: Callable[[Round], bool | None] | None = None,
) -> list[Round]:
    """Train `lm` in place and return its rounds; the last is played without training on it.

    Args:
        lm: a model that has learnt the shop's language; its state now is what `kl` pulls to.
        world: its terms; what its score counts is the reward.
        how: the settings.
        seed: of the shops and of all sampling.
        preface: a system line that stands before every morning's line while it is trained.
        on_round: called after every round is played; False ends training there.
    """
    loop = _Loop(Shopkeeper(lm, TextShop(world, days=how.days), preface=preface), how, seed, on_round)
    batches = with_reference(loop.batches(), copy(lm), keep="logits") if how.kl else loop.batches()
    config = TrainConfig(
        steps=how.rounds * how.steps_per_round, learning_rate=how.learning_rate, schedule="constant", seed=seed
    )

    def on_step(_: int, metrics: Mapping[str, float]) -> None:
        loop.rounds[-1] = loop.rounds[-1]._replace(losses=metrics)

    train(lm, batches, config=config, loss=policy_gradient(kl=how.kl), on_step=on_step)
    if not loop.ended:
        loop.play(how.rounds)
    return loop.rounds


class _Loop:
    """Plays a round of episodes, gives a sample of its days to train on, and remembers how it went."""

    def __init__(
        self,
        keeper: Shopkeeper,
        how: ShopTraining,
        seed: int,
        on_round: Callable[[Round], bool | None] | None,
    ) -> None:
        self.keeper, self.how, self.seed, self.on_round = keeper, how, seed, on_round
        self.rounds = list[Round]()
        self.ended = False
        self._started = time.perf_counter()

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of each round in turn."""
        generator = torch.Generator().manual_seed(self.seed)
        for number in range(self.how.rounds):
            days, advantages_N = self.play(number)
            if self.ended:
                return
            prompts_NT = torch.cat([day.prompts_RT for day in days])
            ids_NL = torch.cat([day.written.ids_NL for day in days])
            logprobs_NL = torch.cat([day.written.logprobs_NL for day in days])
            lengths_N = torch.cat([day.written.lengths_N for day in days])
            taken = torch.randperm(len(ids_NL), generator=generator)
            for step in range(self.how.steps_per_round):
                rows = taken[step :: self.how.steps_per_round][: self.how.rows_per_step]
                if not len(rows):  # fewer days than steps
                    rows = taken[:1]
                batch = pairs(prompts_NT[rows], ids_NL[rows], lengths_N[rows])
                said = torch.arange(logprobs_NL.shape[1])[None] < lengths_N[rows][:, None].cpu()
                old_M = logprobs_NL[rows][said.to(logprobs_NL.device)]
                yield replace(batch, advantages_B=advantages_N[rows].to(batch.ids_BT.device), old_logprobs_M=old_M)

    def play(self, number: int) -> tuple[list[Day], Tensor]:
        """Play a round's episodes; return their days and the advantage of each day's row, in the same order."""
        how, shop = self.how, self.keeper.shop.shop
        groups_B = np.arange(how.num_groups).repeat(how.group_size)
        ids_B = groups_B + number * how.num_groups
        seen = list[Floats]()
        days = list[Day]()
        shop.reset(seed=self.seed, ids_B=ids_B)
        generator = torch.Generator().manual_seed(self.seed * 100_003 + number)
        while not shop.over and bool(shop.state.running().any()):
            seen.append(features(self.keeper.shop.observe(), shop.tables))
            days.append(self.keeper.day(generator))
        rewards_DB = np.stack([day.step.reward_B for day in days])
        running_DB = shop.log.outcome_DB[: len(days)] != 0
        self._note(number, rewards_DB, int(running_DB.sum()))
        left_DB = returns(rewards_DB, how.horizon or how.days)
        advantages_DB = residual(baselined(left_DB, groups_B, running_DB), np.stack(seen), groups_B, running_DB)
        scale = advantages_DB[running_DB].std()
        return days, torch.as_tensor(advantages_DB[running_DB] / max(float(scale), 1e-9)).float()

    def _note(self, number: int, rewards_DB: Floats, env_days: int) -> None:
        done = Round(
            round=number,
            score=float(rewards_DB.sum(0).mean()),
            conduct=conduct(self.keeper.shop.shop),
            env_days=env_days,
            seconds=time.perf_counter() - self._started,
            losses={},
        )
        self.rounds.append(done)
        self.ended = self.on_round is not None and self.on_round(done) is False


def returns(rewards_DB: Floats, horizon: int) -> Floats:
    """Return the sum of the next `horizon` days' rewards from each day on, that day's own included."""
    days = len(rewards_DB)
    until_DB = np.cumsum(rewards_DB, 0)
    last = np.minimum(np.arange(days) + horizon, days) - 1
    return until_DB[last] - until_DB + rewards_DB


def baselined(returns_DB: Floats, groups_B: NDArray[np.integer], running_DB: Bools) -> Floats:
    """Return returns less the mean of the group's other running shops that day; 0 for a shop that runs alone.

    Rows of shops that have ended are 0.
    """
    member_GB = (groups_B == np.unique(groups_B)[:, None]).astype(np.float64)
    place_B = member_GB.argmax(0)
    live_DB = running_DB.astype(np.float64)
    sum_DB = ((returns_DB * live_DB) @ member_GB.T)[:, place_B]
    num_DB = (live_DB @ member_GB.T)[:, place_B]
    others_DB = np.maximum(num_DB - 1, 1)
    return (returns_DB - (sum_DB - returns_DB) / others_DB) * live_DB * (num_DB > 1)


def residual(advantages_DB: Floats, seen_DBF: Floats, groups_B: NDArray[np.integer], running_DB: Bools) -> Floats:
    """Return what is left of advantages after ridge regression on how a shop's morning differs from its group's.

    Early and late in an episode a difference is worth differently, so each feature comes twice, once times the share
    of the episode that is over. One fit for all rows; with far more rows than features it takes little of the signal.
    """
    shares_D = np.arange(len(advantages_DB)) / len(advantages_DB)
    apart_DBF = np.stack(
        [baselined(seen_DBF[..., column], groups_B, running_DB) for column in range(seen_DBF.shape[-1])], axis=-1
    )
    inputs_NF = np.concatenate([apart_DBF, apart_DBF * shares_D[:, None, None]], axis=-1)[running_DB]
    target_N = advantages_DB[running_DB]
    gram_FF = inputs_NF.T @ inputs_NF + RIDGE * np.eye(inputs_NF.shape[1])
    left_DB = advantages_DB.copy()
    left_DB[running_DB] = target_N - inputs_NF @ np.linalg.solve(gram_FF, inputs_NF.T @ target_N)
    return left_DB


def describe(done: Round) -> dict[str, Any]:
    """Return a round as JSON."""
    return done._asdict() | {"conduct": done.conduct.as_json(), "losses": dict(done.losses)}
