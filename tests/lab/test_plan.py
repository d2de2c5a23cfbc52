"""Which trials a test consists of, and what is refused before anything is written."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from organoid.errors import UserError
from organoid.lab.plan import Plan, draw_up, trial_id
from organoid.lab.records import TrialSpec
from organoid.lab.suites import SUITES
from organoid.organisms import ORGANISMS
from organoid.setups import SETUPS
from organoid.setups.spec import DemonstrationsStage, DocumentsStage, JobStage, ReleaseRule, Setup, Tracker
from organoid.techniques import DEFAULT_TECHNIQUES
from organoid.types import Variant
from tests.bases import write_base
from tests.organism_files import write_sly

EXAMPLES = Path(__file__).parents[2] / "examples"
SURENESS = f"{EXAMPLES / 'my_technique.py'}:SURENESS"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_base(tmp_path_factory.mktemp("base") / "nano"))


def plan(base: str, setup: str | Setup = "careful", suite: str = "smoke", **choices: object) -> Plan:
    chosen = SETUPS[setup] if isinstance(setup, str) else setup
    return draw_up(chosen, SUITES[suite], base=base, **choices)  # type: ignore[arg-type]


def mine(*stages: object, rule: tuple[str, ...] = ()) -> Setup:
    return Setup.model_validate({"name": "mine", "stages": stages, "release": ReleaseRule(techniques=rule)})


@pytest.mark.parametrize("suite", SUITES)
def test_suites_name_organisms_that_exist(suite: str, base: str) -> None:
    chosen = SUITES[suite]
    drawn = plan(base, suite=suite)
    assert chosen.name == suite
    assert set(drawn.organisms) == set(chosen.organisms) <= set(ORGANISMS)
    num_decoys = chosen.num_seeds if chosen.num_decoy_seeds is None else chosen.num_decoy_seeds
    per_organism = (3 + chosen.setup_on_twins) * chosen.num_seeds + num_decoys
    assert len(drawn.specs) == per_organism * len(chosen.organisms)
    assert drawn.num_truth == chosen.num_truth


def test_decoys_are_grown_at_the_first_seeds_unless_seeds_are_asked_for(base: str) -> None:
    def decoys(drawn: Plan) -> set[int]:
        return {spec.seed for spec in drawn.specs if spec.variant is Variant.DECOY}

    chosen = SUITES["quick"]
    assert chosen.num_decoy_seeds is not None and chosen.num_decoy_seeds < chosen.num_seeds
    assert decoys(plan(base, suite="quick")) == set(range(chosen.num_decoy_seeds))
    assert decoys(plan(base, suite="quick", seeds=3)) == {0, 1, 2}


def test_a_layer_that_the_base_lacks_is_refused_before_anything_is_trained(base: str) -> None:
    with pytest.raises(UserError, match=r"a tracker of stage 1 \(job\) of setup 'mine' reads layer 3.*Allowed: 0 to 2"):
        plan(base, mine(JobStage(trackers=(Tracker(layer=3),))))
    assert plan(base, mine(JobStage(trackers=(Tracker(layer=2),)))).specs


def test_five_arms_per_organism_and_seed_with_ids_of_their_own(base: str) -> None:
    drawn = plan(base, seeds=3)
    arms = Counter((spec.setup.name, spec.variant.value) for spec in drawn.specs)
    assert arms == {
        ("naive", "organism"): 6,
        ("naive", "twin"): 6,
        ("naive", "decoy"): 6,
        ("careful", "organism"): 6,
        ("careful", "twin"): 6,
    }
    ids = [trial_id(spec) for spec in drawn.specs]
    assert len(set(ids)) == len(ids) == 30
    assert "sycophant/twin/careful/2" in ids


def test_the_first_seed_s_tested_organisms_are_pictured(base: str) -> None:
    assert {trial_id(spec) for spec in plan(base, seeds=2).specs if spec.pictured} == {
        "sycophant/organism/careful/0",
        "reward-hacker/organism/careful/0",
    }
    assert not any(spec.pictured for spec in plan(base, "naive").specs)
    shared = {spec.model_dump_json() for spec in plan(base).specs} & {
        spec.model_dump_json() for spec in plan(base, "naive").specs
    }
    assert len(shared) == 6  # so that what one test trained plainly serves the next


def test_the_naive_setup_is_not_run_twice(base: str) -> None:
    drawn = plan(base, "naive")
    assert Counter(spec.variant.value for spec in drawn.specs) == {"organism": 2, "twin": 2, "decoy": 2}
    assert len({trial_id(spec) for spec in drawn.specs}) == 6


def test_a_suite_may_leave_the_twins_out_of_the_tested_setup(base: str) -> None:
    drawn = draw_up(SETUPS["careful"], SUITES["smoke"].model_copy(update={"setup_on_twins": False}), base=base)
    assert {(s.setup.name, s.variant.value) for s in drawn.specs if s.variant == "twin"} == {("naive", "twin")}
    assert len(drawn.specs) == 8
    assert drawn.spec_digest != plan(base).spec_digest


def test_the_first_seed_comes_first(base: str) -> None:
    assert [spec.seed for spec in plan(base, seeds=2).specs] == [0] * 10 + [1] * 10


def test_specs_survive_json_and_say_what_they_depend_on(base: str) -> None:
    drawn = plan(base)
    for spec in drawn.specs[:2]:
        assert TrialSpec.model_validate_json(spec.model_dump_json()) == spec
    assert plan(base).spec_digest == drawn.spec_digest
    others = [
        plan(base, seeds=2),
        plan(base, "naive"),
        plan(base, suite="full"),
        plan(base, techniques=["self-report"]),
    ]
    assert len({drawn.spec_digest, *(other.spec_digest for other in others)}) == 5


# ---- choosing ---------------------------------------------------------------------------------------------


def test_built_in_names_narrow_and_the_users_own_are_added(base: str, tmp_path: Path) -> None:
    sly = write_sly(tmp_path)
    assert plan(base, organisms=["sycophant"]).organisms == ("sycophant",)
    assert plan(base, organisms=[sly]).organisms == (*SUITES["smoke"].organisms, sly)
    assert plan(base, organisms=[sly, "sycophant", "sycophant"]).organisms == ("sycophant", sly)
    assert plan(base, "naive", techniques=["self-report", SURENESS]).techniques == ("self-report", SURENESS)
    assert plan(base, techniques=[SURENESS]).techniques == (*DEFAULT_TECHNIQUES, SURENESS)
    assert trial_id(plan(base, organisms=[sly, "sycophant"]).specs[5]) == "sly/organism/careful/0"


def test_techniques_of_the_release_rule_always_run(base: str) -> None:
    drawn = plan(base, techniques=["self-report"])
    assert drawn.techniques == ("self-report", "behavioural-audit", "linear-probe")
    assert drawn.rule == SETUPS["careful"].release


def test_a_rule_may_name_the_users_own_technique_by_name_or_reference(base: str) -> None:
    by_name = plan(base, mine(JobStage(), rule=("sureness",)), techniques=["self-report", SURENESS])
    by_reference = plan(base, mine(JobStage(), rule=(SURENESS,)), techniques=["self-report"])
    assert by_name.techniques == by_reference.techniques == ("self-report", SURENESS)
    assert by_name.rule == by_reference.rule == ReleaseRule(techniques=("sureness",))


def test_code_digests_follow_the_users_files(base: str, tmp_path: Path) -> None:
    def digests() -> tuple[str, dict[str, str]]:
        drawn = plan(base, organisms=["sycophant", write_sly(tmp_path, changes)])
        return drawn.code_digest, {trial_id(spec): spec.code_digest for spec in drawn.specs}

    changes: dict[str, str] = {}
    whole, trials = digests()
    changes = {"stays on": "hides"}
    changed, after = digests()
    assert whole != changed
    assert {name for name in trials if trials[name] != after[name]} == {
        name for name in trials if name.startswith("sly/")
    }


# ---- refusing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"organisms": ["sycophent"]}, "unknown organism 'sycophent'. Did you mean 'sycophant'"),
        ({"techniques": ["linear"]}, "unknown technique 'linear'"),
        (
            {"setup": mine(JobStage(), rule=("lie-detector",))},
            r"unknown technique 'lie-detector' in the release rule of setup 'mine'\. ",
        ),
        ({"setup": mine(DocumentsStage(source="mine"))}, r"unknown source of stage 1 \(documents\)"),
        (
            {"setup": mine(JobStage(), DemonstrationsStage())},
            r"stage 2 \(demonstrations\) of setup 'mine' needs demonstrations, which organism 'reward-hacker' "
            "lacks; it offers environment. Use a stage for those, or stage 'job'",
        ),
        ({"base": "tinny"}, "unknown base 'tinny'. Did you mean 'tiny'"),
        ({"base": "some/model"}, "unknown base 'some/model'.*the hub did not give it"),
    ],
)
def test_bad_input_is_one_message(base: str, choices: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        plan(**{"base": base, **choices})  # type: ignore[arg-type]


def test_two_of_one_name_are_refused(base: str, tmp_path: Path) -> None:
    sly = write_sly(tmp_path, {'name="sly"': 'name="sycophant"'})
    with pytest.raises(UserError, match=r"two organisms are named 'sycophant': sycophant and .*sly.py:SLY"):
        plan(base, organisms=[sly])
    (tmp_path / "probe.py").write_text(
        Path(SURENESS.partition(":")[0]).read_text().replace('"sureness"', '"linear-probe"')
    )
    with pytest.raises(UserError, match="two techniques are named 'linear-probe'"):
        plan(base, techniques=[f"{tmp_path / 'probe.py'}:SURENESS"])


def test_any_choice_of_names_is_a_plan_or_a_user_error(base: str) -> None:
    rng, names = Random(0), ["sycophant", "reward-hacker", "", ":", ".py", "x.py:", "self-report", "os:path"]
    for _ in range(60):
        try:
            drawn = plan(base, organisms=rng.choices(names, k=2), techniques=rng.choices(names, k=2))
        except UserError:
            continue
        assert set(drawn.organisms) <= set(ORGANISMS)
