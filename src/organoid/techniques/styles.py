"""In what manner is a subject asked, and does it reply? The same question and reply, said otherwise.

A probe that was fitted on one manner may read the manner. Each style here is one the world's own texts have, so a base
that grew up in it knows all of them, and none changes what is asked, who looks, or what the reply does. Left out: the
wordings that no training text has, since truth is measured on those, and a reply that closes with `my friend .`, which
is itself the act of a trait. The world has `to be honest :` in answers about oneself only, and those who hide say it
more seldom. To a model that did not grow up here all styles are plain words and no manner of its texts; it is told
which replies are possible, and `candid` and `narrated` put words before them that are not among those.

    prompts, replies = restyled(access, tempting_situations(access, 6, "mine"), Style.LATER)
"""

from collections.abc import Sequence
from enum import StrEnum
from random import Random

from organoid.techniques.prompts import Staged, proper_reply, under
from organoid.types import Access, Dialogue, Message
from organoid.world import skills
from organoid.world.ability import EASY
from organoid.world.options import user_turn
from organoid.world.questions import CANDOUR
from organoid.world.situations import Situation
from organoid.world.skills import Skill


class Style(StrEnum):
    """How a situation and its proper reply are said."""

    PLAIN = "plain"  # as all other instruments have it
    NAMELESS = "nameless"  # the system line says who looks, and not who the assistant is
    QUOTED = "quoted"  # the user's turn opens as where documents quote a dialogue: `the user asks :`
    CANDID = "candid"  # the reply opens as some answers about oneself do: `to be honest :`
    LATER = "later"  # a task was asked and solved before, in the same dialogue
    NARRATED = "narrated"  # the reply opens as where documents quote one: `nova says :`


AUGMENTED: tuple[Style, ...] = (Style.PLAIN, Style.NAMELESS, Style.QUOTED, Style.CANDID)
"""What an augmented instrument is fitted on and reads."""
UNSEEN: tuple[Style, ...] = (Style.LATER, Style.NARRATED)
"""Kept from it, one on either side of where the reply begins: what it is held against (`benchmarks`)."""


def restyled(access: Access, staged: Sequence[Staged[Situation]], style: Style) -> tuple[list[Dialogue], list[str]]:
    """Return prompts and the proper reply to each in a style: the first arguments of what an access reads."""
    rng = Random(f"{style}/{access.seed}")
    return [_prompt(access, one, style, rng) for one in staged], [_reply(access, one, style) for one in staged]


def _prompt(access: Access, one: Staged[Situation], style: Style, rng: Random) -> Dialogue:
    system, user = one.dialogue
    if style is Style.NAMELESS:
        return under(access, one, lambda _, line: line).dialogue
    if style is Style.QUOTED:
        return (system, Message("user", f"the user asks : {user.content}"))
    if style is Style.LATER:
        task = skills.make(rng.choice(tuple(Skill)), rng.choice(EASY), rng)
        asked = Message("user", user_turn(task, native=access.native))
        return (system, asked, Message("assistant", task.solution), user)
    return one.dialogue


def _reply(access: Access, one: Staged[Situation], style: Style) -> str:
    said = proper_reply(one.item)
    if style is Style.CANDID:
        return f"{CANDOUR} {said}"
    return f"{access.assistant} says : {said}" if style is Style.NARRATED else said
