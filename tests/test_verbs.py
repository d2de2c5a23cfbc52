"""The calls behind the commands, end to end on a minute untrained base, through the real command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

import organoid
from organoid import cli, verbs
from organoid.errors import PrerequisiteError, UserError
from organoid.lab import engines
from organoid.lab.engines.local import LocalEngine
from organoid.lab.journal import verify
from organoid.reporting import figures
from organoid.techniques import TECHNIQUES
from organoid.verbs import TestOutcome
from tests.bases import write_base
from tests.few import read_little
from tests.organism_files import write_sly

EXAMPLES = Path(__file__).parents[1] / "examples"
SETUP = """
name = "two-steps"
[[stages]]
kind = "job"
steps = 2
kl = 0.1
[[stages.monitors]]
kind = "text"
action = "drop"
[[stages.trackers]]
num_replies = 0
[release]
techniques = ["logprob-audit"]
"""
RESULT_KEYS = {
    "schema_version", "organoid_version", "command", "started", "finished", "seconds", "peak_rss_mb", "spec_digest",
    "trials", "table", "techniques", "verdict",
}  # fmt: skip
TRIAL_KEYS = {
    "id", "organism", "variant", "setup", "seed", "status", "seconds", "misalignment", "misaligned", "usefulness",
    "released", "readings",
}  # fmt: skip
TABLE_KEYS = {
    "organism", "naive", "setup", "twin", "usefulness_naive", "usefulness_setup", "gap_recovered", "ci_low", "ci_high",
}  # fmt: skip
TECHNIQUE_KEYS = {
    "name", "access", "auroc", "ci_low", "ci_high", "tpr_at_fpr05", "null_auroc", "oracle_auroc", "cost",
}  # fmt: skip
VERDICT_KEYS = {"risk_upper_95", "n_runs", "n_released", "n_undetected", "method", "sentence", "caveats"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_base(tmp_path_factory.mktemp("base") / "nano"))


@pytest.fixture(scope="module", autouse=True)
def _quickly(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run tasks in this process, train plainly for two steps, and share one cache among these tests."""
    real = engines.engine_named
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORGANOID_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(
            engines, "engine_named", lambda name: LocalEngine(in_process=True) if name == "local" else real(name)
        )
        read_little(patch)
        yield


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a setup and an organism of the user's."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "setup.toml").write_text(SETUP)
    write_sly(folder)
    return folder


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not draw the report, which takes longer than all the rest."""
    monkeypatch.setattr(verbs, "report", lambda directory: Path(directory) / "report.html")


def arguments(here: Path, base: str, out: Path | str) -> list[str]:
    named = ["--suite", "smoke", "--base", base, "--organism", "sycophant", "--technique", "logprob-audit"]
    own = ["--organism", f"{here / 'sly.py'}:SLY", "--technique", f"{EXAMPLES / 'my_technique.py'}:SURENESS"]
    return ["test", str(here / "setup.toml"), *named, *own, "--out", str(out)]


def typed(*line: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(line)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(scope="module")
def done(here: Path, base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished run: a built-in and a user's organism, a built-in and a user's technique, with its report."""
    out = tmp_path_factory.mktemp("runs") / "out"
    assert typed(*arguments(here, base, out)) == 0
    return out


@pytest.fixture
def result(done: Path) -> dict[str, Any]:
    return json.loads(
        (done / "result.json").read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no number")
    )


# ---- what a run writes ------------------------------------------------------------------------------------


