"""Errors a user can act on.

Three kinds cross the public boundary, and each has an exit code (see docs/architecture.md, "Errors"):
`UserError` (2) for bad input, `PrerequisiteError` (3) for something missing on the machine, and Python's
own `KeyboardInterrupt` (130). Everything else is a bug and keeps its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class OrganoidError(Exception):
    """Base of every error whose message is meant for the user."""

    exit_code = 2


class UserError(OrganoidError, ValueError):
    """Bad input: the message says what, what was got, what is allowed and what to type."""


class AccessError(OrganoidError, PermissionError):
    """A technique asked its access for something that its declared access does not include."""


class PrerequisiteError(OrganoidError, RuntimeError):
    """Something that must be installed, started or free (disk) is not; the message says how to get it."""

    exit_code = 3


def unknown_name(kind: str, got: str, allowed: Iterable[str], *, where: str = "") -> UserError:
    """Return the error for a misspelt name, with its near matches and everything that is allowed.

    Args:
        kind: what was to be named, as `organism`.
        got: the name.
        allowed: every name there is.
        where: in which part of the user's input it stands, as `the release rule of setup 'mine'`.
    """
    names = sorted(allowed)
    near = get_close_matches(got, names, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
    place = f" in {where}" if where else ""
    return UserError(f"unknown {kind} {got!r}{place}.{hint} Allowed: {', '.join(names)}.")
