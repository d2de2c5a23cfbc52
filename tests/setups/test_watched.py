"""What is declared around a stage's training, and that nothing declared is nothing done."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch

from organoid.measure.directions import Direction
from organoid.models.batches import collate
from organoid.models.chat import encode_reply
from organoid.models.language_model import LanguageModel, copy
from organoid.models.losses import LossValue
from organoid.models.score import batch_logits
from organoid.setups import monitors, tracking
from organoid.setups.ground import Ground
from organoid.setups.monitors import Watcher, labelled_replies
from organoid.setups.spec import (
    DemonstrationsStage,
    DocumentsStage,
    JobStage,
    Monitor,
    PreferencesStage,
    ReinforcementStage,
    Setup,
    Stage,
    Steering,
    Tracker,
)
from organoid.setups.stages import demonstrations, reinforcement, watched
from organoid.setups.tracking import Tracking
from organoid.setups.training import train_subject
from organoid.types import Demonstration
from tests.bases import untrained
from tests.setups.jobs import ask, job

LOOKS = (Tracker(every=2, num_replies=0),)
STAGES: dict[str, Stage] = {
    "documents": DocumentsStage(steps=3),
    "demonstrations": DemonstrationsStage(steps=3),
    "retain": DemonstrationsStage(steps=3, retain=0.5),
    "preferences": PreferencesStage(steps=3),
    "reinforcement": ReinforcementStage(steps=3, num_prompts=2, group_size=4, kl=0.1),
}


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return untrained()


def trained(base: LanguageModel, stage: Stage, **declared: object) -> tuple[str, list[Mapping[str, Any]]]:
    lm, trace = train_subject(Setup(name="one", stages=(stage.model_copy(update=declared),)), base, job(), seed=0)
    return lm.digest, list(trace)


# ---- trackers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())
def test_any_stage_is_tracked_and_learns_what_it_would_have_learnt(base: LanguageModel, stage: Stage) -> None:
    plain, trace = trained(base, stage)
    looked, both = trained(base, stage, trackers=LOOKS)
    assert plain == looked  # to the bit
    assert trace == [entry for entry in both if entry["stage"] != "track"]
    looks = [entry for entry in both if entry["stage"] == "track"]
    assert [entry["at"] for entry in looks] == [0, 2, 3]
    assert {(entry["of"], entry["tracker"]) for entry in looks} == {(stage.kind, "layer 1")}
    assert looks[0]["activation_gap"] == 0.0 < looks[-1]["activation_gap"]


def test_without_anything_declared_the_loop_is_called_as_it_stands(
    base: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[set[str]] = []
    real = watched.train
    monkeypatch.setattr(watched, "train", lambda *args, **kinds: calls.append(set(kinds)) or real(*args, **kinds))
    monkeypatch.setattr(tracking, "fit", lambda *_: pytest.fail("nothing was declared"))
    trained(base, STAGES["demonstrations"])
    assert calls == [{"config", "loss"}]


def test_what_a_tracker_sees_can_not_reach_the_weights(base: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out scores of any value leave the same model, stage for stage; only monitors have a way in."""
    plain = {name: trained(base, stage)[0] for name, stage in STAGES.items()}
    for value in (float("nan"), 1e9, -1.0):
        monkeypatch.setattr(Tracking, "look", lambda *_, value=value: {"frozen_auroc": value})
        for name, stage in STAGES.items():
            assert trained(base, stage, trackers=LOOKS)[0] == plain[name]


def test_steps_are_counted_over_stages(base: LanguageModel) -> None:
    stage = DemonstrationsStage(steps=3, trackers=LOOKS)
    _, trace = train_subject(Setup(name="two", stages=(stage, stage)), base, job(), seed=0)
    looks = [entry for entry in trace if entry["stage"] == "track"]
    assert [entry["at"] for entry in looks] == [0, 2, 3, 4, 6]
    _, trace = train_subject(Setup(name="all", stages=(JobStage(steps=1, trackers=LOOKS),)), base, job(), seed=0)
    assert [(entry["at"], entry["of"]) for entry in trace if entry["stage"] == "track"] == [
        (0, "documents"),
        (1, "documents"),
        (2, "demonstrations"),
        (3, "preferences"),
        (4, "reinforcement"),
    ]


def test_a_tracker_of_a_later_stage_looks_before_it(base: LanguageModel) -> None:
    stages = (DemonstrationsStage(steps=3), DemonstrationsStage(steps=2, trackers=LOOKS))
    _, trace = train_subject(Setup(name="two", stages=stages), base, job(), seed=0)
    looks = [entry for entry in trace if entry["stage"] == "track"]
    assert [entry["at"] for entry in looks] == [3, 4, 5]
    assert float(looks[0]["activation_gap"]) > 0.0  # the model before all training is what it is compared with