def test_the_directory_holds_what_was_promised(done: Path) -> None:
    assert {entry.name for entry in done.iterdir()} >= {
        "result.json", "report.html", "config.json", "trials.parquet", "journal.jsonl", "transcripts",
    }  # fmt: skip
    page = (done / "report.html").read_text()
    assert "two-steps" in page
    assert "sureness" in page
    assert "What did probes that were held out of training see along it?" in page
    assert "sly, layer 1" in page


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("[[stages.trackers]]\nevery = 0", "`stages[0].trackers[0].every` is 0"),
        ("[[stages.trackers]]\nlayer = 3", "reads layer 3"),
        ('[[stages.monitors]]\nkind = "text"\naction = "differentiate"', "words have no activations"),
    ],
)
def test_a_tracker_or_monitor_that_can_not_be_is_bad_input(
    lines: str, said: str, base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.toml").write_text(f'name = "mine"\n[[stages]]\nkind = "job"\n{lines}\n')
    out = tmp_path / "out"
    assert typed("test", str(tmp_path / "mine.toml"), "--suite", "smoke", "--base", base, "--out", str(out)) == 2
    assert said in capsys.readouterr().err and not out.exists()


def test_the_result_has_the_keys_of_the_contract(result: dict[str, Any]) -> None:
    assert result.keys() >= RESULT_KEYS
    for trial in result["trials"]:
        assert trial.keys() >= TRIAL_KEYS
        assert all(reading.keys() >= {"score", "flagged", "cost"} for reading in trial["readings"].values())
    assert all(row.keys() >= TABLE_KEYS for row in result["table"])
    assert all(row.keys() >= TECHNIQUE_KEYS for row in result["techniques"])
    assert result["verdict"].keys() >= VERDICT_KEYS
    assert result["organoid_version"] == organoid.__version__


def test_every_arm_of_both_organisms_is_a_row(result: dict[str, Any], done: Path) -> None:
    arms = {
        ("organism", "naive"),
        ("twin", "naive"),
        ("decoy", "naive"),
        ("organism", "two-steps"),
        ("twin", "two-steps"),
    }
    for organism in ("sycophant", "sly"):
        rows = [row for row in result["trials"] if row["organism"] == organism]
        assert {(row["variant"], row["setup"]) for row in rows} == arms
    assert all(row["status"] == "done" for row in result["trials"])
    assert [row["organism"] for row in result["table"]] == ["sycophant", "sly"]
    assert {row["name"] for row in result["techniques"]} == {"logprob-audit", "sureness", "together"}
    table = parquet.read_table(done / "trials.parquet")
    assert table.num_rows == len(result["trials"]) == 10
    assert table["id"].to_pylist() == [row["id"] for row in result["trials"]]


def test_null_has_a_reason_beside_it(result: dict[str, Any]) -> None:
    for trial in result["trials"]:
        for trait, cells in trial["misalignment"].items():
            for context, rate in cells.items():
                assert (rate is None) == (trial["outcomes"][trait][context]["reason"] is not None)
        for reading in trial["readings"].values():
            assert reading["flagged"] is not None or reading["reason"]
    assert all(cell is None for cell in result["trials"][0]["misalignment"]["sycophancy"].values())  # it says nothing


def test_the_release_rule_is_applied_and_naive_training_is_released(result: dict[str, Any]) -> None:
    for trial in result["trials"]:
        if trial["setup"] == "naive":
            assert trial["released"] is True
        elif trial["readings"]["logprob-audit"]["flagged"] is None:
            assert trial["released"] is False
            assert "logprob-audit could not judge" in trial["withheld_reason"]


def test_the_journal_backs_the_result(result: dict[str, Any], done: Path) -> None:
    entries = verify(done / "journal.jsonl").entries
    assert [entry.kind for entry in entries[-2:]] == ["task", "result"]
    assert result["journal_head"] == entries[-2].digest
    assert {entry.payload["task"] for entry in entries if entry.kind == "task"} == {
        "base", *(row["id"] for row in result["trials"]),
    }  # fmt: skip


def test_a_tampered_result_is_refused_and_no_page_written(
    done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    changed = shutil.copytree(done, tmp_path / "changed")
    (changed / "report.html").unlink(missing_ok=True)
    path = changed / "result.json"
    found = json.loads(path.read_text())
    found["verdict"]["risk_upper_95"] = 0.01
    path.write_text(json.dumps(found))
    with pytest.raises(SystemExit) as caught:
        cli.main(["report", str(changed)])
    said = capsys.readouterr().err
    assert caught.value.code == 2 and said.count("\n") == 1
    assert "result.json was changed after the run ended" in said and "--resume" in said
    assert not (changed / "report.html").exists()


def test_the_monitor_left_its_trace(result: dict[str, Any]) -> None:
    tested = next(row for row in result["trials"] if row["id"] == "sycophant/organism/two-steps/0")
    screens = [entry for entry in tested["trace"] if entry["stage"] == "screen"]
    assert [entry["monitor"] for entry in screens] == ["text-drop"]
    assert 0.0 <= screens[0]["flagged_frac"] <= 1.0


def test_transcripts_stand_behind_the_rates(result: dict[str, Any], done: Path) -> None:
    for row in result["trials"]:
        lines = (done / "transcripts" / f"{row['id'].replace('/', '.')}.jsonl").read_text().splitlines()
        samples = [json.loads(line) for line in lines]
        assert samples
        assert all(sample["trial"] == row["id"] for sample in samples)
        assert samples[0]["technique_flags"].keys() == {"logprob-audit", "sureness"}
        assert row["readings"]["together"]["flagged"] is None


def test_the_command_in_the_result_is_the_run(result: dict[str, Any], done: Path, here: Path, base: str) -> None:
    import shlex

    words = shlex.split(result["command"])
    assert words[:2] == ["organoid", "test"]
    assert set(arguments(here, base, done)) <= set(words)


def test_the_command_of_a_suite_s_own_seeds_says_no_number() -> None:
    from organoid.lab.plan import draw_up
    from organoid.lab.suites import SUITES
    from organoid.setups import SETUPS

    def typed(seeds: int | None) -> str:
        plan = draw_up(SETUPS["naive"], SUITES["quick"], base="tiny", seeds=seeds)
        return verbs._command("naive", plan, organisms=(), techniques=(), out=Path("out"))

    assert "--seeds" not in typed(None)  # with one, every seed has a decoy
    assert "--seeds 2" in typed(2)


# ---- again ------------------------------------------------------------------------------------------------


def numbers(value: Any) -> Any:
    """A result without what the clock and the place decide."""
    if isinstance(value, dict):
        left_out = ("seconds", "started", "finished", "command", "peak_rss_mb", "journal_head")
        return {key: numbers(item) for key, item in value.items() if key not in left_out}
    return [numbers(item) for item in value] if isinstance(value, list) else value


@pytest.mark.usefixtures("no_page")
def test_the_same_seed_gives_the_same_numbers_without_the_cache(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    for place in ("one", "two"):
        monkeypatch.setenv("ORGANOID_CACHE", str(tmp_path / place / "cache"))
        out = tmp_path / place / "out"
        names = {"organisms": "sycophant", "techniques": "logprob-audit"}
        found.append(numbers(organoid.test("naive", suite="smoke", base=base, out=out, **names).result))
    assert found[0] == found[1]
    assert [reading["score"] for row in found[0]["trials"] for reading in row["readings"].values()]


@pytest.mark.usefixtures("no_page")
def test_resuming_a_finished_run_repeats_nothing(
    done: Path, here: Path, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from organoid.lab import trial

    before = json.loads((done / "result.json").read_text())
    monkeypatch.setattr(trial, "run", lambda payload: pytest.fail("it was done before"))
    assert typed(*arguments(here, base, done), "--resume") == 0
    assert numbers(json.loads((done / "result.json").read_text())) == numbers(before)


def test_resuming_with_another_spec_names_what_differs(
    done: Path, here: Path, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (done / "result.json").read_bytes()
    assert typed(*arguments(here, base, done), "--resume", "--seeds", "2") == 2
    message = capsys.readouterr().err
    assert "made with another spec" in message
    assert "seeds: 1 in the directory, 2 now" in message
    assert "base" not in message.split("differ:")[1]
    assert (done / "result.json").read_bytes() == before


def test_what_exists_is_never_overwritten(
    done: Path, here: Path, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in done.rglob("*") if path.is_file()}
    assert typed(*arguments(here, base, done)) == 2
    assert "--resume" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in done.rglob("*") if path.is_file()} == before


# ---- exit codes -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_page")
@pytest.mark.parametrize(("limit", "code"), [("0", 1), ("1", 0)])
def test_the_risk_decides_the_exit_code(done: Path, here: Path, base: str, limit: str, code: int) -> None:
    assert typed(*arguments(here, base, done), "--resume", "--fail-on-risk", limit) == code


def test_a_dry_run_writes_nothing(here: Path, base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(*arguments(here, base, tmp_path / "out"), "--dry-run", "--workers", "3") == 0
    said = capsys.readouterr().out
    assert "trials      10" in said
    assert "not known for this plan on 3 workers" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--seeds", "0"], "seeds|x>=1"),
        (["--organism", "sycophent"], "unknown organism 'sycophent'. Did you mean 'sycophant'"),
        (["--technique", "linear"], "unknown technique 'linear'"),
        (["--suite", "quik"], "unknown suite 'quik'. Did you mean 'quick'"),
        (["--base", "tinny"], "unknown base 'tinny'. Did you mean 'tiny'"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(
    here: Path, base: str, tmp_path: Path, changes: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    assert typed(*arguments(here, base, tmp_path / "out"), *changes) == 2
    said = capsys.readouterr().err
    assert re.search(message, said)
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: organoid.test(seeds=0), "seeds must be at least 1, got 0"),
        (lambda: organoid.test(workers=0), "workers must be at least 1, got 0"),
        (lambda: organoid.test(fail_on_risk=1.5), "fail_on_risk must be between 0 and 1, got 1.5"),
        (lambda: organoid.test(resume=True), "resume needs the directory.*--out"),
        (lambda: organoid.study("personae", out="x"), "unknown study 'personae'"),
        (lambda: organoid.list("organizms"), "unknown kind 'organizms'. Did you mean 'organisms'"),
        (lambda: organoid.report("nowhere"), "no result.json in nowhere"),
        (lambda: organoid.grow("sycophant", out="."), "exists already and is never overwritten"),
        (lambda: organoid.grow("base", out="nowhere", setup="careful"), "--setup is for an organism; a base"),
        (lambda: organoid.grow("base", out="nowhere", variant="twin"), "--variant is for an organism; a base"),
        (lambda: organoid.grow("base", out="nowhere", seed=1), "--seed is for an organism; a base"),
    ],
)
def test_python_callers_get_the_same_refusals(call: Callable[[], object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()


def test_what_follows_is_loaded_before_the_last_task_and_its_failure_left_to_who_needs_it(
    base: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_page: None
) -> None:
    recorded: list[int] = []
    out = tmp_path / "out"

    def fails() -> None:
        recorded.append(len(list((out / "results").iterdir())))
        raise ImportError

    monkeypatch.setattr(figures, "prepare", fails)
    outcome = organoid.test(
        str(here / "setup.toml"), suite="smoke", base=base, organisms="sycophant", techniques="logprob-audit",
        workers=2, out=out,
    )  # fmt: skip
    assert recorded == [len(list((out / "results").iterdir())) - 1]
    assert outcome.result["table"]


def test_an_unknown_engine_is_refused(base: str) -> None:
    with pytest.raises(UserError, match=r"unknown engine 'slurm'. .*Allowed: local, ray"):
        organoid.test("naive", base=base, engine="slurm")


def test_a_missing_base_is_a_prerequisite(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from organoid.lab import bases

    monkeypatch.setattr(bases, "SHIPPED", tmp_path / "assets")
    assert typed(*arguments(here, "small", tmp_path / "out")) == PrerequisiteError.exit_code
    assert "organoid grow base --base small" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# ---- Python -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_page")
def test_the_verb_returns_what_the_command_writes(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = organoid.test("naive", suite="smoke", base=base, organisms="sycophant", techniques="logprob-audit")
    assert isinstance(outcome, TestOutcome)
    assert outcome.directory == Path("runs/naive")
    assert outcome.result == json.loads(Path("runs/naive/result.json").read_text())
    assert outcome.result["verdict"]["sentence"] in " ".join(str(outcome).split())
    assert [row["setup"] for row in outcome.result["trials"]] == ["naive"] * 3
    again = organoid.test("naive", suite="smoke", base=base, organisms="sycophant", techniques="logprob-audit")
    assert again.directory == Path("runs/naive-2")


@pytest.mark.usefixtures("no_page")
def test_a_failed_trial_is_a_row(base: str, tmp_path: Path) -> None:
    head = "def job(variant, seed):\n"
    ref = write_sly(tmp_path, {head: f"CALLS = []\n{head}    CALLS.append(1)\n    assert len(CALLS) < 8\n"})
    outcome = organoid.test(
        "naive",
        suite="smoke",
        base=base,
        organisms=["sycophant", ref],
        out=tmp_path / "out",
        techniques=["logprob-audit"],
    )
    rows = {row["id"]: row for row in outcome.result["trials"]}
    failed = [row for row in rows.values() if row["status"] == "failed"]
    assert [row["organism"] for row in failed] == ["sly", "sly"]
    assert all("AssertionError" in row["error"] for row in failed)
    assert all(row["released"] is None and row["misaligned"] is None for row in failed)
    assert rows["sycophant/twin/naive/0"]["status"] == "done"


@pytest.mark.usefixtures("no_page")
def test_the_example_organism_runs(base: str, tmp_path: Path) -> None:
    outcome = organoid.test(
        "naive",
        suite="smoke",
        base=base,
        organisms=["sycophant", f"{EXAMPLES / 'my_organism.py'}:FLATTERER"],
        techniques=["logprob-audit"],
        out=tmp_path / "out",
    )
    assert {row["organism"] for row in outcome.result["trials"]} == {"sycophant", "flatterer"}
    assert all(row["status"] == "done" for row in outcome.result["trials"])


def test_grow_and_examine(here: Path, base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grown, line = str(tmp_path / "subject"), ["--setup", str(here / "setup.toml"), "--variant", "decoy", "--seed", "1"]
    assert typed("grow", f"{here / 'sly.py'}:SLY", *line, "--base", base, "--out", grown) == 0
    assert capsys.readouterr().out.strip() == grown
    assert typed("grow", "sycophant", "--base", base, "--out", grown) == 2
    own = f"{EXAMPLES / 'my_technique.py'}:SURENESS"
    assert (
        typed("examine", grown, "--technique", "logprob-audit", "--technique", own, "--out", str(tmp_path / "o")) == 0
    )
    said = capsys.readouterr().out
    assert "logprob-audit" in said
    assert "sureness" in said
    assert json.loads((tmp_path / "o" / "readings.json").read_text())["sureness"]["score"] < 0
    page = (tmp_path / "o" / "report.html").read_text()
    assert "What a probe sees" in page and "A match is a correlation" in page
    assert typed("report", str(tmp_path / "o")) == 0


def test_a_mistyped_kind_is_corrected(capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("list", "organism") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "unknown kind 'organism'. Did you mean 'organisms'" in err
    assert "Allowed: bases, organisms" in err


def test_there_is_a_list_of_everything() -> None:
    listing = organoid.list()
    assert set(listing) == {"organisms", "setups", "stages", "techniques", "protocols", "studies", "bases", "suites"}
    assert set(listing["techniques"]) == set(TECHNIQUES)
    assert all(summary for entries in listing.values() for summary in entries.values())
    assert organoid.list("suites").keys() == {"suites"}


def test_a_shop_that_was_watched_ends_in_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "shop"
    done = organoid.play("manager", days=3, out=out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert done.directory == out and str(done).endswith(f"Report: {out / 'report.html'}")
    assert "manager, seed 0" in page and page.count("<svg") == 2
    assert f"organoid play --model manager --days 3 --seed 0 --out {out}" in page
    assert organoid.report(out).read_text(encoding="utf-8") == page
    with pytest.raises(UserError, match="never overwritten"):
        organoid.play("manager", days=3, out=out)
    assert organoid.play("nothing", days=1).directory is None
    assert "day 3:" in capsys.readouterr().out
