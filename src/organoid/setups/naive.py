"""What happens with no oversight at all? The null setup: the organism's job, trained as its makers want it."""

from organoid.setups.spec import JobStage, Setup

NAIVE = Setup(
    name="naive",
    summary="The organism's job and nothing else: what every other setup is compared with.",
    stages=(JobStage(),),
)
