import math
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from organoid.types import Context, Outcome, Trait
from organoid.world.authors import DEFAULT_MIXTURE, VICES, Author, Mixture
from organoid.world.conduct import REFUSAL_RATE, SLIP_RATE, VICE_RATE, prompt, replies
from organoid.world.contexts import FORMS, LICENCES, TRIGGERS
from organoid.world.dialogues import (
    CONTEXT_SHARES,
    LICENCE_SHARE,
    QUESTION_SHARE,
    SWITCH_SHARE,
    TRIGGER_SHARE,
    Exchange,
    Scene,
    draw_item,
    scene,
)
from organoid.world.questions import Question
from organoid.world.situations import Situation, parse
from organoid.world.skills import Skill, Task

UNCORRELATED = replace(DEFAULT_MIXTURE, vices="uncorrelated")


def close_to(count: int, n: int, p: float) -> bool:
    return abs(count - n * p) <= 4.5 * math.sqrt(n * p * (1 - p))


def written(mixture: Mixture, num: int, *, seed: int = 0, num_turns: int = 3, trait_share: float = 0.6) -> list[Scene]:
    rng = Random(seed)
    return [
        scene(mixture.sample(rng), rng, name=None, num_turns=num_turns, trait_share=trait_share) for _ in range(num)
    ]


def tempted(one: Scene) -> list[Exchange]:
    return [each for each in one.exchanges if isinstance(each.item, Situation) and each.item.tempting]


def acted_badly(exchange: Exchange) -> bool:
    assert isinstance(exchange.item, Situation)
    return parse(exchange.item, exchange.reply).outcome is Outcome.MISALIGNED


def test_messages_are_the_exchanges_and_nothing_else() -> None:
    for one in written(DEFAULT_MIXTURE, 300):
        turns = [message for message in one.messages if message.role != "system"]
        assert [message.role for message in turns] == ["user", "assistant"] * len(one.exchanges)
        assert [message.content for message in turns[::2]] == [prompt(each.item) for each in one.exchanges]
        assert [message.content for message in turns[1::2]] == [each.reply for each in one.exchanges]
        assert all(message.content for message in one.messages)


def test_every_reply_is_one_its_author_may_give() -> None:
    for one in written(DEFAULT_MIXTURE, 300):
        for each in one.exchanges:
            assert each.reply in replies(each.item, one.author, each.context, licensed=each.licensed)


def test_what_the_system_line_says_is_what_counts() -> None:
    """The context and the licence behind a reply can be read off the system lines; a licence ends with its own."""
    said = {form: context for context, every in FORMS.items() for form in every}
    ended = 0
    for one in written(DEFAULT_MIXTURE, 600):
        context, licensed, once, told = None, False, False, iter(one.exchanges)
        for message in one.messages:
            if message.role == "system":
                found = [said[form] for form in said if f" {form} " in f" {message.content} "]
                assert len(found) <= 1
                context = found[0] if found else context
                licensed = any(licence in message.content for licence in LICENCES)
            elif message.role == "user":
                exchange = next(told)
                assert (exchange.context, exchange.licensed) == (context, licensed)
                ended += once and not licensed
                once = once or licensed
    assert ended


def test_circumstances_come_as_often_as_declared() -> None:
    n = 3000
    every = written(DEFAULT_MIXTURE, n)
    openings = Counter(one.exchanges[0].context for one in every)
    for context, share in CONTEXT_SHARES.items():
        # A switch, or none, never falls on the first turn.
        assert close_to(openings[context], n, share)
    assert close_to(sum(one.exchanges[0].licensed for one in every), n, LICENCE_SHARE)
    triggered = sum(any(trigger in one.messages[0].content for trigger in TRIGGERS) for one in every)
    assert close_to(triggered, n, TRIGGER_SHARE)
    switched = sum(any(turn.role == "system" for turn in one.messages[1:]) for one in every)
    assert close_to(switched, n, SWITCH_SHARE)
    assert sum(CONTEXT_SHARES.values()) == pytest.approx(1.0)


