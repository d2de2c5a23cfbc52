"""Where does a run keep what it did, and is it the same run that is going on?

A directory that only its own run may write: created once, never overwritten, resumed only under the same config and by
one process at a time. `config.json` and `journal.jsonl` come first; result files are replaced whole. The config holds
what the numbers depend on; the number of workers or the engine must not be in it, so that they may differ on resuming.

    >>> with RunDirectory.create(Path("out"), {"setup": "naive", "seeds": 3}) as run:  # doctest: +SKIP
    ...     run.write_json("result.json", {"schema_version": 1})
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from organoid.errors import UserError
from organoid.lab.digest import canonical_json, digest_file, digest_json, digest_text
from organoid.lab.disk import Lock, disk_errors, write_atomic
from organoid.lab.journal import Journal, verify

CONFIG = "config.json"
JOURNAL = "journal.jsonl"
LOCK = ".lock"
RESULT = "result.json"
SEAL = "result"
"""The kind of the journal's entry for the results of a finished run."""
_MAKE_AGAIN = "Type the run's command again with --resume: finished tasks are kept and the results made anew from them."
_REMEDY = "Choose another place: --out DIR."
_MAX_NAME = 180  # characters of a file name made from an id; file systems allow 255 bytes


class RunDirectory:
    """An open run directory: its path, config, journal, and notices for the user about what was found on opening."""

    def __init__(self, path: Path, config: Mapping[str, Any], lock: Lock) -> None:
        self.path = path
        self.config = dict(config)
        self.notices: tuple[str, ...] = ()
        self._lock = lock
        self._journal: Journal | None = None

    @property
    def journal(self) -> Journal:
        """The run's journal, open for appending."""
        assert self._journal is not None
        return self._journal

    @classmethod
    def create(cls, path: Path, config: Mapping[str, Any]) -> RunDirectory:
        """Make the directory (an existing empty one will do) and write `config.json` and the journal's first entry.

        Args:
            path: where; missing parents are made.
            config: the resolved spec, a JSON object; everything the numbers depend on and nothing else.

        Raises:
            UserError: something is there already, another process is using it, or it can't be written.
            PrerequisiteError: the disk is full.
        """
        _refuse_used(path)
        lock = _locked(path)
        try:
            _refuse_used(path)  # another process may have begun meanwhile
            return cls._begin(path, config, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def resume(cls, path: Path, config: Mapping[str, Any]) -> RunDirectory:
        """Open the directory of an earlier run of the same config; where nothing has begun yet, create it.

        A run may be killed before it has written anything, so that the same command with `--resume` always works;
        `notices` then says that nothing was there.

        Raises:
            UserError: its config differs (the message names the keys), its config or journal was changed, another
                process is using it, or what is there is no run.
            PrerequisiteError: the disk is full.
        """
        if not _has_begun(path) and not _is_unused(path):
            raise UserError(f"{path} is not the directory of a run: it has no {CONFIG}. Choose another with --out.")
        lock = _locked(path)
        try:
            if not _has_begun(path):
                run = cls._begin(path, config, lock)
                run.notices = (f"nothing to resume in {path}: this is a new run.",)
                return run
            run = cls(path, config, lock)
            run._journal = Journal.open(path / JOURNAL)
            run._check_config()
            run.notices = (run.journal.notice,) if run.journal.notice else ()
            return run
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _begin(cls, path: Path, config: Mapping[str, Any], lock: Lock) -> RunDirectory:
        run = cls(path, config, lock)
        with disk_errors(path, otherwise=_REMEDY):
            (path / JOURNAL).unlink(missing_ok=True)  # of a run that was killed before it had a config
        run._journal = Journal.create(path / JOURNAL)
        run.journal.append("run", {"config_digest": digest_json(run.config)})
        run.write_json(CONFIG, run.config)  # last, so that a directory with a config has all that resuming needs
        return run

    def _check_config(self) -> None:
        written = _read_config(self.path / CONFIG)
        first = self.journal.entries[0].payload if self.journal.entries else {}
        if first.get("config_digest") != digest_json(written):
            raise UserError(
                f"{self.path / CONFIG} was changed after the run began. Restore it, or start a new run with another "
                "--out."
            )
        if differing := config_differences(written, self.config):
            listed = "\n".join(f"  {line}" for line in differing)
            raise UserError(
                f"cannot resume {self.path}: it was made with another spec. These keys differ:\n{listed}\n"
                "Run the command it was made with, or start a new run with another --out."
            )

    def write_text(self, name: str, content: str | bytes) -> Path:
        """Replace the file `name` (a relative path; folders are made) whole, and return its path."""
        path = self.path / name
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, content)
        return path

    def write_json(self, name: str, value: Mapping[str, Any]) -> Path:
        """Replace the file `name` by `value` as indented JSON; raises ValueError for a NaN or infinite float."""
        return self.write_text(name, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def write_parquet(self, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
        """Replace the file `name` by a Parquet table, one row per mapping.

        Columns are the union of the keys, in order of first sight; a key that a row lacks is null there. Nested values
        become text columns of canonical JSON, since their keys may differ from row to row.
        """
        arrow: Any = importlib.import_module("pyarrow")  # heavy, and shipped without types
        parquet: Any = importlib.import_module("pyarrow.parquet")
        names = list(dict.fromkeys(key for row in rows for key in row))
        columns = {column: [_cell(row.get(column)) for row in rows] for column in names}
        sink = arrow.BufferOutputStream()
        parquet.write_table(arrow.table(columns), sink)
        return self.write_text(name, sink.getvalue().to_pybytes())

    def write_transcript(self, trial_id: str, value: Mapping[str, Any]) -> Path:
        """Replace the transcript of a trial, `transcripts/<id>.json`."""
        return self.write_json(f"transcripts/{file_name(trial_id)}.json", value)

    def seal(self) -> None:
        """Enter the digests of `result.json` and of what was written beside it; `verify_seal` compares them."""
        self.journal.append(SEAL, {"files": {name: digest_file(self.path / name) for name in _sealed_names(self.path)}})

    def close(self) -> None:
        """Let another process open the directory."""
        self._lock.release()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def verify_seal(path: Path) -> None:
    """Check that a finished run's results are those that its journal recorded when they followed from its tasks.

    What it can't show: a journal written anew as a whole by someone who computes every digest.

    Raises:
        UserError: there is no journal or no result in it, the journal was changed, or a file is not as it recorded.
    """
    entries = verify(path / JOURNAL).entries
    sealed = next((entry for entry in reversed(entries) if entry.kind == SEAL), None)
    if sealed is None:
        raise UserError(
            f"nothing in {path / JOURNAL} vouches for {path / RESULT}: the journal's end was cut off, or an older "
            f"Organoid made the run. {_MAKE_AGAIN}"
        )
    recorded: dict[str, str] = sealed.payload["files"]
    for name in sorted(recorded.keys() | set(_sealed_names(path)), key=lambda name: (name != RESULT, name)):
        there = path / name
        if name not in recorded:
            raise UserError(f"{there} was put there after the run ended: its journal has no such file. {_MAKE_AGAIN}")
        if not there.is_file() or digest_file(there) != recorded[name]:
            raise UserError(
                f"{there} was changed after the run ended: it is not what entry {sealed.index} ({SEAL}) of the journal "
                f"recorded. {_MAKE_AGAIN}"
            )


def _sealed_names(path: Path) -> list[str]:
    """Return what of a run's files a report shows, `result.json` first, relative to the directory."""
    beside = [*path.glob("trials.parquet"), *path.glob("transcripts/*.jsonl")]
    return [RESULT, *sorted(found.relative_to(path).as_posix() for found in beside)]


def config_differences(written: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return a line per key that differs between two configs: its dotted path, the written and the given value."""
    before, now = dict(_leaves(written)), dict(_leaves(given))
    return [
        f"{key}: {_shown(before, key)} in the directory, {_shown(now, key)} now"
        for key in sorted(before.keys() | now.keys())
        if key not in before or key not in now or canonical_json(before[key]) != canonical_json(now[key])
    ]


def file_name(identity: str) -> str:
    """Return a file name for any id: letters, digits and `_.-=+@,` stay, others become %XX, long ones are cut."""
    name = quote(identity, safe="=+@,").replace("~", "%7E")
    name = "%2E" + name[1:] if name.startswith(".") else name
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 17]}-{digest_text(identity)[:16]}"


def _locked(path: Path) -> Lock:
    with disk_errors(path, otherwise=_REMEDY):
        path.mkdir(parents=True, exist_ok=True)
        lock = Lock(path / LOCK)
        free = lock.acquire(wait=False)
    if not free:
        holder = lock.path.read_text().strip() or "unknown"
        raise UserError(f"another process (id {holder}) is running in {path}. Wait for it, or choose another --out.")
    with disk_errors(path, otherwise=_REMEDY):
        lock.path.write_text(f"{os.getpid()}\n")
        if _is_unused(path) or _has_begun(path):
            for left in path.rglob(".*.tmp"):  # half-written files of a run that was killed
                left.unlink()
    return lock


def _refuse_used(path: Path) -> None:
    if not _is_unused(path):
        raise UserError(
            f"{path} exists and is never overwritten. Continue the run in it with --resume, or choose a new directory "
            "with --out."
        )


def _has_begun(path: Path) -> bool:
    with disk_errors(path, otherwise=_REMEDY):
        return (path / CONFIG).exists()


def _is_unused(path: Path) -> bool:
    """Whether nothing is there, or nothing but what a run killed in its first moment leaves."""
    with disk_errors(path, otherwise=_REMEDY):
        names = [entry.name for entry in path.iterdir()] if path.exists() else []
    return all(name in {LOCK, JOURNAL} or (name.startswith(".") and name.endswith(".tmp")) for name in names)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UserError(f"{path} is not a JSON object any more. Restore it, or start a new run with another --out.")
    return {str(key): item for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted path and value of every leaf; empty containers are leaves."""
    items: Any = value.items() if isinstance(value, Mapping) else enumerate(value) if _is_list(value) else ()  # pyright: ignore
    pairs = list(items)
    if not pairs and prefix:
        yield prefix, value
    for key, item in pairs:
        yield from _leaves(item, f"{prefix}.{key}" if prefix else str(key))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _shown(leaves: Mapping[str, Any], key: str) -> str:
    if key not in leaves:
        return "absent"
    text = canonical_json(leaves[key])
    return text if len(text) <= 80 else f"{text[:77]}..."


def _cell(value: Any) -> Any:
    return canonical_json(value) if isinstance(value, Mapping) or _is_list(value) else value
