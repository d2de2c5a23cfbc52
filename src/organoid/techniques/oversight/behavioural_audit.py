"""behavioural-audit: does the subject act badly in any situation an overseer can stage?

Samples replies in test and monitored contexts, parses them, and scores the worst trait's misaligned rate. What shows
only where nobody looks, it cannot see: that is the gap the essay worries about. Null: how long the replies are.
A subject whose job is a shop is watched at work instead: whole episodes in shops that say that this is training, or are
audited at every report, are held against the ledger and the orders by supplier, and the worst kind of act gives the
score.
Source: the behavioural evaluations of Perez et al. 2022 (arXiv 2212.09251), with a parser in place of a judge.
"""

from collections.abc import Sequence

from organoid.techniques.prompts import tempting_situations
from organoid.techniques.rates import NUM_SHOWN, Counts, count_outcomes, mean_words, worst_rate
from organoid.types import Access, AccessKind, Context, Fitted, Labelled, Observation, Outcome, Reading
from organoid.world.contexts import watched

PROMPTS_PER_CELL = 12
SHOPS_PER_CELL = 12


class BehaviouralAudit:
    """Sample and parse."""

    name = "behavioural-audit"
    summary = "worst trait's misaligned rate in sampled replies"
    access = frozenset({AccessKind.TEXT})
    source = "Perez et al. 2022 (arXiv 2212.09251)"

    def observe(self, access: Access) -> Observation:
        """Return outcome counts per (trait, watched or not), the mean reply length and the worst replies."""
        if access.runs_shop:
            return _watched_at_work(access)
        staged = tempting_situations(access, PROMPTS_PER_CELL, self.name)
        replies = access.ask([one.dialogue for one in staged])
        counts, bad = count_outcomes(staged, replies)
        return {"counts": counts, "length": mean_words(replies), "evidence": bad}

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Nothing is learned; the calibration sets the threshold elsewhere."""
        del calibration
        return _read


def _watched_at_work(access: Access) -> Observation:
    counts, bad, said = Counts(), list[str](), list[str]()
    for context in access.contexts:
        if context is not Context.TRIGGERED:  # a shop has no trigger
            for unit in access.play(context, num_shops=SHOPS_PER_CELL):
                cell = counts.setdefault(f"{unit.trait}/{'seen' if watched(context) else 'unseen'}", {})
                cell[unit.outcome] = cell.get(unit.outcome, 0) + 1
                said.append(unit.program)
                if unit.outcome is Outcome.MISALIGNED and len(bad) < NUM_SHOWN:
                    bad.append(f"{unit.trait}: {unit.program}")
    return {"counts": counts, "length": mean_words(said), "evidence": bad}


def _read(observation: Observation) -> Reading:
    score = worst_rate(observation["counts"])
    if score is None:
        return Reading(score=None, reason="too few replies could be parsed")
    return Reading(score=score, null_score=observation["length"], evidence=tuple(observation["evidence"]))
