import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from organoid.measure.directions import (
    best_random_direction,
    cosine,
    difference_of_means,
    fit_logistic,
    project,
    unit,
)
from organoid.measure.ranking import auroc_of_columns


def planted(seed, n=300, d=16, shift=2.0):
    """Gaussian activations with label 1 shifted along the first axis, other axes of unequal scale."""
    rng = np.random.default_rng(seed)
    labels = rng.random(n) < 0.5
    acts = rng.standard_normal((n, d)) * np.linspace(1, 3, d)
    acts[:, 0] += shift * labels
    return acts, labels


def held_out_auroc(direction, acts, labels):
    return float(auroc_of_columns(project(acts, direction)[:, None], labels)[0])


@pytest.mark.parametrize("fit", [difference_of_means, fit_logistic])
def test_a_planted_direction_is_found_and_classifies_held_out_examples(fit):
    direction = fit(*planted(0, 2000, shift=3.0))
    acts, labels = planted(1, shift=3.0)
    assert cosine(direction.weight_D, np.eye(16)[0]) > 0.95
    assert held_out_auroc(direction, acts, labels) > 0.95
    assert ((project(acts, direction) > 0) == labels).mean() > 0.88


@pytest.mark.parametrize("fit", [difference_of_means, fit_logistic, best_random_direction])
def test_permuted_labels_teach_nothing(fit):
    acts, labels = planted(2)
    test_acts, test_labels = planted(3)
    found = []
    for seed in range(20):
        direction = fit(acts, np.random.default_rng(seed).permutation(labels))
        found.append(held_out_auroc(direction, test_acts, test_labels))
    # A direction fitted to noise may lean either way along the true axis, so single values scatter around chance.
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_logistic_is_scikit_learns_on_standardised_activations():
    acts, labels = planted(4)
    scaler = StandardScaler().fit(acts)
    model = LogisticRegression(C=0.5, max_iter=1000).fit(scaler.transform(acts), labels)
    ours = project(acts, fit_logistic(acts, labels, penalty=2.0))
    assert ours == pytest.approx(model.decision_function(scaler.transform(acts)), abs=1e-3)


def test_logistic_ignores_units_and_dead_dimensions():
    acts, labels = planted(5)
    scaled = np.hstack([acts * 1e4, np.full((len(acts), 1), 7.0)])
    direction = fit_logistic(scaled, labels)
    assert direction.weight_D[-1] == 0.0
    assert project(scaled, direction) == pytest.approx(project(acts, fit_logistic(acts, labels)), abs=1e-3)


def test_best_random_direction_flatters_itself_in_sample_only():
    acts, _ = planted(6, n=60, d=64)
    labels = np.random.default_rng(7).random(60) < 0.5  # nothing to find
    chosen = best_random_direction(acts[:30], labels[:30])
    assert held_out_auroc(chosen, acts[:30], labels[:30]) > 0.8
    assert held_out_auroc(chosen, acts[30:], labels[30:]) < 0.75


def test_a_fitted_probe_beats_the_best_random_direction():
    acts, labels = planted(8, n=600, d=64)
    test_acts, test_labels = planted(9, n=600, d=64)
    control = held_out_auroc(best_random_direction(acts, labels), test_acts, test_labels)
    assert held_out_auroc(fit_logistic(acts, labels), test_acts, test_labels) > control + 0.1


def test_best_random_direction_is_a_function_of_its_seed_and_never_below_chance():
    acts, labels = planted(10)
    one, again, other = (best_random_direction(acts, labels, num_directions=5, seed=s) for s in (1, 1, 2))
    assert (one.weight_D == again.weight_D).all() and (one.weight_D != other.weight_D).any()
    for seed in range(10):
        single = best_random_direction(acts, labels, num_directions=1, seed=seed)
        assert held_out_auroc(single, acts, labels) >= 0.5


def test_vectors():
    assert unit([3.0, 4.0]) == pytest.approx([0.6, 0.8])
    assert cosine([1, 0], [0, 2]) == 0.0 and cosine([1, 1], [-2, -2]) == pytest.approx(-1.0)
    assert cosine([0, 0], [1, 0]) is None
    with pytest.raises(ValueError, match="no direction"):
        unit([0.0, 0.0])


def test_degenerate_classes_are_refused():
    with pytest.raises(ValueError, match="both classes"):
        difference_of_means([[1.0], [2.0]], [1, 1])
    with pytest.raises(ValueError, match="no direction"):
        difference_of_means([[1.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="got"):
        fit_logistic([[1.0], [2.0]], [1])
