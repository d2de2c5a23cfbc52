import importlib.util

import pytest

from organoid.errors import PrerequisiteError, UserError
from organoid.lab.engines import engine_named
from organoid.lab.engines.local import LocalEngine
from organoid.lab.tasks import Task

HAS_RAY = importlib.util.find_spec("ray") is not None


def test_engines_by_name():
    assert isinstance(engine_named("local"), LocalEngine)
    with pytest.raises(UserError, match=r"unknown engine 'locl'. Did you mean 'local'\?"):
        engine_named("locl")


@pytest.mark.skipif(HAS_RAY, reason="ray is installed")
def test_a_missing_ray_says_what_to_type():
    with pytest.raises(PrerequisiteError, match="pip install 'ray") as caught:
        engine_named("ray")
    assert caught.value.exit_code == 3


@pytest.mark.skipif(not HAS_RAY, reason="ray is an optional extra")
@pytest.mark.filterwarnings("default")  # ray's own
def test_ray_gives_the_numbers_of_the_local_engine():
    def task(name: str, function: str = "number", after: tuple[str, ...] = (), **payload: object) -> Task:
        return Task(id=name, function=f"dummy_tasks:{function}", payload={"seed": 0, **payload}, after=after)

    tasks = [task(str(seed), seed=seed, after=("0",) if seed else ()) for seed in range(6)]
    tasks += [task("bad", "raise_error"), task("needs", after=("bad",)), task("dead", "die", how="exit")]
    numbers = []
    for engine in (LocalEngine(preload=()), engine_named("ray")):
        results = engine.map(tasks, num_workers=2, finished={}, on_start=lambda task: None)
        numbers.append({result.id: (result.status, result.value) for result in results})
    assert numbers[0] == numbers[1]
    assert sorted(name for name, (status, _) in numbers[1].items() if status == "failed") == ["bad", "dead", "needs"]
