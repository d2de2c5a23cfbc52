"""How is a number written, and how is text nobody vouches for made safe to read?

Every number in a report passes here, so that a missing value is always words and never a zero. Text from models is
shown with its control and direction-changing characters spelled out (Boucher & Anderson 2021, "Trojan Source", sec. 3:
such characters make what is read differ from what is stored). HTML escaping is the template's business, not ours.

Example:
    >>> Estimate(value=0.5, low=0.25, high=0.75).text
    '0.50 [0.25, 0.75]'
    >>> Estimate(value=None, reason="no twin finished").text
    'not estimable: no twin finished'
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

NO_REASON = "no reason recorded"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)

Row = Mapping[str, Any]
"""One JSON object of a result file: string keys, JSON values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its interval, or the reason why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    @property
    def known(self) -> bool:
        """Whether there is a value to draw."""
        return self.value is not None

    @property
    def number(self) -> str:
        """The value to two decimals, or `not estimable`."""
        return decimal(self.value)

    @property
    def interval(self) -> str:
        """`[low, high]` to two decimals; `no interval` for a value without one; empty without a value."""
        if self.value is None:
            return ""
        if self.low is None or self.high is None:
            return "no interval"
        return f"[{decimal(self.low)}, {decimal(self.high)}]"

    @property
    def why(self) -> str:
        """The reason for a missing value; empty when there is a value."""
        return "" if self.known else (self.reason or NO_REASON)

    @property
    def text(self) -> str:
        """Value and interval, or `not estimable: reason`, in one phrase."""
        return f"{self.number} {self.interval}" if self.known else f"not estimable: {self.why}"


def finite(value: object) -> float | None:
    """Return `value` as a float when it is a finite number, otherwise None (booleans are not numbers)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer that no float holds
        return None


def estimate(row: Row, key: str, *, bounds: str | tuple[str, str] | None = None) -> Estimate:
    """Read `key` of `row` with its interval and its reason.

    Args:
        row: a result row; its reasons stand under `reasons` ({key: text}), `<key>_reason` or `reason`.
        key: the value's key.
        bounds: the key of an interval [low, high], or the two keys of its ends; None: `<key>_ci`.

    Returns:
        The estimate; its value is None, with a reason, when the row holds no finite number.
    """
    if isinstance(bounds, tuple):
        low, high = row.get(bounds[0]), row.get(bounds[1])
    else:
        low, high = pair(row.get(bounds or f"{key}_ci"))
    return Estimate(value=finite(row.get(key)), low=finite(low), high=finite(high), reason=reason_for(row, key))


def pair(value: object) -> tuple[object, object]:
    """Return the two ends of a JSON interval `[low, high]`, or two Nones."""
    if isinstance(value, list | tuple) and len(cast("list[object]", value)) == 2:
        low, high = cast("list[object]", value)
        return low, high
    return None, None


def reason_for(row: Row, key: str) -> str | None:
    """Return the reason a row gives for a missing `key`, made safe to read, or None."""
    reasons = row.get("reasons")
    for found in (mapping(reasons).get(key), row.get(f"{key}_reason"), row.get("reason")):
        if found:
            return visible(str(found))
    return visible(reasons) if isinstance(reasons, str) and reasons else None


def mapping(value: object) -> Mapping[str, Any]:
    """Return `value` when it is a JSON object, otherwise an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def sequence(value: object) -> list[Any]:
    """Return `value` when it is a JSON array, otherwise an empty one."""
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []


def decimal(value: float | None) -> str:
    """Write a number to two decimals with a true minus sign, or `not estimable`."""
    if value is None:
        return "not estimable"
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")


def duration(seconds: float | None) -> str:
    """Write a wall-clock time in the largest two units that fit."""
    if seconds is None:
        return "not recorded"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def visible(text: str) -> str:
    """Spell out control, invisible, direction-changing and unpaired surrogate characters as `<U+XXXX>`."""
    return _UNSEEN.sub(lambda found: f"<U+{ord(found.group()):04X}>", text.replace("\r\n", "\n"))


def clip(text: str, limit: int) -> tuple[str, int]:
    """Cut `text` to `limit` characters, keeping its head and its tail; return it and how many were left out."""
    if len(text) <= limit:
        return text, 0
    head = max(1, limit * 2 // 3)
    tail = limit - head
    return f"{text[:head]}\n[...]\n{text[len(text) - tail :]}", len(text) - limit
