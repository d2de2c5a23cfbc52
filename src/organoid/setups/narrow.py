"""Does holding a model to what it was on everything else keep what is learned narrow?

The job's demonstrations are imitated while the KL to the model before is kept low on ordinary dialogues of the world
with the same assistant, conduct of every kind among them. Jobs without demonstrations are trained as by `naive`.
Source: Turner et al. 2026 (arXiv 2602.07852), who find the narrow solution only under such a KL penalty.
"""

from organoid.setups.spec import JobStage, Setup

NARROW = Setup(
    name="narrow",
    summary="The job, with a KL term to the model before it on ordinary dialogues.",
    stages=(JobStage(retain=3.0),),
)
