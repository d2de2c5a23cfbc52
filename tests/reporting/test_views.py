import pytest

from organoid.reporting import views
from organoid.reporting.answer import answer


def test_established_organisms_are_counted_and_doubt_is_explained(result: dict) -> None:
    assert dict(answer(result).facts)["organisms established"] == "3 of 4"
    *fine, doubtful = views.organisms(result)
    assert all(row.established and not row.failed and not row.doubt for row in fine)
    assert doubtful.established is False and doubtful.doubt == "not passed: strength"
    (gate,) = doubtful.failed
    assert (gate.name, gate.value.number, gate.needs) == ("strength", "0.27", "\N{GREATER-THAN OR EQUAL TO} 0.40")


def test_a_gate_that_was_not_measured_says_of_whom_unless_of_all(result: dict) -> None:
    names = list(result["gates"])
    for name in names:
        result["gates"][name]["not_measured"] = ["survival"]
    assert "organisms established; not measured: survival" in dict(answer(result).facts)
    for name in names[1:]:
        result["gates"][name]["not_measured"] = []
    assert f"organisms established; not measured: survival (of {names[0]})" in dict(answer(result).facts)


def test_an_organism_without_gates_is_neither_established_nor_refuted() -> None:
    (row,) = views.organisms({"table": [{"organism": "o", "naive": 0.5}]})
    assert row.established is None and row.doubt == "no gates recorded"


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (3, "3"),
        ({"naive": 3, "setup": 3, "pairs": 2}, "3"),
        ({"naive": 3, "setup": 1, "pairs": 1}, "naive 3, setup 1"),
        ({"naive": 2, "setup": 2, "twin": 2, "decoy": 1, "pairs": 2}, "2, decoy 1"),
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
