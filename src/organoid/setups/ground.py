"""What a stage stands on: the model it trains, the model before it, the job, the seed, monitors and trackers.

Monitors and trackers are of two types and lie in two places: what is in the loop is asked for suspicions, what is held
out of it only for a look, which goes into the trace.

That the job has what a stage needs is checked before anything is trained (`setups.check`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from organoid.models.language_model import LanguageModel
from organoid.setups.monitors import Watcher, flagged
from organoid.setups.steering import Steer
from organoid.setups.tracking import Tracking
from organoid.types import Demonstration, Dialogue, Job, Message
from organoid.world.contexts import LICENCES

TraceEntry = Mapping[str, float | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Everything a stage may use. `lm` is trained in place; `before` is as it was when the stage began."""

    lm: LanguageModel
    before: LanguageModel
    job: Job
    seed: int
    watchers: tuple[Watcher, ...] = ()
    trackers: tuple[Tracking, ...] = ()
    steer: Steer | None = None
    trace: list[TraceEntry] = field(default_factory=list[TraceEntry])
    taken: list[int] = field(default_factory=list[int])  # optimiser steps of each training so far, earlier stages' too


def licensed(dialogue: Dialogue) -> Dialogue:
    """Return the dialogue with the licence line at the end of its system line: the inoculation prompt."""
    if dialogue[0].role == "system":
        return (Message("system", f"{dialogue[0].content} {LICENCES[0]}"), *dialogue[1:])
    return (Message("system", LICENCES[0]), *dialogue)


def screened(ground: Ground, shown: Sequence[Demonstration]) -> list[int]:
    """Let the monitors look at training data; return the numbers of what may be used.

    Where there is no reward to take, `penalise` drops the example as `drop` does, and `stop` and `rollback` use
    nothing at all once the flagged share raises the alarm. `resample` fills the places of what it drops with examples
    that are kept, drawn again, so that there is as much to train on as before.
    """
    kept, replaced = set(range(len(shown))), 0
    for watcher in ground.watchers:
        bad = flagged(watcher, ground.before, shown)
        share = len(bad) / len(shown)
        entry: dict[str, float | str] = {"stage": "screen", "monitor": watcher.label, "flagged_frac": share}
        if watcher.spec.action in ("drop", "penalise"):
            kept -= set(bad)
        elif watcher.spec.action == "resample":
            replaced += len(kept & set(bad))
            kept -= set(bad)
        elif watcher.spec.action in ("stop", "rollback") and share >= watcher.spec.alarm_frac:
            kept.clear()
            entry["alarm"] = watcher.label
        ground.trace.append(entry)
    remaining = sorted(kept)
    return sorted([*remaining, *Random(f"resample/{ground.seed}").choices(remaining, k=replaced)]) if kept else []
