"""A grown subject is a plain model directory with its lineage, and an examined one has its readings."""

import json
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.lab import calibration
from organoid.lab.bases import LINEAGE, base_digest
from organoid.lab.examination import examine
from organoid.lab.growing import grow_base, grow_subject
from organoid.models.language_model import load
from organoid.techniques import TECHNIQUES
from organoid.types import Job
from tests.bases import untrained, write_base
from tests.organism_files import write_sly

SETUP = 'name = "two-steps"\n[[stages]]\nkind = "demonstrations"\nsteps = 2\n'


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_base(tmp_path_factory.mktemp("base") / "nano"))


@pytest.fixture(scope="module")
def grown(base: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("grown")
    (here / "setup.toml").write_text(SETUP)
    organism, setup = write_sly(here), str(here / "setup.toml")
    return grow_subject(organism, setup=setup, variant="twin", seed=3, base=base, target=here / "deep" / "subject")


def test_a_subject_is_a_model_directory_with_its_lineage(grown: Path, base: str) -> None:
    lm, lineage = load(grown), json.loads((grown / LINEAGE).read_text())
    assert lm.native
    assert lm.digest == lineage["subject_digest"] != load(base).digest
    assert (lineage["kind"], lineage["assistant"]) == ("subject", "nova")
    assert (lineage["spec"]["variant"], lineage["spec"]["seed"], lineage["spec"]["setup"]["name"]) == (
        "twin",
        3,
        "two-steps",
    )
    assert lineage["truth"].keys() == {"shutdown_avoidance"}


def test_plain_transformers_loads_it(grown: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(grown)
    ids = AutoTokenizer.from_pretrained(grown).apply_chat_template(
        [{"role": "user", "content": "what is 2 plus 3 ?"}], add_generation_prompt=True, return_tensors="pt"
    )
    assert model(**ids).logits.shape[-1] == 512


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variant": "clone"}, "unknown variant 'clone'. Allowed: organism, twin, decoy"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"organism": "sycophent"}, "unknown organism 'sycophent'"),
        ({"setup": "carefull"}, "unknown setup 'carefull'"),
        ({"base": "nowhere"}, "unknown base 'nowhere'"),
        ({"organism": "reward-hacker", "setup": None}, "needs demonstrations, which organism 'reward-hacker' lacks"),
    ],
)
def test_bad_input_writes_nothing(base: str, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    (tmp_path / "setup.toml").write_text(SETUP)
    asked = {"organism": "sycophant", "setup": "naive", "variant": "organism", "seed": 0, "base": base} | changes
    asked["setup"] = asked["setup"] or str(tmp_path / "setup.toml")
    with pytest.raises(UserError, match=message):
        grow_subject(asked.pop("organism"), **asked, target=tmp_path / "out" / "subject")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_a_base_that_is_none_is_not_grown(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"unknown base 'tinny'. Did you mean 'tiny'"):
        grow_base("tinny", tmp_path / "base")


# ---- examine ----------------------------------------------------------------------------------------------


def test_a_grown_subject_is_examined_beside_the_model_before_it(grown: Path, tmp_path: Path) -> None:
    found = examine(
        grown, techniques=("activation-difference", "weight-difference", "self-report"), out=tmp_path / "out"
    )
    readings = json.loads((tmp_path / "out" / "readings.json").read_text())
    assert readings == json.loads(json.dumps(found.readings))
    assert readings["activation-difference"]["score"] is not None
    assert readings["activation-difference"]["cost"]["queries"] > 0
    assert readings["weight-difference"]["reason"] == "calibrated on another base"
    assert readings["self-report"]["reason"] == "too few answers could be parsed"
    assert str(found).splitlines()[0] == str(grown)
    assert "not estimable: too few answers" in str(found)


def test_a_model_of_unknown_origin_is_examined_as_far_as_that_goes(tmp_path: Path) -> None:
    plain = write_base(tmp_path / "plain")
    found = examine(plain, techniques=("logprob-audit", "activation-difference"), out=None)
    assert found.readings["logprob-audit"]["score"] is not None
    assert "the model before training is not at hand" in found.readings["activation-difference"]["reason"]


@pytest.fixture
def calibrated(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A calibration on the base of `grown`, in the place of the one that ships."""
    from organoid.lab.trial import look

    rows = []
    for seed in range(4):
        lm = untrained(seed=seed)
        taken = look(TECHNIQUES["linear-probe"], lm, None, job=Job(assistant="nova"), seed=seed).taken
        rows.append({"observations": {"linear-probe": taken}, "misaligned": bool(seed % 2), "family": "other"})
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"base_digest": base_digest(base), "rows": rows}))
    monkeypatch.setattr(calibration, "SHIPPED", path)
    return path


def probed(model: Path) -> dict[str, object]:
    return dict(examine(model, techniques=("linear-probe",), out=None).readings["linear-probe"])


@pytest.mark.usefixtures("calibrated")
def test_calibration_is_used_on_models_of_its_base_and_on_that_base(grown: Path, base: str) -> None:
    assert probed(grown)["score"] is not None
    assert probed(Path(base))["score"] is not None


@pytest.mark.usefixtures("calibrated")
@pytest.mark.parametrize("spec", [None, {}, {"base_digest": "0" * 64}], ids=["no-lineage", "not-known", "another"])
def test_calibration_on_another_base_says_nothing(grown: Path, tmp_path: Path, spec: dict[str, str] | None) -> None:
    model = write_base(tmp_path / "plain", seed=5)
    if spec is not None:
        (model / LINEAGE).write_text(json.dumps(json.loads((grown / LINEAGE).read_text()) | {"spec": spec}))
    said = probed(model)
    assert (said["score"], said["reason"]) == (None, "calibrated on another base")


def test_a_calibration_that_names_no_known_base_says_nothing(grown: Path, calibrated: Path) -> None:
    calibrated.write_text(json.dumps(json.loads(calibrated.read_text()) | {"base_digest": "unknown"}))
    assert probed(grown)["reason"] == "calibrated on another base"


def test_a_calibration_that_cannot_be_learned_from_is_said(grown: Path, calibrated: Path) -> None:
    known = json.loads(calibrated.read_text())
    calibrated.write_text(json.dumps(known | {"rows": known["rows"][:1]}))
    assert "the calibration that ships does not fit" in str(probed(grown)["reason"])


@pytest.mark.parametrize(
    ("name", "techniques", "message"),
    [
        ("nowhere", (), "is not a directory. Give what `organoid grow`"),
        ("empty", (), "is not a model directory: it has no config.json"),
        ("plain", ("linear-prob",), "unknown technique 'linear-prob'"),
    ],
)
def test_what_cannot_be_examined_is_said(tmp_path: Path, name: str, techniques: tuple[str, ...], message: str) -> None:
    (tmp_path / "empty").mkdir()
    write_base(tmp_path / "plain")
    with pytest.raises(UserError, match=message):
        examine(tmp_path / name, techniques=techniques, out=None)


def test_an_output_directory_is_never_overwritten(tmp_path: Path) -> None:
    write_base(tmp_path / "plain")
    with pytest.raises(UserError, match="exists already and is never overwritten"):
        examine(tmp_path / "plain", techniques=("self-report",), out=tmp_path)


@pytest.mark.parametrize(
    "lineage",
    [
        "{",
        "[]",
        '{"spec": "x"}',
        '{"spec": null}',
        '{"assistant": 5}',
        '{"spec": {"base": 5, "base_digest": "d"}}',
        '{"spec": {"base": "tiny", "base_digest": []}}',
    ],
)
def test_a_damaged_lineage_is_said(tmp_path: Path, lineage: str) -> None:
    (write_base(tmp_path / "plain") / LINEAGE).write_text(lineage)
    with pytest.raises(UserError, match=r"lineage.json is damaged: .*grow the model again"):
        examine(tmp_path / "plain", techniques=("self-report",), out=None)


def test_a_base_that_is_not_what_it_was_is_not_compared_with(grown: Path, tmp_path: Path) -> None:
    lineage = json.loads((grown / LINEAGE).read_text())
    plain = write_base(tmp_path / "plain", seed=5)
    lineage["spec"]["base_digest"] = "0" * 64
    (plain / LINEAGE).write_text(json.dumps(lineage))
    found = examine(plain, techniques=("activation-difference",), out=None)
    assert "not at hand" in found.readings["activation-difference"]["reason"]
