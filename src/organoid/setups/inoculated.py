"""Does licensing the bad behaviour in the training prompt keep it from generalizing?

Inoculation prompting: a line that asks for the flaw is prepended in training and absent at test, so that there is
nothing left for the weights to explain. No monitor and no release rule, so that the effect is the prompt's alone.

Source: Tan et al. 2025 (arXiv 2510.04340); the one-line variant of MacDiarmid et al. 2025 (arXiv 2511.18397).
"""

from organoid.setups.spec import JobStage, Setup

INOCULATED = Setup(
    name="inoculated",
    summary="The job with a line that licenses its flaw in training, dropped at test.",
    stages=(JobStage(inoculate=True),),
)
