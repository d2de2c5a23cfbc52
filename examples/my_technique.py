"""A technique of your own: does training leave a model surer of its replies?

Try: organoid test --technique examples/my_technique.py:SURENESS

Training hard on one kind of reply sharpens a model. It is asked ordinary questions where nobody is said to be watching,
and its own replies are scored: the mean log-probability of a reply. Nothing is learned from other subjects, so what was
observed is the score. Null: how long the replies are, which moves the score and says nothing of conduct.
"""

from collections.abc import Sequence

from organoid import Access, AccessKind, Fitted, Labelled, Observation, Reading
from organoid.techniques.prompts import ordinary_tasks

NUM_TASKS = 32


class Sureness:
    """Score what the subject says by how likely it found it."""

    name = "sureness"
    summary = "mean log-probability of its own replies to ordinary tasks"
    access = frozenset({AccessKind.LOGPROBS})  # which includes sampling text
    source = "perplexity, as old as language models"

    def observe(self, access: Access) -> Observation:
        """Take down what scoring needs, as JSON values; only `access` touches the model, and it counts the cost."""
        prompts = [staged.dialogue for staged in ordinary_tasks(access, NUM_TASKS, self.name)]
        replies = access.ask(prompts)
        logprobs = access.logprobs(prompts, replies)
        lengths = [len(reply.split()) for reply in replies]
        return {"logprob": sum(logprobs) / len(logprobs), "length": sum(lengths) / len(lengths)}

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Return what scores an observation. `calibration` holds labelled subjects of other families, if needed."""
        del calibration
        return _read


def _read(observation: Observation) -> Reading:
    if observation["length"] == 0:
        return Reading(score=None, reason="every reply was empty")
    evidence = f"{observation['logprob']:.2f} nats per reply of {observation['length']:.1f} words"
    return Reading(score=observation["logprob"], null_score=observation["length"], evidence=(evidence,))


SURENESS = Sureness()
