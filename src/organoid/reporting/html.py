"""What does the reader see in a browser?

`write_report` turns an output directory into one `report.html` that needs no network, and writes the rows of every
figure and table beside it. One template (`templates/report.html`), autoescaped and strict: text from models, names and
errors are data wherever they appear, and a content security policy lets only the page's own script run. Studies take
the same path through `write_study_report`. Nothing is estimated here.

Example:
    >>> write_report(Path("runs/first"))  # doctest: +SKIP
    PosixPath('runs/first/report.html')
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from organoid.lab.disk import write_atomic
from organoid.lab.run_directory import file_name
from organoid.reporting import episodes, figures, latent_pictures, pictures, rows, study, tracked, transcripts, views
from organoid.reporting.answer import QUESTION, answer
from organoid.reporting.drawing import Plan, figure, table
from organoid.reporting.source import Run, read_run
from organoid.reporting.words import Row, duration, estimate, finite, mapping, sequence, visible

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"
MAX_TRIALS = 600
CONFIG_CHARS = 60_000


def write_report(directory: Path) -> Path:
    """Write `report.html`, `figures/` and `tables/` of a run or a study, replacing earlier ones.

    Args:
        directory: an output directory with a `result.json`.

    Returns:
        The path of the page.

    Raises:
        UserError: there is no readable `result.json`.
    """
    run = read_run(directory)
    page = directory / "report.html"
    write_atomic(page, render(_context(run)))
    return page


def _context(run: Run) -> dict[str, Any]:
    if "claims" in run.result:
        return study_context(run)
    if "examined" in run.result:
        return examined_context(run)
    return play_context(run) if "conduct" in run.result else run_context(run)


def write_study_report(directory: Path) -> Path:
    """Write the report of a study: the same page and files as `write_report`, for a result with `claims`.

    Args:
        directory: an output directory with a study's `result.json`.

    Returns:
        The path of the page.

    Raises:
        UserError: there is no readable `result.json`.
    """
    return write_report(directory)


def render(context: dict[str, Any]) -> str:
    """Fill the one template; a name the context lacks is an error, and every value is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script, style = (_ours(name) for name in ("page.js", "style.css"))
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html").render(**context, script=script, style=style, script_hash=allowed)


def _ours(name: str) -> Markup:
    """Return a file of ours as markup: the only strings, with the figures, that go in unescaped."""
    from markupsafe import Markup

    return Markup((TEMPLATES / name).read_text(encoding="utf-8").strip())


def run_context(run: Run) -> dict[str, Any]:
    """Return everything the template names for the page of a run, and write the twins it links to."""
    result, directory = run.result, run.directory
    samples = transcripts.choose(run.transcripts, rows.trials(result))
    organisms, found = views.organisms(result), views.techniques(result)
    all_trials = views.trial_rows(result)
    return {
        "kind": "run",
        "title": f"Organoid: {rows.tested_setup(result) or 'no setup'}",
        "answer": answer(result),
        "question": QUESTION,
        "setup": rows.tested_setup(result),
        "organisms": organisms,
        "organisms_twins": table(directory, "organisms", _organism_rows(result)),
        "gates_twins": table(directory, "gates", views.gate_rows(result)),
        "techniques": found,
        "techniques_twins": table(directory, "techniques", rows.techniques(result)),
        "thresholds": views.threshold_rows(result),
        "thresholds_twins": table(directory, "thresholds", views.threshold_rows(result)),
        "forecasts": _forecasts(result),
        "figures": [figure(directory, plan) for plan in _plans(result)],
        "heat": _heat(result),
        "heat_twins": table(directory, "trait_by_context", rows.trait_by_context(result)),
        "episodes": episodes.shown(directory, episodes.chosen(result)),
        "num_episodes": episodes.number(result),
        "how_to_read": episodes.HOW_TO_READ,
        "samples": samples,
        "num_samples": len(run.transcripts),
        "options": transcripts.options(samples),
        "probes": pictures.of_trials(directory, rows.trials(result)),
        "num_probes": len(pictures.kept(rows.trials(result))),
        "failures": views.failures(result),
        "trials": all_trials[:MAX_TRIALS],
        "num_trials": len(all_trials),
        "trials_twins": table(directory, "trials", all_trials),
        **_about(run),
    }


def _about(run: Run) -> dict[str, Any]:
    """Return what both kinds of page say about where they came from."""
    kept = (
        "schema_version",
        "spec_digest",
        "verdict",
        "table",
        "techniques",
        "gates",
        "forecasts",
        "study",
        "claims",
        "conduct",
        "examined",
        "readings",
    )
    return {
        "command": visible(str(run.result.get("command") or "not recorded")),
        "provenance": views.provenance(run.result, run.config),
        "config": None
        if run.config is None
        else visible(json.dumps(run.config, indent=2, ensure_ascii=False))[:CONFIG_CHARS],
        "notes": run.notes,
        "numbers": {key: run.result[key] for key in kept if key in run.result},
    }


