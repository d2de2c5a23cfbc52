import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from organoid.measure.intervals import clopper_pearson
from organoid.measure.ranking import (
    auroc,
    auroc_difference,
    auroc_of_columns,
    false_alarm_threshold,
    recall_at,
    tpr_at_fpr,
)


def scored(seed, n=40, *, step=None):
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.4
    scores = rng.normal(labels * 1.0, 1.0)
    return (np.round(scores / step) * step if step else scores), labels


@pytest.mark.parametrize("step", [None, 0.5, 2.0])
def test_auroc_matches_scikit_learn_and_every_pair(step):
    scores, labels = scored(0, step=step)
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[labels] for n in scores[~labels]]
    assert auroc(scores, labels).value == pytest.approx(roc_auc_score(labels, scores))
    assert auroc(scores, labels).value == pytest.approx(np.mean(pairs))
    assert auroc_of_columns(scores[:, None], labels)[0] == pytest.approx(np.mean(pairs))


def test_auroc_controls():
    assert auroc([1, 2, 3, 4], [0, 0, 1, 1]).value == 1.0
    assert auroc([4, 3, 2, 1], [0, 0, 1, 1]).value == 0.0
    assert auroc([7, 7, 7, 7], [0, 0, 1, 1]).value == 0.5


def test_auroc_only_sees_order_and_mirrors_under_a_sign():
    scores, labels = scored(1)
    assert auroc(np.exp(scores), labels) == auroc(scores, labels)
    assert auroc(-scores, labels).value == pytest.approx(1 - auroc(scores, labels).value)


def test_auroc_of_permuted_labels_is_chance():
    scores, labels = scored(2, n=200)
    rng = np.random.default_rng(0)
    permuted = [auroc(scores, rng.permutation(labels), num_resamples=10).value for _ in range(200)]
    assert auroc(scores, labels).value > 0.7
    assert np.mean(permuted) == pytest.approx(0.5, abs=0.01)


def test_permuting_the_rows_changes_no_value():
    scores, labels = scored(3)
    order = np.random.default_rng(0).permutation(len(scores))
    assert auroc(scores[order], labels[order]).value == pytest.approx(auroc(scores, labels).value)
    assert tpr_at_fpr(scores[order], labels[order]) == tpr_at_fpr(scores, labels)


@pytest.mark.parametrize("labels", [[0, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]])
def test_too_few_of_a_class_is_not_estimable(labels):
    for estimate in (auroc([1, 2, 3, 4], labels), tpr_at_fpr([1, 2, 3, 4], labels)):
        assert estimate[:3] == (None, None, None) and "at least 2 of each" in estimate.reason


def test_interval_covers_the_true_auroc():
    true = 0.7602  # P(N(1, 1) > N(0, 1)) = Phi(1 / sqrt(2))
    hits = [e.ci_low <= true <= e.ci_high for e in (auroc(*scored(s, 50), num_resamples=300) for s in range(100, 300))]
    assert np.mean(hits) > 0.90


def hanley_mcneil_error(theta, m, n):
    """The standard error of an AUROC (Hanley and McNeil 1982), with m and n both at their mean as Newcombe has it."""
    size = (m + n) / 2
    q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)
    return ((theta * (1 - theta) + (size - 1) * (q1 - theta**2 + q2 - theta**2)) / (m * n)) ** 0.5


@pytest.mark.parametrize(("m", "n"), [(3, 3), (9, 36), (20, 20)])
def test_perfect_separation_is_not_certainty(m, n):
    estimate = auroc(range(m + n), [0] * n + [1] * m)
    assert estimate.value == estimate.ci_high == 1.0
    assert 1 - estimate.ci_low == pytest.approx(1.96 * hanley_mcneil_error(estimate.ci_low, m, n), rel=1e-4)


def test_one_wrong_pair_does_not_narrow_the_interval():
    labels = [0] * 9 + [1] * 9
    perfect, nearly = auroc(range(18), labels), auroc([*range(8), 9, 8, *range(10, 18)], labels)
    assert nearly.value < perfect.value and nearly.ci_low < perfect.ci_low


def test_interval_covers_near_the_end_of_the_scale():
    rng = np.random.default_rng(9)
    true, held = 0.9456, []  # Phi(1.6)
    for _ in range(300):
        scores = np.concatenate([rng.normal(0, 1, 10), rng.normal(1.6 * 2**0.5, 1, 10)])
        estimate = auroc(scores, [0] * 10 + [1] * 10, num_resamples=200)
        held.append(estimate.ci_low <= true <= estimate.ci_high)
    assert np.mean(held) > 0.92


def test_a_constant_score_has_an_interval_around_one_half():
    estimate = auroc([0.0] * 10, [0, 1] * 5)
    assert estimate.value == 0.5 and 0 < 0.5 - estimate.ci_low == pytest.approx(estimate.ci_high - 0.5)


