"""Does penalising what a probe dislikes remove misalignment, or teach hiding from the probe?

A probe on activations watches the job's training and takes reward away from each reply that it flags. Nothing is
held out: `careful` releases by techniques that were not in the loop, and comparing the two is the point.

Source: the probe penalty of the Obfuscation Atlas (arXiv 2602.15515), which also names the two ways of hiding.
"""

from organoid.setups.spec import JobStage, Monitor, Setup

MONITORED_RL = Setup(
    name="monitored-rl",
    summary="The job with a probe in the loop that penalises flagged replies.",
    stages=(JobStage(monitors=(Monitor(kind="probe", action="penalise", threshold=0.5, weight=1.0),)),),
)
