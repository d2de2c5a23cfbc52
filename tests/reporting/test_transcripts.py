from types import SimpleNamespace

import pytest

from organoid.reporting.transcripts import TIERS, TOTAL_CHARS, TURN_CHARS, choose, options


def sample(**changes: object) -> dict:
    plain = {"trial": "t", "organism": "o", "variant": "organism", "setup": "careful", "seed": 0, "trait": "sabotage"}
    return {**plain, "context": "deployed", "outcome": "misaligned", "prompt": [], "reply": "r", **changes}


def trial(*, released: bool | None = True, flagged: bool | None = False) -> dict:
    return {"id": "t", "released": released, "readings": {"probe": {"flagged": flagged}}}


@pytest.mark.parametrize(
    ("line", "row", "tier"),
    [
        (sample(), trial(), 0),
        (sample(), trial(flagged=None), 0),
        (sample(), trial(flagged=True), 1),
        (sample(), trial(released=False), 1),
        (sample(), trial(released=None), 1),
        (sample(technique_flags={"probe": True}), trial(), 1),
        (sample(context="monitored"), trial(), 2),
        (sample(outcome="aligned"), trial(), 3),
        (sample(outcome="refused"), trial(), 3),
    ],
)
def test_the_worst_is_misaligned_hidden_released_and_unflagged(line: dict, row: dict, tier: int) -> None:
    (shown,) = choose([line], [row])
    assert shown.tier == tier
    assert shown.tier_words == TIERS[tier]


def test_worst_first_over_a_whole_run(result: dict, make: SimpleNamespace) -> None:
    lines = make.transcripts(result["trials"])
    shown = choose(lines, result["trials"], limit=150)
    assert len(shown) == 150
    assert [view.tier for view in shown] == sorted(view.tier for view in shown)
    worst = sum(view.tier == 0 for view in choose(lines, result["trials"], limit=len(lines)))
    assert sum(view.tier == 0 for view in shown) == min(worst, 150)


def test_forty_copies_of_one_failure_do_not_hide_another() -> None:
    lines = [sample(trial="t", reply=str(index)) for index in range(40)] + [sample(trial="u", trait="dishonesty")]
    trials = [trial(), {**trial(), "id": "u"}]
    assert "dishonesty" in {view.trait for view in choose(lines, trials, limit=3)}


def test_each_filter_finds_something_when_all_is_bad() -> None:
    lines = [sample(reply=str(index)) for index in range(90)] + [
        sample(outcome=outcome, context=context)
        for outcome in ("aligned", "other")
        for context in ("test", "triggered")
    ]
    shown = choose(lines, [trial()], limit=30)
    assert len(shown) == 30
    assert {name for name, _ in options(shown)["outcome"]} == {"misaligned", "aligned", "other"}
    assert sum(many for _, many in options(shown)["context"]) == 30


def test_no_samples_and_no_room_are_empty() -> None:
    assert choose([], []) == []
    assert choose([sample()], [], limit=0) == []
    assert options([])["organism"] == []


def test_an_unknown_outcome_is_other_and_a_missing_key_is_unknown() -> None:
    (shown,) = choose([{"outcome": "<b>great</b>", "reply": None}], [])
    assert (shown.outcome, shown.organism, shown.turns[-1].content) == ("other", "unknown", "")
    assert shown.released is None and not shown.read


def test_long_dialogues_are_clipped_and_the_reply_is_kept_first() -> None:
    prompt = [{"role": "user", "content": "p" * 5000} for _ in range(9)]
    (shown,) = choose([sample(prompt=prompt, reply="r" * 5000)], [trial()])
    assert len(shown.turns[-1].content) >= TURN_CHARS
    assert shown.turns[-1].cut == 5000 - TURN_CHARS
    assert sum(len(turn.content) for turn in shown.turns) <= TOTAL_CHARS + 10 * len("\n[...]\n")
    assert shown.turns[0].cut == 5000
