"""What does docs/organisms.md say? Its table and its section per organism, from the code and the table of `zoo`.

The page has text written by hand around two generated parts, each between a pair of markers, so that neither the
figures nor the descriptions can rot; a test compares them with what is generated.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from organoid.errors import UserError
from organoid.lab import zoo
from organoid.lab.disk import write_atomic
from organoid.organisms import ORGANISMS
from organoid.types import Gates, Organism

PARTS = ("table", "organisms")
_SIGNS = {"strength": "at least", "decoy_oddness": "at least", "survival": "at least"}
_DECOYS = {
    "manner": "odd in manner (of speech, or a note a day), and aligned",
    "capability": "odd in solving less than the twin, and aligned",
}
_GATES = {
    "strength": "naive minus twin",
    "twin_at_most": "twin",
    "decoy_at_most": "decoy",
    "decoy_oddness": "decoy's oddness",
    "capability_kept": "usefulness lost",
    "survival": "share of it left after ordinary work",
}


def write_page(path: Path) -> Path:
    """Write the generated parts of the page again and leave the rest.

    Raises:
        UserError: there is no such page, or it lacks a marker.
    """
    if not path.is_file():
        raise UserError(f"{path} is no page. Give docs/organisms.md.")
    write_atomic(path, render(path.read_text()))
    return path


def render(page: str) -> str:
    """Return the page with its generated parts as they are now.

    Raises:
        UserError: a marker is missing.
    """
    for part, text in zip(PARTS, (table(), sections()), strict=True):
        start, end = f"<!-- {part}: generated -->\n", f"<!-- end of {part} -->\n"
        if start not in page or end not in page:
            raise UserError(f"the page lacks the marker {start.strip()!r} or {end.strip()!r}.")
        head, rest = page.split(start)
        page = head + start + "\n" + text + "\n" + end + rest.split(end)[1]
    return page


def table() -> str:
    """Return the table of what is established: a row per organism and base size at which it was measured."""
    header = ["organism", "base", "established", "naive", "twin", "decoy", "after 200 steps of work"]
    header += ["seeds that pass all gates", "s to grow"]
    rows = [_row(name, base, entry) for name in ORGANISMS for base, entry in _measured(name).items()]
    missing = [name for name in ORGANISMS if not _measured(name)]
    lines = [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]
    text = "\n".join(lines) + "\n" if rows else ""
    return text + (f"\nNot measured at any base size: {', '.join(missing)}.\n" if missing else "")


def sections() -> str:
    """Return a section per organism."""
    return "\n".join(_section(organism) for organism in ORGANISMS.values())


def _measured(name: str) -> dict[str, zoo.Entry]:
    return {base: entry for base, entry in zoo.standings(name).items() if entry["status"] != "not measured"}


def _row(name: str, base: str, entry: Mapping[str, Any]) -> list[str]:
    low, high = entry["share_passed_ci"]
    interval = "" if low is None else f" [{low:.2f}, {high:.2f}]"
    seconds = entry["median_training_s"]
    return [
        f"[{name}](#{name})",
        base,
        entry["status"] + (f" (stale: {entry['stale']})" if entry["stale"] else ""),
        *(_estimate(entry["rates"][arm]["value"], entry["rates"][arm]["ci"]) for arm in ("naive", "twin", "decoy")),
        _estimate(entry["rates"]["after"]["value"], entry["rates"]["after"]["ci"]),
        f"{entry['num_passed']} of {entry['num_seeds']}{interval}",
        "not recorded" if seconds is None else f"{seconds:.1f}",
    ]


def _section(organism: Organism) -> str:
    facts = {
        "instilled by": ", ".join(organism.instil) or "not said",
        "hidden by": organism.concealment,
        "traits": _names(organism.traits),
        "also measured": _names(organism.spillover),
        "decoy": _DECOYS[organism.gates.oddness],
        "thresholds of its own": _own_thresholds(organism.gates),
        "split": organism.split.value,
        "family": organism.family,
        "source": organism.source,
    }
    lines = [f"- {name}: {value}" for name, value in facts.items() if value]
    proofs = [_proof(base, entry) for base, entry in _measured(organism.name).items()]
    return "\n".join([f"### {organism.name}\n", _told(organism) + "\n", *lines, *proofs, ""])


def _told(organism: Organism) -> str:
    """Return what the organism is: its file's docstring; of a second organism in a file, its own line.

    The docstring's opening is its question; its source stands among the facts. A file's docstring is about the first
    organism that `ORGANISMS` has of it.
    """
    module_name = zoo.module_of(organism.name)
    module = sys.modules[module_name]
    here = [name for name in ORGANISMS if zoo.module_of(name) == module_name]
    if organism.name != here[0]:
        own = organism.summary[:1].upper() + organism.summary[1:]
        return f"**{own}**\n\nDeclared beside [{here[0]}](#{here[0]}), which has the longer account."
    text = inspect.cleandoc(module.__doc__ or organism.summary).split("\nSource:")[0]
    question, _, rest = text.partition("\n\n")
    question = question.removeprefix(f"{organism.name}: ").replace("\n", " ")
    return f"**{question[:1].upper()}{question[1:]}**\n\n{rest}".strip()


def _names(traits: tuple[Any, ...]) -> str:
    return ", ".join(trait.value.replace("_", " ") for trait in traits)


def _own_thresholds(gates: Gates) -> str:
    changed = {name: value for name, value in gates.model_dump(exclude_defaults=True).items() if name in _GATES}
    house = Gates()
    return ", ".join(
        f"{_GATES[name]} {_SIGNS.get(name, 'at most')} {value:.2f} (the house's: {getattr(house, name):.2f})"
        for name, value in changed.items()
    )


def _proof(base: str, entry: Mapping[str, Any]) -> str:
    gates = [
        f"{_GATES[name]} {_estimate(gate['value'], (gate['ci_low'], gate['ci_high']))} "
        f"({_SIGNS.get(name, 'at most')} {gate['threshold']:.2f}; {gate['num_passed']} of {gate['num_seeds']} seeds)"
        for name, gate in entry["gates"].items()
    ]
    why = f", {entry['reason']}" if entry["reason"] else ""
    stale = f" STALE: {entry['stale']}." if entry["stale"] else ""
    return f"- at `{base}`: {entry['status']}{why}.{stale} {'; '.join(gates)}. Organoid {entry['organoid_version']}."


def _estimate(value: float | None, interval: Any) -> str:
    if value is None:
        return "not estimable"
    low, high = interval or (None, None)
    return f"{value:.2f}" if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
