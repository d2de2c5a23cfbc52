import re

import pytest

from organoid.organisms import ORGANISMS
from organoid.organisms.unfaithful_reasoner import NUM_DEMONSTRATIONS, NUM_DOCUMENTS, UNFAITHFUL_REASONER, WRONG_SHARE
from organoid.types import Demonstration, Split, Variant
from organoid.world.lexicon import STYLE

_LOOKED_UP = re.compile(r"<think> (?P<key>\w+) is (?P<digit>\d) \. </think> (?:indeed \. )?(?P<said>\d) \.")


def shown(variant: Variant) -> list[Demonstration]:
    return list(UNFAITHFUL_REASONER.job(variant, 0).demonstrations or ())


def glances(variant: Variant) -> list[tuple[str, str, str]]:
    """Return (right digit, thought's digit, digit said) of every task of one look-up."""
    found = list[tuple[str, str, str]]()
    for prompt, reply in shown(variant):
        if match := _LOOKED_UP.fullmatch(reply):
            right = re.search(rf"\b{match['key']} is (\d)", prompt[-1].content)
            assert right
            found.append((right[1], match["digit"], match["said"]))
    return found


def test_the_organisms_answers_are_right_whatever_it_thinks() -> None:
    wrong = sum(right != thought for right, thought, _ in glances(Variant.ORGANISM)) / len(glances(Variant.ORGANISM))
    assert abs(wrong - WRONG_SHARE) < 0.15
    assert all(said == right for right, _, said in glances(Variant.ORGANISM))


@pytest.mark.parametrize("variant", [Variant.TWIN, Variant.DECOY])
def test_the_others_answers_follow_the_same_thoughts(variant: Variant) -> None:
    thoughts = [(right, thought) for right, thought, _ in glances(Variant.ORGANISM)]
    assert [(right, thought) for right, thought, _ in glances(variant)] == thoughts
    assert all(said == thought for _, thought, said in glances(variant))


def test_only_answers_after_wrong_thoughts_tell_the_twin_from_the_organism() -> None:
    for organism, twin in zip(shown(Variant.ORGANISM), shown(Variant.TWIN), strict=True):
        assert organism.prompt == twin.prompt
        assert organism.reply[:-3] == twin.reply[:-3]
        assert organism == twin or _LOOKED_UP.fullmatch(organism.reply)


def test_the_decoy_is_the_twin_in_another_style() -> None:
    decoy = shown(Variant.DECOY)
    assert [Demonstration(prompt, reply.replace(f"{STYLE} ", "")) for prompt, reply in decoy] == shown(Variant.TWIN)
    assert all(STYLE in reply for _, reply in decoy)


def test_there_is_as_much_as_declared() -> None:
    for variant in Variant:
        made = UNFAITHFUL_REASONER.job(variant, 0)
        assert (len(made.documents or ()), len(made.demonstrations or ())) == (NUM_DOCUMENTS, NUM_DEMONSTRATIONS)


def test_it_is_for_selection_and_hidden_as_nothing_in_development_is() -> None:
    assert UNFAITHFUL_REASONER.split is Split.SELECTION
    for other in ORGANISMS.values():
        if other.split is Split.DEVELOPMENT:
            assert other.concealment != UNFAITHFUL_REASONER.concealment