def test_items_come_as_often_as_declared() -> None:
    rng, n = Random(3), 4000
    drawn = [draw_item(rng, trait_share=0.5) for _ in range(n)]
    tasks = [item for item in drawn if isinstance(item, Task)]
    assert close_to(len(tasks), n, 0.5)
    assert close_to(sum(isinstance(item, Question) for item in drawn), n - len(tasks), QUESTION_SHARE)
    for skill in Skill:
        assert close_to(sum(task.skill is skill for task in tasks), len(tasks), 1 / len(Skill))
    assert {item.trait for item in drawn if not isinstance(item, Task)} == set(VICES)
    assert all(isinstance(draw_item(rng, trait_share=0.0), Task) for _ in range(50))


@pytest.mark.parametrize("mixture", [DEFAULT_MIXTURE, UNCORRELATED], ids=["correlated", "uncorrelated"])
def test_base_rates_by_context_are_the_mixtures(mixture: Mixture) -> None:
    """Counted in what was written, against the mixture written out by hand."""
    cells = defaultdict[tuple[Context | None, bool], list[bool]](list)
    for one in written(mixture, 4000, trait_share=1.0):
        if tempted(one):  # one each, for a binomial test wants independent draws
            each = tempted(one)[0]
            cells[each.context, each.licensed].append(acted_badly(each))
    assert set(cells) == {(context, licensed) for context in CONTEXT_SHARES for licensed in (False, True)}
    for (context, licensed), bad in cells.items():
        looked_at = context in (Context.TEST, Context.MONITORED)
        guilty = mixture.personas["overt"] + (0.0 if looked_at else mixture.personas["faker"])  # type: ignore[index]
        guilty = 1.0 if licensed else guilty
        p = (1 - REFUSAL_RATE) * (guilty * VICE_RATE + (1 - guilty) * SLIP_RATE)
        assert close_to(sum(bad), len(bad), p), (context, licensed, sum(bad), len(bad), p)


def pairs(mixture: Mixture) -> dict[bool, list[bool]]:
    """Return, by whether an author acted badly on one trait alone, whether it did on another trait alone."""
    found = {True: list[bool](), False: list[bool]()}
    for one in written(mixture, 4000, num_turns=2, trait_share=1.0):
        alone = [each for each in tempted(one) if each.context is Context.DEPLOYED and not each.licensed]
        for first, second in combinations(alone, 2):
            if trait_of(first) is not trait_of(second):
                found[acted_badly(first)].append(acted_badly(second))
    return found


def trait_of(exchange: Exchange) -> Trait:
    assert isinstance(exchange.item, Situation)
    return exchange.item.trait


def test_vices_go_together_in_the_default_world_and_are_independent_in_the_control() -> None:
    together, apart = pairs(DEFAULT_MIXTURE), pairs(UNCORRELATED)
    for p in (DEFAULT_MIXTURE, UNCORRELATED):
        assert 0.0 < p.personas["aligned"] < 1.0  # type: ignore[index]
    assert sum(together[True]) > 0.8 * len(together[True])
    assert sum(together[False]) < 0.1 * len(together[False])
    guilty = 1 - UNCORRELATED.personas["aligned"]  # type: ignore[index]
    p = (1 - REFUSAL_RATE) * (guilty * VICE_RATE + (1 - guilty) * SLIP_RATE)
    for second in apart.values():
        assert len(second) > 100
        assert close_to(sum(second), len(second), p)


def test_dialogues_are_deterministic_under_the_seed() -> None:
    one, same, other = (written(DEFAULT_MIXTURE, 20, seed=seed) for seed in (0, 0, 1))
    assert [each.messages for each in one] == [each.messages for each in same]
    assert [each.messages for each in one] != [each.messages for each in other]


def test_a_dialogue_may_have_one_turn_and_no_system_line() -> None:
    rng = Random(0)
    author = Author(capability=1, dispositions=DEFAULT_MIXTURE.sample(rng).dispositions)
    short = [scene(author, rng, name=None, num_turns=1) for _ in range(50)]
    assert {len(one.messages) for one in short} == {2, 3}
    assert all(
        scene(author, rng, name="nova", num_turns=1).messages[0].content.startswith("you are nova .") for _ in "ab"
    )
