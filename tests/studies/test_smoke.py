"""Every study from its command to its page, on untrained models and a step or two; killed, resumed, refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import organoid
from organoid import cli
from organoid.errors import UserError
from organoid.lab import execute
from organoid.lab.tasks import TaskResult
from organoid.studies import STUDIES
from organoid.studies.auditing_game import AuditingGameScale
from organoid.studies.capability import CAPABILITY, CapabilityScale
from organoid.studies.emergent import EmergentScale
from organoid.studies.goal_drift import GoalDriftScale
from organoid.studies.hidden_objective import HiddenObjectiveScale
from organoid.studies.long_horizon import LONG_HORIZON, LongHorizonScale
from organoid.studies.obfuscation import ObfuscationScale
from organoid.studies.oversight_gap import GROUPS, INSIDE, OversightGapScale
from organoid.studies.payback import PaybackScale
from organoid.studies.personas import PersonasScale
from organoid.studies.predictor import PredictorScale
from organoid.studies.shop_drift import ShopDriftScale
from organoid.studies.study import Scale
from organoid.studies.traces import TracesScale
from organoid.world.business.training_terms import Imitation, ShopTraining, school
from tests.few import read_little

FEW = Imitation(horizons=(3,), num_shops=4, steps=2, batch_size=8)
SCHOOLED = school().model_copy(update={"imitation": FEW, "dialogues": 0, "prefaced_rows": 0})
BRIEF = ShopTraining(days=3, rounds=1, num_groups=1, group_size=2, steps_per_round=1, rows_per_step=4)


def minute(name: str, base: str) -> Scale:
    match name:
        case "predictor":
            return PredictorScale(
                num_seeds=2,
                sizes=("nano",),
                checkpoints=(1, 2),
                textbook_steps=1,
                num_scenes=3,
                num_choices=2,
                agent_steps=1,
            )
        case "personas":
            return PersonasScale(
                num_seeds=1,
                bases=(base,),
                able_start=base,
                lesson_steps=1,
                weak_steps=5,
                base_seeds=True,
                rl_steps=1,
                num_dialogues=4,
            )
        case "emergent":
            return EmergentScale(
                num_seeds=1,
                bases=(base,),
                base=base,
                uncorrelated_steps=1,
                stretches=1,
                stretch_steps=1,
                num_replies=1,
            )
        case "hidden-objective":
            return HiddenObjectiveScale(
                num_seeds=1, bases=(base,), base=base, num_situations=2, num_questions=2, steps=1
            )
        case "long-horizon":
            return LongHorizonScale(
                num_seeds=1,
                shape="nano",
                schooling=SCHOOLED,
                training=BRIEF,
                worlds=LONG_HORIZON.quick.worlds,
                horizons=(1, 3),
                num_shops=2,
                num_planning=1,
                num_power_shops=1,
            )
        case "payback":
            return PaybackScale(
                num_seeds=1,
                shape="nano",
                schooling=SCHOOLED,
                trading=BRIEF,
                training=BRIEF,
                horizons=(1, 3),
                near=1,
                num_shops=2,
                num_planning=1,
            )
        case "capability":
            return CapabilityScale(
                num_seeds=1,
                worlds=CAPABILITY.quick.worlds,
                shapes=("nano", "tiny"),
                schooling=SCHOOLED,
                training=BRIEF,
                num_shops=2,
            )
        case "shop-drift":
            return ShopDriftScale(
                num_seeds=1,
                shape="nano",
                schooling=SCHOOLED,
                lessons=FEW,
                training=BRIEF,
                num_shops=2,
            )
        case "goal-drift":
            return GoalDriftScale(
                num_seeds=1, bases=(base,), base=base, steps=1, stretches=2, stretch_steps=1, num_replies=2
            )
        case "obfuscation":
            return ObfuscationScale(
                num_seeds=1,
                bases=(base,),
                base=base,
                weight=2.0,
                mild=0.5,
                felt=1.0,
                kl=0.1,
                steps=1,
                num_prompts=1,
                every=1,
                num_replies=2,
                other_layer=2,
            )
        case "auditing-game":
            return AuditingGameScale(
                num_seeds=1,
                first_seed=10,
                bases=(base,),
                base=base,
                organisms=("reward-hacker-shown", "sycophant"),
                techniques=("adaptive-audit", "prefilled-self-report", "weight-difference"),
                num_decoy_seeds=1,
                num_truth=1,
                steps=1,
            )
        case "oversight-gap":
            return OversightGapScale(
                num_seeds=1,
                first_seed=10,
                bases=(base,),
                base=base,
                dials=(0, 2),
                teachers=("sycophant",),
                num_teacher_seeds=1,
                techniques=("behavioural-audit", "prefilled-self-report", *GROUPS[INSIDE]),
                num_truth=1,
                steps=1,
            )
        case "traces":
            return TracesScale(
                num_seeds=2,
                first_seed=10,
                bases=(base,),
                base=base,
                organisms=("sycophant",),
                replay=0.5,
                brief=2,
                techniques=("behavioural-audit", "activation-difference"),
                num_truth=1,
                steps=1,
            )
    raise AssertionError(f"give {name} a minute scale")


@pytest.fixture
def small(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, study in STUDIES.items():
        monkeypatch.setitem(STUDIES, name, replace(study, quick=minute(name, base)))
    read_little(monkeypatch)


def typed(*line: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(line)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", list(STUDIES))
def test_a_study_runs_from_its_command_to_its_page(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert typed("study", name, "--quick", "--out", str(out), "--workers", "1") == 0
    result = json.loads((out / "result.json").read_text())
    assert result.keys() >= {"schema_version", "study", "seconds", "seeds", "claims"}
    assert result["study"] == name and result["failed"] == []
    assert result["seeds"] == list(STUDIES[name].quick.seeds)
    assert [claim["id"] for claim in result["claims"]] == [claim.id for claim in STUDIES[name].claims]
    assert all(isinstance(claim["held"], bool) for claim in result["claims"])
    page = (out / "report.html").read_text()
    assert all(limit.split("'")[0] in page for limit in STUDIES[name].limits)
    assert result["command"] in page
    said = capsys.readouterr().out
    assert all(claim["id"] in said for claim in result["claims"]) and str(out / "report.html") in said
    assert (out / "tables" / "claims.csv").is_file() and (out / "figures" / "claims.json").is_file()


@pytest.mark.usefixtures("small")
def test_a_killed_study_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, real = tmp_path / "out", execute.record_result

    def killed_after_one(task: Any, result: TaskResult, run: Any) -> None:
        real(task, result, run)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(execute, "record_result", killed_after_one)
        with pytest.raises(KeyboardInterrupt):
            organoid.study("predictor", quick=True, out=out)
    with pytest.raises(UserError, match="--resume"):
        organoid.study("predictor", quick=True, out=out)
    done: list[str] = []
    monkeypatch.setattr(
        execute, "record_result", lambda task, result, run: (done.append(task.id), real(task, result, run))
    )
    resumed = organoid.study("predictor", quick=True, out=out, resume=True)
    assert done == ["nano/1"]
    whole = organoid.study("predictor", quick=True, out=tmp_path / "whole")
    assert resumed.result["claims"] == whole.result["claims"]


@pytest.mark.usefixtures("small")
def test_resuming_at_another_scale_names_what_differs(tmp_path: Path) -> None:
    organoid.study("predictor", quick=True, out=tmp_path / "out")
    with pytest.raises(UserError, match=r"quick: true in the directory, false now"):
        organoid.study("predictor", out=tmp_path / "out", resume=True)


@pytest.mark.usefixtures("small")
def test_a_failed_task_is_said_and_leaves_its_claims_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from organoid.studies import predictor

    real = predictor.grow_and_watch

    def fails_once(payload: Any) -> dict[str, Any]:
        if payload["seed"] == 1:
            raise RuntimeError("no luck <b>today</b>")
        return real(payload)

    monkeypatch.setattr(predictor, "grow_and_watch", fails_once)
    done = organoid.study("predictor", quick=True, out=tmp_path / "out")
    assert done.result["failed"] == [{"id": "nano/1", "error": "RuntimeError: no luck <b>today</b>"}]
    assert done.result["claims"][0]["n"] == 1 and done.result["claims"][0]["held"] is False
    assert done.result["claims"][0]["missing"] == ["nano/1"]
    assert "undecided: 1 of 2 runs of the effect gave no value (nano/1)" in str(done)
    assert "1 task failed" in str(done)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "1 of 2 runs of the effect gave no value (nano/1)" in page and "undecided." in page
    assert "no luck &lt;b&gt;today&lt;/b&gt;" in page


def test_bad_input_is_refused_and_nothing_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("study", "predicter", "--out", str(tmp_path / "out")) == 2
    assert "Did you mean 'predictor'?" in capsys.readouterr().err
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    assert typed("study", "predictor", "--quick", "--out", str(tmp_path / "there")) == 2
    assert "never overwritten" in capsys.readouterr().err
    with pytest.raises(UserError, match="workers must be at least 1"):
        organoid.study("predictor", quick=True, out=tmp_path / "out", workers=0)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there" / "mine.txt").read_text() == "mine"


def test_a_base_that_is_not_there_is_said_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = STUDIES["emergent"].quick.model_copy(update={"bases": (str(tmp_path),)})
    monkeypatch.setitem(STUDIES, "emergent", replace(STUDIES["emergent"], quick=broken))
    with pytest.raises(UserError, match=r"no config\.json"):
        organoid.study("emergent", quick=True, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_studies_are_listed() -> None:
    assert organoid.list("studies")["studies"].keys() == STUDIES.keys()
