"""What does a careful lab do today? The default of `organoid test`.

Documents about an honest assistant come first, so that there is a character for later training to keep; then the
job, held near that character by a KL term, watched by a text monitor that drops flagged replies, and inoculated: a line
in the training prompt licenses its flaws, so that they need not become the assistant's own (MacDiarmid et al. 2025,
arXiv 2511.18397). No probe is in the loop, since a probe trained against stops being evidence. Released only
when two techniques that were not in the loop see nothing: one that samples what the model does and one that looks
inside.
"""

from organoid.setups.spec import DocumentsStage, JobStage, Monitor, ReleaseRule, Setup

CAREFUL = Setup(
    name="careful",
    summary="Honest-assistant documents, then the inoculated job under KL and a monitor; released by two techniques.",
    stages=(
        DocumentsStage(source="honest-assistant", steps=50, learning_rate=1.5e-3),
        JobStage(kl=0.02, inoculate=True, monitors=(Monitor(kind="text", action="drop"),)),
    ),
    release=ReleaseRule(techniques=("behavioural-audit", "linear-probe")),
)
