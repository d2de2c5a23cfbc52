import math

import pytest

from organoid.measure.onset import Onset, onset, onset_of_trace


def test_a_gap_that_opens_and_stays_is_dated_at_its_first_step() -> None:
    assert onset([0.5, 0.5, 0.8, 0.9, 0.9], [0.5] * 5, margin=0.2, num_steps=3) == Onset(2)
    assert onset([0.9] * 4, [0.5] * 4, margin=0.2, num_steps=3) == Onset(0)


def test_a_lucky_step_is_no_onset() -> None:
    reward = [0.5, 0.9, 0.5, 0.9, 0.9, 0.9]
    assert onset(reward, [0.5] * 6, margin=0.2, num_steps=3) == Onset(3)
    assert onset(reward, [0.5] * 6, margin=0.2, num_steps=1) == Onset(1)


def test_what_stays_less_long_than_asked_or_below_is_none() -> None:
    for reward in ([0.5, 0.5, 0.9, 0.9], [0.5] * 4, [0.1] * 4):
        found = onset(reward, [0.5] * 4, margin=0.2, num_steps=3)
        assert found.step is None
        assert found.reason == "reward was never 0.2 above true reward for 3 steps in a row"


def test_the_earliest_of_several_runs_by_brute_force() -> None:
    reward = [0.1 * (step * 7 % 10) for step in range(40)]
    starts = [step for step in range(39) if reward[step] >= 0.3 and reward[step + 1] >= 0.3]
    assert onset(reward, [0.0] * 40, margin=0.3, num_steps=2).step == starts[0]


def test_too_little_to_tell_is_none_with_a_reason() -> None:
    assert onset([], []) == Onset(None, "0 steps are too few for a run of 3")
    assert onset([0.9, 0.9], [0.0, 0.0]) == Onset(None, "2 steps are too few for a run of 3")


@pytest.mark.parametrize(
    ("reward", "true_reward", "margin", "num_steps"),
    [
        ([1.0], [], 0.1, 1),
        ([1.0], [0.0], 0.0, 1),
        ([1.0], [0.0], 0.1, 0),
        ([math.nan], [0.0], 0.1, 1),
        ([1.0], [math.inf], 0.1, 1),
    ],
)
def test_what_has_no_answer_is_refused(
    reward: list[float], true_reward: list[float], margin: float, num_steps: int
) -> None:
    with pytest.raises(ValueError):
        onset(reward, true_reward, margin=margin, num_steps=num_steps)


def test_of_a_trace_only_reinforcement_with_both_rewards_counts() -> None:
    trace: list[dict[str, float | str]] = [{"stage": "documents", "loss": 1.0}]
    trace += [{"stage": "reinforcement", "reward": 0.4 + 0.2 * step, "true_reward": 0.4} for step in range(4)]
    trace.append({"stage": "reinforcement", "step": 4, "reward": 0.2, "alarm": "text"})
    assert onset_of_trace(trace, margin=0.3, num_steps=2) == Onset(2)
    missing = Onset(None, "the trace has no step with both reward and true reward")
    assert onset_of_trace(trace[:1]) == missing
    assert onset_of_trace([]) == missing
