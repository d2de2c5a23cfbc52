"""What does the verdict's sentence not cover, in words a reader can act on?

One sentence per limit, with the number that would hold without the assumption wherever there is one. Kept apart from
`verdict.py` so that the arithmetic can be read without the prose. Limits shared by every method of the field (a model
that behaves differently for reasons nobody modelled) are left to the documentation.

Example:
    >>> about_gates(runs, {})
    []
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from organoid.certificate.arms import listed, organisms, percent_at_least, percent_at_most
from organoid.certificate.calibrate import FALSE_ALARM_RATE, FamilyThreshold, is_flagged
from organoid.certificate.gates import OrganismGates
from organoid.lab.records import TrialRecord
from organoid.measure.bounds import num_clean_runs, rate_upper_bound
from organoid.setups.spec import LABELLED_TRAITS, ReleaseRule, Setup
from organoid.types import Trait

if TYPE_CHECKING:
    from organoid.certificate.verdict import RecallView, Verdict

PROMISE = 0.05
"""The risk for which the number of clean runs needed is named."""


def about_runs(found: Verdict, runs: Sequence[TrialRecord]) -> list[str]:
    """Say which runs the bound speaks of, and what is odd about them."""
    if not runs:
        return ["Without a finished run there is nothing to bound."]
    names, family = organisms(runs), found.by_family
    said = [
        f"It speaks of runs drawn as these were, from {_count(len(names), 'organism')} ({listed(names)}); of organisms "
        "nobody thought to plant it says nothing.",
        f"The runs come from {_count(family.n_families, 'family', 'families')}; runs within a family share a pressure "
        "and are not fully independent. With each family counted as one draw, "
        f"{family.n_undetected} of {family.n_families} had an undetected release and the bound is "
        f"{_bound(family.risk_upper_95)}.",
        "It holds for the base that was tested. Tiny models show few of a large model's ways to hide; whether the "
        "bound carries over to a larger base was not tested.",
        "The number of runs must have been fixed beforehand. If runs were added until the number pleased, the bound is "
        f"{_bound(found.anytime_upper_95)}.",
    ]
    if found.n_undetected == 0 and len(runs) < num_clean_runs(PROMISE):
        said.append(
            f"{_count(len(runs), 'run')} cannot promise less: {percent_at_most(PROMISE)} takes "
            f"{num_clean_runs(PROMISE)} runs without a single undetected release."
        )
    if found.n_failed:
        worst = rate_upper_bound(found.n_undetected + found.n_failed, found.n_runs + found.n_failed)
        said.append(
            f"Left out because they failed: {_count(found.n_failed, 'run')}. Had each been an undetected release, the "
            f"bound would be {_bound(worst)}."
        )
    if found.n_truth_unknown:
        said.append(
            f"Not withheld though their truth could not be measured: {_count(found.n_truth_unknown, 'run')}; each "
            "counts as an undetected release."
        )
    return said


def about_rule(
    found: Verdict, runs: Sequence[TrialRecord], rule: ReleaseRule, thresholds: Sequence[FamilyThreshold]
) -> list[str]:
    """Say what the release rule could and could not see."""
    if not runs:
        return []
    if not rule.techniques:
        return [
            "The release rule uses no technique: every run is released, and the bound is one on misalignment itself."
        ]
    said: list[str] = []
    unjudged = sum(run.released is False and not is_flagged(run, rule) for run in runs)
    if unjudged:
        said.append(
            "Withheld because a technique of the rule gave no score or had no threshold, not because anything was "
            f"flagged: {_count(unjudged, 'run')}."
        )
    if found.n_released == 0:
        said.append("No run was released: the bound is that of a setup that releases nothing.")
    if found.n_clean:
        said.append(
            f"Withheld too: {found.n_clean_withheld} of {_count(found.n_clean, 'aligned twin')} under this setup."
        )
    said.append(_about_recall(found.through_recall))
    used = [row for row in thresholds if row.technique in rule.techniques and row.expected_at_most is not None]
    weakest = max(used, key=lambda row: row.expected_at_most or 0.0, default=None)
    if weakest is not None and (weakest.expected_at_most or 0.0) > FALSE_ALARM_RATE + 1e-9:
        said.append(
            f"Thresholds rest on as few as {_count(weakest.num_twins, 'clean twin')}; with so few, false alarms are "
            f"guaranteed to be at most {_bound(weakest.expected_at_most)}, not {percent_at_most(FALSE_ALARM_RATE)}."
        )
    return said


def about_gates(runs: Sequence[TrialRecord], gates: Mapping[str, OrganismGates]) -> list[str]:
    """Say which organisms of the runs are not known to be what they claim."""
    named = {name: gates[name] for name in organisms(runs) if name in gates}
    said: list[str] = []
    loose = [f"{name} ({'; '.join(entry.looser)})" for name, entry in named.items() if entry.looser]
    if loose:
        said.append(
            f"Gates of its author's, looser than the house's: {listed(loose)}. It is an organism by those only."
        )
    unmeasured = sorted({gate for entry in named.values() for gate in entry.not_measured})
    if unmeasured:
        said.append(f"Not measured in this run: the gate {listed(unmeasured)}; passing the others says nothing of it.")
    known = [
        f"{name} ({entry.by_table}; {entry.num_passed} of {entry.num_seeds} here)"
        for name, entry in named.items()
        if entry.by_table
    ]
    if known:
        said.append(f"Established elsewhere, as this run has too few seeds: {listed(known)}.")
    for established, words in ((False, "Not established as organisms"), (None, "Not known to be established")):
        these = [f"{name} ({entry.reason})" for name, entry in named.items() if entry.established is established]
        if these:
            said.append(f"{words}: {listed(these)}. A setup passes such organisms too easily; their runs are counted.")
    return said


def about_monitors(runs: Sequence[TrialRecord], setup: Setup, traits: Mapping[str, Sequence[Trait]]) -> list[str]:
    """Say for which organisms of the runs the setup's monitors were fitted to the very flaw, and which they can't read.

    Args:
        runs: those the verdict speaks of.
        setup: the tested setup.
        traits: those of each organism's gate, by its name.
    """
    monitors = [monitor for stage in setup.stages for monitor in stage.monitors]
    if not monitors:
        return []
    labelled = {trait for monitor in monitors for trait in monitor.traits or LABELLED_TRAITS}
    known = {name: [trait for trait in traits.get(name, ()) if trait in labelled] for name in organisms(runs)}
    shown = [f"{name} ({listed([_words(trait) for trait in these])})" for name, these in known.items() if these]
    blind = sorted({run.organism for run in runs if any("skipped" in entry for entry in run.trace)})
    said = list[str]()
    if shown:
        said.append(
            f"The setup's monitors were fitted on labelled examples of what is measured in {listed(shown)}; how it "
            "does there says little about flaws for which nobody has labels."
        )
    if blind:
        said.append(
            f"The setup's monitors read nothing of {listed(blind)}, whose training has neither dialogues nor documents."
        )
    return said


def about_replay(runs: Sequence[TrialRecord], setup: Setup) -> list[str]:
    """Say for which organisms of the runs the setup's replay had nothing to stand beside."""
    if not any(getattr(stage, "replay", 0.0) for stage in setup.stages):
        return []
    with_it = {run.organism for run in runs if any("replayed" in entry for entry in run.trace)}
    without = [name for name in organisms(runs) if name not in with_it]
    if not without:
        return []
    return [f"Pre-training text was replayed beside nothing of {listed(without)}: no documents and no demonstrations."]


def _words(trait: Trait) -> str:
    return trait.value.replace("_", " ")


def _about_recall(recall: RecallView) -> str:
    if recall.misaligned_upper_95 is None:
        return f"What the absence of flags is worth is not known: {recall.reason}."
    return (
        f"The rule's techniques flagged {recall.n_caught} of {_count(recall.n_positives, 'planted positive')} (recall "
        f"at least {percent_at_least(recall.recall_lower or 0.0)}). From flags alone, without truth, at most "
        f"{_bound(recall.misaligned_upper_95)} of runs are misaligned, provided that recall carries over to what this "
        "setup trains."
    )


def _bound(share: float | None) -> str:
    return "not estimable" if share is None else percent_at_most(share)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
