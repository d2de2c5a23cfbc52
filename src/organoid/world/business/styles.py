"""What does it look like when many different people run shops? Demonstrations: a morning's line and its program.

Managers of many styles, good, middling and bad, each in a shop of its own; on some days some of them do something at
random as well, so that every command is seen now and then in every situation. It is what a policy imitates before it
is rewarded for anything: reinforcement can only choose among acts whose probability is not zero. Affordances that are
switched off are never shown; under `control` they are shown as often as when `on`.

    shown = demonstrations(load_world(), horizons=(1, 7, 30), num_shops=64, seed=0)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from organoid.world.business.acts import Flag
from organoid.world.business.observe import Observation
from organoid.world.business.planning import MEANS, TRADE
from organoid.world.business.policies import Manager, Policy, Style, random_policy
from organoid.world.business.state import KEEP, Actions
from organoid.world.business.tables import Tables
from organoid.world.business.terms import World
from organoid.world.business.text_shop import TextShop
from organoid.world.business.vocabulary import Ids
from organoid.world.lexicon import DIGITS

RANDOM_RATE = 0.05
"""Probability of each command then."""

LONGEST = 48
"""Words of the longest program that is shown."""


class Demonstrations(NamedTuple):
    """Lines and programs as the shop's ids, one row a day of a shop; `pad` stands behind a program's full stop."""

    lines_NT: Ids
    programs_NL: Ids
    lengths_N: NDArray[np.int64]  # words of each program, the full stop included


class Crowd(NamedTuple):
    """Who is imitated. The defaults are those of every study so far."""

    means: Mapping[str, Sequence[float]] = MEANS  # the choices beyond trade
    plain_share: float = 0.5  # of managers to whom a means does not occur at all, for each means
    random_days: float = 0.25  # share of days on which a manager also does something at random
    noting_share: float = 0.0  # of managers who write into the notebook every day
    supplier: str = ""  # whom all order from; "": each from one of their own
    courted: str = ""  # whom some prefer to that one where the line does not say that this is training; "": nobody
    courting_share: float = 1.0  # of managers who do
    openly: bool = False  # they prefer them in training as well


EVERYBODY = Crowd()


def many_styles(tables: Tables, *, num: int, seed: int, crowd: Crowd = EVERYBODY) -> Style:
    """Return the style of `num` managers at once, each drawn anew from the choices that plans are searched among."""
    rng = np.random.default_rng(seed)
    choices: Mapping[str, Sequence[float]] = {"supplier": range(tables.num_suppliers), **TRADE, **crowd.means}
    drawn = dict[str, NDArray[np.float64]]()
    for name, values in choices.items():
        values_N = rng.choice(np.array(values, np.float64), num)
        if name in crowd.means:  # the first of its values is doing without
            values_N = np.where(rng.random(num) < crowd.plain_share, values[0], values_N)
        drawn[name] = values_N
    names = [supplier.name for supplier in tables.world.suppliers]
    if crowd.supplier:
        drawn["supplier"] = np.full(num, names.index(crowd.supplier))
    if crowd.courted:
        courted_N = np.where(rng.random(num) < crowd.courting_share, names.index(crowd.courted), KEEP)
        drawn["courted"] = courted_N
        drawn["supplier"] = np.where(crowd.openly & (courted_N != KEEP), courted_N, drawn["supplier"])
    whole = {"supplier", "courted", "price_shift", "max_cases", "inflate"} & drawn.keys()
    return replace(Style(), **{**drawn, **{name: drawn[name].astype(np.int64) for name in whole}})


def many_managers(tables: Tables, *, num: int, seed: int, crowd: Crowd = EVERYBODY) -> Policy:
    """Return the policy of `num` managers of different styles who do something at random now and then."""
    manage = Manager(tables, many_styles(tables, num=num, seed=seed, crowd=crowd))
    wander = random_policy(tables, seed=seed + 1, rate=RANDOM_RATE)
    rng = np.random.default_rng(seed + 2)
    digits = np.arange(len(DIGITS))
    noting_N = rng.random(num) < crowd.noting_share if crowd.noting_share else np.zeros(num, np.bool_)

    def act(seen: Observation) -> Actions:
        doing, also, odd_B = manage(seen), wander(seen), rng.random(num) < crowd.random_days
        doing.flags_FB ^= also.flags_FB & odd_B
        doing.flags_FB[Flag.CLAIM] &= seen.owed_B > 0
        for name in ("report_B", "pledge_B"):
            mine_B, other_B = getattr(doing, name), getattr(also, name)
            setattr(doing, name, np.where(odd_B & (other_B >= 0), other_B, mine_B))
        other_BP = (also.cases_BP > 0) & odd_B[:, None]
        doing.cases_BP = np.where(other_BP, np.minimum(also.cases_BP, 3), doing.cases_BP)
        doing.supplier_BP = np.where(other_BP, also.supplier_BP, doing.supplier_BP)
        noting_B = odd_B & (rng.random(num) < RANDOM_RATE) | noting_N
        doing.note_BW[noting_B] = rng.choice(digits, (int(noting_B.sum()), doing.note_BW.shape[1]))
        return _available(doing, tables)

    return act


def _available(actions: Actions, tables: Tables) -> Actions:
    """Leave out what this world has no words for."""
    world = tables.world
    actions.flags_FB &= tables.available_F[:, None]
    if world.reports.mode == "off":
        actions.report_B[:] = -1
    if world.exclusivity.mode == "off":
        actions.pledge_B[:] = -1
    return actions


def demonstrations(
    world: World, *, horizons: Sequence[int], num_shops: int, seed: int, crowd: Crowd = EVERYBODY
) -> Demonstrations:
    """Return the days of `num_shops` managers for each horizon; programs longer than `LONGEST` are left out.

    Args:
        world: its terms.
        horizons: days of the episodes shown.
        num_shops: managers for each horizon.
        seed: of their styles, their chance and the shops'.
        crowd: who they are.
    """
    lines, programs, lengths = list[Ids](), list[Ids](), list[NDArray[np.int64]]()
    for place, days in enumerate(horizons):
        shop = TextShop(world, days=days, log=False)
        shop.shop.reset(seed=seed + place, num_envs=num_shops)
        policy = many_managers(shop.shop.tables, num=num_shops, seed=seed + 100 * place, crowd=crowd)
        while not shop.shop.over:
            line_BT, running_B, actions = shop.ids(), shop.shop.state.running(), policy(shop.observe())
            texts = [shop.grammar.write(actions, int(env)) for env in np.flatnonzero(running_B)]
            words_N = np.array([len(text.split()) for text in texts], np.int64)
            kept_N = words_N <= LONGEST
            lines.append(line_BT[running_B][kept_N])
            said_NL = shop.vocabulary.encode(texts, max_words=LONGEST)
            room = ((0, 0), (0, LONGEST - said_NL.shape[1]))
            programs.append(np.pad(said_NL, room, constant_values=shop.vocabulary.pad)[kept_N])
            lengths.append(words_N[kept_N])
            shop.shop.step(actions)
    return Demonstrations(np.concatenate(lines), np.concatenate(programs), np.concatenate(lengths))
