import json
import random
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.setups import SETUPS
from organoid.setups.load import load_setup
from organoid.setups.spec import Setup

EXAMPLES = Path(__file__).parents[2] / "examples"
GOOD = 'name = "mine"\n[[stages]]\nkind = "job"\n'


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", SETUPS)
def test_built_in_setups_load_by_name_and_survive_json(name: str, tmp_path: Path) -> None:
    setup = load_setup(name)
    assert setup.name == name
    assert setup.summary
    assert Setup.model_validate_json(setup.model_dump_json()) == setup
    assert load_setup(write(tmp_path / "again.json", setup.model_dump_json())) == setup


def test_the_null_setup_is_the_job_and_nothing_else() -> None:
    (stage,) = load_setup("naive").stages
    assert (stage.kind, stage.kl, stage.monitors) == ("job", 0.0, ())
    assert load_setup("naive").release.techniques == ()


def test_the_careful_setup_is_released_by_techniques_it_was_not_trained_against() -> None:
    careful = load_setup("careful")
    assert careful.release.techniques == ("behavioural-audit", "linear-probe")
    actions = {monitor.kind: monitor.action for stage in careful.stages for monitor in stage.monitors}
    assert actions.get("probe", "log") == "log"


def test_the_examples_load() -> None:
    toml = load_setup(str(EXAMPLES / "my_setup.toml"))
    assert (toml.name, [stage.kind for stage in toml.stages]) == ("my-setup", ["documents", "job"])
    assert load_setup(str(EXAMPLES / "my_setup.py:CAUTIOUS")).stages[1].kl == 0.2
    assert load_setup(str(EXAMPLES / "my_setup.py:VERY_CAUTIOUS")).name == "cautious-80"


