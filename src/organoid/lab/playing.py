"""How does a person run the shop, or watch a model or a reference policy run it? The same lines and programs, in turn.

A person's word that is no program is answered with the mistake and asked again; a model's loses the day, as in
training. Books are shown in the evening; the truth about acts only at the end, since it is not the player's to see.
`keep` writes the episode as an output directory that `organoid report` draws.

    play(None, world=load_world(), days=7, seed=0, ask=input, tell=print)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from organoid import __version__
from organoid.errors import UserError
from organoid.explain import did_you_mean
from organoid.world.business.acts import Ending
from organoid.world.business.briefing import briefing
from organoid.world.business.conduct import Conduct, conduct
from organoid.world.business.episodes import episode
from organoid.world.business.policies import Manager, Policy, Style, idle, random_policy
from organoid.world.business.tables import Tables
from organoid.world.business.terms import World
from organoid.world.business.text_shop import TextShop

if TYPE_CHECKING:
    from organoid.models.shopkeeper import Shopkeeper

POLICIES: Mapping[str, str] = {
    "nothing": "does nothing",
    "random": "gives every command now and then",
    "manager": "keeps a stock at the price that pays best, and reports what the ledger says",
}
"""Reference policies that can be watched."""

MAX_DAYS = 3650

Programs = Callable[[], str]


class Played(NamedTuple):
    """How the shop was run, and the episode as a report draws it."""

    conduct: Conduct
    episode: dict[str, Any]


def play(
    model: str | None,
    *,
    world: World,
    days: int,
    seed: int,
    ask: Callable[[str], str],
    tell: Callable[[str], None],
) -> Played:
    """Run one shop to its end and return how it was run.

    Args:
        model: a reference policy, a model directory or a base; None: a person, who is asked.
        world: its terms.
        days: the horizon.
        seed: of the shop's chance and of what a model samples.
        ask: called with the morning's prompt, returns a program; EOFError ends the game.
        tell: called with each line of what happens.

    Raises:
        UserError: no such policy or model, or a model that cannot speak the shop's language.
    """
    if not 1 <= days <= MAX_DAYS:
        raise UserError(f"days must be between 1 and {MAX_DAYS}, got {days}.")
    if seed < 0:
        raise UserError(f"seed must be at least 0, got {seed}.")
    shop = TextShop(world, days=days, diary=True)
    program = _asked(shop, ask, tell) if model is None else _spoken(model, shop, seed)
    shop.reset(seed=seed)
    if model is None:
        tell(briefing(world, days=days))
    while not shop.shop.over and bool(shop.shop.state.running()[0]):
        tell(f"day {shop.shop.state.day + 1}: {shop.lines()[0]}")
        try:
            said = program()
        except EOFError:
            tell("the game ends here.")
            break
        if model is not None:
            tell(f"  > {said}")
        shop.step([said])
        tell(f"  {_evening(shop)}")
    title = f"{model or 'a person'}, seed {seed}"
    return Played(conduct(shop.shop), episode(shop, title=title))


def keep(played: Played, target: Path, *, config: Mapping[str, Any], command: str) -> None:
    """Write an episode to a new directory: `config.json`, `result.json` and the journal that vouches for it.

    Args:
        played: what `play` returned.
        target: must not exist yet.
        config: all that the episode depends on.
        command: what to type for the same shop.

    Raises:
        UserError: something is there, or it can't be written. PrerequisiteError: the disk is full.
    """
    from organoid.lab.run_directory import RunDirectory

    with RunDirectory.create(target, config) as run:
        result = {
            "schema_version": 1,
            "organoid_version": __version__,
            "command": command,
            "finished": datetime.now(UTC).isoformat(),
            "conduct": played.conduct.as_json(),
            "summary": summary(played.conduct),
            "episodes": [played.episode],
        }
        run.write_json("result.json", result)
        run.seal()


def summary(found: Conduct) -> str:
    """Return how a shop was run, truth included, in a few lines."""
    acts = [f"{act.name.lower()} {rate:.2f}" for act, rate in found.act_rates.items() if rate]
    return "\n".join(
        [
            f"net worth {found.mean_worth:.2f} dollars; sales until day {found.days_to_stall:g}; "
            f"{'in business' if found.survived_frac else 'out of business'}; days lost {found.lost_frac or 0:.0%}",
            f"acts a day, by the log: {', '.join(acts) or 'none'}",
        ]
    )


def _evening(shop: TextShop) -> str:
    state, worth = shop.shop.state, shop.shop.net_worth()[0] / 100
    ended = {Ending.INSOLVENT: "; insolvent", Ending.REPLACED: "; replaced by the overseer"}
    return f"cash {state.cash_B[0] / 100:.2f}, net worth {worth:.2f}{ended.get(Ending(state.ending_B[0]), '')}"


def _asked(shop: TextShop, ask: Callable[[str], str], tell: Callable[[str], None]) -> Programs:
    def program() -> str:
        while True:
            said = ask("  > ").strip().lower()
            said = said if said.endswith(".") else f"{said} ."
            said = " ".join(said.replace(".", " . ").split())
            if (mistake := shop.grammar.mistake(said)) is None:
                return said
            tell(f"  {mistake}")

    return program


def _spoken(model: str, shop: TextShop, seed: int) -> Programs:
    """Return what a reference policy or a model says each morning."""
    if model not in POLICIES:
        return _sampled(_keeper(model, shop), seed)
    policy = _policy(model, shop.shop.tables, seed)
    return lambda: shop.grammar.write(policy(shop.observe()), 0)


def _policy(name: str, tables: Tables, seed: int) -> Policy:
    if name == "manager":
        return Manager(tables, Style())
    return idle(tables) if name == "nothing" else random_policy(tables, seed=seed)


def _keeper(model: str, shop: TextShop) -> Shopkeeper:
    from organoid.lab.bases import load_base
    from organoid.models.bases import BASES
    from organoid.models.shopkeeper import Shopkeeper

    if model not in BASES and not Path(model).exists():
        known = [*POLICIES, *BASES]
        raise UserError(
            f"there is no policy, base or directory {model!r}.{did_you_mean(model, known)} "
            f"Allowed: {', '.join(known)}, or a model directory."
        )
    return Shopkeeper(load_base(model), shop)


def _sampled(keeper: Shopkeeper, seed: int) -> Programs:
    import torch

    generator: Any = torch.Generator().manual_seed(seed)

    def program() -> str:
        written = keeper.write(np.array([0]), generator)[1]
        return keeper.shop.vocabulary.decode(keeper.words(written))[0]

    return program
