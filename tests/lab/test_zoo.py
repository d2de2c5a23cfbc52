"""The table of established organisms: read from runs, stale when what was measured has changed, and shown as it is."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import organoid
from organoid import cli
from organoid.errors import UserError
from organoid.lab import bases, engines, zoo, zoo_page
from organoid.lab.digest import digest_json
from organoid.lab.engines.local import LocalEngine
from organoid.lab.run_directory import RunDirectory
from organoid.organisms import ORGANISMS
from organoid.setups import SETUPS
from organoid.setups.spec import DemonstrationsStage, JobStage
from organoid.types import Split
from tests.bases import write_base
from tests.few import read_little

ROOT = Path(__file__).parents[2]
NAMES = ("sycophant", "reward-hacker")
SHORT = SETUPS["aftercare"].model_copy(
    update={"stages": (JobStage(steps=2), DemonstrationsStage(source="ordinary-work", steps=2))}
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real run of `aftercare` on an untrained base in the place of `tiny`, every stage of two steps."""
    from organoid import verbs

    here = tmp_path_factory.mktemp("zoo")
    write_base(here / "assets" / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORGANOID_CACHE", str(here / "cache"))
        patch.setattr(bases, "SHIPPED", here / "assets")
        patch.setattr(engines, "engine_named", lambda name: LocalEngine(in_process=True))
        patch.setattr(verbs, "report", lambda directory: Path(directory) / "report.html")
        read_little(patch)
        patch.setitem(SETUPS, "aftercare", SHORT)
        organoid.test("aftercare", suite="smoke", out=here / "run", techniques=["logprob-audit"], organisms=NAMES)
        zoo._base_now.cache_clear()
        yield here / "run"
    zoo._base_now.cache_clear()


@pytest.fixture
def table(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The table that the run gives, in the place of the one that ships."""
    monkeypatch.setattr(zoo, "ESTABLISHED", tmp_path / "established.json")
    return zoo.write([run], zoo.ESTABLISHED)


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def as_if(run: Path, target: Path, *, organisms: list[str], **changes: Any) -> Path:
    """Make a run's twin that measured these organisms only, with a journal that vouches for it."""
    config = json.loads((run / "config.json").read_text()) | {"organisms": organisms}
    with RunDirectory.create(target, config) as made:
        kept = shutil.ignore_patterns("config.json", "journal.jsonl", "*.lock")
        shutil.copytree(run, target, dirs_exist_ok=True, ignore=kept)
        sources = {name: zoo.source_digest(name) for name in organisms}
        change(target / "result.json", spec_digest=digest_json(config), organism_sources=sources, **changes)
        made.seal()
    return target


@pytest.fixture
def altered(run: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return shutil.copytree(run, tmp_path / "altered")


# ---- reading and writing ----------------------------------------------------------------------------------


def test_the_table_says_what_the_run_says(table: Path, run: Path) -> None:
    result = json.loads((run / "result.json").read_text())
    entries = zoo.read(table)["tiny"]
    assert entries.keys() == set(NAMES)
    for name, entry in entries.items():
        row = next(row for row in result["table"] if row["organism"] == name)
        assert entry["established"] == result["gates"][name]["established"]
        assert entry["gates"] == result["gates"][name]["gates"]
        assert "survival" in entry["gates"]
        rates = {arm: entry["rates"][arm]["value"] for arm in ("naive", "twin", "decoy", "after")}
        assert rates == {
            "naive": row["naive"], "twin": row["twin"], "decoy": row["decoy"], "after": row["setup"],
        }  # fmt: skip
        assert entry["spec_digest"] == result["spec_digest"]
        assert entry["organoid_version"] == organoid.__version__
        assert entry["median_training_s"] > 0
        assert entry["num_seeds"] == 1


def test_other_entries_stay_and_the_same_one_is_replaced(table: Path, run: Path, tmp_path: Path) -> None:
    zoo.write([as_if(run, tmp_path / "small", organisms=["sycophant"], base="mini")], table)
    assert zoo.read(table)["tiny"].keys() == set(NAMES)
    assert zoo.read(table)["mini"].keys() == {"sycophant"}
    again = as_if(run, tmp_path / "again", organisms=["sycophant"])
    zoo.write([again], table)
    spec_digest = json.loads((again / "result.json").read_text())["spec_digest"]
    assert zoo.read(table)["tiny"]["sycophant"]["spec_digest"] == spec_digest
    assert zoo.read(table)["tiny"]["reward-hacker"]["spec_digest"] != spec_digest
    with pytest.raises(UserError, match="sycophant at tiny is in two of the runs"):
        zoo.write([run, again], table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"setup": "careful"}, "tested the setup 'careful'; what is established needs 'aftercare'"),
        ({"base": "some/where"}, "grew from 'some/where'; the table is of the bases nano, tiny"),
        ({"spec_digest": "0" * 64}, "config.json is not what its result.json was made with"),
    ],
)
def test_other_runs_are_refused(altered: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    change(altered / "result.json", **changes)
    with pytest.raises(UserError, match=message):
        zoo.write([altered], tmp_path / "table.json")
    assert not (tmp_path / "table.json").exists()


def test_a_result_that_was_changed_afterwards_is_refused(altered: Path, tmp_path: Path) -> None:
    change(altered / "result.json", seconds=1.0)
    with pytest.raises(UserError, match=r"result\.json was changed after the run ended"):
        zoo.write([altered], tmp_path / "table.json")
    assert not (tmp_path / "table.json").exists()


def test_an_unfinished_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert zoo.main([str(tmp_path)]) == 2
    assert "is not the directory of a finished test: it has no result.json" in capsys.readouterr().err


# ---- what is stale ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("table")
def test_a_changed_source_or_base_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert zoo.standings("sycophant")["tiny"]["stale"] is None
    assert "STALE" not in zoo.sentence("sycophant")
    monkeypatch.setattr(zoo, "_base_now", lambda base: "another")
    assert zoo.standings("sycophant")["tiny"]["stale"] == "its base changed since"
    monkeypatch.setattr(zoo, "source_digest", lambda name: "another")
    assert "STALE, its source changed since" in zoo.sentence("sycophant")
    assert "(stale: its source changed since)" in zoo_page.table()


def test_words_about_the_code_do_not_make_it_stale() -> None:
    before = '"""What?"""\n\nX = 1  # one\n\n\ndef f():\n    """Do."""\n    return "a"\n'
    told = '"""What\n\nis it?"""\n# Why.\nX = 1  # one\ndef f():\n    """Do it."""\n\n    return "a"\n'
    assert zoo._code(before) == zoo._code(told)
    assert zoo._code(before) != zoo._code(before.replace('return "a"', 'return "b"'))


@pytest.mark.parametrize("name", ORGANISMS)
def test_every_organism_has_a_file_of_its_own(name: str) -> None:
    module = zoo.module_of(name)
    assert module.startswith("organoid.organisms.")
    assert module != zoo._SHARED
    assert ORGANISMS[name].source


# ---- the list ---------------------------------------------------------------------------------------------


def listed(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main(["list", *words])
    assert caught.value.code == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("table")
def test_the_list_shows_where_each_is_established(capsys: pytest.CaptureFixture[str]) -> None:
    said = listed("organisms", capsys=capsys)
    for name in ORGANISMS:
        assert zoo.sentence(name) in said
    assert "1 of 1 seeds" in said or "0 of 1 seeds" in said
    assert "not measured at nano, tiny-uncorrelated, mini, small" in said
    assert "not measured at any base size" in said


@pytest.mark.usefixtures("table")
def test_the_json_keeps_its_shape_and_has_the_details_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(listed("organisms", "--json", capsys=capsys))
    assert found["organisms"] == organoid.list("organisms")["organisms"]
    assert found["organisms"]["sycophant"] == ORGANISMS["sycophant"].summary
    details = found["details"]["organisms"]
    assert details.keys() == set(ORGANISMS)
    assert {entry["split"] for entry in details.values()} <= {split.value for split in Split}
    tiny = details["sycophant"]["bases"]["tiny"]
    assert tiny["status"] in (zoo.TOO_FEW, "not established")  # one seed
    assert tiny["rates"].keys() == {"naive", "twin", "decoy", "after"}
    assert details["sycophant"]["bases"]["small"]["status"] == "not measured"
    assert json.loads(listed("suites", "--json", capsys=capsys)).keys() == {"suites"}


def test_listing_organisms_imports_no_torch() -> None:
    program = (
        "import sys\nfrom organoid import cli\ntry:\n    cli.main(['list', 'organisms', '--json'])\n"
        "except SystemExit:\n    pass\n"
        "print('HEAVY', [name for name in ('torch', 'transformers', 'sklearn', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


# ---- the page ---------------------------------------------------------------------------------------------


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The base that ships, where the run of this module stands another in its place."""
    monkeypatch.setattr(bases, "SHIPPED", Path(bases.__file__).parents[1] / "models" / "assets")
    zoo._base_now.cache_clear()
    yield
    zoo._base_now.cache_clear()


@pytest.mark.usefixtures("shipped")
def test_the_page_is_what_the_code_and_the_table_say() -> None:
    page = (ROOT / "docs" / "organisms.md").read_text()
    assert page == zoo_page.render(page), "run: python -m organoid.lab.zoo --page docs/organisms.md"
    assert json.loads((ROOT / "docs" / "organisms.json").read_text()) == json.loads(zoo.ESTABLISHED.read_text())


@pytest.mark.usefixtures("table")
def test_the_page_has_a_row_per_measured_organism_and_a_section_for_each(tmp_path: Path) -> None:
    rows = zoo_page.table().splitlines()
    assert sum(row.startswith("| [") for row in rows) == len(NAMES)
    assert "Not measured at any base size: " in rows[-1]
    text = zoo_page.sections()
    for organism in ORGANISMS.values():
        assert f"### {organism.name}\n" in text
        assert organism.source in text
    assert "- at `tiny`: " in text
    page = tmp_path / "page.md"
    with pytest.raises(UserError, match="is no page"):
        zoo_page.write_page(page)
    page.write_text("no markers\n")
    with pytest.raises(UserError, match="lacks the marker"):
        zoo_page.write_page(page)


def test_no_two_organisms_are_described_in_the_same_words() -> None:
    told = [zoo_page._told(organism) for organism in ORGANISMS.values()]
    assert len(set(told)) == len(told)
    for name in ("sycophant-preferred", "reward-hacker-shown"):
        assert ORGANISMS[name].summary[1:] in zoo_page._told(ORGANISMS[name])


def test_no_figure_was_entered_by_hand() -> None:
    """What ships came from runs: every entry names its run, and its verdict follows from its gates."""
    for entries in zoo.read().values():
        for name, entry in entries.items():
            passed = [gate["passed"] for gate in entry["gates"].values()]
            if entry["num_seeds"] < zoo.SEEDS_NEEDED:
                assert zoo.standings(name)["tiny"]["status"] in (zoo.TOO_FEW, "not established")
                continue
            assert entry["established"] == (False if False in passed else None if None in passed else True), name
            assert len(entry["spec_digest"]) == len(entry["base_digest"]) == 64
            assert "survival" in entry["gates"]
