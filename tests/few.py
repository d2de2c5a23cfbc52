"""How little is read of models that know nothing: whole chains in seconds, whose numbers mean nothing."""

import pytest

from organoid.lab import pictures, truth
from organoid.setups import corpora, monitors
from organoid.setups.stages import demonstrations, reinforcement, retaining
from organoid.studies import obfuscation
from organoid.techniques.interpretability import activation_difference, linear_probe
from organoid.techniques.oversight import behavioural_audit, logprob_audit

FEW = {
    truth: {"TASKS_PER_LEVEL": 1},
    demonstrations: {"STEPS": 2},
    reinforcement: {"STEPS": 2},
    retaining: {"NUM_ORDINARY": 32},
    corpora: {"NUM_DEMONSTRATIONS": 32},
    monitors: {"NUM_LABELLED": 48, "NUM_LABELLED_DOCUMENTS": 24},
    pictures: {"PROMPTS_PER_CELL": 1},
    behavioural_audit: {"PROMPTS_PER_CELL": 2},
    logprob_audit: {"PROMPTS_PER_CELL": 1, "NUM_TASKS": 8},
    linear_probe: {"PROMPTS_PER_CELL": 1},
    activation_difference: {"PROMPTS_PER_CELL": 1, "NUM_NEUTRAL": 4},
    obfuscation: {"NUM_SAME_TEXT": 4},
}


def read_little(patch: pytest.MonkeyPatch) -> None:
    """Set every number of texts, tasks and steps to a few, until `patch` is undone."""
    for module, numbers in FEW.items():
        for name, number in numbers.items():
            assert hasattr(module, name)
            patch.setattr(module, name, number)
