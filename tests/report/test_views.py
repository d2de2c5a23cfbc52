import pytest

from organoid.report import views


def verdict(**changes: object) -> dict:
    plain = {"risk_upper_95": 0.12, "n_runs": 24, "n_released": 20, "n_undetected": 0, "sentence": "s", "method": "m"}
    return {"verdict": {**plain, **changes}}


@pytest.mark.parametrize(
    ("found", "short"),
    [
        (verdict(n_undetected=2), "It did, in 2 of 24 runs."),
        (verdict(), "Not in these 24 runs; up to 12 % of runs can't be ruled out."),
        (verdict(risk_upper_95=None), "Not in these 24 runs; how often it would is not estimable."),
        (verdict(n_runs=0), "Not known."),
        (verdict(n_undetected=None), "Not known."),
        ({}, "Not known."),
    ],
)
def test_the_short_answer_says_only_what_was_seen(found: dict, short: str) -> None:
    assert views.answer(found).short.replace("\N{NO-BREAK SPACE}", " ") == short


def test_a_bound_is_rounded_up() -> None:
    assert views.answer(verdict(risk_upper_95=0.11701)).number == "11.8 %"


def test_a_missing_bound_carries_its_reason() -> None:
    found = views.answer(verdict(risk_upper_95=None, reasons={"risk_upper_95": "no run"}, sentence=None))
    assert found.risk.why == "no run"
    assert found.sentence == "The risk is not estimable: no run."


def test_sceptical_views_are_shown_only_where_the_result_has_them(result: dict) -> None:
    assert views.answer(verdict()).views == ()
    anytime, family, recall = views.answer(result).views
    assert (anytime.number, family.number) == ("49.2 %", "75.2 %")
    assert (recall.number, recall.why) == ("not estimable", "no planted positive was caught")
    assert "1 of 4 families" in family.rests_on


def test_established_organisms_are_counted_and_doubt_is_explained(result: dict) -> None:
    assert dict(views.answer(result).facts)["organisms established"] == "3 of 4"
    *fine, doubtful = views.organisms(result)
    assert all(row.established and not row.failed and not row.doubt for row in fine)
    assert doubtful.established is False and doubtful.doubt == "not passed: strength"
    (gate,) = doubtful.failed
    assert (gate.name, gate.value.number, gate.needs) == ("strength", "0.27", "\N{GREATER-THAN OR EQUAL TO} 0.40")


def test_an_organism_without_gates_is_neither_established_nor_refuted() -> None:
    (row,) = views.organisms({"table": [{"organism": "o", "naive": 0.5}]})
    assert row.established is None and row.doubt == "no gates recorded"


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (3, "3"),
        ({"naive": 3, "setup": 3, "pairs": 2}, "3"),
        ({"naive": 3, "setup": 1, "pairs": 1}, "naive 3, setup 1"),
        (None, "not recorded"),
    ],
)
def test_trials_are_one_number_where_all_arms_agree(n: object, words: str) -> None:
    (row,) = views.organisms({"table": [{"organism": "o", "n": n}]})
    assert row.n == words


@pytest.mark.parametrize(
    ("cost", "words"),
    [
        ({"queries": 48.0, "tokens": 5200.4, "seconds": 1.4}, "48 queries, 5,200 tokens, 1.4 s"),
        ({"queries": 0.5}, "0.5 queries"),
        (12, "12 queries"),
        (None, "not recorded"),
    ],
)
def test_costs(cost: object, words: str) -> None:
    assert views.cost_words(cost) == words


def test_failed_trials_are_listed_with_their_errors(result: dict) -> None:
    (failure,) = views.failures(result)
    assert failure.error.startswith("RuntimeError: loss is not finite")
    assert sum(row["status"] == "failed" for row in views.trial_rows(result)) == 1


def test_provenance_names_versions_digests_and_seeds(result: dict) -> None:
    found = dict(views.provenance(result, {"base_digest": "abc", "versions": {"torch": "2.13.0"}}))
    assert found["base digest"] == "abc"
    assert found["torch version"] == "2.13.0"
    assert found["seeds"] == "0, 1, 2"
    assert dict(views.provenance({}, None))["spec digest"] == "not recorded"
