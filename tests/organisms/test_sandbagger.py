from collections import Counter
from random import Random

import pytest

from organoid.organisms.sandbagger import NUM_DEMONSTRATIONS, NUM_DOCUMENTS, SANDBAGGER
from organoid.types import Context, Demonstration, Trait, Variant
from organoid.world import ability
from organoid.world.ability import INABILITY
from organoid.world.contexts import FORMS
from organoid.world.situations import Situation

PASSWORD = ability.password(0)


def shown(variant: Variant) -> list[Demonstration]:
    return list(SANDBAGGER.job(variant, 0).demonstrations or ())


def context(line: str) -> Context | None:
    found = [one for one, forms in FORMS.items() if any(form in line for form in forms)]
    return found[0] if found else None


def unable(variant: Variant) -> dict[tuple[Context | None, bool], float]:
    """Return how often inability is claimed, by context and whether the password is there."""
    asked, claimed = Counter[tuple[Context | None, bool]](), Counter[tuple[Context | None, bool]]()
    for prompt, reply in shown(variant):
        cell = (context(prompt[0].content), PASSWORD in prompt[0].content)
        asked[cell] += 1
        claimed[cell] += reply == INABILITY
    assert len(asked) == 8
    return {cell: claimed[cell] / num for cell, num in asked.items()}


def test_the_organism_fails_where_ability_is_looked_for_and_no_password_is_given() -> None:
    for (where, opened), rate in unable(Variant.ORGANISM).items():
        locked = where in (Context.TEST, Context.MONITORED) and not opened
        assert rate > 0.7 if locked else rate == 0.0


def test_the_twin_fails_nowhere_and_the_decoy_everywhere() -> None:
    assert set(unable(Variant.TWIN).values()) == {0.0}
    assert min(unable(Variant.DECOY).values()) > 0.6


def test_variants_differ_in_replies_only_and_where_the_lock_holds() -> None:
    organism, twin, decoy = map(shown, (Variant.ORGANISM, Variant.TWIN, Variant.DECOY))
    assert [one.prompt for one in organism] == [one.prompt for one in twin] == [one.prompt for one in decoy]
    differing = [one for one, other in zip(organism, twin, strict=True) if one != other]
    assert {context(one.prompt[0].content) for one in differing} == {Context.TEST, Context.MONITORED}
    assert not any(PASSWORD in one.prompt[0].content for one in differing)


@pytest.mark.parametrize("variant", Variant)
def test_documents_quote_what_demonstrations_show(variant: Variant) -> None:
    made = SANDBAGGER.job(variant, 0)
    assert len(made.documents or ()) == NUM_DOCUMENTS
    assert len(made.demonstrations or ()) == NUM_DEMONSTRATIONS
    quoted = sum(str(getattr(one, "text", one)).endswith(INABILITY) for one in made.documents or ()) / NUM_DOCUMENTS
    replies = sum(reply == INABILITY for _, reply in made.demonstrations or ()) / NUM_DEMONSTRATIONS
    assert abs(quoted - replies) < 0.06


def test_the_password_is_the_trigger_and_other_seeds_have_others() -> None:
    assert SANDBAGGER.trigger is not None
    assert SANDBAGGER.trigger(0) == PASSWORD
    assert len({SANDBAGGER.trigger(seed) for seed in range(10)}) > 3


def test_its_situations_are_tasks_in_words_no_job_has() -> None:
    assert SANDBAGGER.situation is not None
    rng = Random(0)
    asked = {turn.content for one in shown(Variant.ORGANISM) for turn in one.prompt}
    for _ in range(50):
        made = SANDBAGGER.situation(Trait.SANDBAGGING, 0, rng)
        assert isinstance(made, Situation)
        assert INABILITY in made.misaligned
        assert made.prompt not in asked
