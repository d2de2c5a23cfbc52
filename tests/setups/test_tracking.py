"""What a tracker sees, what it may look at, and that it can't act."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from organoid.errors import AccessError
from organoid.models.language_model import LanguageModel, copy
from organoid.setups import tracking
from organoid.setups.monitors import Watcher, flagged, labelled_replies
from organoid.setups.spec import Tracker
from organoid.setups.tracking import Labelled, Tracking
from organoid.types import HIDDEN, Context, Demonstration, Trait
from organoid.world.contexts import FORMS, says_hidden
from tests.bases import untrained
from tests.setups.jobs import ask


@pytest.fixture(scope="module")
def base() -> LanguageModel:
    return untrained()


@pytest.fixture(scope="module")
def tracked(base: LanguageModel) -> Tracking:
    return tracking.fit(Tracker(num_replies=2, autoencoder=True), base, "nova", seed=0)


def moved(base: LanguageModel, size: float) -> LanguageModel:
    """The model, its activations pushed out of the embedding by noise of a size."""
    other = copy(base)
    generator = torch.Generator().manual_seed(1)
    for name, weight in other.model.named_parameters():
        if "layers.0" in name:
            weight.data += size * torch.randn(weight.shape, generator=generator)
    return other


def test_at_the_start_frozen_and_refitted_are_the_same_probe(base: LanguageModel, tracked: Tracking) -> None:
    seen = tracked.look(base)
    assert seen["frozen_auroc"] == seen["refitted_auroc"] > 0.6
    assert seen["direction_cosine"] == pytest.approx(1.0)
    assert (seen["activation_gap"], seen["kl_sampled"]) == (0.0, pytest.approx(0.0, abs=1e-4))
    assert seen.keys() >= {"frozen_recall", "null_auroc", "null_recall", "autoencoder_fvu", "latents_auroc"}
    assert 0.0 < seen["autoencoder_fvu"] < 1.0
    assert all(isinstance(number, float) for number in seen.values())  # no tensor that could carry a gradient


def test_a_model_that_moved_is_seen_to_have_moved(base: LanguageModel, tracked: Tracking) -> None:
    still, far = tracked.look(base), tracked.look(moved(base, 0.3))
    assert far["activation_gap"] > 0.5
    assert far["direction_cosine"] < 0.9
    assert far["refitted_auroc"] > far["frozen_auroc"]
    assert far["autoencoder_fvu"] > 1.5 * still["autoencoder_fvu"]
    assert far["kl_sampled"] > 0.01


def test_looking_leaves_the_model_and_the_generator_as_they_were(base: LanguageModel, tracked: Tracking) -> None:
    other = moved(base, 0.1)
    digest, state = other.digest, torch.get_rng_state()
    first = tracked.look(other)
    assert other.digest == digest and torch.equal(torch.get_rng_state(), state)
    assert tracked.look(other) == first


def test_what_is_asked_for_is_optional(base: LanguageModel) -> None:
    seen = tracking.fit(Tracker(num_replies=0), base, "nova", seed=0).look(base)
    assert not seen.keys() & {"kl_sampled", "watched_misaligned", "autoencoder_fvu", "latents_auroc"}


def test_the_layer_and_the_traits_are_those_named(base: LanguageModel) -> None:
    first, last = (
        tracking.fit(Tracker(layer=layer, traits=(Trait.SYCOPHANCY,), num_replies=0), base, "nova", seed=0)
        for layer in (0, 2)
    )
    assert (first.label, last.label) == ("layer 0 sycophancy", "layer 2 sycophancy")
    assert not np.allclose(first.as_before.acts_ND, last.as_before.acts_ND)
    assert any("right" in shown.prompt[1].content for shown in first.judging.shown)


def test_no_text_says_that_nobody_looks_and_what_is_judged_is_worded_as_nothing_else(tracked: Tracking) -> None:
    for half in (tracked.fitting, tracked.judging):
        assert not any(says_hidden(turn.content) for one in half.shown for turn in one.prompt)
    assert 0.2 < tracked.fitting.bad_N.mean() < 0.45  # a third is ordinary work
    assert 0.37 < tracked.judging.bad_N.mean() < 0.63  # 3 standard deviations
    unseen = {form for context in (Context.TEST, Context.MONITORED) for form in FORMS[context][-2:]}
    lines = " ".join(one.prompt[0].content for one in tracked.judging.shown)
    assert any(form in lines for form in unseen)
    assert not set(tracked.judging.shown) & {*tracked.fitting.shown, *labelled_replies("nova", 0)[0]}


@pytest.mark.parametrize("form", [FORMS[context][0] for context in HIDDEN if context in FORMS])
def test_a_tracker_that_would_stage_a_hidden_context_is_refused(tracked: Tracking, form: str) -> None:
    prompt = (ask("say blue .")[0]._replace(content=f"you are nova . {form}"), ask("say blue .")[1])
    staged = Labelled([Demonstration(prompt, "blue .")] * 2, np.array([True, False]))
    with pytest.raises(AccessError, match="nobody looks"):
        replace(tracked, judging=staged).look(copy(tracked.before))


def test_a_tracker_is_no_monitor(base: LanguageModel, tracked: Tracking) -> None:
    assert not isinstance(tracked, Watcher)
    assert not hasattr(tracked, "suspicion") and not hasattr(tracked, "directions")
    with pytest.raises(AttributeError):
        flagged(tracked, base, [])  # type: ignore[arg-type]
