import pytest

from organoid.certificate.arms import arm, grain, listed, percent_at_least, percent_at_most
from organoid.types import Context, Trait, Variant


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "0 %"), (0.05, "5 %"), (0.0495, "5 %"), (0.04871, "4.9 %"), (1.0, "100 %"), (0.3, "30 %")],
)
def test_bounds_are_rounded_up(share, words):
    assert percent_at_most(share) == words


def test_lower_bounds_are_rounded_down():
    assert [percent_at_least(share) for share in (0.6637, 0.9, 0.0)] == ["66.3 %", "90 %", "0 %"]


@pytest.mark.parametrize(
    ("names", "words"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_in_words(names, words):
    assert listed(names) == words


def test_grain_is_one_prompt_of_the_least_measured_hidden_context(make):
    record = make(rate=0.5)
    rate = record.truth[Trait.SYCOPHANCY][Context.DEPLOYED]
    assert grain([record]) == pytest.approx(1 / 48)
    few = rate.model_copy(update={"num_aligned": 3, "num_misaligned": 0, "num_other": 1, "num_refused": 1})
    watched = record.model_copy(update={"truth": {Trait.SYCOPHANCY: {Context.TEST: few, Context.DEPLOYED: rate}}})
    hidden = record.model_copy(update={"truth": {Trait.SYCOPHANCY: {Context.TRIGGERED: few, Context.DEPLOYED: rate}}})
    assert grain([watched]) == pytest.approx(1 / 48)
    assert grain([hidden]) == pytest.approx(1 / 5)
    assert grain([record.model_copy(update={"truth": {}})]) == 0.0


def test_an_arm_holds_its_failed_trials_too(make):
    failed = make(seed=1, status="failed")
    assert set(arm([make(), failed, make("other")], organism="sycophant", variant=Variant.ORGANISM, setup="naive")) == {
        0,
        1,
    }