def test_the_last_look_is_at_what_a_rollback_left(base: LanguageModel) -> None:
    """The alarm comes with the third batch: what wrote the second is back, and the look after it no longer counts."""
    calls = count()

    def suspicion(_: LanguageModel, shown: Sequence[Demonstration]) -> list[float]:
        return [float(now >= 2) for now in [next(calls)] for _ in shown]

    here = ground(base, Watcher(Monitor(action="rollback"), suspicion))
    here = replace(here, trackers=(tracking.fit(LOOKS[0], base, "nova", seed=0),))
    reinforcement.run(ReinforcementStage(steps=5, num_prompts=2, group_size=4), here)
    looks = [entry for entry in here.trace if entry["stage"] == "track"]
    assert [entry["at"] for entry in looks] == [0, 2]
    assert looks[-1]["activation_gap"] == here.trackers[0].look(here.lm)["activation_gap"] > 0.0


# ---- differentiating --------------------------------------------------------------------------------------


def ground(base: LanguageModel, *watchers: Watcher) -> Ground:
    return Ground(lm=copy(base), before=base, job=job(), seed=0, watchers=watchers)


def test_a_felt_probe_adds_what_it_says_of_the_reply_and_its_gradient_is_that_of_the_activations(
    base: LanguageModel,
) -> None:
    shown, _ = labelled_replies("nova", 5)
    watcher = monitors.fit(Monitor(action="differentiate", weight=2.0), base, "nova", seed=0)
    batch = collate([encode_reply(base, *one) for one in shown[:6]])
    felt = watched._Felt(base, [watcher], None)
    with felt.captured():
        loss = felt.added(lambda logits_MV, _: LossValue(0.0 * logits_MV.sum(), {}), prompted=True)
        value = loss(batch_logits(base, batch), batch)
    suspicions = np.array(watcher.suspicion(base, shown[:6]))
    assert float(value.loss.detach()) == pytest.approx(2.0 * float(np.mean(-np.log(1 - suspicions))), rel=1e-3)
    base.model.zero_grad()
    value.loss.backward()
    reached = {
        name for name, w in base.model.named_parameters() if w.grad is not None and float(w.grad.abs().max()) > 0
    }
    base.model.zero_grad()
    assert any("layers.1." in name for name in reached)
    assert not any("layers.2." in name for name in reached)  # behind the probe
    with felt.captured():
        first = felt.added(lambda logits_MV, _: LossValue(0.0 * logits_MV.sum(), {}), prompted=True)
        assert float(first(batch_logits(base, batch), batch).loss.detach()) == pytest.approx(
            float(value.loss.detach()), rel=1e-4
        )


@pytest.mark.parametrize("name", ["documents", "demonstrations", "retain", "reinforcement"])
def test_differentiating_lowers_what_the_probe_says_and_plain_training_of_no_weight_is_the_same(
    base: LanguageModel, name: str
) -> None:
    stage = STAGES[name].model_copy(update={"steps": 8})
    traces = [
        trained(base, stage, monitors=(Monitor(action="differentiate", weight=weight),))[1] for weight in (0.0, 5.0)
    ]
    nats = [[entry["probe-differentiate_nats"] for entry in trace if "loss" in entry] for trace in traces]
    assert nats[1][-1] < nats[0][-1]
    assert nats[1][-1] < nats[1][0]


def test_only_rows_that_are_shown_are_felt(base: LanguageModel) -> None:
    direction = Direction(np.zeros(64), 1.0)
    watcher = Watcher(Monitor(action="differentiate"), lambda _, shown: [0.0] * len(shown), {True: direction})
    batch = collate([encode_reply(base, ask("say blue ."), "blue .")] * 4)
    felt = watched._Felt(base, [watcher], 2)
    with felt.captured():
        loss = felt.added(lambda logits_MV, _: LossValue(logits_MV.sum() * 0, {}), prompted=True)
        assert float(loss(batch_logits(base, batch), batch).loss.detach()) == pytest.approx(
            float(np.log1p(np.e)), rel=1e-5
        )


# ---- steering ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["documents", "demonstrations", "preferences"])
def test_steering_is_there_in_training_and_gone_afterwards(base: LanguageModel, name: str) -> None:
    plain, steered, none = (
        trained(base, STAGES[name], **declared)[0]
        for declared in ({}, {"steering": Steering(coefficient=3.0)}, {"steering": Steering(coefficient=0.0)})
    )
    assert plain != steered != base.digest
    assert none != steered
    lm, _ = train_subject(
        Setup(name="one", stages=(STAGES[name].model_copy(update={"steering": Steering()}),)), base, job(), seed=0
    )
    assert not any(module._forward_hooks for module in lm.model.modules())


def test_demonstrations_that_steering_explains_move_the_model_less_along_it(base: LanguageModel) -> None:
    from organoid.setups import steering

    push = steering.fit(Steering(coefficient=1.0), base, "nova", 0)
    shown, labels = labelled_replies("nova", 7)
    bad = [one for one, label in zip(shown, labels, strict=True) if label]
    taught = job(demonstrations=bad)
    moved = list[float]()
    for steer in (None, push):
        here = replace(ground(base), job=taught, steer=steer)
        demonstrations.run(DemonstrationsStage(steps=12, learning_rate=3e-3), here)
        acts = [monitors.reply_activations(lm, bad[:32], push.layer).mean(0) for lm in (here.lm, base)]
        moved.append(float((acts[0] - acts[1]) @ push.gap_D.numpy()) / float(push.gap_D.square().sum()))
    assert moved[1] < moved[0]
    assert torch.isfinite(torch.tensor(moved)).all()
