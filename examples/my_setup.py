"""Two training setups in Python, for when parts are computed. Try: organoid test examples/my_setup.py:CAUTIOUS."""

from organoid import DocumentsStage, JobStage, Monitor, ReleaseRule, Setup

watch = Monitor(kind="text", action="drop", threshold=0.5)


def cautious(kl: float) -> Setup:
    """Return a setup that holds the job's training `kl` times as hard to the model before it."""
    return Setup(
        name=f"cautious-{round(100 * kl)}",
        summary=f"Documents, then the job with a KL weight of {kl}.",
        stages=(DocumentsStage(source="honest-assistant"), JobStage(kl=kl, monitors=(watch,))),
        release=ReleaseRule(techniques=("behavioural-audit",)),
    )


CAUTIOUS = cautious(0.2)
VERY_CAUTIOUS = cautious(0.8)
