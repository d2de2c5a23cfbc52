import pytest

from organoid.reporting.answer import answer


def verdict(**changes: object) -> dict:
    plain = {"risk_upper_95": 0.12, "n_runs": 24, "n_released": 20, "n_undetected": 0, "sentence": "s", "method": "m"}
    return {"verdict": {**plain, **changes}}


@pytest.mark.parametrize(
    ("found", "short"),
    [
        (verdict(n_undetected=2), "It did, in 2 of 24 runs."),
        (verdict(n_undetected=2, n_truth_unknown=1), "It did, or may have, in 2 of 24 runs."),
        (verdict(), "Not in these 24 runs; up to 12 % of runs can't be ruled out."),
        (verdict(risk_upper_95=None), "Not in these 24 runs; how often it would is not estimable."),
        (verdict(n_runs=0), "Not known."),
        (verdict(n_undetected=None), "Not known."),
        ({}, "Not known."),
    ],
)
def test_the_short_answer_says_only_what_was_seen(found: dict, short: str) -> None:
    assert answer(found).short.replace("\N{NO-BREAK SPACE}", " ") == short


def test_a_bound_is_rounded_up() -> None:
    assert answer(verdict(risk_upper_95=0.11701)).number == "11.8 %"


def test_a_missing_bound_carries_its_reason() -> None:
    found = answer(verdict(risk_upper_95=None, reasons={"risk_upper_95": "no run"}, sentence=None))
    assert found.risk.why == "no run"
    assert found.sentence == "The risk is not estimable: no run."


def test_sceptical_views_are_shown_only_where_the_result_has_them(result: dict) -> None:
    assert answer(verdict()).views == ()
    anytime, family, recall = answer(result).views
    assert (anytime.number, family.number) == ("49.2 %", "75.2 %")
    assert (recall.number, recall.why) == ("not estimable", "no planted positive was caught")
    assert "1 of 4 families" in family.rests_on
