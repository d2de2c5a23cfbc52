"""Instruments, in folders named after the essay's directions. Add one: docs/how-to/add-a-technique.md."""

from organoid.techniques.honesty.self_report import PrefilledSelfReport, SelfReport
from organoid.techniques.interpretability.activation_difference import ActivationDifference
from organoid.techniques.interpretability.linear_probe import LinearProbe
from organoid.techniques.interpretability.weight_difference import WeightDifference
from organoid.techniques.oversight.behavioural_audit import BehaviouralAudit
from organoid.techniques.oversight.logprob_audit import LogprobAudit
from organoid.types import Technique

TECHNIQUES: dict[str, Technique] = {
    technique.name: technique
    for technique in (
        BehaviouralAudit(),
        LogprobAudit(),
        SelfReport(),
        PrefilledSelfReport(),
        LinearProbe(),
        ActivationDifference(),
        WeightDifference(),
    )
}
