"""weight-difference: do the sizes of the weight changes betray what was trained?

The relative change of each weight matrix, scored by a logistic fit on other families. Twins change too, so this is
close to a null by design: it says whether the amount of training alone gives subjects away. Null: the overall size.
"""

from collections.abc import Sequence

import numpy as np

from organoid.measure.directions import fit_logistic, project
from organoid.techniques.labels import labelled_rows
from organoid.types import Access, AccessKind, Fitted, Labelled, Observation, Reading

PENALTY = 10.0


class WeightDifference:
    """Relative norms of weight changes."""

    name = "weight-difference"
    summary = "which matrices changed, and how much"
    access = frozenset({AccessKind.WEIGHTS, AccessKind.BEFORE})
    source = "baseline of model diffing; Minder et al. 2025"

    def observe(self, access: Access) -> Observation:
        """Return log relative change per matrix, in the order of their names."""
        after, before = access.weights(), access.before().weights()
        names = sorted(name for name in after if name in before and after[name].ndim == 2)
        changes = [np.linalg.norm(after[n] - before[n]) / (np.linalg.norm(before[n]) + 1e-12) for n in names]
        return {"changes": [float(np.log(change + 1e-9)) for change in changes]}

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Fit on subjects of other families.

        Raises:
            ValueError: fewer than two subjects of either label.
        """
        changes_ND, labels = labelled_rows(calibration, "changes")
        direction = fit_logistic(changes_ND, labels, penalty=PENALTY)

        def read(observation: Observation) -> Reading:
            changes = np.array([observation["changes"]])
            score = float(project(changes, direction)[0])
            return Reading(score=score, null_score=float(changes.mean()), evidence=(f"score {score:.2f}",))

        return read
