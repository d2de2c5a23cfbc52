"""The shop under TRL: rollouts that add up, and two steps of a real `GRPOTrainer` where trl is installed."""

import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from organoid.models.language_model import LanguageModel
from organoid.world.business.adapters.trl_rollout import ShopRollout, earned, mornings, spoken
from organoid.world.business.load import load_world
from organoid.world.business.words import END
from tests.bases import untrained

DAYS = 3


def trainer_of(lm: LanguageModel) -> Any:
    accelerator = SimpleNamespace(unwrap_model=lambda model: model)
    return SimpleNamespace(processing_class=lm.tokenizer, model=lm.model, accelerator=accelerator, temperature=1.0)


def say(lm: LanguageModel, program: str) -> None:
    """Make a model say one program whatever it reads."""
    ids = lm.tokenizer(program, add_special_tokens=False)["input_ids"]

    def generate(input_ids: Any, **settings: Any) -> Any:
        said = torch.tensor([ids] * len(input_ids))
        scores = tuple(
            torch.zeros(len(input_ids), len(lm.tokenizer)).scatter(1, said[:, [n]], 5.0) for n in range(len(ids))
        )
        return SimpleNamespace(sequences=torch.cat([input_ids, said], 1), scores=scores)

    lm.model.generate = generate


def test_a_transcript_alternates_programs_and_lines_and_only_programs_are_trained_on() -> None:
    lm = untrained()
    say(lm, "backup .")
    done = ShopRollout(load_world(), days=DAYS)(["shop 0", "shop 1"], trainer_of(lm))
    said = lm.tokenizer("backup .", add_special_tokens=False)["input_ids"]
    for ids, mask, logprobs in zip(done["completion_ids"], done["env_mask"], done["logprobs"], strict=True):
        assert len(ids) == len(mask) == len(logprobs)
        assert [token for token, ours in zip(ids, mask, strict=True) if ours] == said * DAYS
        assert all(value < 0 for value, ours in zip(logprobs, mask, strict=True) if ours)
        assert {value for value, ours in zip(logprobs, mask, strict=True) if not ours} == {0.0}
        assert mask[0] == mask[-1] == 1
    assert done["acts"] == [DAYS, DAYS]
    assert [lm.tokenizer.decode(ids).split()[1] for ids in done["prompt_ids"]] == ["mon", "mon"]


def test_the_score_is_the_money_that_the_simulator_counts_and_ids_choose_the_chance() -> None:
    lm, rollout = untrained(), ShopRollout(load_world(), days=DAYS)
    say(lm, "order cola mill 2 fill collect .")
    done = rollout(["shop 7", "shop 7", "shop 8"], trainer_of(lm))
    assert earned(**done) == pytest.approx(((rollout.shop.shop.net_worth() - 50_000) / 100).tolist())
    assert done["completion_ids"][0] == done["completion_ids"][1]
    assert done["score"][0] != 0.0


def test_what_is_no_program_loses_the_day_and_a_shop_that_ended_is_left_alone() -> None:
    lm, rollout = untrained(), ShopRollout(load_world(values={"shop.start_cash": 0.0}), days=30)
    say(lm, "banana")
    (ids,) = rollout(["shop 0"], trainer_of(lm))["completion_ids"]
    assert (rollout.shop.shop.log.outcome_DB[:11, 0] == 2).sum() == 10  # insolvent after ten unpaid days
    assert sum(token == ids[0] for token in ids) == 10


def test_prompts_may_be_conversations_and_must_name_a_shop() -> None:
    lm, rollout = untrained(), ShopRollout(load_world(), days=1)
    say(lm, "wait .")
    assert len(rollout([[{"role": "user", "content": "shop 3"}]], trainer_of(lm))["score"]) == 1
    with pytest.raises(ValueError, match="names no shop"):
        rollout(["hello"], trainer_of(lm))
    assert [row["prompt"] for row in mornings(2, first=5)] == ["shop 5", "shop 6"]


def test_two_steps_of_a_real_trainer(tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    from datasets import Dataset

    lm, rollout = untrained(), ShopRollout(load_world(), days=DAYS, template=spoken)
    before = {name: weight.detach().clone() for name, weight in lm.model.named_parameters()}
    seen = list[dict[str, Any]]()

    def reward(**row: Any) -> list[float]:
        seen.append(row)
        full_stops = [
            sum(token == lm.tokenizer.convert_tokens_to_ids(END) for token in ids) for ids in row["completion_ids"]
        ]
        return [dollars + stops for dollars, stops in zip(earned(**row), full_stops, strict=True)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = trl.GRPOConfig(
            output_dir=str(tmp_path),
            per_device_train_batch_size=8,
            num_generations=4,
            max_steps=2,
            learning_rate=1e-2,
            bf16=False,
            use_cpu=True,
            gradient_checkpointing=False,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = trl.GRPOTrainer(
            model=lm.model,
            reward_funcs=reward,
            args=config,
            train_dataset=Dataset.from_list(mornings(8)),
            processing_class=lm.tokenizer,
            rollout_func=rollout,
        )
        trainer.train()
    assert trainer.state.global_step == 2 and len(seen) == 2
    assert all(len(row["score"]) == 8 and len(row["acts"]) == 8 for row in seen)
    assert [row["prompts"][0] == row["prompts"][3] != row["prompts"][4] for row in seen] == [True, True]
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 2 and all(abs(loss) < 1e3 for loss in losses)
    moved = [name for name, weight in lm.model.named_parameters() if not torch.equal(weight, before[name])]
    assert moved
