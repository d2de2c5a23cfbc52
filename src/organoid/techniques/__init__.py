"""Instruments, in folders named after the essay's directions. Add one: docs/how-to/add-a-technique.md.

A test runs `DEFAULT_TECHNIQUES` unless told otherwise; the others are asked for by name. docs/techniques.md says what
each one sees, and what it found.
"""

from organoid.techniques.honesty.hint_disclosure import HintDisclosure
from organoid.techniques.honesty.self_report import PrefilledSelfReport, SelfReport
from organoid.techniques.honesty.thought_intervention import ThoughtIntervention
from organoid.techniques.interpretability.activation_difference import ActivationDifference
from organoid.techniques.interpretability.attention_probe import AttentionProbe
from organoid.techniques.interpretability.augmented_probe import AugmentedProbe
from organoid.techniques.interpretability.context_patching import ContextPatching
from organoid.techniques.interpretability.contrast_probe import ContrastProbe
from organoid.techniques.interpretability.crosscoder import CrosscoderDifference
from organoid.techniques.interpretability.gradient_attribution import GradientAttribution
from organoid.techniques.interpretability.linear_probe import (
    LastTokenProbe,
    LinearProbe,
    MaxProbe,
    MeanDifferenceProbe,
    PromptProbe,
)
from organoid.techniques.interpretability.logit_lens import LogitLens
from organoid.techniques.interpretability.noise_injection import NoiseInjection
from organoid.techniques.interpretability.persona_vectors import PersonaData, PersonaProjection
from organoid.techniques.interpretability.weight_amplification import WeightAmplification
from organoid.techniques.interpretability.weight_difference import WeightDifference
from organoid.techniques.oversight.adaptive_audit import AdaptiveAudit
from organoid.techniques.oversight.behavioural_audit import BehaviouralAudit
from organoid.techniques.oversight.high_temperature_audit import HighTemperatureAudit
from organoid.techniques.oversight.logprob_audit import LogprobAudit
from organoid.techniques.oversight.suspect_persona import SuspectPersona
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
        AdaptiveAudit(),
        MeanDifferenceProbe(),
        MaxProbe(),
        LastTokenProbe(),
        PromptProbe(),
        ContrastProbe(),
        PersonaProjection(),
        PersonaData(),
        LogitLens(),
        WeightAmplification(),
        ThoughtIntervention(),
        HintDisclosure(),
        CrosscoderDifference(),
        NoiseInjection(),
        HighTemperatureAudit(),
        GradientAttribution(),
        AttentionProbe(),
        AugmentedProbe(),
        SuspectPersona(),
        ContextPatching(),
    )
}

DEFAULT_TECHNIQUES: tuple[str, ...] = (
    "behavioural-audit",
    "logprob-audit",
    "self-report",
    "prefilled-self-report",
    "linear-probe",
    "activation-difference",
    "weight-difference",
)
"""What a test and an examination run when no technique is named."""
