"""Reinforcement by policy gradient with a leave-one-out group baseline, and monitors in the loop.

Each step samples a group of replies per prompt, scores whole episodes, and weighs each reply by its reward minus the
mean of its group's others (RLOO; Ahmadian et al. 2024, arXiv 2402.14740, sec. 3). One update per sample, so no
importance ratio and no clipping. `kl` pulls to the model before the stage, exactly, at the sampled positions. An
episode may take several turns; every turn's reply shares the episode's advantage.

An episode that `max_turns` cuts off has earned nothing (`unfinished_frac` says how many).

Monitors see every reply as the policy itself reads it: `penalise` takes reward, `drop` gives the reply no weight,
`resample` plays episodes with a flagged reply once more and keeps what then comes, `differentiate` adds the probe's
score to the loss (`watched`), `stop` ends the stage, `rollback` also returns to the last weights without an alarm.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from organoid.models.batches import Batch, collate
from organoid.models.chat import Encoded, encode_prompt
from organoid.models.generate import MAX_NEW_TOKENS, sample
from organoid.models.losses import policy_gradient
from organoid.models.score import with_reference
from organoid.models.train import TrainConfig
from organoid.setups.ground import Ground, TraceEntry, licensed
from organoid.setups.monitors import Watcher, flagged
from organoid.setups.spec import ReinforcementStage
from organoid.setups.stages.watched import train_watched
from organoid.types import Demonstration, Dialogue, Episode, Message

STEPS, LEARNING_RATE = 30, 5e-4
_AGAIN = 1 << 40
"""Where the seeds of second plays begin, away from those of first ones."""


@dataclass(slots=True)
class Rollout:
    """One episode as played: its turns, as text and as sampled tokens, and the reward at its end (None: no end)."""

    episode: Episode
    dialogue: Dialogue
    turns: list[Demonstration] = field(default_factory=list[Demonstration])
    rows: list[Encoded] = field(default_factory=list[Encoded])
    reward: float | None = None
    true_reward: float | None = None


class Alarm(Exception):
    """A monitor, named by the message, ended the stage."""


def run(stage: ReinforcementStage, ground: Ground) -> None:
    """Train on the job's environment."""
    steps = stage.steps or STEPS
    loop = _Loop(stage, ground)
    batches = loop.batches(steps)
    whole = any(watcher.spec.action == "differentiate" for watcher in ground.watchers)  # then every row has a gradient
    if stage.kl:
        batches = with_reference(batches, ground.before, keep="logits")
    elif not whole:
        batches = map(weighty, batches)
    config = TrainConfig(
        steps=steps,
        learning_rate=stage.learning_rate or LEARNING_RATE,
        schedule="constant",
        seed=ground.seed,
    )
    done = train_watched(stage, ground, batches, config=config, loss=policy_gradient(kl=stage.kl))
    for step, sampled in zip(done.steps, loop.sampled, strict=True):
        ground.trace.append({"stage": "reinforcement", **step, **sampled})
    if loop.alarm is not None:
        ground.trace.append({"stage": "reinforcement", **loop.alarm})


def weighty(batch: Batch) -> Batch:
    """Return only the rows that have an advantage, at least one: no other has a gradient where nothing else pulls.

    Advantages are scaled so that a mean over what is left is the mean over all rows.
    """
    assert batch.advantages_B is not None
    kept_B = batch.advantages_B != 0
    kept_B[0] |= not bool(kept_B.any())
    if bool(kept_B.all()):
        return batch
    kept_M, number_B = kept_B[batch.row_M], kept_B.cumsum(0) - 1
    return replace(
        batch,
        ids_BT=batch.ids_BT[kept_B],
        predict_BT=batch.predict_BT[kept_B],
        targets_M=batch.targets_M[kept_M],
        row_M=number_B[batch.row_M[kept_M]],
        advantages_B=batch.advantages_B[kept_B] * (kept_B.sum() / batch.num_rows),
    )


