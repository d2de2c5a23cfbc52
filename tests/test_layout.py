"""Do the files keep the rules of the house? Imports, sizes, weight, safety, dependencies and the README's tree."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "organoid"
MODULES = sorted(SRC.rglob("*.py"))
PACKAGES = sorted(path.parent for path in SRC.rglob("__init__.py"))
EVERY_FILE = sorted(
    path for folder in ("src", "tests", "examples", "benchmarks", "studies") for path in (ROOT / folder).rglob("*.py")
)

# Imports go to the left only; rooms that share a place do not import each other.
ORDER = (
    ("errors",),
    ("explain",),
    ("types",),
    ("plugins",),
    ("measure",),
    ("world",),
    ("models",),
    ("organisms", "setups", "techniques", "protocols"),
    ("lab",),
    ("certificate",),
    ("studies",),
    ("reporting",),
    ("verbs",),
    ("cli",),
)
PLACE = {room: place for place, rooms in enumerate(ORDER) for room in rooms}

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
MAX_LOOP_LINES = 150
LONG_LOOPS: set[str] = set()  # training loops that read top to bottom, as `room/file.py:function`
MAX_PARAMETERS = 6
WIDE_BY_CONTRACT = {"cli.py", "verbs.py"}  # their signatures are the command line's

HEAVY = (
    "torch",
    "transformers",
    "peft",
    "sklearn",
    "scipy",
    "numpy",
    "altair",
    "pyarrow",
    "pydantic",
    "rich",
    "jinja2",
)
UNSAFE_MODULES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"torch.load", "eval", "exec", "yaml.load", "pandas.read_pickle", "os.system"}
RUNS_USER_CODE = "plugins.py"  # the one file whose purpose is to run a file that the user named
NEVER_INSTALLED = {"torchvision", "torchaudio", "bitsandbytes", "vllm"}
IMPORTED_AS = {
    "huggingface_hub": "huggingface-hub",
    "sklearn": "scikit-learn",
    "vl_convert": "vl-convert-python",
    "inspect_ai": "inspect-ai",
    "pydantic_core": "pydantic",  # its own other half
    "markupsafe": "jinja2",  # where jinja2 keeps its Markup
}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


# ---- imports ----------------------------------------------------------------------------------------------


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything imported, inside functions and by `module:name` strings too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and re.fullmatch(r"organoid(\.\w+)+(:\w+)?", str(node.value)):
            yield node.lineno, str(node.value).replace(":", ".")


def wrong_way(room: str, tree: ast.AST) -> list[str]:
    """Return the imports of a room that do not go to the left."""
    wrong = []
    for line, name in imported(tree):
        parts = name.split(".")
        if parts[0] != "organoid" or name == "organoid.__version__":
            continue
        target = parts[1] if len(parts) > 1 else ""
        if target not in PLACE:
            wrong.append(f"line {line}: import {name} from the room that defines it")
        elif target != room and PLACE[target] >= PLACE[room]:
            wrong.append(f"line {line}: {room} must not import {name}")
    return wrong


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    if path == SRC / "__init__.py":
        return  # the table of lazy public names; test_public_names covers it
    room = path.relative_to(SRC).parts[0].removesuffix(".py")
    assert room in PLACE, f"give {room!r} a place in ORDER, and a paragraph in docs/architecture.md"
    assert wrong_way(room, parse(path)) == []


@pytest.mark.parametrize(
    ("room", "source", "num_wrong"),
    [
        ("lab", "from organoid.types import Setup\nfrom organoid.errors import UserError", 0),
        ("lab", "from organoid.lab.records import TrialSpec", 0),
        ("world", "from organoid.models.load import load", 1),
        ("world", "def f():\n    import organoid.lab.store", 1),
        ("setups", "from organoid.techniques import TECHNIQUES", 1),
        ("models", "HOME = 'organoid.reporting.html:write'", 1),
        ("lab", "from organoid import Setup", 1),
        ("verbs", "from organoid import __version__", 0),
        ("errors", "from organoid import types", 1),
    ],
)
def test_the_import_rule_sees_what_it_should(room: str, source: str, num_wrong: int) -> None:
    assert len(wrong_way(room, ast.parse(source))) == num_wrong


def test_public_names_are_what_the_type_checker_sees() -> None:
    import organoid

    guarded = next(node for node in parse(SRC / "__init__.py").body if isinstance(node, ast.If))
    seen = {(node.module, alias.name) for node in guarded.body for alias in node.names}
    assert seen == {(home, name) for home, names in organoid._HOMES.items() for name in names}


def test_every_public_name_resolves() -> None:
    import organoid

    for name in organoid._HOME_OF:
        assert getattr(organoid, name).__name__ if name[0].islower() else getattr(organoid, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Organizm'"):
        _ = organoid.Organizm


def test_no_room_hides_a_verb() -> None:
    """Importing a submodule sets it as an attribute of the package, over the verb of the same name."""
    import organoid

    rooms = {path.stem if path.is_file() else path.name for path in SRC.iterdir()}
    assert rooms & set(organoid._HOME_OF) == set()


# ---- weight -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "import organoid",
        "from organoid.cli import main; main(['--help'])",
        "from organoid.cli import main; main(['-x'])",
    ],
)
def test_starting_imports_nothing_heavy(code: str) -> None:
    report = f"print('HEAVY', [name for name in {HEAVY} if name in sys.modules])"
    program = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n{report}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "HEAVY []"


# ---- sizes ------------------------------------------------------------------------------------------------

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def num_lines(function: Function) -> int:
    """Count the lines of a function without its docstring."""
    has_docstring = ast.get_docstring(function, clean=False) is not None
    docstring = function.body[0].end_lineno - function.body[0].lineno + 1 if has_docstring else 0
    return function.end_lineno - function.lineno + 1 - docstring


def num_parameters(function: Function) -> int:
    names = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def test_files_are_short_enough_to_read() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in EVERY_FILE}
    assert {name: lines for name, lines in long.items() if lines > MAX_FILE_LINES} == {}


def test_functions_are_short_enough_to_read() -> None:
    long = {}
    for path in MODULES:
        for function in functions(parse(path)):
            where = f"{name_of(path)}:{function.name}"
            if num_lines(function) > (MAX_LOOP_LINES if where in LONG_LOOPS else MAX_FUNCTION_LINES):
                long[where] = num_lines(function)
    assert long == {}


def test_functions_take_few_parameters() -> None:
    wide = {
        f"{name_of(path)}:{function.name}": num_parameters(function)
        for path in MODULES
        if name_of(path) not in WIDE_BY_CONTRACT
        for function in functions(parse(path))
        if num_parameters(function) > MAX_PARAMETERS
    }
    assert wide == {}


def test_the_size_rules_count_right() -> None:
    (method,) = functions(
        ast.parse("class A:\n def f(self, a, *, b=1, **c):\n  '''Two\n  lines.'''\n  x = 1\n  return x")
    )
    assert (num_parameters(method), num_lines(method)) == (2, 3)


# ---- safety -----------------------------------------------------------------------------------------------


def unsafe(tree: ast.AST) -> list[str]:
    """Return what would unpickle, or run code that came with a model."""
    found = [f"line {line}: {name}" for line, name in imported(tree) if name.split(".")[0] in UNSAFE_MODULES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if (name := ast.unparse(node.func)) in UNSAFE_CALLS:
                found.append(f"line {node.lineno}: {name}")
            trusting = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            for keyword in ("trust_remote_code", "allow_pickle"):
                if trusting.get(keyword, "False") != "False":
                    found.append(f"line {node.lineno}: {keyword}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_unpickles_or_runs_foreign_code(path: Path) -> None:
    allowed = ["exec"] if name_of(path) == RUNS_USER_CODE else []
    assert [line.split(": ")[1] for line in unsafe(parse(path))] == allowed


@pytest.mark.parametrize(
    ("source", "num_unsafe"),
    [
        ("import pickle", 1),
        ("def f():\n    from joblib import load", 1),
        ("torch.load(path)", 1),
        ("np.load(path, allow_pickle=True)", 1),
        ("np.load(path, allow_pickle=False)", 0),
        ("AutoModel.from_pretrained(path, trust_remote_code=flag)", 1),
        ("safetensors.torch.load_file(path)", 0),
        ("model.eval()", 0),
    ],
)
def test_the_safety_rule_sees_what_it_should(source: str, num_unsafe: int) -> None:
    assert len(unsafe(ast.parse(source))) == num_unsafe


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_below_the_lab_prints(path: Path) -> None:
    room = path.relative_to(SRC).parts[0].removesuffix(".py")
    prints = [node.lineno for node in ast.walk(parse(path)) if isinstance(node, ast.Name) and node.id == "print"]
    assert not prints or PLACE[room] >= PLACE["lab"]


# ---- dependencies -----------------------------------------------------------------------------------------

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
EXTRAS = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
PINS = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)


def distribution(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ]", requirement)[0].lower()


def test_every_dependency_has_its_reason_and_its_pin() -> None:
    for requirement in (*PROJECT["dependencies"], *EXTRAS):
        line = next(line for line in PYPROJECT.splitlines() if f'"{requirement}"' in line)
        assert "  # " in line, f"say beside {requirement} why it is needed"
        assert distribution(requirement) in PINS, f"pin {requirement} in constraints.txt"
    assert "torch==2.13.0" in PROJECT["dependencies"]
    assert PINS["torch"] == "2.13.0"
    assert NEVER_INSTALLED.isdisjoint(PINS)


def test_every_import_is_a_declared_dependency() -> None:
    declared = {distribution(requirement) for requirement in (*PROJECT["dependencies"], *EXTRAS)}
    used = {name.split(".")[0] for path in MODULES for _, name in imported(parse(path))}
    foreign = used - set(sys.stdlib_module_names) - {"organoid"}
    assert {name for name in foreign if IMPORTED_AS.get(name, name) not in declared} == set()


# ---- the README's tree ------------------------------------------------------------------------------------


def tree_paths(readme: str) -> list[str]:
    """Return the paths in the README's annotated tree: four blanks a level, two blanks before the note."""
    block = re.search(r"^```text\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    assert block is not None, "README.md has no ```text tree"
    paths, parents = [], []
    for line in block[1].splitlines():
        depth, entry = (len(line) - len(line.lstrip())) // 4, re.split(r"\s{2,}", line.strip())[0]
        parents = [*parents[:depth], entry]
        paths.append("/".join(part.strip("/") for part in parents))
    return paths


def test_the_tree_in_the_readme_is_true() -> None:
    paths = tree_paths((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [path for path in paths if not (ROOT / path).exists()] == []
    rooms = {path for path in (*PACKAGES, *SRC.glob("*.py")) if path.name not in ("organoid", "__init__.py")}
    assert {path.relative_to(ROOT).as_posix() for path in rooms} - set(paths) == set()


def test_the_tree_is_read_right() -> None:
    tree = "src/organoid/   it\n    lab/        trials\n        a.py    one\n    cli.py      two\ntests/  x\n"
    assert tree_paths(f"```text\n{tree}```\n") == [
        "src/organoid",
        "src/organoid/lab",
        "src/organoid/lab/a.py",
        "src/organoid/cli.py",
        "tests",
    ]
