"""How long will a plan take? Seconds of one core, for `--dry-run`, put together from what was measured.

Growing an organism plainly takes what the table of established organisms says of it (median, base `tiny`). The rest are
rates read off runs on the same machine, so a slower one takes as many times longer, about threefold without bf16. The
stages that a setup opens with are run once a seed (`lab.openings`), the rest once a trial. What lies in the cache costs
nothing and is not asked for here. Of bases, shops and trackers that nobody has timed there is no estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from organoid.lab.plan import Plan
from organoid.lab.records import TrialSpec
from organoid.lab.zoo import read
from organoid.setups.spec import JobStage, Stage

TIMED_BASE = "tiny"
STAGE_S = 8.0
"""A stage besides the job: 40 to 60 steps on a corpus of the world."""
KL_SHARE = 0.6
"""What a KL term adds to a stage, as a share of it: a forward pass of the model before."""
MONITOR_S = 3.0
"""Fitting one monitor and letting it read."""
TRUTH_S = 0.1
"""Measuring the truth, for each prompt per trait and context."""
LOOK_S = 0.35
"""One technique and its oracle."""


def plan_s(plan: Plan) -> float | None:
    """Return the seconds of one core that a plan's trials take; None: nobody has timed its base, shops or trackers."""
    tracked = any(stage.trackers for stage in plan.setup.stages)
    if plan.base != TIMED_BASE or tracked or plan.shops:
        return None
    grown_s = growing_s()
    usual_s = median(grown_s.values())  # of an organism that the table has not
    opened_s = plan.seeds * sum(_stage_s(stage, usual_s) for stage in plan.setup.opening)
    return opened_s + sum(_trial_s(spec, grown_s.get(spec.organism, usual_s)) for spec in plan.specs)


def growing_s() -> dict[str, float]:
    """Return the seconds of one core that growing each timed organism plainly takes, on the base they are timed on."""
    timed = {name: entry["median_training_s"] for name, entry in read().get(TIMED_BASE, {}).items()}
    return {name: float(seconds) for name, seconds in timed.items() if seconds}


def longest_first(specs: Sequence[TrialSpec]) -> list[TrialSpec]:
    """Return trials seed by seed, within a seed those of the slowest organisms first: workers end about together."""
    grown_s = growing_s()
    usual_s = median(grown_s.values())
    return sorted(specs, key=lambda spec: (spec.seed, -grown_s.get(spec.organism, usual_s)))


def _trial_s(spec: TrialSpec, grown_s: float) -> float:
    trained_s = sum(_stage_s(stage, grown_s) for stage in spec.setup.stages[len(spec.setup.opening) :])
    return trained_s + TRUTH_S * spec.num_truth + LOOK_S * len(spec.techniques)


def _stage_s(stage: Stage, grown_s: float) -> float:
    plain_s = grown_s if isinstance(stage, JobStage) else STAGE_S
    return plain_s * (1 + KL_SHARE * bool(stage.kl)) + MONITOR_S * len(stage.monitors)
