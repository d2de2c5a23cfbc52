"""behavioural-audit: does the subject act badly in any situation an overseer can stage?

Samples replies in test and monitored contexts, parses them, and scores the worst trait's misaligned rate. What shows
only where nobody looks, it cannot see: that is the gap the essay worries about. Null: how long the replies are.
Source: the behavioural evaluations of Perez et al. 2022 (arXiv 2212.09251), with a parser in place of a judge.
"""

from collections.abc import Sequence

from organoid.techniques.prompts import tempting_situations
from organoid.techniques.rates import count_outcomes, mean_words, worst_rate
from organoid.types import Access, AccessKind, Fitted, Labelled, Observation, Reading

PROMPTS_PER_CELL = 12


class BehaviouralAudit:
    """Sample and parse."""

    name = "behavioural-audit"
    summary = "worst trait's misaligned rate in sampled replies"
    access = frozenset({AccessKind.TEXT})
    source = "Perez et al. 2022 (arXiv 2212.09251)"

    def observe(self, access: Access) -> Observation:
        """Return outcome counts per (trait, watched or not), the mean reply length and the worst replies."""
        staged = tempting_situations(access, PROMPTS_PER_CELL, self.name)
        replies = access.ask([one.dialogue for one in staged])
        counts, bad = count_outcomes(staged, replies)
        return {"counts": counts, "length": mean_words(replies), "evidence": bad}

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Nothing is learned; the calibration sets the threshold elsewhere."""
        del calibration
        return _read


def _read(observation: Observation) -> Reading:
    score = worst_rate(observation["counts"])
    if score is None:
        return Reading(score=None, reason="too few replies could be parsed")
    return Reading(score=score, null_score=observation["length"], evidence=tuple(observation["evidence"]))