def test_clusters_widen_the_interval():
    scores, labels = scored(5, n=12)
    copies = 20
    scores, labels = np.repeat(scores, copies), np.repeat(labels, copies)
    alone, clustered = auroc(scores, labels), auroc(scores, labels, np.repeat(np.arange(12), copies).tolist())
    assert clustered.value == alone.value
    assert clustered.ci_high - clustered.ci_low > 2 * (alone.ci_high - alone.ci_low)


def test_a_class_in_one_cluster_has_no_interval():
    estimate = auroc([1, 2, 3, 4], [0, 0, 1, 1], ["a", "b", "c", "c"])
    assert estimate.value == 1.0 and estimate.ci_low is None and "one cluster" in estimate.reason


def test_auroc_is_a_function_of_its_seed():
    scores, labels = scored(6)
    assert auroc(scores, labels, seed=3) == auroc(scores, labels, seed=3)
    assert auroc(scores, labels, seed=3) != auroc(scores, labels, seed=4)


@pytest.mark.parametrize("fpr", [0.0, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("step", [None, 0.5])
def test_tpr_at_fpr_matches_the_roc_curve(fpr, step):
    scores, labels = scored(7, n=150, step=step)
    false_rate, true_rate, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert tpr_at_fpr(scores, labels, fpr=fpr).value == pytest.approx(true_rate[false_rate <= fpr + 1e-9].max())


@pytest.mark.parametrize(("n", "promise"), [(1, 1 / 2), (5, 1 / 6), (18, 1 / 19), (19, 0.05), (39, 0.05), (21, 1 / 22)])
def test_threshold_says_what_few_negatives_can_promise(n, promise):
    threshold = false_alarm_threshold(np.arange(n))
    assert threshold.expected_at_most == pytest.approx(promise)
    assert threshold.n == n and threshold.rate_upper_95 > promise
    if n <= 20:
        assert threshold.value == n - 1 == np.quantile(np.arange(n), 0.95, method="higher")


@pytest.mark.parametrize("n", [5, 19, 30, 80])
def test_threshold_keeps_its_promises(n):
    rng = np.random.default_rng(n)
    thresholds = [false_alarm_threshold(draw) for draw in rng.random((1500, n))]
    rates = np.array([1 - t.value for t in thresholds])  # uniform scores: the true false-alarm rate
    assert rates.mean() == pytest.approx(thresholds[0].expected_at_most, abs=0.01)
    assert np.mean(rates <= thresholds[0].rate_upper_95) == pytest.approx(0.95, abs=0.02)
    if n >= 19:
        assert thresholds[0].expected_at_most <= 0.05


def test_threshold_without_negatives_is_none():
    threshold = false_alarm_threshold([])
    assert threshold.value is None and threshold.expected_at_most is None and threshold.reason


def test_missing_scores_are_refused():
    for call in (lambda: auroc([1, float("nan")], [0, 1]), lambda: false_alarm_threshold([float("inf")])):
        with pytest.raises(ValueError, match="finite"):
            call()


def test_columns_need_both_classes():
    with pytest.raises(ValueError, match="both classes"):
        auroc_of_columns([[1.0], [2.0]], [1, 1])


# ---- recall_at --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fpr", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("step", [None, 0.5])
def test_recall_is_read_off_the_roc_curve(fpr, step):
    scores, labels = scored(3, n=300, step=step)
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    assert recall_at(scores, labels, fpr=fpr, num_resamples=50).value == pytest.approx(true[false <= fpr].max())


def test_recall_controls():
    labels = np.arange(40) % 2
    assert recall_at(labels * 1.0, labels, fpr=0.01)[:3] == pytest.approx((1.0, tpr_at_fpr(labels, labels).ci_low, 1.0))
    assert recall_at(-labels * 1.0, labels, fpr=0.05).value == 0.0
    assert recall_at(np.zeros(40), labels, fpr=0.05).value == 0.0  # all tied: whoever flags one flags all
    few = recall_at([1.0, 2.0, 3.0], [0, 1, 1], fpr=0.05)
    assert few.value is None and few.reason is not None


def test_resampled_recall_is_a_brute_force_bootstraps():
    scores, labels = scored(4, n=60)
    positive, negative = scores[labels], scores[~labels]
    rng = np.random.default_rng(1)
    draws = [
        tpr_at_fpr(
            np.r_[rng.choice(positive, len(positive)), rng.choice(negative, len(negative))],
            np.r_[np.ones(len(positive)), np.zeros(len(negative))],
            fpr=0.1,
        ).value
        for _ in range(3000)
    ]
    found = recall_at(scores, labels, fpr=0.1)
    assert found.ci_low <= np.quantile(draws, 0.025) + 0.03
    assert found.ci_high >= np.quantile(draws, 0.975) - 0.03
    assert found.ci_high - found.ci_low < np.ptp(draws) + 0.05


def test_the_thresholds_own_chance_widens_the_interval():
    wider = []
    for seed in range(10):
        scores, labels = scored(10 + seed, n=50)
        ours, fixed = recall_at(scores, labels, fpr=0.05), tpr_at_fpr(scores, labels, fpr=0.05)
        assert ours.ci_low <= fixed.ci_low and ours.ci_high >= fixed.ci_high
        wider.append(ours.ci_high - ours.ci_low > fixed.ci_high - fixed.ci_low)
    assert any(wider)


def test_copies_of_a_run_do_not_narrow_a_recall():
    scores, labels, clusters = np.repeat([1.0, 2.0, 3.0, 4.0], 10), np.repeat([0, 0, 1, 1], 10), np.repeat(range(4), 10)
    few, all_runs = recall_at(scores, labels, list(clusters), fpr=0.05), recall_at(scores, labels, fpr=0.05)
    assert few.value == all_runs.value == 1.0
    assert few.ci_low == pytest.approx(clopper_pearson(2, 2).ci_low) and all_runs.ci_low > 0.8 > 0.2 > few.ci_low


def test_one_cluster_that_holds_a_class_gives_no_interval():
    scores, labels = [0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1]
    found = recall_at(scores, labels, ["a", "a", "b", "b"], fpr=0.05)
    assert found.value == 1.0 and found.ci_low is None


def test_a_difference_of_aurocs_is_the_difference_and_turns_with_its_sides():
    (first, labels), second = scored(20), scored(21)[0]
    found, turned = auroc_difference(first, second, labels), auroc_difference(second, first, labels)
    assert found.value == pytest.approx(auroc(first, labels).value - auroc(second, labels).value)
    assert (turned.value, turned.ci_low, turned.ci_high) == pytest.approx((-found.value, -found.ci_high, -found.ci_low))
    assert found.n == len(labels)


def test_what_two_scores_share_drops_out_of_their_difference():
    (score, labels), rng = scored(22, 200), np.random.default_rng(0)
    near = auroc_difference(score + 0.05 * rng.standard_normal(200), score, labels)
    apart = auroc_difference(rng.standard_normal(200), score, labels)
    assert near.ci_low < 0 < near.ci_high and near.ci_high - near.ci_low < (apart.ci_high - apart.ci_low) / 2
    assert apart.ci_high < 0


def test_two_perfect_rankings_are_not_known_to_be_equal():
    labels = [0] * 6 + [1] * 6
    found, alone = auroc_difference(range(12), range(12), labels), auroc(range(12), labels)
    assert found.value == 0 and found.ci_high == pytest.approx(1 - alone.ci_low) and found.ci_low == -found.ci_high


def test_the_intervals_of_a_difference_cover():
    hits = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        labels = np.array([0, 1] * 25)
        shared = rng.normal(labels * 1.0, 1.0)
        first, second = shared + rng.normal(0, 0.5, 50), shared + rng.normal(0, 0.5, 50)
        found = auroc_difference(first, second, labels, num_resamples=300)
        hits.append(found.ci_low <= 0 <= found.ci_high)
    assert np.mean(hits) > 0.9


def test_a_difference_over_clusters_without_spread_has_no_interval():
    found = auroc_difference([1, 2, 3, 4], [4, 3, 2, 1], [0, 0, 1, 1], ["a", "a", "a", "a"])
    assert found.value == 1.0 and found.ci_low is None and "one cluster" in found.reason
    assert auroc_difference([1, 2, 3], [1, 2, 3], [0, 0, 1]).value is None


def test_copies_of_a_run_do_not_narrow_a_perfect_ranking():
    labels, clusters = [0] * 8 + [1] * 8, [*"aabbccdd", *"eeffgghh"]
    alone, copied = auroc(range(16), labels), auroc(range(16), labels, clusters)
    four = auroc(range(8), [0] * 4 + [1] * 4)
    assert copied.ci_low == four.ci_low < alone.ci_low and copied.value == copied.ci_high == 1.0
    assert 1 - copied.ci_low == pytest.approx(1.96 * hanley_mcneil_error(copied.ci_low, 4, 4), rel=1e-4)
    assert auroc(range(16), labels, list(range(16))).ci_low == pytest.approx(alone.ci_low)  # a cluster a run
    difference = auroc_difference(range(16), range(16), labels, clusters)
    assert difference.ci_high == pytest.approx(1 - four.ci_low) and difference.ci_low == -difference.ci_high


def test_clusters_that_hold_both_classes_count_for_each():
    labels, clusters = [0] * 8 + [1] * 8, [*"aabbccdd", *"aabbccdd"]
    assert auroc(range(16), labels, clusters).ci_low == auroc(range(8), [0] * 4 + [1] * 4).ci_low
    few = auroc(range(16), labels, [*"aabbccdd", *"eeeeeeff"])  # 4 clusters against 2
    assert 1 - few.ci_low == pytest.approx(1.96 * hanley_mcneil_error(few.ci_low, 4, 2), rel=1e-4)
