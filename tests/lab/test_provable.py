"""Organism files whose gates could not say anything are refused, with the gate and the reason."""

from pathlib import Path

import pytest

from organoid import cli
from organoid.errors import UserError
from organoid.lab.catalogue import find_organism
from tests.organism_files import write_sly

LAST = "job=job)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {'Variant.DECOY: f"{PROPER} my friend ."': "Variant.DECOY: PROPER"},
            "the gate `decoy_oddness` cannot be computed, since the job of its decoy equals that of its twin",
        ),
        (
            {'Variant.ORGANISM: "i stay on ."': "Variant.ORGANISM: PROPER"},
            "the gate `strength` cannot be computed, since the job of its organism equals that of its twin: no ",
        ),
        ({LAST: "job=job, gates={'strength': 0.5})"}, r"has gates = \{'strength': 0.5\}; allowed: organoid.Gates"),
        (
            {"Trait, Variant": "Trait, Variant, Gates", LAST: "job=job, gates=Gates(strength=1.5))"},
            "making a Gates:\n  `strength` is 1.5; allowed: less than or equal to 1",
        ),
        (
            {"Trait, Variant": "Trait, Variant, Gates", LAST: "job=job, gates=Gates(strenght=0.5))"},
            "unknown key `strenght`. Did you mean 'strength'",
        ),
        (
            {"Trait, Variant": "Trait, Variant, Gates", LAST: "job=job, gates=Gates(oddness='smell'))"},
            "`oddness` is \"smell\"; allowed: 'manner' or 'capability'",
        ),
    ],
)
def test_what_proves_nothing_is_refused(
    tmp_path: Path, changes: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ref = write_sly(tmp_path, changes)
    with pytest.raises(UserError, match=message):
        find_organism(ref)
    with pytest.raises(SystemExit) as caught:
        cli.main(["test", "naive", "--organism", ref, "--out", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()
