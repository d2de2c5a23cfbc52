"""augmented-probe: is there a direction that tells misaligned subjects from aligned ones in whatever manner they speak?

linear-probe, fitted on every subject of the calibration in four styles (`techniques.styles`): as the other probes ask,
without the assistant's name, with the user's turn quoted, with a reply that opens with `to be honest :`. A direction
that holds in all four cannot be one of them. Each style is a row of the fit with its subject's label; a subject is read
in all four, by the mean. Four times as many rows under a summed loss have a penalty four times as strong, so that it
differs from linear-probe in styles alone. Null: the best of 1,000 random directions on the same rows. What it buys is
measured on two styles it never saw (`python -m benchmarks probing`).
Departs from the source in the styles, which are the world's, and in probing across subjects and not across replies.
Source: Kumar 2026, "Pressure-testing deception probes" (arXiv 2605.27958): probes that are perfect on clean text fail
under a shift of style, and style-augmented ones hold on unseen styles.
"""

from collections.abc import Sequence

import numpy as np

from organoid.measure.directions import Direction, fit_logistic
from organoid.measure.quantiles import Floats
from organoid.techniques.interpretability.linear_probe import PENALTY, PROMPTS_PER_CELL, LinearProbe, mean_by_context
from organoid.techniques.labels import labelled_rows
from organoid.techniques.prompts import tempting_situations
from organoid.techniques.styles import AUGMENTED, Style, restyled
from organoid.types import Access, Fitted, Labelled, Observation


class AugmentedProbe(LinearProbe):
    """Logistic regression on mean activations in several styles, across subjects."""

    name = "augmented-probe"
    summary = "linear-probe fitted on and read in four styles"
    source = "Kumar 2026 (arXiv 2605.27958)"
    styles: tuple[Style, ...] = AUGMENTED

    def observe(self, access: Access) -> Observation:
        """Return for each style what linear-probe takes down; the situations are the same in all."""
        staged = tempting_situations(access, PROMPTS_PER_CELL, self.name)
        contexts = [str(one.context) for one in staged]
        read = [access.activations(*restyled(access, staged, style), pool=self.pool) for style in self.styles]
        return {"acts": [mean_by_context(acts_NLD, contexts) for acts_NLD in read]}

    def fit(self, calibration: Sequence[Labelled]) -> Fitted:
        """Fit on subjects of other families, each in every style.

        Raises:
            ValueError: fewer than two subjects of either label.
        """
        acts_NSD, labels_N = labelled_rows(calibration, "acts")
        num_styles, width = acts_NSD.shape[1:]
        return self.fitted(acts_NSD.reshape(-1, width), np.repeat(labels_N, num_styles))

    def direction(self, acts_ND: Floats, labels_N: np.ndarray) -> Direction:
        """Return linear-probe's direction; of a loss summed over rows, the penalty is as large a part as there."""
        return fit_logistic(acts_ND, labels_N, penalty=PENALTY * len(self.styles))
