"""How does a stage train while it is looked at? The loop of `models.train`, with what its setup declares around it.

Trackers look before the first step, every so many steps and at the end, and write into the trace; their numbers go
nowhere else. Monitors that are differentiated add their probe's surprise at a good label, -log(1 - suspicion) of the
mean activation over each row's counted tokens, to the loss, and its gradient flows through the activations. Steering
moves activations in the passes that are learned from. With none of the three this is `train`, to the bit.

Source: differentiating through a probe, Bailey et al. 2024 (arXiv 2412.09565), sec. 4.

Axes: B rows, T positions, D width, M counted tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from organoid.models.batches import Batch
from organoid.models.hooks import capture
from organoid.models.language_model import LanguageModel
from organoid.models.losses import Loss, LossValue
from organoid.models.train import TrainConfig, TrainTrace, train
from organoid.setups.ground import Ground
from organoid.setups.monitors import Watcher
from organoid.setups.spec import Stage, middle
from organoid.setups.tracking import TRACK, Tracking


def train_watched(
    stage: Stage,
    ground: Ground,
    batches: Iterable[Batch | Sequence[Batch]],
    *,
    config: TrainConfig,
    loss: Loss,
    num_shown: int | None = None,
) -> TrainTrace:
    """Train as `models.train.train` does, under what the ground declares.

    Args:
        stage: whose name goes into the trace.
        ground: the model, its monitors, trackers and steering.
        batches: as for `train`.
        config: as for `train`.
        loss: as for `train`.
        num_shown: rows of a batch that differentiated monitors judge, the first ones; None: all.
    """
    felt = [watcher for watcher in ground.watchers if watcher.spec.action == "differentiate"]
    if not (felt or ground.trackers or ground.steer):
        done = train(ground.lm, batches, config=config, loss=loss)
        ground.taken.append(len(done.steps))
        return done
    seen, looks = _Felt(ground.lm, felt, num_shown), _Looks(stage, ground)

    @contextmanager
    def during() -> Generator[None]:
        with ExitStack() as stack:
            if ground.steer is not None:
                stack.enter_context(ground.steer.on(ground.lm))
            stack.enter_context(seen.captured())
            yield

    looks.at_start()
    judged = seen.added(loss, prompted=stage.kind != "documents") if felt else loss
    done = train(ground.lm, batches, config=config, loss=judged, on_step=looks.after, during=during)
    looks.at_end(len(done.steps), early=len(done.steps) < config.steps)
    ground.taken.append(len(done.steps))
    return done


class _Looks:
    """When trackers look, and where what they see is put; a tracker may be followed over several stages."""

    def __init__(self, stage: Stage, ground: Ground) -> None:
        self.stage, self.ground = stage, ground
        self.before = sum(ground.taken)  # steps of earlier stages
        looks = [entry for entry in ground.trace if entry["stage"] == TRACK]
        self.last = {entry["tracker"]: entry for entry in looks}  # each tracker's last look

    def at_start(self) -> None:
        """Let those look that never did; where nothing was trained yet the model is the one before."""
        for tracker in self.ground.trackers:
            if tracker.label not in self.last:
                self._look(tracker, 0, self.ground.lm if self.before else tracker.before)

    def after(self, step: int, _: Mapping[str, float]) -> None:
        """Let those look whose turn it is; returns nothing, so no tracker can end a stage."""
        for tracker in self.ground.trackers:
            if (self.before + step + 1) % tracker.spec.every == 0:
                self._look(tracker, step + 1, self.ground.lm)

    def at_end(self, num_steps: int, *, early: bool) -> None:
        """Let those look that have not yet; all of them after an early end, which may have brought old weights back."""
        for tracker in self.ground.trackers:
            seen = self.last[tracker.label]["at"] == self.before + num_steps
            if seen and early:
                self.ground.trace.remove(self.last[tracker.label])
            if early or not seen:
                self._look(tracker, num_steps, self.ground.lm)

    def _look(self, tracker: Tracking, step: int, lm: LanguageModel) -> None:
        where = {"stage": TRACK, "of": self.stage.kind, "tracker": tracker.label, "at": self.before + step}
        self.last[tracker.label] = {**where, **tracker.look(lm)}
        self.ground.trace.append(self.last[tracker.label])


class _Felt:
    """Probes that the loss is differentiated through, and the activations they read in passes that are learned from."""

    def __init__(self, lm: LanguageModel, watchers: Sequence[Watcher], num_shown: int | None) -> None:
        self.lm, self.watchers, self.num_shown = lm, watchers, num_shown
        self.layers = [middle(lm.num_layers) if one.spec.layer is None else one.spec.layer for one in watchers]
        self.acts: Mapping[int, Tensor] = {}

    @contextmanager
    def captured(self) -> Generator[None]:
        """Keep the activations of the passes within the block, with their graph."""
        if not self.watchers:
            yield
            return
        with capture(self.lm.model, layers=self.layers, detach=False) as self.acts:
            yield

    def added(self, loss: Loss, *, prompted: bool) -> Loss:
        """Return the loss plus each probe's weighted surprise, over the first `num_shown` rows."""

        def total(logits_MV: Tensor, batch: Batch) -> LossValue:
            value, metrics = loss(logits_MV, batch)
            for watcher, layer in zip(self.watchers, self.layers, strict=True):
                surprise = _surprise(self.acts[layer], batch, watcher, prompted=prompted)[: self.num_shown].mean()
                value = value + watcher.spec.weight * surprise
                metrics = {**metrics, f"{watcher.label}_nats": surprise.detach()}
            return LossValue(value, metrics)

        return total


def _surprise(acts_BTD: Tensor, batch: Batch, watcher: Watcher, *, prompted: bool) -> Tensor:
    """Return -log(1 - suspicion) of each row, nats, shape (B,)."""
    weight_D, bias = watcher.directions[prompted]
    counted_BT = F.pad(batch.predict_BT, (1, 0))[:, :-1].to(acts_BTD)  # a token's own position, as the probe was fitted
    mean_BD = (acts_BTD * counted_BT[..., None]).sum(1) / counted_BT.sum(1, keepdim=True).clamp(min=1.0)
    return F.softplus(mean_BD.float() @ torch.tensor(weight_D, dtype=torch.float32, device=mean_BD.device) + bias)
