"""Which object does `file.py:name` or `pkg.mod:name` mean?

The one place that runs a file of the user's: setups, organisms and techniques written outside this package are found
here, each with the digest of the file that defines it, so that a trial's spec changes when the file does. A user's file
runs with the user's rights, as `python my_file.py` would; setups from strangers should be TOML or JSON, which are data.
The file's own folder is not put on the import path: what it imports must be installed.

Example:
    >>> load_object("examples/my_setup.py:SETUP", "setup").name
    'SETUP'
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from organoid.errors import OrganoidError, PrerequisiteError, UserError
from organoid.explain import did_you_mean, explain
from organoid.types import Record

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[T]):
    """A user's object: `value`, the `name` it has in its file, and the SHA-256 `digest` of that file (hex)."""

    value: T
    name: str
    path: Path
    digest: str


def is_reference(ref: str) -> bool:
    """Return whether `ref` points into a file or module of the user's, rather than naming something built in."""
    return ":" in ref or ref.endswith(".py")


def load_object(ref: str, kind: str, *, expect: type[T] = object) -> Loaded[T]:
    """Load what `ref` points at and check that it is an `expect`.

    Args:
        ref: `file.py:name` or `pkg.mod:name`; the name may be left out when the file defines exactly one `expect`.
        kind: what is wanted, in a word, for messages: `setup`, `organism` or `technique`.
        expect: the class that the object must be an instance of.

    Raises:
        UserError: the file, module or name does not exist, the file does not run, or the object is another thing.
        PrerequisiteError: the file imports a package that is not installed.
    """
    if ref.endswith(".py"):
        place, name = ref, ""
    else:
        place, _, name = ref.rpartition(":")
    if not place or not all(part.isidentifier() for part in name.split(".") if name):
        raise UserError(f"{kind} {ref!r} is not a reference. Write file.py:name or pkg.mod:name.")
    module, path = _run_file(Path(place), kind) if place.endswith(".py") else _import_module(place, kind)
    name = name or _only_name(module, place, kind, expect)
    value = _look_up(module, name, place, kind)
    if not isinstance(value, expect):
        raise UserError(
            f"{place}:{name} is a {type(value).__name__}, not a {kind}: make it an organoid.{expect.__name__}."
        )
    return Loaded(value=value, name=name, path=path, digest=_digest(path))


def read_text(path: Path, kind: str) -> str:
    """Return the UTF-8 text of a user's file, or raise a UserError that says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{kind} file {str(path)!r} does not exist.{_near_files(path)}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{kind} file {str(path)!r} is not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise UserError(f"{kind} file {str(path)!r} cannot be read: {error.strerror}.") from None


def _near_files(path: Path) -> str:
    if not path.parent.is_dir():
        return f" There is no folder {str(path.parent)!r}."
    beside = [file.name for file in path.parent.iterdir() if file.suffix in {".py", ".toml", ".json"}]
    return did_you_mean(path.name, sorted(beside))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run_file(path: Path, kind: str) -> tuple[ModuleType, Path]:
    """Run a file once per content and process; its module stays in `sys.modules`, as dataclasses need it there."""
    source = read_text(path, kind)
    path = path.resolve()
    module_name = f"_organoid_user_{path.stem}_{hashlib.sha256(f'{path}{source}'.encode()).hexdigest()[:16]}"
    if module_name in sys.modules:
        return sys.modules[module_name], path
    try:
        code = compile(ast.parse(source, str(path)), str(path), "exec")
    except (SyntaxError, ValueError) as error:
        where = f" (line {error.lineno}, column {error.offset})" if isinstance(error, SyntaxError) else ""
        raise UserError(f"{kind} file {str(path)!r} is not valid Python: {error.args[0]}{where}.") from None
    module = ModuleType(module_name)
    module.__file__ = str(path)
    sys.modules[module_name] = module
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        del sys.modules[module_name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise _why_it_failed(error, f"{kind} file {str(path)!r}", str(path)) from error
    return module, path


def _import_module(name: str, kind: str) -> tuple[ModuleType, Path]:
    if not all(part.isidentifier() for part in name.split(".")):
        raise UserError(
            f"{kind} file or module {name!r} is neither a .py file nor a module's name. Write file.py:name."
        )
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise UserError(f"{kind} module {name!r} is not installed here. Install it, or write file.py:name.")
    if found.origin is None or not Path(found.origin).is_file():
        raise UserError(f"{kind} module {name!r} has no source file, so its digest can't be recorded.")
    try:
        return importlib.import_module(name), Path(found.origin)
    except Exception as error:
        raise _why_it_failed(error, f"{kind} module {name!r}", found.origin) from error


def _why_it_failed(error: BaseException, what: str, filename: str) -> OrganoidError:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
    where = f" on line {lines[-1]}" if lines else ""
    if isinstance(error, ModuleNotFoundError):
        return PrerequisiteError(f"{what} imports {error.name!r}{where}, which is not installed. Install it first.")
    if isinstance(error, ValidationError):
        model = _record_named(error.title)
        mistakes = explain(error, model=model) if model else explain(error)
        return UserError(f"{what} failed{where}, making a {error.title}:" + "".join(f"\n  {line}" for line in mistakes))
    return UserError(f"{what} failed{where} with {type(error).__name__}: {error}")


def _record_named(title: str, within: type[Record] = Record) -> type[Record] | None:
    """Return the record class that a validation error speaks of: any that has been imported."""
    for known in within.__subclasses__():
        found = known if known.__name__ == title else _record_named(title, known)
        if found is not None:
            return found
    return None


def _look_up(module: ModuleType, name: str, place: str, kind: str) -> Any:
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            names = sorted(public for public in vars(module) if not public.startswith("_"))
            hint = f"{did_you_mean(name, names)} Names there: {', '.join(names) or 'none'}."
            raise UserError(f"{kind} {name!r} is not defined in {place}.{hint}")
        value = getattr(value, part)
    return value


def _only_name(module: ModuleType, place: str, kind: str, expect: type) -> str:
    """Return the one public name that holds an `expect`, made there or imported."""
    names = [name for name, value in vars(module).items() if not name.startswith("_") and isinstance(value, expect)]
    if expect is not object and len(names) == 1:
        return names[0]
    options = ", ".join(f"{place}:{name}" for name in names) if expect is not object and names else f"{place}:NAME"
    raise UserError(f"{place!r} needs the name of the {kind} in it. Write {options}.")
