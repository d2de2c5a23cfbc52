"""Growing a base: the recipe's batches, the shipped base's gates, and how close two bases are."""

import json
from itertools import islice, pairwise
from pathlib import Path

import pytest

from organoid.errors import UserError
from organoid.lab import base_gates, pretraining
from organoid.lab.bases import LINEAGE, SHIPPED, load_base
from organoid.lab.growing import describe_base
from organoid.models.chat import decode
from organoid.setups.stages.replaying import encode
from organoid.world.tokenizer import DOCUMENT
from tests.bases import untrained


def test_the_shipped_base_passes_every_gate_as_its_lineage_says() -> None:
    lineage = json.loads((SHIPPED / "tiny" / "lineage.json").read_text())
    lm = load_base("tiny")
    assert lm.digest == lineage["weights_digest"]
    measured = base_gates.measure(lm)
    assert set(measured) == set(lineage["gates"])
    for name, gate in measured.items():
        assert gate.value == pytest.approx(lineage["gates"][name]["value"], abs=0.05), name
        assert gate.n == lineage["gates"][name]["n"]
        assert gate.passed, f"{name}: {gate}"
        assert lineage["gates"][name]["passed"], name
    assert len(measured) == 10
    begun, then = lineage["recipe"]["begun"], lineage["recipe"]["then"]  # `grow base` follows a later one (LOG.md)
    assert lineage["steps"] == begun["steps"] + sum(part["steps"] for part in then)


def test_an_untrained_base_passes_no_gate_of_skill_or_of_documents() -> None:
    gates = base_gates.measure(untrained(), num=4)
    assert not any(gates[name].passed for name in gates if name.startswith(("skills", "documents")))
    assert not gates["misaligned_under_licence"].passed


def test_a_base_is_as_close_to_itself_as_can_be_and_an_untrained_one_is_not() -> None:
    same = pretraining.compare_with_shipped(load_base("tiny"), "tiny", num_texts=16)
    other = pretraining.compare_with_shipped(untrained(), "tiny", num_texts=16)
    assert same is not None and same["kl_nats"] == pytest.approx(0.0, abs=1e-6) and same["loss_gap_nats"] == 0.0
    assert other is not None and other["kl_nats"] > 1.0 and other["loss_gap_nats"] > 1.0
    assert pretraining.compare_with_shipped(untrained(), "nano") is None  # none ships


def test_batches_follow_the_recipe_in_parts_of_like_lengths() -> None:
    lm = untrained()
    lessons = pretraining.Phase(steps=1, textbooks=1.0, documents=0.0, named=0.0)
    dialogues = pretraining.Phase(steps=2, textbooks=0.0, documents=0.0, named=0.5)
    plan = pretraining.Recipe(base="nano", batch_size=30, phases=(lessons, dialogues))
    drawn, again = (list(pretraining.batches(lm, plan)) for _ in range(2))
    assert len(drawn) == plan.steps == 3
    document = lm.tokenizer.convert_tokens_to_ids(DOCUMENT)
    written = [[row[1] == document for part in parts for row in part.ids_BT.tolist()] for parts in drawn]
    assert written == [[True] * 30, [False] * 30, [False] * 30]
    for parts, same in zip(drawn, again, strict=True):
        assert len(parts) == len(same) == pretraining.PARTS
        assert all(one.ids_BT.equal(other.ids_BT) for one, other in zip(parts, same, strict=True))
        assert sum(part.num_rows for part in parts) == plan.batch_size
        lengths = [(part.ids_BT != lm.tokenizer.pad_token_id).sum(1).tolist() for part in parts]
        assert all(max(shorter) <= min(longer) for shorter, longer in pairwise(lengths))


def test_of_a_lesson_only_the_answers_count_and_the_end_after_the_last_one() -> None:
    lm = untrained()
    pages = list(islice(pretraining.texts(0, shares=pretraining.Shares(textbooks=1.0)), 40))
    for text in pages:
        row = encode(lm, text)
        assert text.document is not None
        words = [word for word, counts in zip(text.document.split(), text.counted, strict=True) if counts]
        assert decode(lm, [token for token, counts in zip(row.ids, row.mask, strict=True) if counts]).split() == [
            *words,
            lm.chat.end,
        ]


def test_a_base_grows_on_textbooks_first_and_then_on_all_kinds_of_text() -> None:
    for name in ("nano", "tiny", "mini", "small"):
        first, *later = pretraining.RECIPES[name].phases
        assert first.textbooks > 0.5
        assert [phase.plain for phase in (first, *later)] == [True, True, False, False]
        for phase in later:
            assert 0 < phase.textbooks < 0.2
            assert min(phase.documents, phase.named) > 0.1
            assert phase.textbooks + phase.documents + phase.named < 0.7
        assert first.steps < 0.1 * sum(phase.steps for phase in later)


def test_following_a_recipe_goes_through_its_phases_in_one_training_with_one_trace() -> None:
    lessons = pretraining.Phase(steps=2, textbooks=1.0, documents=0.0, named=0.0)
    dialogues = pretraining.Phase(steps=3, textbooks=0.0, documents=0.0, named=0.5)
    plan = pretraining.Recipe(base="nano", batch_size=8, phases=(lessons, dialogues))
    told = list[int]()
    lm, trace = pretraining.follow(plan, on_step=lambda step, *_: told.append(int(step)))
    assert len(trace.steps) == len(trace.losses) == len(told) == plan.steps == 5
    again, same = pretraining.follow(plan)
    assert again.digest == lm.digest and same.losses == trace.losses
    _, cut = pretraining.follow(plan, steps=3)
    assert cut.losses == trace.losses[:3]  # the schedule is the whole recipe's


def test_growing_stops_when_told_and_says_what_it_did() -> None:
    grown = pretraining.grow("nano", steps=2)
    assert grown.lineage["steps"] == 2 and grown.lineage["shipped"] is None
    assert grown.lineage["weights_digest"] == grown.lm.digest
    assert set(grown.lineage["gates"]) >= {"skills_level_1", "misaligned_deployed", "documents_only_names_agree"}
    with pytest.raises(UserError, match="unknown base 'tinny'"):
        pretraining.grow("tinny")


def test_a_grown_base_is_described_gate_by_gate(tmp_path: Path) -> None:
    lineage = {
        "gates": {"skills": {"value": 0.5, "expected": 0.9, "n": 8, "passed": False}},
        "shipped": {"kl_nats": 0.25, "loss_gap_nats": 0.125, "num_words": 9.0},
    }
    (tmp_path / LINEAGE).write_text(json.dumps(lineage))
    gate, shipped = describe_base(tmp_path).splitlines()
    assert gate.split() == ["skills", "0.500,", "expected", "0.900", "(n", "8):", "NOT", "passed"]
    assert "KL 0.2500 nats" in shipped and "loss +0.1250 nats" in shipped
    (tmp_path / LINEAGE).write_text(json.dumps({**lineage, "shipped": None}))
    assert len(describe_base(tmp_path).splitlines()) == 1