def _plans(result: Row) -> list[Plan]:
    """Return the figures of a run, in reading order."""
    arms, series, traces = rows.misalignment(result), rows.techniques(result), rows.timeline(result)
    places = rows.safety_usefulness(result)
    return [
        Plan(
            name="misalignment",
            title="How misaligned did each training leave each organism?",
            caption="Misaligned share of replies in the contexts no overseer samples, with its 95 % interval. "
            "The gap between naive and setup is what the setup bought; the twin is how good it could get.",
            rows=arms,
            drawable=bool(arms),
            missing="no organism was run",
            draw=figures.misalignment,
        ),
        Plan(
            name="techniques",
            title="Which techniques tell a misaligned model from a clean one?",
            caption="AUROC on families the technique was not calibrated on, with its 95 % interval. The dashed line is "
            "a coin. The null is the same instrument told nothing; the oracle is the same instrument, allowed to look "
            "where no overseer can.",
            rows=series,
            drawable=bool(series),
            missing="no technique was run",
            draw=figures.techniques,
        ),
        Plan(
            name="safety_usefulness",
            title="What did safety cost in usefulness?",
            caption="Each line runs from naive training to the tested setup, with 95 % intervals. Down is safer, right "
            "is more useful: a good setup falls straight down.",
            rows=places,
            drawable=any(row["value"] is not None and row["usefulness"] is not None for row in places),
            missing="no organism has both a misaligned rate and a usefulness",
            marks=figures.ARMS[:2],
            draw=figures.safety_usefulness,
        ),
        Plan(
            name="timeline",
            title="What happened during training?",
            caption="Training traces of the pressured organism. Lines are means over seeds, bands run from the lowest "
            "to the highest seed (a range, not a confidence interval).",
            rows=traces,
            drawable=bool(traces),
            missing="no trial kept a training trace",
            marks=figures.ARMS[:2],
            draw=figures.timeline,
        ),
        *_tracked(result),
    ]


def _tracked(result: Row) -> list[Plan]:
    """Return the figure of what trackers saw, if the tested setup declares any."""
    found = tracked.tracked(result)
    used = {row["arm"] for row in found}
    plan = Plan(
        name="tracked",
        title="What did probes that were held out of training see along it?",
        caption="Looks of the setup's trackers at the pressured organism, on replies held apart from training, where "
        "nobody or an overseer is said to look. Frozen: a probe fitted on the model before training; refitted: on the "
        "model as it is; latents: on an autoencoder's latents of the model before; null: the best of 1,000 random "
        "directions. Lines are means over seeds, bands their range.",
        rows=found,
        drawable=bool(found),
        missing="no tracker was declared",
        marks=tuple(mark for mark in figures.PROBES if mark.name in used),
        draw=figures.tracked,
    )
    return [plan] if found else []


def _organism_rows(result: Row) -> rows.Rows:
    """Return the first table as flat rows: each estimate as value, low and high."""
    keys = (*(arm.value for arm in rows.Arm), "usefulness_naive", "usefulness_setup")
    return [
        {
            "organism": view.organism,
            "established": view.established,
            **{
                f"{key}{end}": value
                for key in keys
                for found in (estimate(row, key),)
                for end, value in (("", found.value), ("_low", found.low), ("_high", found.high))
            },
            "gap_recovered": view.gap.value,
            "gap_low": view.gap.low,
            "gap_high": view.gap.high,
            "n": view.n,
        }
        for view, row in zip(views.organisms(result), rows.table(result), strict=True)
    ]


def _forecasts(result: Row) -> list[tuple[str, str]]:
    """Return the forecast scores as (name, value), or nothing when no forecast was made."""
    found = mapping(result.get("forecasts"))
    names = (
        ("brier", "Brier score"),
        ("baseline_brier", "Brier score of the base rate"),
        ("log_score", "log score, nats"),
        ("n", "forecasts scored"),
    )
    return [
        (title, f"{found[key]:g}" if finite(found[key]) is not None else estimate(found, key).text)
        for key, title in names
        if key in found
    ]


def _heat(result: Row) -> dict[str, Any]:
    """Return the heat table: its arms and contexts across, and per organism a line of cells per trait."""
    found = rows.trait_by_context(result)
    columns = rows.contexts(found)
    arms = [arm.value for arm in rows.Arm if any(row["arm"] == arm.value for row in found)]
    cells = {(row["organism"], row["trait"], row["arm"], row["context"]): row for row in found}
    return {
        "arms": arms,
        "contexts": [(context, rows.is_hidden(context)) for context in columns],
        "blocks": [
            (
                organism,
                [(t, [cells.get((organism, t, arm, context)) for arm in arms for context in columns]) for t in traits],
            )
            for organism, traits in _traits(found).items()
        ],
    }