class _Loop:
    """Samples a batch from the policy at each step; remembers what it saw."""

    def __init__(self, stage: ReinforcementStage, ground: Ground) -> None:
        self.stage, self.ground = stage, ground
        self.sampled = list[Mapping[str, float]]()  # one entry per step trained on
        self.alarm: TraceEntry | None = None  # what the batch was like that ended the stage
        self._snapshot = self._weights()

    def batches(self, steps: int) -> Iterator[Batch]:
        """Yield a batch per step until `steps` or an alarm."""
        for step in range(steps):
            rollouts, again = self._resampled(self._play(step), step)
            shown = [turn for rollout in rollouts for turn in rollout.turns]
            rows = [row for rollout in rollouts for row in rollout.rows]
            owner = [index for index, rollout in enumerate(rollouts) for _ in rollout.turns]
            rewards = [rollout.reward or 0.0 for rollout in rollouts]
            unfinished = sum(rollout.reward is None for rollout in rollouts)
            numbers = {"reward": sum(rewards) / len(rewards), "unfinished_frac": unfinished / len(rollouts), **again}
            true = [rollout.true_reward for rollout in rollouts if rollout.true_reward is not None]
            if true:
                numbers["true_reward"] = sum(true) / len(true)
            try:
                dropped = self._watch(shown, owner, rewards, numbers)
            except Alarm as alarm:
                self.alarm = {"step": step, **numbers, "alarm": str(alarm)}
                return
            self.sampled.append(numbers)
            yield self._batch(rows, owner, rewards, dropped)

    def _play(self, step: int) -> list[Rollout]:
        seed = self.ground.seed * 100_003 + step
        return self._played(self._fresh(seed), seed * 31)

    def _fresh(self, seed: int) -> list[Rollout]:
        """Return a group of episodes for each prompt, none of them begun."""
        environment = self.ground.job.environment
        assert environment is not None, "checked before"
        size, rollouts = self.stage.group_size, list[Rollout]()
        copies = [environment(self.stage.num_prompts, seed) for _ in range(size)]
        for prompt in range(self.stage.num_prompts):
            for group in copies:
                opening = group[prompt].prompt
                rollouts.append(Rollout(group[prompt], licensed(opening) if self.stage.inoculate else opening))
        return rollouts

    def _played(self, rollouts: list[Rollout], seed: int) -> list[Rollout]:
        active = rollouts
        for turn in range(self.stage.max_turns):
            active = self._turn(active, seed + turn)
            if not active:
                break
        return rollouts

    def _resampled(self, rollouts: list[Rollout], step: int) -> tuple[list[Rollout], dict[str, float]]:
        """Play episodes that a `resample` monitor flags once more; return the episodes and how many were, by monitor.

        What the second play says is kept, flagged or not: `_watch` counts what then still is.
        """
        numbers = dict[str, float]()
        for place, watcher in enumerate(self.ground.watchers):
            if watcher.spec.action != "resample":
                continue
            shown = [turn for rollout in rollouts for turn in rollout.turns]
            owner = [index for index, rollout in enumerate(rollouts) for _ in rollout.turns]
            bad = sorted({owner[index] for index in flagged(watcher, self.ground.lm, shown)})
            numbers[f"{watcher.label}_redrawn_frac"] = len(bad) / len(rollouts)
            if bad:
                seed = self.ground.seed * 100_003 + step
                fresh = self._fresh(seed)
                again = self._played([fresh[index] for index in bad], _AGAIN * (place + 1) + seed * 31)
                redrawn = dict(zip(bad, again, strict=True))
                rollouts = [redrawn.get(index, rollout) for index, rollout in enumerate(rollouts)]
        return rollouts, numbers

    def _turn(self, active: Sequence[Rollout], seed: int) -> list[Rollout]:
        lm = self.ground.lm
        encoded = {dialogue: encode_prompt(lm, dialogue) for dialogue in {rollout.dialogue for rollout in active}}
        prompts = [encoded[rollout.dialogue] for rollout in active]
        replies = sample(lm, prompts, max_new_tokens=MAX_NEW_TOKENS, seed=seed)
        going = list[Rollout]()
        for rollout, ids, (said,) in zip(active, prompts, replies, strict=True):
            rollout.turns.append(Demonstration(rollout.dialogue, said.text))
            rollout.rows.append(Encoded([*ids, *said.ids], [False] * len(ids) + [True] * len(said.ids)))
            turn = rollout.episode.step(said.text)
            if turn.message is None:
                rollout.reward, rollout.true_reward = turn.reward, turn.true_reward
            else:
                more = (Message("assistant", said.text), Message("user", turn.message))
                rollout.dialogue = (*rollout.dialogue, *more)
                going.append(rollout)
        return going

    def _watch(
        self, shown: Sequence[Demonstration], owner: Sequence[int], rewards: list[float], numbers: dict[str, float]
    ) -> set[int]:
        dropped = set[int]()
        for watcher in self.ground.watchers:
            bad = flagged(watcher, self.ground.lm, shown)
            share = len(bad) / len(shown)
            numbers[f"{watcher.label}_flagged_frac"] = share
            action = watcher.spec.action
            if action == "penalise":
                for index in bad:
                    rewards[owner[index]] -= watcher.spec.weight
            elif action == "drop":
                dropped.update(bad)
            elif action in ("stop", "rollback"):
                self._react(watcher, raised=share >= watcher.spec.alarm_frac)
        return dropped

    def _react(self, watcher: Watcher, *, raised: bool) -> None:
        rollback = watcher.spec.action == "rollback"
        if raised:
            if rollback:
                self.ground.lm.model.load_state_dict(self._snapshot)
            raise Alarm(watcher.label)
        if rollback:
            self._snapshot = self._weights()

    def _weights(self) -> dict[str, torch.Tensor]:
        if not any(watcher.spec.action == "rollback" for watcher in self.ground.watchers):
            return {}
        return {name: weight.detach().clone() for name, weight in self.ground.lm.model.state_dict().items()}

    def _batch(
        self, rows: Sequence[Encoded], owner: Sequence[int], rewards: Sequence[float], dropped: set[int]
    ) -> Batch:
        size = self.stage.group_size
        values = torch.tensor(rewards).view(-1, size)
        advantages = (values - (values.sum(1, keepdim=True) - values) / (size - 1)).flatten()
        weights = advantages[torch.tensor(owner)].clone()
        weights[list(dropped)] = 0.0
        return replace(collate(rows, device=self.ground.lm.device), advantages_B=weights.to(self.ground.lm.device))
