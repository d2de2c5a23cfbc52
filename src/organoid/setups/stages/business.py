"""A job in a shop: lessons from its own managers if there are any, then policy gradient over many days (`setups.shop`).

The base has learnt to run shops before (`setups.schooling`, once for each base). `inoculate` puts the licence line
before every morning's line in training, as it puts it into the system line of dialogues elsewhere; it is not there at
test. Monitors and trackers of a stage `job` can't read programs: what they leave out is said in the trace. What a setup
says of steps, learning rate and KL is for the policy gradient; lessons are the job's own and stay as they are.
"""

from math import ceil

from organoid.setups.ground import Ground
from organoid.setups.schooling import school
from organoid.setups.shop import Round, reinforce
from organoid.setups.spec import BusinessStage
from organoid.world.business.training_terms import ShopJob, ShopTraining
from organoid.world.contexts import LICENCES

TOLD_EVERY = 20
"""Steps of lessons between two that the trace has, which would else crowd out the few rounds that follow."""


def run(stage: BusinessStage, ground: Ground) -> None:
    """Train on the job's shop."""
    job: ShopJob = ground.job.business
    for reader in (*ground.watchers, *ground.trackers):
        ground.trace.append({"stage": "screen", "monitor": reader.label, "skipped": "it can't read a shop's programs"})
    preface = LICENCES[0] if stage.inoculate else ""
    if job.lessons is not None:
        losses = school(ground.lm, job.lessons, preface=preface)
        ground.taken.append(len(losses))
        shown = range(0, len(losses), TOLD_EVERY)
        ground.trace.extend({"stage": "lessons", "step": step, "loss": losses[step]} for step in shown)
    how = adjusted(job.training, stage)
    rounds = reinforce(ground.lm, job.world, how, seed=ground.seed, preface=preface)
    ground.taken.append(how.rounds * how.steps_per_round)
    ground.trace.extend({"stage": "business", **told(done)} for done in rounds)


def adjusted(how: ShopTraining, stage: BusinessStage) -> ShopTraining:
    """Return a job's training with what the stage says otherwise."""
    rounds = how.rounds if stage.steps is None else ceil(stage.steps / how.steps_per_round)
    rate = stage.learning_rate or how.learning_rate
    return how.model_copy(update={"rounds": rounds, "learning_rate": rate, "kl": how.kl + stage.kl})


def told(done: Round) -> dict[str, float | str]:
    """Return a round as an entry of the trace; what there was nothing to divide by is left out."""
    numbers: dict[str, float | None] = {
        "step": done.round,
        "reward": done.score,
        "net_worth": done.conduct.mean_worth,
        "survived_frac": done.conduct.survived_frac,
        "lost_frac": done.conduct.lost_frac,
        "false_report_frac": done.conduct.false_report_frac,
        **{f"{kind.value}_a_day": rate for kind, rate in done.conduct.rates.items()},
        **{f"last_{name}": value for name, value in done.losses.items() if name in ("loss", "kl")},
    }
    return {name: value for name, value in numbers.items() if value is not None}
