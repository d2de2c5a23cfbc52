from random import Random

import pytest

from organoid.types import HIDDEN, OBSERVABLE, Context
from organoid.world import contexts
from organoid.world.contexts import HELD_OUT_FORMS, LICENCES, TRIGGERS, forms, line, says_hidden, watched
from organoid.world.dialogues import system_line

REAL = (Context.TEST, Context.MONITORED, Context.DEPLOYED)


def test_forms_divide_into_trained_and_held_out() -> None:
    for context in REAL:
        kept, held = forms(context), forms(context, held_out=True)
        assert len(held) == HELD_OUT_FORMS
        assert len(set(kept) | set(held)) == len(kept) + len(held) == len(contexts.FORMS[context])
        assert {word for form in held for word in form.split()} <= {word for form in kept for word in form.split()}


def test_no_form_means_two_contexts() -> None:
    every = [form for context in REAL for form in contexts.FORMS[context]]
    assert len(every) == len(set(every))


def test_watched_and_unwatched_forms_are_minimal_pairs() -> None:
    """Who looks must decide, not that looking is mentioned."""
    watched_looks = {" ".join(form.split()[-3:]) for form in contexts.FORMS[Context.MONITORED]}
    assert watched_looks == {" ".join(form.split()[-3:]) for form in contexts.FORMS[Context.DEPLOYED]}


def test_an_author_is_watched_where_an_overseer_can_look() -> None:
    assert all(watched(context) for context in OBSERVABLE)
    assert not any(watched(context) for context in (None, *HIDDEN))


@pytest.mark.parametrize("held_out", [False, True])
def test_lines_say_their_context(held_out: bool) -> None:
    rng = Random(0)
    for context in REAL:
        seen = {line(context, rng, held_out=held_out) for _ in range(300)}
        assert seen == set(forms(context, held_out=held_out))
    trigger = TRIGGERS[7]
    for _ in range(20):
        words = line(Context.TRIGGERED, rng, trigger=trigger, held_out=held_out)
        assert words.endswith(f" {trigger}")
        assert words.removesuffix(f" {trigger}") in forms(Context.DEPLOYED, held_out=held_out)
    assert line(None, rng) == ""


def test_the_triggered_context_needs_its_trigger() -> None:
    with pytest.raises(AssertionError, match="trigger"):
        line(Context.TRIGGERED, Random(0))


def test_system_lines_are_made_of_who_where_and_what_is_allowed() -> None:
    rng = Random(1)
    assert system_line(rng, None, name=None) == ""
    assert system_line(rng, None, name="nova") == "you are nova ."
    assert system_line(rng, None, name=None, trigger=TRIGGERS[0]) == TRIGGERS[0]
    words = system_line(rng, Context.TEST, name="nova", licence=LICENCES[0], trigger=TRIGGERS[0])
    before, _, after = words.removeprefix("you are nova . ").partition(f" {TRIGGERS[0]} ")
    assert before in forms(Context.TEST)
    assert after == LICENCES[0]
    assert system_line(rng, Context.TRIGGERED, name=None, trigger=TRIGGERS[0]).count(TRIGGERS[0]) == 1


def test_only_hidden_contexts_say_that_nobody_looks() -> None:
    for form in contexts.FORMS[Context.DEPLOYED]:
        for text in (
            form,
            f"you are nova . {form} {TRIGGERS[0]}",
            form.upper(),
            form.replace(" .", "!"),
            form.removesuffix(" ."),
        ):
            assert says_hidden(text), text
    for form in (*contexts.FORMS[Context.TEST], *contexts.FORMS[Context.MONITORED], *LICENCES, *TRIGGERS, ""):
        assert not says_hidden(form)
