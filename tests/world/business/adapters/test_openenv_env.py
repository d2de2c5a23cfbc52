"""The shop behind OpenEnv's server, run by OpenEnv's own client over a socket of this machine."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("openenv")

import uvicorn
from openenv.core.generic_client import GenericEnvClient

from organoid.world.business.adapters.openenv_env import ShopAction, ShopEnvironment, create_app
from organoid.world.business.load import load_world
from organoid.world.business.text_shop import TextShop

pytestmark = pytest.mark.filterwarnings("ignore")  # of websockets and starlette
DAYS = 4


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = create_app(load_world(), days=DAYS, max_sessions=4)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(600):
        if server.started:
            break
        time.sleep(0.05)
    assert server.started
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=30)


def episode(client: Any, seed: int, program: str) -> list[Any]:
    results = [client.reset(seed=seed)]
    while not results[-1].done:
        results.append(client.step({"program": program}))
    return results


def test_a_client_runs_an_episode_that_is_the_simulators_own(address: str) -> None:
    program = "order cola mill 2 backup ."
    with GenericEnvClient(base_url=address).sync() as client:
        first, *days = episode(client, 3, program)
        assert client.state()["step_count"] == DAYS
    shop = TextShop(load_world(), days=DAYS)
    lines = [shop.reset(seed=3)[0]]
    rewards = list[float]()
    for _ in range(DAYS):
        (line,), done = shop.step([program])
        lines.append(line)
        rewards.append(float(done.reward_B[0]))
    assert [one.observation["line"] for one in (first, *days)] == lines
    assert [one.reward for one in days] == pytest.approx(rewards)
    assert "You run a vending business" in first.observation["rules"] and not days[0].observation["rules"]
    assert days[0].metadata["acts"] == ["backup"] and days[-1].metadata["truncated"] is True


def test_what_does_not_parse_loses_the_day_and_the_episode_goes_on(address: str) -> None:
    with GenericEnvClient(base_url=address).sync() as client:
        _, *days = episode(client, 0, "<script> please")
    assert [one.metadata["outcome"] for one in days] == ["lost"] * DAYS


def test_sessions_have_shops_of_their_own(address: str) -> None:
    with GenericEnvClient(base_url=address).sync() as one, GenericEnvClient(base_url=address).sync() as other:
        one.reset(seed=0), other.reset(seed=0)
        mine = one.step({"program": "order cola mill 3 ."})
        theirs = other.step({"program": "wait ."})
    assert mine.metadata["net_worth"] != theirs.metadata["net_worth"]


def test_without_a_seed_the_next_episode_is_another() -> None:
    env = ShopEnvironment(load_world(), days=2)
    first = env.reset(seed=5).line
    second = env.reset().line
    assert env.state.episode_id == "shop-6" and first.split()[0] == second.split()[0]
    env.step(ShopAction(program="wait ."))
    assert env.state.step_count == 1
