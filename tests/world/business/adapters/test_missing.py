"""What a user reads who lacks the package that an adapter is for."""

import importlib
import sys

import pytest

from organoid.errors import PrerequisiteError


def test_without_gymnasium_the_message_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    monkeypatch.delitem(sys.modules, "organoid.world.business.adapters.gymnasium_env", raising=False)
    with pytest.raises(PrerequisiteError, match="pip install 'gymnasium"):
        importlib.import_module("organoid.world.business.adapters.gymnasium_env")


def test_without_openenv_the_message_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openenv", None)
    for name in [name for name in sys.modules if name.startswith("openenv.")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "organoid.world.business.adapters.openenv_env", raising=False)
    with pytest.raises(PrerequisiteError, match="pip install 'openenv"):
        importlib.import_module("organoid.world.business.adapters.openenv_env")


def test_the_shop_itself_needs_no_gymnasium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    from organoid.world.business.load import load_world
    from organoid.world.business.text_shop import TextShop

    assert len(TextShop(load_world(), days=2).reset(seed=0, num_envs=3)) == 3