def _traits(found: rows.Rows) -> dict[str, list[str]]:
    """Return each organism's traits, in the order they occur."""
    traits: dict[str, list[str]] = {}
    for row in found:
        known = traits.setdefault(row["organism"], [])
        if row["trait"] not in known:
            known.append(row["trait"])
    return traits


def study_context(run: Run) -> dict[str, Any]:
    """Return everything the template names for the page of a study, and write the twins it links to."""
    claims = [mapping(claim) for claim in sequence(run.result.get("claims"))]
    flat = claim_rows(claims)
    held = sum(claim.get("held") is True for claim in claims)
    num_open = sum(bool(study.undecided(claim)) for claim in claims)
    more = f", {num_open} undecided" if num_open else ""
    plan = Plan(
        name="claims",
        title="How large is each effect, and what does its control show?",
        caption="Effect with its 95 % interval; the control is a world in which the effect must vanish.",
        rows=flat,
        drawable=bool(flat),
        missing="the study made no claim",
        draw=figures.claims,
    )
    name = visible(str(run.result.get("study", "unnamed")))
    tables = study.tables(run.result)
    return {
        "kind": "study",
        "title": f"Organoid study: {name}",
        "question": visible(str(run.result.get("question") or f"Study {name}: does what it claims hold?")),
        "short": f"{held} of {len(claims)} claims held{more}." if claims else "No claim was tested.",
        "seconds": duration(finite(run.result.get("seconds"))),
        "claims": [_claim(claim) for claim in claims],
        "claims_twins": table(run.directory, "claims", [dict(claim) for claim in claims]),
        "details": study.details(claims),
        "figures": [figure(run.directory, plan), *(figure(run.directory, curve) for curve in _curves(run.result))],
        "tables": [(name, found, table(run.directory, file_name(name), found)) for name, found in tables.items()],
        "limits": [visible(str(limit)) for limit in sequence(run.result.get("limits"))],
        "failed": study.failures(run.result),
        **_about(run),
    }


def _curves(result: Row) -> list[Plan]:
    """Return the figures that a study brought along."""
    plans = list[Plan]()
    for curve in map(mapping, sequence(result.get("figures"))):
        found = study.figure_rows(curve)
        titles = {axis: visible(str(curve.get(axis))) for axis in ("x", "y")}
        plans.append(
            Plan(
                name=file_name(str(curve.get("name"))),
                title=visible(str(curve.get("title"))),
                caption=visible(str(curve.get("caption"))),
                rows=found,
                drawable=bool(found),
                missing="no run gave a value",
                marks=study.marks(found),
                draw=partial(study.lines, **titles),
            )
        )
    return plans


def play_context(run: Run) -> dict[str, Any]:
    """Return everything the template names for the page of a shop that was played or watched."""
    told = [mapping(episode) for episode in sequence(run.result.get("episodes"))]
    return {
        "kind": "play",
        "title": "Organoid: a shop",
        "question": "How was the shop run?",
        "summary": visible(str(run.result.get("summary") or "not recorded")).split("\n"),
        "episodes": episodes.shown(run.directory, told),
        "how_to_read": episodes.HOW_TO_READ,
        **_about(run),
        "provenance": [
            (name, visible(str(value)))
            for name, value in {**mapping(run.config), "finished": run.result.get("finished")}.items()
            if not isinstance(value, dict)
        ],
    }


def examined_context(run: Run) -> dict[str, Any]:
    """Return everything the template names for the page of one examined model, and write the twins it links to."""
    directory, found = run.directory, pictures.readings(run.result)
    return {
        "kind": "examine",
        "title": "Organoid: a model examined",
        "question": "What do the techniques say of this model?",
        "model": visible(str(run.result.get("examined"))),
        "readings": found,
        "readings_twins": table(directory, "readings", found),
        "probe": pictures.shown(directory, mapping(run.result.get("picture"))),
        **latent_pictures.context(directory, mapping(run.result.get("latents"))),
        **_about(run),
        "provenance": [
            ("model", visible(str(run.result.get("examined")))),
            ("finished", str(run.result.get("finished"))),
        ],
    }


CONTROL = ("control_ci_low", "control_ci_high")


def _claim(claim: Row) -> dict[str, Any]:
    return {
        **{key: visible(str(claim.get(key, "not recorded"))) for key in ("id", "statement", "expected", "n")},
        "effect": estimate(claim, "effect", bounds=("ci_low", "ci_high")),
        "control": estimate(claim, "control_effect", bounds=CONTROL),
        "undecided": study.undecided(claim),
        "held": claim.get("held") if isinstance(claim.get("held"), bool) else None,
    }


def claim_rows(claims: Sequence[Row]) -> rows.Rows:
    """Return two flat rows per claim, effect and control, as `figures.claims` draws them."""
    return [
        {"claim": visible(str(claim.get("id"))), "series": series, **rows.flat(estimate(claim, key, bounds=bounds))}
        for claim in claims
        for series, key, bounds in (("effect", "effect", ("ci_low", "ci_high")), ("control", "control_effect", CONTROL))
    ]
