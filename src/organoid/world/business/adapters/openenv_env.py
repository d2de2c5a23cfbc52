"""How does an OpenEnv client run the shop? One environment behind OpenEnv's server: a line out, a program in, in words.

Needs OpenEnv (an extra). Every session has a shop of its own. An observation is the morning's line; the first has the
rules as well, since a client's model has never seen the shop's language. What the agent may not see, the truth about
its acts, is in the observation's `metadata`, which OpenEnv keeps apart from what is shown. The batch axis of
`shop.Shop` is lost: for thousands of shops in one process use that.

    app = create_app(load_world(), days=30)   # then: uvicorn module:app
"""

from __future__ import annotations

import importlib
from typing import Any

from pydantic import Field

from organoid.errors import PrerequisiteError
from organoid.world.business.acts import Act, Ending, Outcome
from organoid.world.business.briefing import briefing
from organoid.world.business.shop import Step
from organoid.world.business.terms import World
from organoid.world.business.text_shop import TextShop

try:
    interfaces: Any = importlib.import_module("openenv.core.env_server.interfaces")  # an optional extra
    types: Any = importlib.import_module("openenv.core.env_server.types")
    server: Any = importlib.import_module("openenv.core.env_server.http_server")
except ImportError:
    raise PrerequisiteError(
        "the OpenEnv adapter needs OpenEnv, which is not installed. Type: pip install 'openenv>=0.10'"
    ) from None


class ShopAction(types.Action):
    """A day's program."""

    program: str = Field(description="commands, then a full stop; anything else loses the day")


class ShopObservation(types.Observation):
    """A morning."""

    line: str = Field(default="", description="the morning's line")
    rules: str = Field(default="", description="what the words mean; with the first morning only")


class ShopEnvironment(interfaces.Environment):
    """One shop at a time; see the module for what is seen of it."""

    SUPPORTS_CONCURRENT_SESSIONS: bool = True

    def __init__(self, world: World, *, days: int) -> None:
        interfaces.Environment.__init__(self)
        self.shop = TextShop(world, days=days)
        self._rules = briefing(world, days=days)
        self._state = types.State(episode_id=None, step_count=0)
        self._next = 0

    def reset(self, seed: int | None = None, episode_id: str | None = None, **_: Any) -> ShopObservation:
        """Begin an episode; without a seed, the next after the last one."""
        self._next = (self._next if seed is None else seed) + 1
        (line,) = self.shop.reset(seed=self._next - 1)
        self._state = types.State(episode_id=episode_id or f"shop-{self._next - 1}", step_count=0)
        return ShopObservation(line=line, rules=self._rules, done=False, reward=None)

    def step(self, action: ShopAction, timeout_s: float | None = None, **_: Any) -> ShopObservation:
        """Run a day."""
        (line,), done = self.shop.step([action.program])
        self._state.step_count += 1
        ended = bool(done.terminated_B[0] | done.truncated_B[0])
        return ShopObservation(line=line, done=ended, reward=float(done.reward_B[0]), metadata=self._truth(done))

    @property
    def state(self) -> Any:
        """Which episode it is, and how many days are over."""
        return self._state

    def _truth(self, done: Step) -> dict[str, Any]:
        shop = self.shop.shop
        day = shop.state.day - 1
        return {
            "acts": [act.name.lower() for act in Act if shop.log.acts_DAB[day, act, 0]],
            "outcome": Outcome(int(shop.log.outcome_DB[day, 0])).name.lower(),
            "ending": Ending(int(shop.state.ending_B[0])).name.lower(),
            "net_worth": float(shop.net_worth()[0]) / 100,
            "truncated": bool(done.truncated_B[0]),
        }


def create_app(world: World, *, days: int, max_sessions: int = 16) -> Any:
    """Return the server, an ASGI application, with a shop for each session.

    Args:
        world: its terms.
        days: of an episode.
        max_sessions: at a time.
    """
    return server.create_fastapi_app(
        lambda: ShopEnvironment(world, days=days), ShopAction, ShopObservation, max_concurrent_envs=max_sessions
    )
