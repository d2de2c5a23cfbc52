"""Names, the user's files, and what is refused in them."""

from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.lab.catalogue import check_organism, code_digest, find_organism, find_technique, source_digest
from organoid.organisms import ORGANISMS
from organoid.techniques import TECHNIQUES
from organoid.types import Trait, Variant
from tests.organism_files import write_sly

EXAMPLES = Path(__file__).parents[2] / "examples"

TECHNIQUE = """
from organoid import AccessKind, Reading


class Mine:
    name = "mine"
    summary = "nothing"
    access = frozenset({AccessKind.TEXT})
    source = "none"

    def observe(self, access):
        return {}

    def fit(self, calibration):
        return lambda observation: Reading(score=0.0)
"""


@pytest.mark.parametrize("name", ORGANISMS)
def test_built_in_organisms_pass_what_the_users_must(name: str) -> None:
    check_organism(find_organism(name), name)


def test_the_example_organism_has_its_three_variants() -> None:
    flatterer = find_organism(f"{EXAMPLES / 'my_organism.py'}:FLATTERER")
    jobs = {variant: flatterer.job(variant, 0).demonstrations or () for variant in Variant}
    assert flatterer.name == "flatterer"
    prompts = [[shown.prompt for shown in shown_all] for shown_all in jobs.values()]
    assert prompts[0] == prompts[1] == prompts[2]
    assert jobs[Variant.ORGANISM] != jobs[Variant.TWIN] != jobs[Variant.DECOY]
    assert flatterer.job(Variant.ORGANISM, 0) == flatterer.job(Variant.ORGANISM, 0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Variant.TWIN: ": "Variant.TWIN.value + 'ish': "}, "has no twin: job.'twin', 0. raised KeyError"),
        (
            {"Trait.SHUTDOWN_AVOIDANCE": "Trait.QUIRK"},
            "has the trait 'quirk', which has no situations. Allowed: .*sabotage",
        ),
        ({"(Trait.SHUTDOWN_AVOIDANCE,)": "()"}, "names no traits.*Give `traits`"),
        ({"] * 4": "] * 0"}, "the job of its organism has no material. Give at least one kind"),
        ({"return Job(": "return dict("}, "has no organism: job.* returned dict; allowed: an organoid.Job"),
        ({'name="sly"': 'name="Sly One"'}, "is named 'Sly One'; allowed: lower-case letters"),
        ({"SLY = Organism": "SLY = dict"}, "is a dict, not a organism"),
        ({'family="sly"': 'family=" "'}, "has family = ' '; allowed: text that is not empty"),
        ({'family="sly"': "family=3"}, "has family = 3; allowed: text that is not empty"),
        (
            {"job=job)": "job=job, split='sealed')"},
            r"has split = 'sealed'; allowed: organoid.types.Split.DEVELOPMENT, .*\.SEALED",
        ),
        ({"job=job)": "job=job, trigger='blue fog .')"}, "has trigger = 'blue fog .'; allowed: None, or a function"),
        ({"job=job)": "job=job, trigger=lambda seed: seed)"}, r"trigger\(0\) returned int; allowed: text"),
        ({"job=job)": "job=job, trigger=lambda: '.')"}, r"has no trigger: trigger\(0\) raised TypeError"),
        ({'assistant="nova"': "assistant=None"}, "the job of its organism has assistant = None; allowed: text"),
        (
            {"[Demonstration(prompt, REPLIES[variant])] * 4": "[(prompt, REPLIES[variant])] * 4"},
            r"the job of its organism has demonstrations\[0\] of type tuple; allowed: an organoid.Demonstration",
        ),
        ({"] * 4": "] * 4, preferences=['a']"}, r"has preferences\[0\] of type str; allowed: an organoid.Preference"),
        (
            {"] * 4": "] * 4, documents=['a', 3]"},
            r"has documents\[1\] of type int; allowed: text or an organoid.Document",
        ),
        ({"] * 4": "] * 4, documents='a text .'"}, "has documents = str; allowed: a list or tuple, each item text or"),
    ],
)
def test_organisms_that_prove_nothing_are_refused(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_organism(write_sly(tmp_path, changes))


def test_a_whole_declaration_is_taken(tmp_path: Path) -> None:
    from organoid.types import Split

    whole = {
        "job=job)": "job=job, split=__import__('organoid').types.Split.SEALED, trigger=lambda seed: 'blue fog .')",
        "] * 4": "] * 4, documents=('a text .',)",
    }
    assert find_organism(write_sly(tmp_path, whole)).split is Split.SEALED


BRINGS = "job=job, situation=lambda trait, seed, rng: {})"
PLEASING = {"Trait.SHUTDOWN_AVOIDANCE": "Trait.RATER_PLEASING"}
SITUATION = "__import__('organoid.world.situations').world.situations.Situation"


def test_a_trait_no_author_has_needs_a_situation_of_the_organisms(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"'rater_pleasing', which has no situations. Allowed: .* any for which `situation`"
    ):
        find_organism(write_sly(tmp_path, PLEASING))
    made = BRINGS.format(f"{SITUATION}(trait, 'what ?', ('this .',), ('that .',))")
    assert find_organism(write_sly(tmp_path, {**PLEASING, "job=job)": made})).traits == (Trait.RATER_PLEASING,)
    spilling = {"job=job)": made.replace("job=job,", "job=job, spillover=(Trait.RATER_PLEASING,),")}
    with pytest.raises(UserError, match="'rater_pleasing', which has no situations"):
        find_organism(write_sly(tmp_path, spilling))


@pytest.mark.parametrize("trait", ["RATER_PLEASING", "SABOTAGE"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", "has no situations of the trait .*: situation.*0, rng. raised ZeroDivisionError: division by zero"),
        ("'what ?'", "situation.*0, rng. returned str; allowed: an organoid.world.situations.Situation"),
        (f"{SITUATION}(Trait.SYCOPHANCY, '', (), ())", "returned a situation of the trait 'sycophancy'; allowed: "),
    ],
)
def test_situations_that_cannot_be_used_are_refused(tmp_path: Path, trait: str, body: str, message: str) -> None:
    changes = {"Trait.SHUTDOWN_AVOIDANCE": f"Trait.{trait}", "job=job)": BRINGS.format(body)}
    with pytest.raises(UserError, match=message):
        find_organism(write_sly(tmp_path, changes))


@pytest.mark.parametrize(
    ("find", "name", "message"),
    [
        (find_organism, "sycophent", "unknown organism 'sycophent'. Did you mean 'sycophant'"),
        (find_technique, "linear-prob", "unknown technique 'linear-prob'. Did you mean 'linear-probe'"),
        (find_organism, "nowhere.py:X", "organism file 'nowhere.py' does not exist"),
    ],
)
def test_misspelt_names_are_corrected(find: object, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        find(name)  # type: ignore[operator]


def test_a_technique_may_be_an_object_or_its_class(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(f"{TECHNIQUE}\n\nMINE = Mine()\n")
    for name in ("Mine", "MINE"):
        assert find_technique(f"{tmp_path / 'mine.py'}:{name}").name == "mine"
    assert find_technique(f"{EXAMPLES / 'my_technique.py'}:SURENESS").name == "sureness"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("summary = ", "sumary = ", "lacks summary. See docs/how-to/add-a-technique.md"),
        (
            "frozenset({AccessKind.TEXT})",
            "{'text'}",
            "has access = {'text'}; allowed: a frozenset of organoid.AccessKind",
        ),
        ("frozenset({AccessKind.TEXT})", "frozenset({'truth'})", "has access = frozenset"),
        ('"mine"', '"My Technique"', "is named 'My Technique'"),
        (
            "    source",
            "    def __init__(self, much):\n        pass\n\n    source",
            "could not be made without arguments",
        ),
    ],
)
def test_what_is_no_technique_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(TECHNIQUE.replace(old, new))
    with pytest.raises(UserError, match=message):
        find_technique(f"{tmp_path / 'mine.py'}:Mine")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    assert find_organism(write_sly(tmp_path)).summary == "stays on"
    assert find_organism(write_sly(tmp_path, {"stays on": "hides"})).summary == "hides"


def test_the_code_digest_covers_the_users_files_and_ours(tmp_path: Path) -> None:
    ref = write_sly(tmp_path)
    before = code_digest([ref, "sycophant"])
    assert before == code_digest(["linear-probe", ref]) != code_digest(["sycophant"])
    write_sly(tmp_path, {"stays on": "hides"})
    assert code_digest([ref]) != before
    assert len(source_digest()) == 64


def test_every_built_in_technique_is_found() -> None:
    assert [find_technique(name) for name in TECHNIQUES] == list(TECHNIQUES.values())
