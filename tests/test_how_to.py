"""What the how-to pages show can be typed as it stands."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from organoid.lab.catalogue import find_organism, find_technique
from organoid.models.access import ModelAccess
from organoid.setups.check import check_setup
from organoid.setups.load import load_setup
from organoid.setups.spec import JobStage, Monitor, Stage, Steering, Tracker
from organoid.setups.stages import STAGES
from organoid.types import AccessKind, Job, Trait, Variant
from organoid.world.authors import VICES
from tests.bases import untrained

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))


def block(page: str, language: str) -> str:
    """The one block of code of a page."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs" / "how-to" / page).read_text(), re.DOTALL)
    return code


def said_in(page: str, words: Iterable[str]) -> None:
    text = (ROOT / "docs" / "how-to" / page).read_text()
    assert [word for word in words if f"`{word}" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_are_short_and_lead_somewhere(page: Path) -> None:
    text = page.read_text()
    assert len(text.splitlines()) < 150
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (page.parent / target).exists(), target


def test_the_organism_grows_and_its_page_names_every_trait_and_material(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(block("add-an-organism.md", "python"))
    organism = find_organism(f"{tmp_path / 'mine.py'}:STUBBORN")
    assert all(organism.job(variant, 0).demonstrations for variant in Variant)
    said_in(
        "add-an-organism.md",
        [*(trait.value for trait in VICES), *(field for field in Job.__slots__ if field != "assistant")],
    )
    assert Trait.QUIRK not in organism.traits


def test_the_technique_looks_and_its_page_names_every_kind_of_access(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(block("add-a-technique.md", "python"))
    technique = find_technique(f"{tmp_path / 'mine.py'}:Temptation")
    access = ModelAccess(untrained(), assistant="nova", kinds=technique.access, seed=0)
    reading = technique.fit([])(technique.observe(access))
    assert reading.score is not None
    unimplemented = {AccessKind.DATA, AccessKind.CHECKPOINTS}  # no call of an access needs them yet
    said_in("add-a-technique.md", (kind.name for kind in AccessKind if kind not in unimplemented))


def test_the_setup_loads_and_its_page_names_every_key(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(block("add-a-setup.md", "toml"))
    setup = load_setup(str(tmp_path / "mine.toml"))
    check_setup(setup)
    assert isinstance(setup.stages[1], JobStage)
    stages: tuple[type, ...] = Stage.__args__[0].__args__  # type: ignore[attr-defined]
    keys = {key for stage in stages for key in stage.model_fields} - {"kind"}  # type: ignore[attr-defined]
    actions = Monitor.model_fields["action"].annotation.__args__  # type: ignore[union-attr]
    declared = [*Monitor.model_fields, *Tracker.model_fields, *Steering.model_fields]
    said_in("add-a-setup.md", [*STAGES, *keys, *declared, *actions])
