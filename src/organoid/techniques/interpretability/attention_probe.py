"""attention-probe: which words of a reply tell misaligned subjects from aligned ones, and along which direction?

As linear-probe, but how much each place of a reply counts is learnt: softmax over places of a query's product with the
activation there, then a linear direction (`measure.attention`), fitted on subjects of other families. A reply is read
in eight stretches, as even as whole words allow, averaged over the prompts of a cell: what is kept of a subject is a
matrix a trait and not its every token, about 80 kB on `tiny`. More than half of the replies there have five to seven
words, their end included: stretches of those overlap, and some words stand in more of them than others.

What is pooled is how far a subject lies from the calibration's mean at the same place of the same trait's replies, in
units of linear-probe's features. Every subject reads the same kinds of replies, so a shift of attention from one word
to another adds nothing by itself; in the source, where texts differ, it does. With a query of zero it is
near linear-probe and not the same: words of a reply that no eight stretches divide evenly do not count alike, and
contexts in which somebody looks count together.

Null: the best of 1,000 random directions on evenly pooled values, linear-probe's null. The alternative, random queries,
needs a length for them, which would decide how random they are.
Source: McKenzie et al. 2025 (arXiv 2506.10805), "attention probe".
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from organoid.measure.attention import fit_attention
from organoid.measure.directions import best_random_direction, project
from organoid.measure.quantiles import Floats
from organoid.techniques.interpretability.linear_probe import NUM_RANDOM, PENALTY, PROMPTS_PER_CELL
from organoid.techniques.labels import labelled_rows
from organoid.techniques.prompts import properly, seen_or_not, tempting_situations
from organoid.types import Access, AccessKind, Fitted, Labelled, Observation, Reading

NUM_STRETCHES = 8
QUERY_PENALTY = 1.0
"""On planted data (24 subjects) 10 leaves a reply read evenly whatever stands in it, and 0.1 learns noise by heart."""
DIGITS = 4
"""Significant ones that are kept of an activation."""


class AttentionProbe:
    """Logistic regression on attended activations, across subjects."""

    name = "attention-probe"
    summary = "logistic direction in activations pooled by a learnt query over the reply, fitted on other families"
    access = frozenset({AccessKind.WEIGHTS})
    source = "McKenzie et al. 2025 (arXiv 2506.10805)"

    def observe(self, access: Access) -> Observation:
        """Return the middle layer's activations (seen or not, trait, stretch, dimension), and the traits' names."""
        staged = tempting_situations(access, PROMPTS_PER_CELL, self.name)
        read = access.token_activations(*properly(staged))
        cells = dict[str, dict[str, list[Floats]]]()
        for one, acts_TD in zip(staged, read, strict=True):
            seen = cells.setdefault(seen_or_not(one.context), {})
            seen.setdefault(one.item.trait.value, []).append(stretches(acts_TD))
        acts_GRTD = np.array([[np.mean(same, axis=0) for same in seen.values()] for seen in cells.values()])
        return {"acts": _shortened(acts_GRTD), "traits": list(next(iter(cells.values())))}

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Fit on subjects of other families.

        Raises:
            ValueError: fewer than two subjects of either label.
        """
        acts_NGRTD, labels_N = labelled_rows(calibration, "acts")
        place_GRTD = acts_NGRTD.mean(0)
        spread_GD = acts_NGRTD.mean((2, 3)).std(0) + 1e-6
        mean_D, scale_D = acts_NGRTD.mean((0, 1, 2, 3)), acts_NGRTD.std((0, 1, 2, 3)) + 1e-6

        def values(acts_NGRTD: Floats) -> Floats:
            return (acts_NGRTD - place_GRTD) / spread_GD[:, None, None]

        def evenly(acts_NGRTD: Floats) -> Floats:
            return values(acts_NGRTD).mean((2, 3)).reshape(len(acts_NGRTD), -1)

        keys_NGRTD = (acts_NGRTD - mean_D) / scale_D
        probe = fit_attention(keys_NGRTD, values(acts_NGRTD), labels_N, penalty=PENALTY, query_penalty=QUERY_PENALTY)
        random = best_random_direction(evenly(acts_NGRTD), labels_N, num_directions=NUM_RANDOM, seed=0)

        def read(observation: Observation) -> Reading:
            acts_NGRTD = np.array([observation["acts"]], dtype=np.float64)
            keys_NGRTD = (acts_NGRTD - mean_D) / scale_D
            score = float(probe(keys_NGRTD, values(acts_NGRTD))[0])
            null = float(project(evenly(acts_NGRTD), random)[0])
            counts_RT = probe.attention(keys_NGRTD)[0].mean(0)
            trait, place = np.unravel_index(int(counts_RT.argmax()), counts_RT.shape)
            most = f"{float(counts_RT.max()):.2f} on stretch {int(place) + 1} of {len(counts_RT[0])}"
            evidence = f"projection {score:.2f}; of {observation['traits'][int(trait)]}, {most}"
            short = (f"the fit ended short of an optimum: {probe.stopped}",) if probe.stopped else ()
            return Reading(score=score, null_score=null, evidence=(evidence, *short))

        return read


def stretches(acts_TD: Floats, num: int = NUM_STRETCHES) -> Floats:
    """Return means over even stretches of a sequence, shape (num, D); words of a short one stand in several."""
    length = len(acts_TD)
    edges = [(place * length // num, -(-(place + 1) * length // num)) for place in range(num)]
    return np.array([acts_TD[first:stop].mean(0) for first, stop in edges])


def _shortened(acts: Floats) -> Any:
    """Return an array as nested lists of numbers with few digits."""
    return np.reshape([float(f"{value:.{DIGITS}g}") for value in acts.ravel().tolist()], acts.shape).tolist()