def test_toml_and_json_mean_the_same(tmp_path: Path) -> None:
    data = {"name": "mine", "stages": [{"kind": "job"}]}
    assert load_setup(write(tmp_path / "a.toml", GOOD)) == load_setup(write(tmp_path / "a.json", json.dumps(data)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"`name` is missing: add it.\n  `stages` is missing"),
        ('name = "mine"\nstages = [', r"not valid TOML: .*\(at end of document\)"),
        (GOOD + "replay = 17", r"`stages.0.*replay`"),
        (GOOD + "replay = 1.0\nretain = 1.0", r"`retain` and `replay` both keep a model what it was"),
        ('name = "mine"\nname = 3\n', r"(?s)not valid TOML: .*\(at line 2, column \d+\).*\n  2 \| name = 3"),
        (GOOD + "steps = -5", r"`stages\[0\].steps` is -5; allowed: greater than or equal to 1"),
        (GOOD + "steps = 0", r"`stages\[0\].steps` is 0"),
        (GOOD + 'steps = "40"', r"`stages\[0\].steps` is \"40\"; allowed: a valid integer"),
        (GOOD + "steps = 2.5", r"`stages\[0\].steps` is 2.5; allowed: a valid integer"),
        (GOOD + 'inoculate = "yes"', r"`stages\[0\].inoculate` is \"yes\"; allowed: a valid boolean"),
        (GOOD + "kl = inf", r"`stages\[0\].kl` is inf; allowed: a finite number"),
        (GOOD + "kl = nan", r"`stages\[0\].kl` is nan; allowed: a finite number"),
        (GOOD + "kl = 2024-01-01", r"`stages\[0\].kl` is \"2024-01-01\"|is 2024"),
        (GOOD + "learning_rat = 0.1", r"unknown key `stages\[0\].learning_rat`. Did you mean 'learning_rate'"),
        (GOOD + "[relase]", "unknown key `relase`. Did you mean 'release'"),
        ('name = "My Setup"\n[[stages]]\nkind = "job"', "`name` is 'My Setup'; allowed: text that matches"),
        ('name = "mine"\nstages = []', r"`stages` is \[\]"),
        ('name = "mine"\n[[stages]]\nkind = "jop"', r"unknown `stages\[0\].kind` 'jop'. Did you mean 'job'"),
        (GOOD.replace("mine", "naive") + "kl = 1", "'naive', which is built in and differs. Give it another `name`"),
    ],
)
def test_bad_toml_is_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_setup(write(tmp_path / "mine.toml", text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "mine",\n "stages": [}', r"(?s)not valid JSON: .*\(at line 2, column 13\).*  2 \|  \"stages\": \[}"),
        ("", r"not valid JSON: .*\(at line 1, column 1\)"),
        ("[1, 2]", r"the whole is \[1, 2\]; allowed: an object"),
        ('{"name": "a", "name": "b"}', "gives 'name' twice in one object"),
        ('{"name": "mine", "stages": [{"kind": "job", "kl": Infinity}]}', "allowed: a finite number"),
    ],
)
def test_bad_json_is_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_setup(write(tmp_path / "mine.json", text))


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ("carefull", "unknown setup 'carefull'. Did you mean 'careful'. Allowed: aftercare, careful, "),
        ("", "unknown setup ''"),
        ("no-such.toml", "setup file 'no-such.toml' does not exist"),
        ("no-such.json", "setup file 'no-such.json' does not exist"),
        ("no-such.py:SETUP", "setup file 'no-such.py' does not exist"),
    ],
)
def test_what_does_not_exist_is_named(ref: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_setup(ref)


@pytest.mark.parametrize("technique", ["evil.py:X", "evil.py", "pkg.mod:X", "os:system"])
@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_setup_that_is_data_points_at_no_code(tmp_path: Path, suffix: str, technique: str) -> None:
    data = {"name": "mine", "stages": [{"kind": "job"}], "release": {"techniques": ["linear-probe", technique]}}
    text = json.dumps(data) if suffix == ".json" else f'{GOOD}[release]\ntechniques = ["linear-probe", "{technique}"]'
    with pytest.raises(UserError, match=rf"techniques\[1\]` is '{technique}'. Allowed: .* give it with --technique"):
        load_setup(write(tmp_path / f"mine{suffix}", text))


def test_names_and_setups_in_python_are_not_refused(tmp_path: Path) -> None:
    named = load_setup(write(tmp_path / "mine.toml", f'{GOOD}[release]\ntechniques = ["of-my-own"]'))
    assert named.release.techniques == ("of-my-own",)
    rule = 'ReleaseRule(techniques=("mine.py:X",))'
    code = f"from organoid.setups.spec import *\nOWN = Setup(name='own', stages=(JobStage(),), release={rule})\n"
    assert load_setup(write(tmp_path / "own.py", code) + ":OWN").release.techniques == ("mine.py:X",)


ODD = (None, True, -1, 1.5, "job", "", [], [1], [[]], {}, {"kind": "job"}, {"kind": []}, {"kind": 3}, [{"kind": None}])
KEYS = ("name", "stages", "release", "kind", "monitors", "techniques", "steps", "odd")


def test_whatever_json_holds_it_is_a_setup_or_a_user_error(tmp_path: Path) -> None:
    rng = random.Random(0)
    num_refused = 0
    for _ in range(300):
        stage = {"kind": "job", rng.choice(KEYS): rng.choice(ODD), "monitors": [rng.choice(ODD)]}
        data = {"name": "mine", "stages": [stage, rng.choice(ODD)], rng.choice(KEYS): rng.choice(ODD)}
        path = write(tmp_path / "mine.json", json.dumps(rng.choice([data, *ODD])))
        try:
            load_setup(path)
        except UserError as error:
            num_refused += 1
            assert str(error).count("\n") >= 1  # at least one mistake is named
    assert num_refused > 250


def test_a_file_with_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has an unknown ending. Allowed: .toml, .json, .py:NAME"):
        load_setup(write(tmp_path / "mine.yaml", "name: mine"))


def test_many_mistakes_are_listed_once_and_cut(tmp_path: Path) -> None:
    text = GOOD + "".join(f"key{i} = 1\n" for i in range(20))
    with pytest.raises(UserError) as caught:
        load_setup(write(tmp_path / "mine.toml", text))
    assert str(caught.value).count("unknown key") == 8
    assert str(caught.value).endswith("and 12 more")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "[[stages.trackers]]\nevery = 0",
            r"`stages\[0\]\.trackers\[0\]\.every` is 0; allowed: greater than or equal to 1",
        ),
        ("[[stages.trackers]]\nevry = 5", r"unknown key `stages\[0\]\.trackers\[0\]\.evry`\. Did you mean 'every'"),
        ('[[stages.monitors]]\naction = "resampel"', r"`stages\[0\]\.monitors\[0\]\.action`.*Did you mean 'resample'"),
        (
            '[[stages.trackers]]\ntraits = ["sabotage", "lying"]',
            r"`stages\[0\]\.trackers\[0\]\.traits\[1\]` is \"lying\"",
        ),
        ('[[stages.trackers]]\naction = "stop"', r"unknown key `stages\[0\]\.trackers\[0\]\.action`"),
    ],
)
def test_what_is_wrong_with_a_monitor_or_tracker_is_said(lines: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        load_setup(write(tmp_path / "mine.toml", f"{GOOD}{lines}\n"))
