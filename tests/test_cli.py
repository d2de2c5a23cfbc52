"""The command line, with the verbs replaced: what they are called with, and what their errors become."""

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import organoid
from organoid import cli
from organoid.errors import AccessError, PrerequisiteError, UserError


class Verbs:
    """Stands in for `organoid.verbs`: remembers calls, and answers or raises what it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.answer: Any = SimpleNamespace(risk_exceeded=False)
        self.error: BaseException | None = None

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((verb, args, kwargs))
            if self.error is not None:
                raise self.error
            return self.answer

        return call


@pytest.fixture
def verbs(monkeypatch: pytest.MonkeyPatch) -> Verbs:
    stand_in = Verbs()
    monkeypatch.setitem(sys.modules, "organoid.verbs", stand_in)
    monkeypatch.setattr(organoid, "verbs", stand_in, raising=False)
    return stand_in


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


DEFAULTS = {
    "suite": "quick",
    "base": "tiny",
    "seeds": None,
    "out": None,
    "engine": "local",
    "workers": None,
    "resume": False,
    "fail_on_risk": None,
    "dry_run": False,
    "organisms": (),
    "techniques": (),
}


STUDY = {"quick": False, "engine": "local", "workers": None, "resume": False}
ALONE = {"population": None, "workers": None, "resume": False}


def test_test_with_nothing_said_tests_the_default_setup(verbs: Verbs) -> None:
    assert run("test") == 0
    assert verbs.calls == [("test", ("careful",), DEFAULTS)]


def test_every_option_of_test_reaches_the_verb(verbs: Verbs) -> None:
    line = (
        "test mine.toml --suite full --base small --seeds 3 --out runs/x --engine ray --workers 2 --resume "
        "--fail-on-risk 0.25 --dry-run --organism a --organism b.py:C --technique d --technique e.f:G"
    )
    assert run(*line.split()) == 0
    assert verbs.calls[0][1:] == (
        ("mine.toml",),
        {
            "suite": "full",
            "base": "small",
            "seeds": 3,
            "out": Path("runs/x"),
            "engine": "ray",
            "workers": 2,
            "resume": True,
            "fail_on_risk": 0.25,
            "dry_run": True,
            "organisms": ("a", "b.py:C"),
            "techniques": ("d", "e.f:G"),
        },
    )


@pytest.mark.parametrize(
    ("line", "call"),
    [
        (
            "grow sycophant --out m",
            (
                "grow",
                ("sycophant",),
                {"setup": "naive", "variant": "organism", "seed": 0, "out": Path("m"), "base": "tiny", **ALONE},
            ),
        ),
        (
            "grow a --setup careful --variant twin --seed 4 --base small --out m",
            (
                "grow",
                ("a",),
                {"setup": "careful", "variant": "twin", "seed": 4, "out": Path("m"), "base": "small", **ALONE},
            ),
        ),
        ("examine m", ("examine", (Path("m"),), {"techniques": (), "out": None})),
        (
            "examine m --technique a --technique b --out o",
            ("examine", (Path("m"),), {"techniques": ("a", "b"), "out": Path("o")}),
        ),
        ("study personas --out o", ("study", ("personas",), {**STUDY, "out": Path("o")})),
        (
            "study personas --quick --out o --workers 2 --resume",
            ("study", ("personas",), {**STUDY, "quick": True, "workers": 2, "resume": True, "out": Path("o")}),
        ),
        ("play", ("play", (None,), {"days": 30, "seed": 0, "world": None, "out": None})),
        (
            "play --model m --days 7 --seed 2 --world w.toml --out o",
            ("play", ("m",), {"days": 7, "seed": 2, "world": Path("w.toml"), "out": Path("o")}),
        ),
        ("report o", ("report", (Path("o"),), {})),
    ],
)
def test_the_other_commands_are_their_verbs(verbs: Verbs, line: str, call: tuple[Any, ...]) -> None:
    verbs.answer = "what the verb says"
    assert run(*line.split()) == 0
    assert verbs.calls == [call]


def test_what_a_verb_returns_is_printed(verbs: Verbs, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.answer = "two readings"
    run("examine", "m")
    assert capsys.readouterr() == ("two readings\n", "")


def test_what_a_model_says_cannot_steer_the_terminal(verbs: Verbs, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.answer = "m\nself-report  +0.100  it said \x1b[2J\u202e"
    run("examine", "m")
    assert capsys.readouterr().out == "m\nself-report  +0.100  it said <U+001B>[2J<U+202E>\n"


def test_list_prints_columns_or_json(verbs: Verbs, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.answer = {"setups": {"naive": "The job.", "careful": "More."}, "studies": {}}
    assert run("list") == 0
    assert capsys.readouterr().out == "setups\n  naive    The job.\n  careful  More.\n\nstudies\n  none\n"
    assert run("list", "setups", "--json") == 0
    assert json.loads(capsys.readouterr().out) == verbs.answer
    assert [call[1] for call in verbs.calls] == [(None,), ("setups",)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("no such thing"), 2),
        (AccessError("no such thing"), 2),
        (PrerequisiteError("no such thing"), 3),
    ],
)
def test_errors_become_one_message_and_a_code(
    verbs: Verbs, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    verbs.error = error
    assert run("test") == code
    assert capsys.readouterr() == ("", "organoid: no such thing\n")


def test_risk_above_the_limit_is_code_1_after_the_table(verbs: Verbs, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.answer = SimpleNamespace(risk_exceeded=True)
    assert run("test", "--fail-on-risk", "0.1") == 1
    assert "risk_exceeded=True" in capsys.readouterr().out


def test_an_interrupt_is_code_130_and_says_how_to_go_on(verbs: Verbs, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.error = KeyboardInterrupt()
    assert run("test") == 130
    assert "--resume" in capsys.readouterr().err
    assert run("report", "o") == 130


def test_a_bug_keeps_its_traceback(verbs: Verbs) -> None:
    verbs.error = RuntimeError("our own mistake")
    with pytest.raises(RuntimeError, match="our own mistake"):
        cli.main(["test"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tset", "Did you mean 'test'?"),
        ("test --seed 3", "No such option"),
        ("test --seeds 0", "'--seeds'"),
        ("test --seeds many", "'--seeds'"),
        ("test --workers -1", "'--workers'"),
        ("test --fail-on-risk 1.5", "'--fail-on-risk'"),
        ("test --engine spark", "'local', 'ray'"),
        ("grow sycophant", "'--out'"),
        ("grow --out m", "'ORGANISM'"),
        ("grow a --out m --variant clone", "'organism', 'twin', 'decoy'"),
        ("grow a --out m --seed -1", "'--seed'"),
        ("grow a --out m --population 0", "'--population'"),
        ("study personas", "'--out'"),
    ],
)
def test_a_mistyped_line_is_code_2_and_calls_nothing(
    verbs: Verbs, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    assert run(*line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "Traceback" not in err
    assert verbs.calls == []


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"organoid {organoid.__version__}\n"
    assert run("--help") == 0
    assert "Exit codes: 0 done" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["test", "grow", "examine", "study", "play", "report", "list"])
def test_commands_and_verbs_take_the_same(verb: str) -> None:
    from organoid import verbs

    repeated = {"organism": "organisms", "technique": "techniques"}
    command = getattr(cli, "list_" if verb == "list" else verb)
    options = inspect.signature(command).parameters
    multiple = {name for name, option in options.items() if "list[str]" in str(option.annotation)}
    typed = {repeated[name] if name in multiple else name: option.default for name, option in options.items()}
    typed.pop("json", None)
    called = {name: parameter.default for name, parameter in inspect.signature(getattr(verbs, verb)).parameters.items()}
    assert set(typed) == set(called)
    for name, default in called.items():
        if default is not inspect.Parameter.empty and default != ():
            assert typed[name] == default, name


def test_the_program_itself_refuses_bad_input(tmp_path: Path) -> None:
    """The installed entry point, once, from outside: code 2, one line, nothing written."""
    command = [sys.executable, "-c", "from organoid.cli import main; main()", "test", "no-such-setup", "--out", "here"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "no-such-setup" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
